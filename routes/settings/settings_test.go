package settings_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/portal/routes/settings"
)

const clientID = "c11e0000-0000-4000-8000-000000000000"

func TestDefaults(t *testing.T) {
	t.Parallel()
	s := settings.Read([]string{"GLOBUS_CLIENT_ID=" + clientID, "GLOBUS_CLIENT_SECRET=canary"}, false)
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	got := []string{s.Issuer, s.Listen, s.RedirectURI(), s.SessionStore, s.SessionLifetime.String(), s.LogLevel.String(), s.MetricsListen, s.LogFormat}
	want := []string{"https://auth.globus.org", "127.0.0.1:8888", "http://localhost:8888/login", "sqlite:data/sessions.db", "168h0m0s", "INFO", "", ""}
	if !slices.Equal(got, want) || !s.Policy.Empty() || len(s.Scopes) != 4 {
		t.Errorf("got %v, policy %v, scopes %v, want %v", got, s.Policy, s.Scopes, want)
	}
	if cfg := s.Globus(); cfg.ClientID != clientID || cfg.ClientSecret != "canary" || cfg.RedirectURL != s.RedirectURI() || cfg.TransferURL != "" {
		t.Errorf("the client at Globus is %v", cfg)
	}
}

// TestRead: values are read from variables, and from files that others name.
func TestRead(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "value")
	if err := os.WriteFile(file, []byte(" redis://user:canary@host:6379/1\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := settings.Read([]string{
		"GLOBUS_CLIENT_ID= " + clientID + "\r", "GLOBUS_CLIENT_SECRET=a=b", "SESSION_STORE_FILE=" + file, "SESSION_LIFETIME=12h",
		"LISTEN=:80", "ALLOWED_DOMAINS=example.edu, lab.example.org", "REQUIRE_MFA=true", "GLOBUS_SCOPES=openid email", "METRICS_LISTEN=",
	}, false)
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	got := []string{s.ClientID, s.ClientSecret, s.SessionStore, s.PublicURL.String(), strings.Join(s.Policy.Domains, "+"), s.StoreName()}
	want := []string{clientID, "a=b", "redis://user:canary@host:6379/1", "http://localhost", "example.edu+lab.example.org", "redis://user:xxxxx@host:6379/1"}
	if !slices.Equal(got, want) || !s.Policy.MFA || s.SessionLifetime != 12*time.Hour {
		t.Errorf("got %v, want %v", got, want)
	}
	if is, want := s.WhoMayEnter(), "anyone with an identity of example.edu or lab.example.org, and who signed in with a second factor"; is != want {
		t.Errorf("who may enter: %q, want %q", is, want)
	}
}

// TestFaults: a setting at fault leaves its field empty, for the doctor to see, and
// a line that begins with its name; the others are read.
func TestFaults(t *testing.T) {
	t.Parallel()
	s := settings.Read([]string{
		"GLOBUS_CLIENT_ID='" + clientID + "'", "GLOBUS_CLIENT_SECRET_FILE=/dev/null", "GLOBUS_ISSUER=http://auth.globus.org", "GLOBUS_SCOPES=[",
		"LISTEN=8888", "SESSION_STORE=x", "SESSION_LIFETIME=4m59s", "ALLOWED_DOMAINS=@", "ALLOWED_GROUPS=,", "REQUIRE_MFA=perhaps",
		"METRICS_LISTEN=x:0", "LOG_FORMAT=xml", "LOG_LEVEL=loud", "GLOBUS_CLIENTID=x", "ALLOWED_DOMAIN=example.edu", "OTHER=x", "LISTEN_FILE=",
	}, false)
	var names []string
	for _, fault := range s.Faults {
		names = append(names, regexp.MustCompile(`^[A-Z_]+`).FindString(fault))
	}
	want := []string{"GLOBUS_CLIENT_ID", "GLOBUS_CLIENT_SECRET_FILE", "GLOBUS_ISSUER", "GLOBUS_SCOPES", "LISTEN", "SESSION_STORE", "SESSION_LIFETIME",
		"ALLOWED_DOMAINS", "ALLOWED_GROUPS", "REQUIRE_MFA", "METRICS_LISTEN", "LOG_FORMAT", "LOG_LEVEL"}
	if !slices.Equal(names, want) {
		t.Errorf("got the faults\n%s\nwant those of %v", strings.Join(s.Faults, "\n"), want)
	}
	if s.ClientID != clientID || s.ClientSecret+s.Issuer+s.Listen+s.SessionStore+s.MetricsListen+s.LogFormat != "" ||
		s.Scopes != nil || s.PublicURL != nil || s.SessionLifetime != 0 || !s.Policy.Empty() {
		t.Errorf("read as %+v", s)
	}
	if want := []string{"ALLOWED_DOMAIN", "GLOBUS_CLIENTID"}; !slices.Equal(s.Unknown, want) {
		t.Errorf("unknown are %v, want %v", s.Unknown, want)
	}
	err := s.Err()
	if err == nil || strings.Contains(err.Error(), "To register the app") || !strings.Contains(err.Error(), "ALLOWED_DOMAIN is not a setting") {
		t.Errorf("it says: %v", err)
	}
}

// TestHowToRegister: someone who has not registered the app reads how to, and the
// redirect URI if it is known.
func TestHowToRegister(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		env  []string
		want string
	}{
		{"nothing set", nil, "\n    http://localhost:8888/login\n"},
		{"a path", []string{"PUBLIC_URL=https://portal.example.edu/p/"}, "\n    https://portal.example.edu/p/login\n"},
		{"a public URL at fault", []string{"PUBLIC_URL=http://portal.example.edu"}, "\n    PUBLIC_URL, followed by /login\n"},
		{"no address to guess from", []string{"LISTEN=8888"}, "\n    PUBLIC_URL, followed by /login\n"},
		{"no such port", []string{"LISTEN=127.0.0.1:+80"}, "\n  LISTEN must be host:port"},
	}
	for _, test := range tests {
		err := settings.Read(test.env, false).Err()
		for _, want := range []string{"GLOBUS_CLIENT_ID is not set", "GLOBUS_CLIENT_SECRET is not set", test.want} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want %q in it", test.name, err, want)
			}
		}
	}
}

// TestDemoSettings: the demo needs nothing, and ignores what it sets itself.
func TestDemoSettings(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		env  []string
		want string // in a fault; "" if there is none
	}{
		{"nothing set", nil, ""},
		{"what it ignores", []string{"GLOBUS_ISSUER=x", "SESSION_STORE=x", "GLOBUS_CLIENT_SECRET=x"}, ""},
		{"a registered app", []string{"GLOBUS_CLIENT_ID=" + clientID}, "GLOBUS_CLIENT_ID is set"},
		{"a registered app, from a file", []string{"GLOBUS_CLIENT_ID_FILE=/dev/null"}, "GLOBUS_CLIENT_ID is set"},
		{"one port for both", []string{"METRICS_LISTEN=127.0.0.1:8888"}, "METRICS_LISTEN must have another port"},
		{"all addresses", []string{"LISTEN=:8888"}, "must be on localhost"},
		{"a public URL", []string{"PUBLIC_URL=https://portal.example.edu"}, "must be on localhost"},
		{"faults of others", []string{"LOG_LEVEL=loud", "LISTEN=x", "PUBLIC_URL=x"}, "LOG_LEVEL must"},
	}
	for _, test := range tests {
		got := strings.Join(settings.Read(test.env, true).Faults, "\n")
		if (test.want == "") != (got == "") || !strings.Contains(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}
