package globus

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// CheckDiscovery compares the discovery document (OpenID Connect Discovery 1.0,
// section 3) with what this package assumes, and returns each difference; nil if there
// is none. The error is an *Error: the document could not be fetched.
func (c *Client) CheckDiscovery(ctx context.Context) (differences []string, err error) {
	req, err := c.discoveryRequest(ctx)
	if err != nil {
		return nil, err
	}
	var doc struct {
		Issuer     string   `json:"issuer"`
		Authorize  string   `json:"authorization_endpoint"`
		Token      string   `json:"token_endpoint"`
		UserInfo   string   `json:"userinfo_endpoint"`
		Revoke     string   `json:"revocation_endpoint"`
		Keys       string   `json:"jwks_uri"`
		Algorithms []string `json:"id_token_signing_alg_values_supported"`
	}
	if err := getJSON(c.http, "discovery", req, &doc); err != nil {
		return nil, err
	}
	for _, member := range []struct{ name, got, want string }{
		{"issuer", doc.Issuer, c.issuer},
		{"authorization_endpoint", doc.Authorize, c.issuer + authorizePath},
		{"token_endpoint", doc.Token, c.issuer + tokenPath},
		{"userinfo_endpoint", doc.UserInfo, c.issuer + userInfoPath},
		{"revocation_endpoint", doc.Revoke, c.issuer + revokePath},
		{"jwks_uri", doc.Keys, c.issuer + keysPath},
	} {
		if member.got != member.want {
			differences = append(differences, fmt.Sprintf("%s is %.200q, not %q", member.name, member.got, member.want))
		}
	}
	if !slices.Contains(doc.Algorithms, oidc.RS512) {
		differences = append(differences, "id_token_signing_alg_values_supported lacks "+oidc.RS512)
	}
	return differences, nil
}

func (c *Client) discoveryRequest(ctx context.Context) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.issuer+discoveryPath, nil)
	if err != nil {
		return nil, callError("discovery", err)
	}
	return req, nil
}

// CheckKeys fetches the keys that ID tokens are signed with, and returns how many are
// usable. If none is, it returns an error. The error is an *Error.
func (c *Client) CheckKeys(ctx context.Context) (int, error) {
	keys, err := c.keys.fetch(ctx)
	return len(keys), err
}

// MaxSkew is how far this machine's clock may be from Globus's. Beyond it, every ID
// token is rejected.
const MaxSkew = leeway

// CheckClock returns how far this machine's clock is ahead of Globus's, to about a
// second; negative if it is behind. It uses the Date of a response (RFC 9110, section
// 6.6.1). The error is an *Error.
func (c *Client) CheckClock(ctx context.Context) (ahead time.Duration, err error) {
	req, err := c.discoveryRequest(ctx)
	if err != nil {
		return 0, err
	}
	sent := c.now()
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, callError("discovery", err)
	}
	resp.Body.Close()
	received := c.now()
	date, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return 0, &Error{Call: "discovery", Reason: Malformed, Status: resp.StatusCode, Detail: "the answer has no Date"}
	}
	age, _ := strconv.Atoi(resp.Header.Get("Age")) // of a response from a cache
	date = date.Add(time.Duration(age)*time.Second + time.Second/2)
	ahead = sent.Add(received.Sub(sent) / 2).Sub(date)
	return ahead.Round(time.Second), nil
}

// CheckCredentials returns nil if Globus accepts the client id and secret. It sends a
// refresh token that does not exist: Globus returns invalid_grant to a client that it
// accepts, and invalid_client to any other (RFC 6749, section 5.2). It issues and
// revokes nothing. The error is an *Error.
func (c *Client) CheckCredentials(ctx context.Context) error {
	_, err := c.Refresh(ctx, AuthServer, Token{RefreshToken: "none" + rand.Text()}, "")
	if IsInvalidGrant(err) {
		return nil
	}
	if err == nil {
		return &Error{Call: "refresh", Reason: Malformed, Detail: "a token was granted that nobody has asked for"}
	}
	return err
}

// Texts of Globus's error page. Globus does not redirect back to the app with these
// errors.
const (
	mismatchingURI = "Mismatching redirect URI"
	invalidClient  = "Invalid client_id"
	unknownScope   = "Unknown scope"
)

func (e *Error) authorizeAdvice() string {
	switch {
	case e.Detail == mismatchingURI:
		return "Add the redirect URI of this app to the registration at " + registrations + ", character for character."
	case e.Detail == invalidClient, e.Code == "unauthorized_client":
		return "There is no such registration: copy the Client UUID from " + registrations + "."
	case e.Detail == unknownScope, e.Code == "invalid_scope":
		return "A scope that this app asks for does not exist: see how each is spelt."
	}
	return ""
}

// CheckAuthorize sends an authorization request like a browser in which nobody is
// signed in, and returns an error if Globus shows one, for example because the redirect
// URI is not registered. nil does not prove that people can sign in. The error is an
// *Error.
func (c *Client) CheckAuthorize(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.AuthCodeURL(NewAttempt()), nil)
	if err != nil {
		return callError("authorize", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return callError("authorize", err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		return callError("authorize", err)
	}
	for _, fault := range []string{mismatchingURI, invalidClient, unknownScope} {
		if strings.Contains(string(page), fault) {
			return &Error{Call: "authorize", Reason: Refused, Status: resp.StatusCode, Detail: fault}
		}
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return answerError("authorize", resp.StatusCode, "")
	}
	if back, err := url.Parse(resp.Header.Get("Location")); err == nil && back.Query().Has("error") {
		return &Error{Call: "authorize", Reason: Refused, Status: resp.StatusCode, Code: ErrorCode(back.Query().Get("error"))}
	}
	return nil
}
