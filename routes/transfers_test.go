package routes_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestTransfers(t *testing.T) {
	s := start(t, options{})
	rosalind, nobody := s.browser(), s.browser()
	rosalind.signIn("rosalind")
	adas := s.browser()
	adas.signIn("sub-only")
	tests := []struct {
		name       string
		browser    *browser
		path       string
		headers    []string
		wantStatus int
		want       string
	}{
		{"a page", rosalind, "/transfers", nil, 200, "<html"},
		{"a fragment", rosalind, "/transfers", htmx, 200, `id="transfers"`},
		{"the first page leads on", rosalind, "/transfers", htmx, 200, "/transfers?offset=10"},
		{"the next page", rosalind, "/transfers?offset=10", htmx, 200, "/transfers?offset=20"},
		{"no number", rosalind, "/transfers?offset=x", htmx, 200, "/transfers?offset=10"},
		{"none", adas, "/transfers", nil, 200, "no transfers"},
		{"signed out", nobody, "/transfers?offset=10", nil, 303, ""},
		{"signed out, by htmx", nobody, "/transfers", htmx, 401, "Your session has ended"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := test.browser.get(test.path, test.headers...)
			if p.status != test.wantStatus || !strings.Contains(p.body, test.want) {
				t.Errorf("got %d, want %d and %q:\n%s", p.status, test.wantStatus, test.want, p.body)
			}
			if p.status == http.StatusSeeOther && p.header.Get("Location") != s.url+"/login?next=%2Ftransfers%3Foffset%3D10" {
				t.Errorf("leads to %s, not back here", p.header.Get("Location"))
			}
		})
	}
}
