package routes_test

import (
	"net/http"
	"strings"
	"testing"

	"example.org/portal/globus"
)

// TestFormOfAnother: a page of one person stays open in one tab while another
// signs in in the next. Its forms do nothing to whoever is signed in now.
func TestFormOfAnother(t *testing.T) {
	s := start(t, options{})
	forms := map[string][]string{
		"/logout":         nil,
		"/tokens/show":    {"token", "access"},
		"/tokens/refresh": {"server", globus.TransferServer},
	}
	ways := map[string][]string{"": nil, " by htmx": htmx, " by htmx, for a page": {"HX-Request", "true", "HX-Request-Type", "full"}}
	for path, fields := range forms {
		for way, headers := range ways {
			t.Run(path+way, func(t *testing.T) {
				b := s.browser()
				stale := b.signIn("rosalind").form(fields...)
				b.signIn("ada")
				refreshes := s.auth.Refreshes("")
				p := b.send(http.MethodPost, path, stale, headers...)
				if p.status != http.StatusForbidden || !strings.Contains(p.body, "Nothing was done") {
					t.Errorf("got %d, want 403 and a sentence:\n%s", p.status, p.body)
				}
				if shownToken.MatchString(p.body) || s.auth.Refreshes("") != refreshes || strings.Contains(p.header.Get("Set-Cookie"), "session") {
					t.Errorf("it was done to the other:\n%s", p.body)
				}
				if !strings.Contains(b.get("/user").body, "Ada Lovelace") {
					t.Error("the other was signed out")
				}
			})
		}
	}
}
