package globus_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

func TestCheckCredentials(t *testing.T) {
	f := newFlow(t)
	f.mustSignIn()
	if err := f.client.CheckCredentials(t.Context()); err != nil {
		t.Errorf("right: got %v, want none", err)
	}
	if got := f.auth.LiveTokens(); got != 4 {
		t.Errorf("%d tokens live, want the person's 4", got)
	}
	for _, status := range []int{400, 401} { // Globus has been seen to send both
		f.auth.Lie(fault(globustest.TokenPath, globustest.Fault{Status: status, Body: `{"error":"invalid_grant"}`}))
		if err := f.client.CheckCredentials(t.Context()); err != nil {
			t.Errorf("right, %d: got %v, want none", status, err)
		}
	}
	f.auth.Lie(globustest.Lie{})
	f.auth.Register(globustest.Client{ID: clientID, Secret: "another", RedirectURIs: []string{redirectURI}})
	tests := []struct {
		name string
		lie  globustest.Lie
		want string
	}{
		{"wrong secret", globustest.Lie{}, "belongs to another client id"},
		{"in the words of the other endpoints", fault(globustest.TokenPath, globustest.Fault{Status: 401, Body: `{"error":"unauthorized","errors":[{"code":"UNAUTHORIZED"}]}`}), "belongs to another client id"},
		{"another kind of app", fault(globustest.TokenPath, globustest.Fault{Status: 400, Body: `{"error":"unauthorized_client"}`}), "of another kind"},
		{"down", fault(globustest.TokenPath, globustest.Fault{Status: 503}), "status.globus.org"},
		{"anybody is welcome", fault(globustest.TokenPath, globustest.Fault{
			Body: `{"access_token":"canary","token_type":"Bearer","expires_in":60,"resource_server":"auth.globus.org"}`}), "does not seem to come from Globus"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f.auth.Lie(tt.lie)
			err := f.client.CheckCredentials(t.Context())
			if got := globus.Remedy(err); !strings.Contains(got, tt.want) {
				t.Errorf("got %v, remedy %q, want %q", err, got, tt.want)
			}
			f.checkTellsNothing(err)
		})
	}
}

func TestCheckClock(t *testing.T) {
	f := newFlow(t)
	date := func(seconds int, header ...string) http.Header {
		h := http.Header{"Date": {f.clock.Now().Add(time.Duration(seconds) * time.Second).UTC().Format(http.TimeFormat)}}
		if len(header) > 0 {
			h.Set(header[0], header[1])
		}
		return h
	}
	tests := []struct {
		name   string
		header http.Header
		status int
		want   time.Duration
	}{
		{"right", date(0), 200, 0},
		{"behind", date(600), 200, -600 * time.Second},
		{"ahead", date(-600), 200, 600 * time.Second},
		{"whatever the answer", date(600), 503, -600 * time.Second},
		{"from a cache", date(-600, "Age", "600"), 200, 0},
		{"from a cache that lies", date(0, "Age", "canary"), 200, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f.auth.Lie(fault(globustest.DiscoveryPath, globustest.Fault{Header: tt.header, Status: tt.status}))
			got, err := f.client.CheckClock(t.Context())
			if err != nil || (got-tt.want).Abs() > time.Second {
				t.Errorf("got %s, %v, want %s", got, err, tt.want)
			}
		})
	}
	f.auth.Lie(fault(globustest.DiscoveryPath, globustest.Fault{Header: http.Header{"Date": {"canary"}}}))
	_, err := f.client.CheckClock(t.Context())
	f.checkTellsNothing(err)
	if e := asError(t, err); e.Reason != globus.Malformed {
		t.Errorf("no date: got %v, want malformed", err)
	}
}

func TestCheckAuthorize(t *testing.T) {
	page := func(status int, says string) globustest.Lie {
		return fault(globustest.AuthorizePath, globustest.Fault{
			Status: status, Header: http.Header{"Content-Type": {"text/html"}}, Body: "<p>canary</p><p>" + says + "</p>"})
	}
	away := func(location string) globustest.Lie {
		return fault(globustest.AuthorizePath, globustest.Fault{Status: 302, Header: http.Header{"Location": {location}}})
	}
	tests := []struct {
		name       string
		lie        globustest.Lie
		want       string // in the error; "" is none
		wantRemedy string
	}{
		{"a page to choose from", globustest.Lie{}, "", ""},
		{"a page to sign in at", away("https://auth.globus.org/p/login?canary"), "", ""},
		{"redirect URI", page(400, "Mismatching redirect URI."), "authorize: refused (HTTP 400): Mismatching redirect URI", "character for character"},
		{"with another status", page(200, "Mismatching redirect URI."), "authorize: refused (HTTP 200): Mismatching redirect URI", "character for character"},
		{"client id", page(400, "Invalid client_id parameter value."), "Invalid client_id", "Client UUID"},
		{"scope", page(400, "Unknown scope(s): canary"), "Unknown scope", "how each is spelt"},
		{"another page", page(400, "canary"), "authorize: status (HTTP 400)", ""},
		{"back with an error", away(redirectURI + "?error=invalid_scope&error_description=canary"), "refused invalid_scope", "how each is spelt"},
	}
	f := newFlow(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f.auth.Lie(tt.lie)
			err := f.client.CheckAuthorize(t.Context())
			if err == nil && tt.want == "" {
				return
			}
			if err == nil || tt.want == "" || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want %q", err, tt.want)
			}
			if got := globus.Remedy(err); !strings.Contains(got, tt.wantRemedy) || (got == "") != (tt.wantRemedy == "") {
				t.Errorf("got remedy %q, want %q", got, tt.wantRemedy)
			}
			f.checkTellsNothing(err)
		})
	}
}

// TestRemedies: what is wrong with an answer has its remedy, and what a service
// refuses a person has none.
func TestRemedies(t *testing.T) {
	const unwell, notGlobus, secret = "https://status.globus.org", "no proxy answers with a page of its own", "The client secret"
	tests := []struct {
		name          string
		fault         globustest.Fault
		wantOfAuth    string // in the remedy of every call with the client's secret; "" is none
		wantOfService string // of Transfer and Groups
	}{
		{"too much", globustest.Fault{Endless: true}, notGlobus, notGlobus},
		{"a redirect", globustest.Fault{Status: 302}, notGlobus, notGlobus},
		{"a page", globustest.Fault{Header: http.Header{"Content-Type": {"text/html"}}}, notGlobus, notGlobus},
		{"a gateway's page", globustest.Fault{Status: 502, Header: http.Header{"Content-Type": {"text/html"}}}, unwell, unwell},
		{"hangs up", globustest.Fault{HangUp: true}, "HTTPS_PROXY=", "HTTPS_PROXY="},
		{"a collection that is off", globustest.Fault{Status: 502, Body: `{"code":"ExternalError.DirListingFailed.GCDisconnected"}`}, unwell, ""},
		{"401", globustest.Fault{Status: 401, Body: `{"code":"INVALID_TOKEN"}`}, secret, ""},
		{"403", globustest.Fault{Status: 403, Body: `{"code":"ConsentRequired"}`}, "", ""},
	}
	for _, c := range calls {
		if c.name == "userinfo" || c.name == "keys" || c.name == "discovery" { // no secret is sent, and no person asks
			continue
		}
		for _, tt := range tests {
			t.Run(c.name+c.path+"/"+tt.name, func(t *testing.T) {
				if c.name == "revoke" && tt.name == "a page" {
					return // the status alone tells
				}
				f := newFlow(t)
				f.auth.Lie(fault(c.path, tt.fault))
				err := c.do(t.Context(), f, f.client)
				want := tt.wantOfAuth
				if c.most == ofService {
					want = tt.wantOfService
				}
				if got := globus.Remedy(err); err == nil || !strings.Contains(got, want) || (got == "") != (want == "") {
					t.Errorf("%v: got %q, want %q", err, got, want)
				}
			})
		}
	}
}

// TestSignInRemedies: what the operator can do if nobody can sign in, and nothing where
// nobody knows.
func TestSignInRemedies(t *testing.T) {
	const notGlobus, otherProvider = "no proxy answers with a page of its own", "the issuer and the client id"
	now := time.Unix(1_800_000_000, 0) // newFlow's
	at := func(path string, status int, body string) globustest.Lie {
		return fault(path, globustest.Fault{Status: status, Body: body})
	}
	tests := []struct {
		name string
		lie  globustest.Lie
		want string // in the remedy; "" is none
	}{
		{"another issuer", claim("iss", "https://canary.example"), otherProvider},
		{"another algorithm", signed(globustest.RS256), otherProvider},
		{"keys of another", signed(globustest.ForeignKey), otherProvider},
		{"another nonce", claim("nonce", "canary"), ""},
		{"another access token", claim("at_hash", "canary"), ""},
		{"issued long ago", claim("iat", now.Add(-time.Hour).Unix()), "chrony"},
		{"issued just now, and expired", claim("exp", now.Add(-time.Hour).Unix()), ""}, // by a clock that is right
		{"no ID token", globustest.Lie{Token: drop("id_token")}, notGlobus},
		{"secret", at(globustest.TokenPath, 401, `{"error":"invalid_client"}`), "The client secret"},
		{"a proxy that wants a password", at(globustest.TokenPath, 401, "<html>canary"), ""},
		{"keys for which a proxy wants one", at(globustest.KeysPath, 401, "<html>canary"), notGlobus},
		{"keys that nobody may have", at(globustest.KeysPath, 403, `{"code":"FORBIDDEN"}`), notGlobus},
		{"too many ask for keys", at(globustest.KeysPath, 429, ""), ""},
		{"keys down", at(globustest.KeysPath, 503, ""), "https://status.globus.org"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFlow(t)
			f.auth.Lie(tt.lie)
			_, err := f.signIn("rosalind")
			if got := globus.Remedy(err); err == nil || !strings.Contains(got, tt.want) || (got == "") != (tt.want == "") {
				t.Errorf("%v: got %q, want %q", err, got, tt.want)
			}
		})
	}
}

// TestNetworkRemedies has the network fail in the words of Go's own packages.
func TestNetworkRemedies(t *testing.T) {
	certificate := func(err error) error { return &tls.CertificateVerificationError{Err: err} }
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	tests := []struct {
		name string
		err  error
		want string // in the remedy; "" is none
	}{
		{"no such host", &net.OpError{Op: "dial", Err: &net.DNSError{Name: "auth.globus.org", IsNotFound: true}}, "look up that name"},
		{"name server silent", &net.DNSError{Name: "auth.globus.org", IsTimeout: true}, "/etc/resolv.conf"},
		{"refused", refused, "HTTPS_PROXY="},
		{"timeout", context.DeadlineExceeded, "HTTPS_PROXY="},
		{"proxy down", &net.OpError{Op: "proxyconnect", Err: refused}, "HTTPS_PROXY names a proxy"},
		{"unknown authority", certificate(x509.UnknownAuthorityError{}), "SSL_CERT_FILE="},
		{"expired", certificate(x509.CertificateInvalidError{Reason: x509.Expired}), "clock"},
		{"another name", certificate(x509.HostnameError{Certificate: &x509.Certificate{}, Host: "auth.globus.org"}), "check the issuer"},
		{"given up", context.Canceled, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFlow(t)
			client := f.newClient(globus.Config{Transport: roundTripFunc(func(*http.Request) (*http.Response, error) { return nil, tt.err })})
			_, ofSignIn := f.exchange(t.Context(), client, "rosalind")
			_, ofService := client.HTTPClient("https://groups.api.globus.org", func(context.Context, string) (globus.Token, error) {
				return globus.Token{AccessToken: "canary"}, nil
			}).Get("https://groups.api.globus.org/v2")
			for _, err := range []error{ofSignIn, ofService, fmt.Errorf("wrapped: %w", ofSignIn)} {
				if got := globus.Remedy(err); !strings.Contains(got, tt.want) || (got == "") != (tt.want == "") {
					t.Errorf("%v: got %q, want %q", err, got, tt.want)
				}
			}
		})
	}
	parse := &url.Error{Op: "parse", URL: "http://%zz", Err: errors.New("invalid URL escape")}
	for _, err := range []error{nil, errors.New("another"), context.DeadlineExceeded, syscall.ENOSPC, parse, globus.ErrNoToken} {
		if got := globus.Remedy(err); got != "" {
			t.Errorf("%v: got %q, want none", err, got)
		}
	}
}
