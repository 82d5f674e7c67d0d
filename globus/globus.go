// Package globus signs people in with Globus Auth and calls Globus services as
// them.
//
// It uses golang.org/x/oauth2 for OAuth and github.com/coreos/go-oidc for
// signatures, and adds what is particular to Globus: a token for each resource
// server, identity sets, ID tokens signed with RS512 by keys without an id, the
// logout page, and the requirements that services return. It imports nothing else
// of this project: copy the folder into your own.
package globus

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// Issuer is the base URL of the real Globus Auth, without a slash at the end.
const Issuer = "https://auth.globus.org"

// Globus Auth's endpoints, relative to the issuer. They are constants rather than
// discovered, so that an app starts and serves its pages while Globus is down.
const (
	authorizePath     = "/v2/oauth2/authorize"
	tokenPath         = "/v2/oauth2/token"
	userInfoPath      = "/v2/oauth2/userinfo"
	revokePath        = "/v2/oauth2/token/revoke"
	introspectPath    = "/v2/oauth2/token/introspect"
	keysPath          = "/jwk.json"
	discoveryPath     = "/.well-known/openid-configuration"
	logoutPath        = "/v2/web/logout"
	identitiesPath    = "/v2/web/identities"
	getIdentitiesPath = "/v2/api/identities"
	consentsPath      = "/v2/web/consents"
)

// DefaultScopes returns the scopes of the example in Globus's integration
// guide: who the person is, and their transfers.
func DefaultScopes() []string {
	return []string{"openid", "profile", "email", TransferScope}
}

// A Config names an app that is registered at Globus.
type Config struct {
	ClientID     string // UUID of the registration; required
	ClientSecret string // required
	RedirectURL  string // as registered, character for character; required

	// Scopes are what people are asked to consent to; nil means
	// DefaultScopes. Without openid there is no sign-in, and New fails.
	Scopes []string

	// Issuer is the base URL of Globus Auth; "" means the real one. It must use
	// https, or http on a loopback address.
	Issuer string

	// TransferURL is the base URL of Globus Transfer; "" means the real one. The
	// rules for Issuer hold.
	TransferURL string

	// GroupsURL is the base URL of Globus Groups; "" means the real one. The rules
	// for Issuer hold.
	GroupsURL string

	// Services are the base URLs of other services, by their names as resource
	// servers, such as "search.api.globus.org". One that is not here is at https://
	// and its name or, where Issuer is not the real one, at Issuer, a slash and its
	// name: a client of an emulator calls no real service.
	Services map[string]string

	// Transport sends every call to Globus; nil means one with short timeouts
	// that uses HTTPS_PROXY. With any transport, a call ends after 10 s, a response
	// of Globus Auth may have 256 KiB and one of another service 4 MiB, and no
	// redirect is followed. Answers of Search may have 64 MiB.
	Transport http.RoundTripper

	// Observe, if not nil, is called after every call: with what was called (token,
	// userinfo, keys, revoke, introspect, identities, transfer, groups, search or other),
	// the outcome (the HTTP status, such as "200", or the Reason why there was no
	// response), and the time it took. It must be safe for concurrent use.
	Observe func(call, outcome string, took time.Duration)

	// Now returns the time that tokens are checked against; nil means time.Now.
	Now func() time.Time
}

// A Client calls Globus as one registered app. Make one with New; it is safe for
// concurrent use, and stores nothing about any person.
type Client struct {
	issuer    string
	transfer  string // base URL
	groups    string // likewise
	services  map[string]string
	oauth     oauth2.Config
	keys      keySet
	transport http.RoundTripper
	public    http.RoundTripper                              // likewise, but only to the Internet; nil: Config has a Transport
	observe   func(call, outcome string, took time.Duration) // may be nil
	http      *http.Client                                   // for Globus Auth
	now       func() time.Time
}

// New returns a client for the app that cfg names. It sends nothing. It returns an
// error if a required field is empty, the scopes lack openid, or a secret must not be
// sent to a URL.
func New(cfg Config) (*Client, error) {
	issuer := cmp.Or(cfg.Issuer, Issuer)
	scopes := cfg.Scopes
	if scopes == nil {
		scopes = DefaultScopes()
	}
	switch {
	case cfg.ClientID == "" || cfg.ClientSecret == "" || cfg.RedirectURL == "":
		return nil, errors.New("globus: ClientID, ClientSecret and RedirectURL are required")
	case !slices.Contains(scopes, "openid"):
		return nil, errors.New("globus: the scopes must include openid")
	}
	if err := CheckIssuer(issuer); err != nil {
		return nil, err
	}
	transfer := cmp.Or(cfg.TransferURL, TransferURL)
	if err := checkBase(transfer); err != nil {
		return nil, fmt.Errorf("globus: the URL of Transfer %w", err)
	}
	groups := cmp.Or(cfg.GroupsURL, GroupsURL)
	if err := checkBase(groups); err != nil {
		return nil, fmt.Errorf("globus: the URL of Groups %w", err)
	}
	for server, base := range cfg.Services {
		if err := checkBase(base); err != nil {
			return nil, fmt.Errorf("globus: the URL of %s %w", server, err)
		}
	}
	transport, public := cfg.Transport, http.RoundTripper(nil)
	if transport == nil {
		transport, public = newTransport(), newPublicTransport()
	}
	c := &Client{
		issuer:   issuer,
		transfer: transfer,
		groups:   groups,
		services: cfg.Services,
		oauth: oauth2.Config{
			ClientID:     cfg.ClientID,
			ClientSecret: cfg.ClientSecret,
			RedirectURL:  cfg.RedirectURL,
			Scopes:       scopes,
			Endpoint: oauth2.Endpoint{
				AuthURL:  issuer + authorizePath,
				TokenURL: issuer + tokenPath,
				// With the zero value, x/oauth2 sends a code that fails a second time.
				AuthStyle: oauth2.AuthStyleInParams,
			},
		},
		transport: transport,
		public:    public,
		observe:   cfg.Observe,
		now:       cfg.Now,
	}
	c.http = newHTTPClient(c.capped(maxAnswer))
	if c.now == nil {
		c.now = time.Now
	}
	c.keys = keySet{url: issuer + keysPath, client: c}
	return c, nil
}

// Issuer returns the base URL of Globus Auth.
func (c *Client) Issuer() string { return c.issuer }

// Scopes returns what people are asked to consent to.
func (c *Client) Scopes() []string { return slices.Clone(c.oauth.Scopes) }

// CheckIssuer returns an error if issuer cannot be the base URL of Globus Auth.
func CheckIssuer(issuer string) error {
	if err := checkBase(issuer); err != nil {
		return fmt.Errorf("globus: the issuer %w", err)
	}
	return nil
}

func checkBase(base string) error {
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil || strings.ContainsAny(base, "?#") || strings.HasSuffix(base, "/"):
		return errors.New("must be a URL such as " + Issuer + ", without a slash at the end")
	case u.Scheme == "https", u.Scheme == "http" && IsLoopback(u.Hostname()):
		return nil
	}
	return errors.New("must be https (or http on a loopback address)")
}

// originOf returns the scheme and host of a base URL, or "" if tokens must not be sent
// there.
func originOf(base string) string {
	u, err := url.Parse(base)
	if err != nil || checkBase(base) != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// IsLoopback reports whether host, a name or an address without a port, is this
// machine, so that plain http is safe.
func IsLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
