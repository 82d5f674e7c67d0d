package routes_test

import (
	"net/http"
	"strings"
	"testing"

	"example.org/portal/globus/globustest"
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
		{"none", adas, "/transfers", nil, 200, `id="transfers-none"`},
		{"signed out", nobody, "/transfers?offset=10", nil, 303, ""},
		{"signed out, by htmx", nobody, "/transfers", routestest.Htmx, 401, `data-reason="session_ended"`},
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

// TestOddTransfers: of what Transfer leaves out, or writes in another way, the
// list shows what can be shown.
func TestOddTransfers(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		`{"DATA":[{"task_id":"x","status":"ACTIVE","label":null,"files":null,"request_time":null,"completion_time":null,"fatal_error":null,"new":{}}],"total":1}`: `class="badge active"`,
		`{"DATA":[{"task_id":"x","status":"ACTIVE","request_time":"2021-01-15 01:45:50+00:00"}],"total":1}`:                                                       "2021-01-15",
	} {
		s := routestest.Start(t, routestest.Options{})
		b := s.Browser()
		b.SignIn("rosalind")
		s.Globus.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.TaskListPath: {Body: answer}}})
		if p := b.Get("/transfers", routestest.Htmx...); p.Status != http.StatusOK || !strings.Contains(p.Body, want) {
			t.Errorf("%s: got %d, want %s:\n%s", answer, p.Status, want, p.Body)
		}
	}
}
