package routes_test

import (
	"net/http"
	"strings"
	"testing"

	"example.org/portal/routes/routestest"
)

func TestTransfers(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	rosalind, nobody := s.Browser(), s.Browser()
	rosalind.SignIn("rosalind")
	adas := s.Browser()
	adas.SignIn("sub-only")
	tests := []struct {
		name       string
		browser    *routestest.Browser
		path       string
		headers    []string
		wantStatus int
		want       string
	}{
		{"a page", rosalind, "/transfers", nil, 200, "<html"},
		{"a fragment", rosalind, "/transfers", routestest.Htmx, 200, `id="transfers"`},
		{"the first page leads on", rosalind, "/transfers", routestest.Htmx, 200, "/transfers?offset=10"},
		{"the next page", rosalind, "/transfers?offset=10", routestest.Htmx, 200, "/transfers?offset=20"},
		{"no number", rosalind, "/transfers?offset=x", routestest.Htmx, 200, "/transfers?offset=10"},
		{"none", adas, "/transfers", nil, 200, "no transfers"},
		{"signed out", nobody, "/transfers?offset=10", nil, 303, ""},
		{"signed out, by htmx", nobody, "/transfers", routestest.Htmx, 401, "Your session has ended"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := test.browser.Get(test.path, test.headers...)
			if p.Status != test.wantStatus || !strings.Contains(p.Body, test.want) {
				t.Errorf("got %d, want %d and %q:\n%s", p.Status, test.wantStatus, test.want, p.Body)
			}
			if p.Status == http.StatusSeeOther && p.Header.Get("Location") != s.URL+"/login?next=%2Ftransfers%3Foffset%3D10" {
				t.Errorf("leads to %s, not back here", p.Header.Get("Location"))
			}
		})
	}
}
