package web_test

import (
	"net/http"
	"strings"
	"testing"

	"example.org/portal/globus"
	"example.org/portal/routes/routestest"
)

// TestFormOfAnother: a page of one person stays open in one tab while another
// signs in in the next. Its forms do nothing to whoever is signed in now.
func TestFormOfAnother(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	forms := map[string][]string{
		"/logout":         nil,
		"/tokens/show":    {"token", "access"},
		"/tokens/refresh": {"server", globus.TransferServer},
	}
	ways := map[string][]string{"": nil, " by htmx": routestest.Htmx, " by htmx, for a page": {"HX-Request", "true", "HX-Request-Type", "full"}}
	for path, fields := range forms {
		for way, headers := range ways {
			t.Run(path+way, func(t *testing.T) {
				b := s.Browser()
				stale := b.SignIn("rosalind").Form(fields...)
				b.SignIn("ada")
				refreshes := s.Globus.Refreshes("")
				p := b.Send(http.MethodPost, path, stale, headers...)
				if p.Status != http.StatusForbidden || p.Reason() != "form_old" {
					t.Errorf("got %d, want 403 and that it is an old form:\n%s", p.Status, p.Body)
				}
				if routestest.ShownToken.MatchString(p.Body) || s.Globus.Refreshes("") != refreshes || strings.Contains(p.Header.Get("Set-Cookie"), "session") {
					t.Errorf("it was done to the other:\n%s", p.Body)
				}
				if !strings.Contains(b.Get("/user").Body, "Ada Lovelace") {
					t.Error("the other was signed out")
				}
			})
		}
	}
}
