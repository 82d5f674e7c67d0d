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

// post sends form to an endpoint of Globus Auth, with the client id and secret
// in it, and decodes the answer as getJSON does.
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

// getJSON sends req and decodes the JSON that answers it into v; nil is for an
// answer whose body does not count. What has another type than v's is left out.
// Its errors are *Error, but for those of a TokenFunc, which it hands on.
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

// maxPause is how long a call waits for Globus that has too much to do.
const maxPause = 3 * time.Second

// sendPatiently sends a request, and once more if Globus refuses it for the moment
// and says when to come back (RFC 6585, section 4; RFC 9110, section 15.6.4), unless
// that is too late for whoever waits.
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

// retryAfter reads the header that says when to come back, in seconds or as a date.
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

// leaveOut returns the error of json.Unmarshal, but nil if that is about a member of
// another type than expected: it has read all others, and left that one out. A list
// is no such member, for nobody should take "not read" for "there are none".
func leaveOut(err error) error {
	if odd, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && odd.Field != "" && odd.Type.Kind() != reflect.Slice {
		return nil
	}
	return err
}

// isJSON reports whether a media type is JSON: application/json, or one of those
// that say so at their end (RFC 6839, section 3.1), such as application/jwk-set+json.
// Its parameters say nothing more.
func isJSON(mediaType string) bool {
	t, _, _ := strings.Cut(strings.ToLower(mediaType), ";")
	t = strings.TrimSpace(t)
	return t == "application/json" || strings.HasSuffix(t, "+json")
}

// refusal reads an answer that is not a success by its body, whatever its status:
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
	e.RequestID = cmp.Or(requestID(top.text("request_id")), requestID(first.text("id")))
	e.Requirements, _ = ReadRequirements(body)
	if e.Code != "" && e.Reason == BadStatus && status < http.StatusInternalServerError {
		e.Reason = Refused
	}
	return e
}
