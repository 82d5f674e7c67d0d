package globus

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
)

// getJSON sends req and decodes the JSON object that answers it into v. Its
// errors are *Error.
func (c *Client) getJSON(call string, req *http.Request, v any) error {
	resp, err := c.http.Do(req)
	if err != nil {
		return callError(call, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return callError(call, err)
	}
	if resp.StatusCode != http.StatusOK {
		var oauth struct {
			Error string `json:"error"`
		}
		_ = json.Unmarshal(body, &oauth) // a gateway's error page has none
		return answerError(call, resp.StatusCode, oauth.Error)
	}
	if t, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); t != "application/json" {
		return &Error{Call: call, Reason: Malformed, Status: resp.StatusCode, Detail: "the answer is not application/json"}
	}
	if err := json.Unmarshal(body, v); err != nil {
		return &Error{Call: call, Reason: Malformed, Status: resp.StatusCode, Detail: "the answer is not the JSON that was expected"}
	}
	return nil
}
