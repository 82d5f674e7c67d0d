package web_test

import (
	"net/http"
	"strings"
	"testing"

	"example.org/portal/routes/routestest"
	"example.org/portal/routes/web"
)

// TestFlashCookie: a message is shown by the next page, once; a fragment leaves it to the
// page, and what was sent back changed is no message.
func TestFlashCookie(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	long := strings.Repeat("é", 800)
	s.App.HandleFunc("POST /flash", func(w http.ResponseWriter, r *http.Request) error {
		web.Flash(w, r, r.PostFormValue("message"))
		return web.Redirect(w, r, "/")
	})
	b := s.Browser()
	form := b.SignIn("rosalind").Form("message", "<b>Sample</b> deleted.")
	const want = "&lt;b&gt;Sample&lt;/b&gt; deleted."

	p := b.Send(http.MethodPost, "/flash", form)
	if p.Status != http.StatusSeeOther || p.Header.Get("Location") != s.URL+"/" {
		t.Fatalf("got %d to %q, want 303 home:\n%s", p.Status, p.Header.Get("Location"), p.Body)
	}
	if p := b.Get("/user", routestest.Htmx...); strings.Contains(p.Body, "Sample") {
		t.Errorf("a fragment shows it:\n%s", p.Body)
	}
	if p := b.Get("/nowhere"); p.Status != http.StatusNotFound || strings.Count(p.Body, want) != 1 {
		t.Errorf("the next page does not show it once:\n%s", p.Body)
	}
	if p := b.Get("/"); strings.Contains(p.Body, "Sample") {
		t.Errorf("the page after that shows it again:\n%s", p.Body)
	}
	if _, value := b.Cookie("message"); value != "" {
		t.Errorf("the cookie is still %q", value)
	}

	form.Set("message", long)
	b.Send(http.MethodPost, "/flash", form)
	if p := b.Get("/"); !strings.Contains(p.Body, strings.Repeat("é", 500)) || strings.Contains(p.Body, strings.Repeat("é", 501)) || strings.Contains(p.Body, "\uFFFD") {
		t.Errorf("want 1,000 bytes of a long message:\n%s", p.Body)
	}
	name, _ := b.Cookie("csrf")
	name = strings.Replace(name, "csrf", "message", 1)
	for _, value := range []string{"%%%", strings.Repeat("QUFB", 1000)} {
		if p := s.Browser().Get("/", "Cookie", name+"="+value); p.Status != http.StatusOK || strings.Contains(p.Body, "AAA") {
			t.Errorf("a cookie that no page set: got %d\n%s", p.Status, p.Body)
		}
	}
}
