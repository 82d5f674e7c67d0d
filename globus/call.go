package globus

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// post sends form, with the client id and secret added, to an endpoint of Globus Auth,
// and decodes the response as getJSON does.
func (c *Client) post(ctx context.Context, call, path string, form url.Values, v any) error {
	form.Set("client_id", c.oauth.ClientID)
	form.Set("client_secret", c.oauth.ClientSecret)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.issuer+path, strings.NewReader(form.Encode()))
	if err != nil {
		return callError(call, err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return getJSON(c.http, call, req, v)
}

// getJSON sends req and decodes the JSON of the response into v. If v is nil, it ignores
// the body. It leaves out members of another type than v's. The error is an *Error, or
// that of a TokenFunc, unchanged.
func getJSON(client *http.Client, call string, req *http.Request, v any) error {
	resp, err := sendPatiently(client, req)
	if e, ok := errors.AsType[tokenError](err); ok {
		return e.error
	}
	if err != nil {
		return callError(call, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return callError(call, err)
	}
	switch {
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		refused := refusal(call, resp.StatusCode, body)
		refused.RetryAfter, _ = retryAfter(resp.Header)
		return refused
	case v == nil, resp.StatusCode == http.StatusNoContent && req.Method != http.MethodGet:
		return nil
	case !isJSON(resp.Header.Get("Content-Type")):
		return &Error{Call: call, Reason: Malformed, Status: resp.StatusCode, Detail: "the answer is not application/json"}
	}
	if err := leaveOut(json.Unmarshal(body, v)); err != nil {
		return &Error{Call: call, Reason: Malformed, Status: resp.StatusCode, Detail: "the answer is not the JSON that was expected"}
	}
	return nil
}

// maxPause is how long a call waits before it is sent again, see sendPatiently.
const maxPause = 3 * time.Second

// sendPatiently sends a request, and once more if the response is 429 or 503 with a
// Retry-After (RFC 6585, section 4; RFC 9110, section 15.6.4) that is not too late for
// the caller.
func sendPatiently(client *http.Client, req *http.Request) (*http.Response, error) {
	resp, err := client.Do(req)
	if err != nil || resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return resp, err
	}
	wait, ok := retryAfter(resp.Header)
	ctx := req.Context()
	if end, ends := ctx.Deadline(); !ok || wait > maxPause || ends && time.Until(end) < wait {
		return resp, nil
	}
	again := req.Clone(ctx)
	if req.GetBody != nil {
		if again.Body, err = req.GetBody(); err != nil {
			return resp, nil
		}
	}
	select {
	case <-ctx.Done():
		return resp, nil
	case <-time.After(wait):
	}
	resp.Body.Close()
	return client.Do(again)
}

// retryAfter reads the header Retry-After, which has seconds or a date.
func retryAfter(h http.Header) (wait time.Duration, ok bool) {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(at)), true
	}
	return 0, false
}

// leaveOut returns err, an error of json.Unmarshal, or nil if err is about a member of
// another type than expected: json.Unmarshal has read all others. It returns err for a
// list, because a caller would take a list that was not read for an empty one.
func leaveOut(err error) error {
	if odd, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && odd.Field != "" && odd.Type.Kind() != reflect.Slice {
		return nil
	}
	return err
}

// isJSON reports whether a media type is JSON: application/json, or one with the suffix
// +json (RFC 6839, section 3.1), such as application/jwk-set+json. Parameters are
// ignored.
func isJSON(mediaType string) bool {
	t, _, _ := strings.Cut(strings.ToLower(mediaType), ";")
	t = strings.TrimSpace(t)
	return t == "application/json" || strings.HasSuffix(t, "+json")
}

// refusal reads the body of an error response, whatever its status:
// that of OAuth (error, RFC 6749, section 5.2), of Transfer (code, message,
// request_id), of Groups and Globus Auth (code and detail, or a list errors of
// them), and of Flows (an object error of them). A gateway's page in HTML has
// none of them.
func refusal(call string, status int, body []byte) *Error {
	top := parseErrorDocument(body)
	var first errorDocument
	var list []json.RawMessage
	if json.Unmarshal(top["errors"], &list) == nil && len(list) > 0 {
		first = parseErrorDocument(list[0])
	}
	e := answerError(call, status, "")
	for _, d := range []errorDocument{top, top.object("error"), first} {
		e.Code = cmp.Or(e.Code, ErrorCode(d.text("error")), ErrorCode(d.text("code")))
		e.Message = cmp.Or(e.Message, tidy(cmp.Or(d.text("message"), d.text("detail"))))
	}
	if wrong := wrongMembers(top.object("error_data")["messages"]); wrong != "" {
		e.Message = tidy(e.Message + " " + wrong)
	}
	e.RequestID = cmp.Or(requestID(top.text("request_id")), requestID(first.text("id")))
	e.Requirements, _ = ReadRequirements(body)
	if e.Code != "" && e.Reason == BadStatus && status < http.StatusInternalServerError {
		e.Reason = Refused
	}
	return e
}
