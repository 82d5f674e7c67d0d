package globus

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// capped returns a transport for responses of at most max bytes, which reports calls to
// Config.Observe.
func (c *Client) capped(max int64) http.RoundTripper {
	capped := cappedTransport{c.transport, max}
	if c.observe == nil {
		return capped
	}
	return observedTransport{c, capped}
}

// observedTransport reports every call, once the whole response is read.
type observedTransport struct {
	client *Client
	next   http.RoundTripper
}

func (t observedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	begun := time.Now() // and not by Config.Now, which need not run on
	resp, err := t.next.RoundTrip(r)
	call, took := t.client.callName(r), time.Since(begun)
	if err != nil {
		// As http.Client will say it, so that one fault has one name.
		t.client.observe(call, string(callError(call, &url.Error{Err: err}).Reason), took)
		return nil, err
	}
	t.client.observe(call, outcome(resp.StatusCode), took)
	return resp, nil
}

// outcome returns the label of a status; all that HTTP does not define share one.
func outcome(status int) string {
	if http.StatusText(status) == "" {
		return string(BadStatus)
	}
	return strconv.Itoa(status)
}

// callName returns the label of what r calls, one of a few.
func (c *Client) callName(r *http.Request) string {
	target := r.URL.Scheme + "://" + r.URL.Host + r.URL.Path
	switch target {
	case c.issuer + tokenPath:
		return "token"
	case c.issuer + userInfoPath:
		return "userinfo"
	case c.issuer + keysPath:
		return "keys"
	case c.issuer + revokePath:
		return "revoke"
	case c.issuer + introspectPath:
		return "introspect"
	case c.issuer + getIdentitiesPath:
		return "identities"
	}
	switch {
	case strings.HasPrefix(target, c.transfer+"/"):
		return "transfer"
	case strings.HasPrefix(target, c.groups+"/"):
		return "groups"
	case strings.HasPrefix(target, c.ServiceURL(SearchServer)+"/"):
		return "search"
	}
	return "other"
}
