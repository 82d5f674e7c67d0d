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

// newTransport returns what carries calls when a Config names nothing else.
func newTransport() http.RoundTripper {
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

// newHTTPClient returns a client that is bounded in time and follows no
// redirect, which could carry a code or a token away.
func newHTTPClient(transport http.RoundTripper) *http.Client {
	return &http.Client{
		Transport:     transport,
		Timeout:       maxCall,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// cappedTransport reads every answer to its end before it hands it on, and
// fails if it is longer than max bytes or breaks off. The libraries above it
// would read on for ever, or cut it off, or turn the reason into text.
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
	// One byte more tells an answer that fits from one that does not.
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

// bearerTransport puts a person's token on requests for one origin, and on no
// others. A token that is refused is refreshed, and the request sent once more.
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

// tokenError tells the error of a TokenFunc from those of the call.
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

// HTTPClient returns a client that acts as the person whose tokens token
// yields, at the API below base and nowhere else: a request for another origin
// fails, and so does every request if base is not https (or http on loopback).
// It refreshes a token that is refused, once; it follows no redirect; a call
// takes 10 s, and an answer 4 MiB, at most.
func (c *Client) HTTPClient(base string, token TokenFunc) *http.Client {
	return newHTTPClient(bearerTransport{
		origin: originOf(base),
		token:  token,
		next:   c.capped(maxDocument),
	})
}
