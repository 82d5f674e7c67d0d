package settings_test

import (
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"example.org/portal/globus"
	"example.org/portal/routes/settings"
)

// FuzzURLs: a public URL, and an issuer, is one address that all readers agree
// on, https but on this machine; and an error does not repeat a password.
func FuzzURLs(f *testing.F) {
	for _, raw := range []string{
		"https://portal.example.edu", "https://Portal.Example.EDU:443/Our/portal/", "https://portal.example.edu:8443", "http://localhost:8888", "http://LOCALHOST", "http://127.0.0.1:80/x", "http://127.1", "http://2130706433", "http://[::1]:8888", "http://[::1%25lo]", "http://[::ffff:127.0.0.1]/",
		"https://[::1].example.edu", "http://localhost.", "http://localhost.evil.example", "http://localhost@evil.example", "http://evil.example", "https://user:hunter2@portal.example.edu", "https://portal.example.edu\\@evil.example", "https://portal.example.edu:", "https://portal.example.edu:0", "https://portal.example.edu:+80",
		"https://portal.example.edu:065535", "https://portal.example.edu:65536", "https://pörtal.example.edu", "https://xn--prtal-jua.example.edu", "https://%70ortal.example.edu", "https://portal.example.edu/a//b", "https://portal.example.edu/..", "https://portal.example.edu/a%2fb", "https://portal.example.edu/%61", "https://portal.example.edu/{x}",
		"https://portal.example.edu//", "https://portal.example.edu?", "https://portal.example.edu#", "HTTPS://portal.example.edu", "https:portal.example.edu", "https:///portal", "//portal.example.edu", "javascript://localhost/%0aalert(1)", " https://portal.example.edu", "https://portal.example.edu\n", "https://.", "https://a..b", "https://-", "https://1.2.3", "https://0x7f.1", "",
	} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := settings.ParsePublicURL(raw)
		issuerErr := globus.CheckIssuer(raw)
		for _, err := range []error{err, issuerErr} {
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error repeats %q: %v", raw, err)
			}
		}
		if issuerErr == nil {
			checkSafe(t, raw, raw)
		}
		if err != nil {
			return
		}
		text := u.String()
		checkSafe(t, raw, text)
		if again, err := settings.ParsePublicURL(text); err != nil || again.String() != text {
			t.Errorf("%q is read as %s, and that as %v, %v", raw, text, again, err)
		}
		if !publicURL.MatchString(text) || strings.HasSuffix(text, "/") || u.Port() == "443" && u.Scheme == "https" || u.Port() == "80" && u.Scheme == "http" {
			t.Errorf("%q is read as %s", raw, text)
		}
		if ip, err := netip.ParseAddr(u.Hostname()); err != nil && endsInNumber.MatchString(u.Hostname()) || err == nil && ip.String() != u.Hostname() {
			t.Errorf("%q is read as %s, which browsers write otherwise", raw, text)
		}
		if r, err := http.NewRequest(http.MethodGet, text+"/login", nil); err != nil || r.URL.Host != u.Host || r.URL.Path != u.Path+"/login" {
			t.Errorf("%s cannot be asked: %v", text, err)
		}
	})
}

var publicURL = regexp.MustCompile(`^https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?(/[A-Za-z0-9_-]+)*$`)

var endsInNumber = regexp.MustCompile(`(^|\.)(\d+|0x[\da-f]*)\.?$`)

// checkSafe wants plain http on this machine alone, and nobody's password.
func checkSafe(t *testing.T, raw, text string) {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Hostname() == "" {
		t.Fatalf("%q is read as %q, %v", raw, text, err)
	}
	ip, _ := netip.ParseAddr(u.Hostname())
	if local := u.Hostname() == "localhost" || ip.Unmap().IsLoopback(); u.Scheme != "https" && !(u.Scheme == "http" && local) {
		t.Errorf("%q, read as %q, is spoken to without TLS", raw, text)
	}
}
