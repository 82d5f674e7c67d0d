package globustest_test

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.org/portal/globus/globustest"
)

func TestPageHeaders(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	want := map[string]string{
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options":  "nosniff",
		"Referrer-Policy":         "no-referrer",
		"Cache-Control":           "no-store",
	}
	paths := []string{
		globustest.AuthorizePath + "?" + request().Encode(),
		globustest.AuthorizePath,
		globustest.LogoutPath,
		globustest.IdentitiesPath,
		globustest.ConsentsPath,
		"/",
		"/style.css",
	}
	for _, path := range paths {
		r := f.get(path)
		for name, value := range want {
			if got := r.header.Get(name); got != value {
				t.Errorf("%s: got %s %q, want %q", path, name, got, value)
			}
		}
	}
}

func TestChoosePage(t *testing.T) {
	f := newFlow(t, everybody())
	body := f.authorize(request()).body
	for _, want := range []string{
		`<html lang="en">`, `name="viewport"`, "This is not Globus.", "there is no password",
		"<bdi>Test &lt;app&gt;</bdi>", "Manage your data transfers", `name="deny" value="1"`,
		"<bdi>Rosalind Franklin</bdi>", "<bdi>Someone with only an id</bdi>", "&lt;script&gt;alert(1)&lt;/script&gt;",
		"<bdi>Example Lab</bdi>, <bdi>Reviewers</bdi> (invited)", "<bdi>Example Lab</bdi> (by another identity)", "<bdi>&lt;b&gt;Example&lt;/b&gt; Observatory</bdi>",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	// The form comes back to the very request that led to it.
	_, rest, _ := strings.Cut(body, `<form method="post" action="`)
	action, _, _ := strings.Cut(rest, `"`)
	if got, want := html.UnescapeString(action), globustest.AuthorizePath+"?"+request().Encode(); got != want {
		t.Errorf("got action %s, want %s", got, want)
	}
	for _, unwanted := range []string{"<script", "<style", " style=", "Look up identities"} {
		if strings.Contains(body, unwanted) {
			t.Errorf("the page has %q", unwanted)
		}
	}
}

func TestErrorPageEscapes(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	for _, name := range []string{"redirect_uri", "scope"} {
		if body := f.authorize(with(request(), name, "<script>x</script>")).body; strings.Contains(body, "<script") {
			t.Errorf("%s is not escaped: %s", name, body)
		}
	}
}

func TestWayBack(t *testing.T) {
	const home = "http://localhost:8888/"
	tests := []struct {
		name   string
		params url.Values
		want   bool // a link
	}{
		{"both", url.Values{"redirect_uri": {home}, "redirect_name": {"The App"}}, true},
		{"no name", url.Values{"redirect_uri": {home}}, false},
		{"no URI", url.Values{"redirect_name": {"The App"}}, false},
		{"javascript", url.Values{"redirect_uri": {"javascript:alert(1)"}, "redirect_name": {"The App"}}, false},
		{"data", url.Values{"redirect_uri": {"data:text/html,x"}, "redirect_name": {"The App"}}, false},
		{"no host", url.Values{"redirect_uri": {"http:x"}, "redirect_name": {"The App"}}, false},
		{"relative", url.Values{"redirect_uri": {"/x"}, "redirect_name": {"The App"}}, false},
		{"other host", url.Values{"redirect_uri": {"//evil.example/x"}, "redirect_name": {"The App"}}, false},
	}
	f := newFlow(t, globustest.Config{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, path := range []string{globustest.LogoutPath, globustest.IdentitiesPath, globustest.ConsentsPath} {
				r := f.get(path + "?client_id=" + clientID + "&" + tt.params.Encode())
				if r.status != http.StatusOK || !strings.Contains(r.body, "Test &lt;app&gt;") {
					t.Errorf("%s: got %d %s, want 200 and the app named", path, r.status, r.body)
				}
				if got := strings.Contains(r.body, "<a "); got != tt.want {
					t.Errorf("%s: got a link: %t, want %t", path, got, tt.want)
				}
				if tt.want && !strings.Contains(r.body, `<a href="`+home+`">Continue to <bdi>The App</bdi></a>`) {
					t.Errorf("%s: got %s, want a link to the app", path, r.body)
				}
			}
		})
	}
}

func TestIdentitiesAndConsents(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	for _, path := range []string{globustest.IdentitiesPath, globustest.ConsentsPath} {
		if r := f.get(path); !strings.Contains(r.body, "Nobody is signed in") {
			t.Errorf("%s: got %s, want that nobody is signed in", path, r.body)
		}
	}
	granted := str(f.token(exchange(f.codeOf("ada", request()))).json["access_token"])
	if r := f.get(globustest.IdentitiesPath); !strings.Contains(r.body, "<bdi>Ada Lovelace</bdi>") || !strings.Contains(r.body, "<bdi>lovelace@lab.example.org</bdi>") {
		t.Errorf("got %s, want Ada's identities", r.body)
	}
	const button = `value="` + clientID + `">Rescind what you allowed <strong><bdi>Test &lt;app&gt;</bdi>`
	if r := f.get(globustest.ConsentsPath); !strings.Contains(r.body, button) || !f.Live(granted) {
		t.Errorf("got %s, want a button for the app, and its token live", r.body)
	}
	if r := f.send(http.MethodPost, globustest.ConsentsPath, url.Values{"rescind": {"other"}}); !strings.Contains(r.body, button) || !f.Live(granted) {
		t.Error("what another app was allowed was rescinded")
	}
	if r := f.send(http.MethodPost, globustest.ConsentsPath, url.Values{"rescind": {clientID}}); !strings.Contains(r.body, "No app holds a token of yours") || f.LiveTokens() != 0 {
		t.Errorf("got %s and %d live tokens, want none", r.body, f.LiveTokens())
	}
}

func TestIndex(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	f.Register(globustest.Client{ID: "another", Secret: "its-secret", Name: "<b>Another</b>", RedirectURIs: []string{"https://another.example/callback"}})
	page := f.get("/")
	for _, want := range []string{
		"another", "&lt;b&gt;Another&lt;/b&gt;", "https://another.example/callback", f.Server.URL + globustest.TransferPath,
		"Rosalind Franklin", "rosalind@example.edu", "lovelace@lab.example.org",
	} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page.body, "its-secret") {
		t.Error("the page shows a secret")
	}
}
