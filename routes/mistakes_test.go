package routes_test

import (
	"net/http"
	"strings"
	"testing"

	"example.org/portal/routes/routestest"
)

// TestMistakes: what an author gets wrong in a template is said in a sentence, and what
// is right is not.
func TestMistakes(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{PublicURL: "http://127.0.0.1:PORT/app"})
	const token = `<input type="hidden" name="csrf_token" value="x">`
	const header = `='{"X-CSRF-Token":"x"}'`
	tests := []struct{ body, want string }{
		{`<script>alert(1)</script>`, "inline script"},
		{`<script src="/app/static/app.js" defer></script><script type="application/json">{}</script>`, ""},
		{`<style>p { color: red }</style>`, "inline <style>"},
		{`<p style="color: red">x</p>`, "style attribute"},
		{`<button onclick="go()">x</button>`, "attribute onclick"},
		{`<button hx-on:click="go()">x</button>`, "attribute hx-on:click"},
		{`<p hx-vals="js:{a: 1}">x</p>`, "begins with js:"},
		{`<p id="main">x</p><main id="main"></main>`, `the id "main"`},
		{`<a href="/app/nowhere">x</a>`, "no route answers GET /app/nowhere"},
		{`<a href="nowhere?x=1">x</a>`, "no route answers GET /app/nowhere"},
		{`<a href="/app/account">x</a><a href="/app/user?x=1#x">x</a><a href="#x">x</a><a href="/elsewhere">x</a><a href="https://example.org/x">x</a><a>x</a>`, ""},
		{`<form action="/app/user"></form>`, ""},
		{`<form method="post" action="/app/account">` + token + `</form>`, "no route answers POST /app/account"},
		{`<form method="post" action="/app/logout"></form>`, "has no token"},
		{`<form method="post" action="/app/logout" hx-post="/app/logout">` + token + `<button hx-post="/app/logout">x</button></form>`, ""},
		{`<button hx-delete="/app/user" hx-headers` + header + `>x</button>`, "no route answers DELETE /app/user"},
		{`<button hx-post="/app/logout">x</button>`, "hx-post sends no token"},
		{`<button hx-post="/app/logout" hx-headers` + header + `>x</button>`, ""},
		{`<ul hx-headers:inherited` + header + `><li><button hx-post="/app/logout">x</button></li></ul>`, ""},
		{`<ul hx-headers` + header + `><li><button hx-post="/app/logout">x</button></li></ul>`, "hx-post sends no token"},
		{`<form method="post" action="/app/logout">` + token + `<button hx-delete="/app/x">x</button></form>`, "hx-delete sends no token"},
	}
	html := http.Header{"Content-Type": {"text/html; charset=utf-8"}}
	for _, test := range tests {
		found := s.Mistakes(routestest.Page{URL: s.URL + "/account", Header: html, Body: test.body})
		if got := strings.Join(found, "\n"); !strings.Contains(got, test.want) || test.want == "" && got != "" {
			t.Errorf("%s: got %q, want %q", test.body, got, test.want)
		}
	}
	html.Set("Content-Security-Policy", "script-src 'self'; style-src 'self' 'unsafe-inline'")
	if found := s.Mistakes(routestest.Page{URL: s.URL + "/account", Header: html, Body: `<p style="color: red">x</p>`}); len(found) > 0 {
		t.Errorf("where the route allows it: %v", found)
	}
}
