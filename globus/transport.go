package globus

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	maxCall   = 10 * time.Second // one call, from dialling to the end of the body
	maxAnswer = 256 << 10        // bytes in the body of one answer
)

// newHTTPClient returns a client for Globus's endpoints: bounded in time and
// size, and following no redirect, which could carry a code or a secret away.
func newHTTPClient(transport http.RoundTripper) *http.Client {
	if transport == nil {
		transport = &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{Timeout: 3 * time.Second}).DialContext,
			TLSHandshakeTimeout:    3 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConnsPerHost:    16,
			IdleConnTimeout:        30 * time.Second,
			ForceAttemptHTTP2:      true,
		}
	}
	return &http.Client{
		Transport:     cappedTransport{transport},
		Timeout:       maxCall,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// cappedTransport reads every answer to its end before it hands it on, and
// fails if it is longer than maxAnswer or breaks off. The libraries above it
// would read on for ever, or cut it off, or turn the reason into text.
type cappedTransport struct{ next http.RoundTripper }

func (t cappedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	// One byte more tells an answer that fits from one that does not.
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxAnswer {
		return nil, errTooLarge
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}
