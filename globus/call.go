package globus

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
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

// getJSON sends req and decodes the JSON that answers it into v. Its errors are
// *Error, but for those of a TokenFunc, which it hands on.
func getJSON(client *http.Client, call string, req *http.Request, v any) error {
	resp, err := client.Do(req)
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
	if resp.StatusCode != http.StatusOK {
		return refusal(call, resp.StatusCode, body)
	}
	if t, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); t != "application/json" {
		return &Error{Call: call, Reason: Malformed, Status: resp.StatusCode, Detail: "the answer is not application/json"}
	}
	if err := json.Unmarshal(body, v); err != nil {
		return &Error{Call: call, Reason: Malformed, Status: resp.StatusCode, Detail: "the answer is not the JSON that was expected"}
	}
	return nil
}

// refusal reads an answer that is not a success by its body, whatever its
// status: the OAuth shape (RFC 6749, section 5.2), Globus Auth's errors, or
// that of Transfer. A gateway's page in HTML has none of them.
func refusal(call string, status int, body []byte) *Error {
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(body, &fields)
	text := func(name string) (s string) {
		_ = json.Unmarshal(fields[name], &s)
		return s
	}
	var errs []struct {
		ID   string `json:"id"`
		Code string `json:"code"`
	}
	_ = json.Unmarshal(fields["errors"], &errs)

	e := answerError(call, status, "")
	for _, code := range []string{text("error"), text("code")} {
		if e.Code == "" {
			e.Code = ErrorCode(code)
		}
	}
	e.RequestID = requestID(text("request_id"))
	if len(errs) > 0 {
		if e.Code == "" {
			e.Code = ErrorCode(errs[0].Code)
		}
		e.RequestID = requestID(errs[0].ID)
	}
	e.Message = tidy(text("message"))
	e.Requirements, _ = ReadRequirements(body)
	if e.Code != "" && e.Reason == BadStatus && status < http.StatusInternalServerError {
		e.Reason = Refused
	}
	return e
}
