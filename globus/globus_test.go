package globus_test

import (
	"net/url"
	"strings"
	"testing"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

func TestNew(t *testing.T) {
	sound := globus.Config{ClientID: clientID, ClientSecret: clientSecret, RedirectURL: redirectURI}
	tests := []struct {
		name string
		edit func(*globus.Config)
		want string // in the error; "" for none
	}{
		{"sound", func(*globus.Config) {}, ""},
		{"no client id", func(c *globus.Config) { c.ClientID = "" }, "ClientID"},
		{"no secret", func(c *globus.Config) { c.ClientSecret = "" }, "ClientSecret"},
		{"no redirect URL", func(c *globus.Config) { c.RedirectURL = "" }, "RedirectURL"},
		{"no scope", func(c *globus.Config) { c.Scopes = []string{} }, "openid"},
		{"no openid", func(c *globus.Config) { c.Scopes = []string{"profile", "openid2"} }, "openid"},
		{"openid alone", func(c *globus.Config) { c.Scopes = []string{"openid"} }, ""},
		{"issuer without TLS", func(c *globus.Config) { c.Issuer = "http://auth.globus.org" }, "https"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := sound
			tt.edit(&cfg)
			client, err := globus.New(cfg)
			if tt.want == "" {
				if err != nil || client.Issuer() != globus.Issuer {
					t.Errorf("got %v, %v, want a client of the real Globus", client, err)
				}
				return
			}
			if err == nil || !strings.HasPrefix(err.Error(), "globus: ") || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want an error about %s", err, tt.want)
			}
			if client != nil || strings.Contains(err.Error(), "canary") {
				t.Errorf("got %v beside %v", client, err)
			}
		})
	}
}

// New and AuthCodeURL send nothing: an app starts while Globus is down.
func TestNewSendsNothing(t *testing.T) {
	f := newFlow(t)
	f.client.AuthCodeURL(globus.NewAttempt())
	f.client.LogoutURL("", "")
	for _, path := range []string{globustest.DiscoveryPath, globustest.KeysPath, globustest.AuthorizePath, globustest.TokenPath} {
		if got := f.auth.Requests(path); got != 0 {
			t.Errorf("%s: got %d requests, want 0", path, got)
		}
	}
	f.mustSignIn()
	if got := f.auth.Requests(globustest.DiscoveryPath); got != 0 {
		t.Errorf("got %d discovery requests, want 0", got)
	}
}

func TestCheckIssuer(t *testing.T) {
	tests := []struct {
		issuer string
		want   bool
	}{
		{"https://auth.globus.org", true},
		{"https://auth.preview.globus.org", true},
		{"https://proxy.example.edu:8443/globus", true},
		{"http://127.0.0.1:8890", true},
		{"http://127.9.9.9", true},
		{"http://[::1]:8890", true},
		{"http://localhost:8890", true},

		{"", false},
		{"auth.globus.org", false},
		{"//auth.globus.org", false},
		{"https:auth.globus.org", false},
		{"https://", false},
		{"https://:443", false},
		{"https://auth.globus.org/", false},
		{"https://auth.globus.org?", false},
		{"https://auth.globus.org?a=b", false},
		{"https://auth.globus.org#", false},
		{"https://auth.globus.org#a", false},
		{"https://canary:canary@auth.globus.org", false},
		{"https://auth.globus.org ", false},
		{" https://auth.globus.org", false},
		{"https://auth.globus.org\n", false},
		{"https://auth.globus.org:port", false},
		{"ftp://auth.globus.org", false},
		{"javascript://auth.globus.org", false},
		{"http://auth.globus.org", false},
		{"http://10.0.0.1", false},
		{"http://0.0.0.0:8890", false},
		{"http://localhost.example.edu", false},
		{"http://127.0.0.1.example.edu", false},
	}
	for _, tt := range tests {
		t.Run(tt.issuer, func(t *testing.T) {
			err := globus.CheckIssuer(tt.issuer)
			if got := err == nil; got != tt.want {
				t.Errorf("got %v, want it accepted: %t", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("the error tells a password: %v", err)
			}
		})
	}
}

func TestHelperPages(t *testing.T) {
	client, err := globus.New(globus.Config{ClientID: "a client&id", ClientSecret: clientSecret, RedirectURL: redirectURI})
	if err != nil {
		t.Fatal(err)
	}
	const alone = "?client_id=a+client%26id"
	tests := []struct {
		name, uri, title string
		want             string
	}{
		{"neither", "", "", alone},
		{"no name", "https://portal.example.edu/", "", alone},
		{"no URI", "", "Portal", alone},
		{"both", "https://portal.example.edu/a?b=c&d", "Ä & <b> #1", alone +
			"&redirect_name=" + url.QueryEscape("Ä & <b> #1") + "&redirect_uri=https%3A%2F%2Fportal.example.edu%2Fa%3Fb%3Dc%26d"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for page, got := range map[string]string{
				"logout":     client.LogoutURL(tt.uri, tt.title),
				"identities": client.IdentitiesURL(tt.uri, tt.title),
				"consents":   client.ConsentsURL(tt.uri, tt.title),
			} {
				if want := "https://auth.globus.org/v2/web/" + page + tt.want; got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			}
		})
	}
}
