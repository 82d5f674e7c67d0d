package web_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"example.org/portal/globus"
	"example.org/portal/routes/routestest"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

// TestErrorAfterAnswer: a handler that returns an error after it wrote adds no page to
// what it wrote, whatever the error is: what is whole stays so, and what is not breaks
// off. The log says it in a sentence.
func TestErrorAfterAnswer(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	late := map[string]error{
		"plain":   errors.New("canary"),
		"problem": &web.Problem{Status: 404, Reason: "canary"},
		"consent": &globus.Error{Reason: globus.Refused, Code: "ConsentRequired", Message: "canary", Requirements: &globus.Requirements{Code: "ConsentRequired"}},
	}
	for kind, err := range late {
		s.App.Handle("GET /probe/whole/"+kind, s.App.Auth.Required(func(w http.ResponseWriter, r *http.Request, _ *session.Session) error {
			_ = web.JSON(w, r, "all of it")
			return err
		}))
		s.App.Handle("GET /probe/begun/"+kind, s.App.Auth.Required(func(w http.ResponseWriter, _ *http.Request, _ *session.Session) error {
			for range 1000 {
				_, _ = io.WriteString(w, "a,line,of,CSV\n")
			}
			return err
		}))
	}
	b := s.Browser()
	b.SignIn("rosalind")
	for kind := range late {
		s.Log.Forget()
		if p := b.Get("/probe/whole/" + kind); p.Status != 200 || p.Body != "\"all of it\"\n" {
			t.Errorf("%s: got %d:\n%s", kind, p.Status, p.Body)
		}
		p, err := b.Try(t.Context(), http.MethodGet, "/probe/begun/"+kind, nil)
		if err == nil || strings.Contains(p.Body, "<") {
			t.Errorf("%s: what broke off is taken for whole (%d bytes)", kind, len(p.Body))
		}
		routestest.Await(t, "both are logged", func() bool { return strings.Count(s.Log.String(), "after it had begun to answer") == 2 })
		if strings.Contains(s.Log.String(), "superfluous") {
			t.Errorf("%s: it was answered twice:\n%s", kind, s.Log)
		}
	}
}
