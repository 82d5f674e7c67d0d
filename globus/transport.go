package globus

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	maxCall     = 10 * time.Second // one call, from dialling to the end of the body
	maxAnswer   = 256 << 10        // bytes in the body of one answer of Globus Auth
	maxDocument = 4 << 20          // bytes in the body of one answer of a service
)

// newTransport returns the transport of a Config that has none.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 3 * time.Second}).DialContext,
		TLSHandshakeTimeout:    3 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		MaxIdleConnsPerHost:    16,
		IdleConnTimeout:        30 * time.Second,
		ForceAttemptHTTP2:      true,
	}
}

// newHTTPClient returns a client with a timeout that follows no redirect, because a
// redirect could send a code or a token elsewhere.
func newHTTPClient(transport http.RoundTripper) *http.Client {
	return &http.Client{
		Transport:     transport,
		Timeout:       maxCall,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// cappedTransport reads every response to its end before it returns it. It returns an
// error if the body is longer than max bytes or incomplete. The libraries above it
// would read without end, cut it off, or turn the reason into text.
type cappedTransport struct {
	next http.RoundTripper
	max  int64
}

func (t cappedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	// One byte more than max shows that a body is too long.
	body, err := io.ReadAll(io.LimitReader(resp.Body, t.max+1))
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > t.max {
		return nil, errTooLarge
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// bearerTransport adds a person's token to requests for one origin, and rejects all
// others. If the service rejects the token, bearerTransport refreshes it and sends the
// request once more.
type bearerTransport struct {
	origin string // scheme and host
	token  TokenFunc
	next   http.RoundTripper
}

func (t bearerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.GetBody != nil {
		defer r.Body.Close() // copies of it are sent
	}
	if r.URL.Scheme+"://"+r.URL.Host != t.origin {
		return nil, errForeign
	}
	token, err := t.token(r.Context(), "")
	if err != nil {
		return nil, tokenError{err}
	}
	resp, err := t.send(r, token)
	if err != nil || resp.StatusCode != http.StatusUnauthorized || r.Body != nil && r.GetBody == nil {
		return resp, err
	}
	again, err := t.token(r.Context(), token.AccessToken)
	if err != nil {
		resp.Body.Close()
		return nil, tokenError{err}
	}
	if again.AccessToken == token.AccessToken {
		return resp, nil
	}
	resp.Body.Close()
	return t.send(r, again)
}

// tokenError wraps the error of a TokenFunc, which the call returns unchanged.
type tokenError struct{ error }

func (e tokenError) Unwrap() error { return e.error }

func (t bearerTransport) send(r *http.Request, token Token) (*http.Response, error) {
	r = r.Clone(r.Context())
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return nil, err
		}
		r.Body = body
	}
	r.Header.Set("Authorization", "Bearer "+token.AccessToken)
	return t.next.RoundTrip(r)
}

// ServiceURL returns the base URL, without a slash at the end, of the service whose
// name as a resource server is server, such as "search.api.globus.org": the same
// line calls the emulated one in a demo, and the real one otherwise. TransferServer
// and GroupsServer have their paths in it.
func (c *Client) ServiceURL(server string) string {
	base, ok := c.services[server]
	switch {
	case ok:
		return base
	case server == TransferServer:
		return c.transfer
	case server == GroupsServer:
		return c.groups
	case c.issuer != Issuer:
		return c.issuer + "/" + server
	}
	return "https://" + server
}

// HTTPClient returns a client that sends the tokens that token returns to the API at
// base, and nowhere else: a request for another origin fails, and so does every request
// if base is not https (or http on loopback). If the API rejects a token, the client
// refreshes it once. It follows no redirect. A call ends after 10 s, and a response may
// have 4 MiB.
func (c *Client) HTTPClient(base string, token TokenFunc) *http.Client {
	return newHTTPClient(bearerTransport{
		origin: originOf(base),
		token:  token,
		next:   c.capped(maxDocument),
	})
}
