package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"example.org/portal/components"
	"example.org/portal/routes/routestest"
	"example.org/portal/routes/web"
)

// TestShowInvalid: a form that has to be corrected is shown again in a page, or by itself
// to htmx; a script learns what is wrong with which field.
func TestShowInvalid(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	s.App.HandleFunc("POST /probe/invalid", func(w http.ResponseWriter, r *http.Request) error {
		var errs components.FieldErrors
		errs.Add("name", "Give it a name.")
		return web.ShowInvalid(w, r, "Invalid", errs, components.ErrorSummary("probe", errs))
	})
	b := s.Browser()
	form := b.SignIn("rosalind").Form()
	for _, test := range []struct {
		name      string
		headers   []string
		mediaType string
		page      bool
	}{
		{"a browser", nil, "text/html; charset=utf-8", true},
		{"htmx", routestest.Htmx, "text/html; charset=utf-8", false},
		{"a script", []string{"Accept", "application/json"}, "application/problem+json", false},
	} {
		p := b.Send(http.MethodPost, "/probe/invalid", form, test.headers...)
		if p.Status != http.StatusUnprocessableEntity || p.Header.Get("Content-Type") != test.mediaType || strings.Contains(p.Body, "<main") != test.page {
			t.Errorf("%s: got %d, %s:\n%s", test.name, p.Status, p.Header.Get("Content-Type"), p.Body)
		}
		if test.mediaType == "application/problem+json" {
			var problem struct {
				Reason string
				Errors []struct{ Field, Message string }
			}
			if err := json.Unmarshal([]byte(p.Body), &problem); err != nil || problem.Reason != "invalid" || len(problem.Errors) != 1 || problem.Errors[0].Field != "name" {
				t.Errorf("%s: %v, got %s", test.name, err, p.Body)
			}
		} else if !p.Has("probe-errors") || p.Header.Get("HX-Reswap") != "" {
			t.Errorf("%s: got no summary in the place of the form:\n%s", test.name, p.Body)
		}
	}
	if lines := s.LogLines("request"); lines[len(lines)-1]["reason"] != "invalid" {
		t.Errorf("the log has %v", lines[len(lines)-1])
	}
}

// TestPaging: what is no number is the first page.
func TestPaging(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]int{"": 0, "?offset=40": 40, "?offset=-1": 0, "?offset=x": 0, "?offset=99999999999999999999": 1_000_000, "?offset=2000000": 1_000_000} {
		r, err := http.NewRequest(http.MethodGet, "http://localhost/app/x"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		if p := web.Paging(r, 20); p.Offset != want || p.Size != 20 || p.Self != "/app/x"+query {
			t.Errorf("%s: got %+v, want %d", query, p, want)
		}
	}
}
