package auth_test

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

func TestSignIn(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	tests := []struct {
		person string
		want   []string
	}{
		{"rosalind", []string{"<bdi>Rosalind Franklin</bdi>", "rosalind@example.edu", "Example University", `id="logout"`, `id="toggle-refresh"`}},
		{"ada", []string{"<bdi>Ada Lovelace</bdi>"}},
		{"sub-only", []string{`id="uuid"`, `class="missing"`}},
		{"markup", []string{"&lt;script&gt;alert(1)&lt;/script&gt;"}},
	}
	for _, test := range tests {
		t.Run(test.person, func(t *testing.T) {
			p := s.Browser().SignIn(test.person)
			if p.Status != http.StatusOK || p.URL != s.URL+"/" {
				t.Errorf("got %d at %s, want 200 at home", p.Status, p.URL)
			}
			for _, want := range test.want {
				if !strings.Contains(p.Body, want) {
					t.Errorf("the page lacks %q:\n%s", want, p.Body)
				}
			}
			if strings.Contains(p.Body, "<script>alert") {
				t.Error("a name became markup")
			}
		})
	}
	if got, want := s.Globus.Requests(globustest.TokenPath), len(tests); got != want {
		t.Errorf("%d exchanges, want %d", got, want)
	}
}

func TestRefusing(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	b := s.Browser()
	p := b.SignIn("deny")
	if p.Status != http.StatusForbidden || p.Reason() != "denied" || p.Link(".login") != s.URL+"/login" {
		t.Errorf("got %d %s, want 403 and a way to try again:\n%s", p.Status, p.Reason(), p.Body)
	}
	if name, _ := b.Cookie("login"); name != "" {
		t.Error("the attempt is not spent")
	}
	if b.SignedIn() || s.Globus.Requests(globustest.TokenPath) != 0 {
		t.Error("a refusal led to a session or an exchange")
	}
}

// TestCallbackRefused tries every callback that must not sign anybody in, once
// with a fresh browser and once with one that is signed in already, whose
// session must not notice.
func TestCallbackRefused(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	tests := []struct {
		name       string
		callback   func(b *routestest.Browser) string
		wantStatus int // of a browser that is not signed in
		wantReason string
	}{
		{"without an attempt", func(*routestest.Browser) string { return s.URL + "/login?code=x&state=y" }, 400, "link_used"},
		{"without a state", func(*routestest.Browser) string { return s.URL + "/login?code=x" }, 400, "link_used"},
		{"an empty state", func(*routestest.Browser) string { return s.URL + "/login?code=x&state=" }, 400, "link_used"},
		{"a forged state", func(b *routestest.Browser) string {
			b.Callback("rosalind") // leaves an attempt behind that does not match
			return s.URL + "/login?code=x&state=FORGED"
		}, 400, "link_used"},
		{"another browser's callback", func(*routestest.Browser) string { return s.Browser().Callback("rosalind") }, 400, "link_used"},
		{"a forged error", func(*routestest.Browser) string { return s.URL + "/login?error=access_denied&state=y" }, 400, "link_used"},
		{"a doubled code", func(b *routestest.Browser) string { return b.Callback("rosalind") + "&code=y" }, 400, "link_damaged"},
		{"a doubled state", func(b *routestest.Browser) string { return b.Callback("rosalind") + "&state=y" }, 400, "link_damaged"},
		{"a doubled error", func(*routestest.Browser) string { return s.URL + "/login?error=x&error=y" }, 400, "link_damaged"},
		{"a doubled iss", func(b *routestest.Browser) string { return b.Callback("rosalind") + "&iss=x&iss=x" }, 400, "link_damaged"},
		{"a semicolon", func(b *routestest.Browser) string { return b.Callback("rosalind") + ";x=y" }, 400, "link_damaged"},
		{"a bad escape", func(b *routestest.Browser) string { return b.Callback("rosalind") + "&x=%zz" }, 400, "link_damaged"},
		{"NUL in the code", func(b *routestest.Browser) string { return intoCode(b, "%00") }, 400, "link_damaged"},
		{"a line break in the code", func(b *routestest.Browser) string { return intoCode(b, "%0d%0aX:%20y") }, 400, "link_damaged"},
		{"invalid UTF-8 in the code", func(b *routestest.Browser) string { return intoCode(b, "%ff") }, 400, "link_damaged"},
		{"a letter that no code has", func(b *routestest.Browser) string { return intoCode(b, "%C3%A9") }, 400, "link_damaged"},
		{"NUL in the state", func(b *routestest.Browser) string { return b.Callback("rosalind") + "%00" }, 400, "link_damaged"},
		{"a line break in the state", func(b *routestest.Browser) string { return b.Callback("rosalind") + "%0d%0a" }, 400, "link_damaged"},
		{"invalid UTF-8 in the state", func(b *routestest.Browser) string { return b.Callback("rosalind") + "%ff" }, 400, "link_damaged"},
		{"a line break in the error", func(b *routestest.Browser) string { return s.URL + "/login?error=x%0d%0aSet-Cookie:%20x&state=y" }, 400, "link_damaged"},
		{"a no of the person", func(b *routestest.Browser) string { return b.Callback("deny") }, 403, "denied"},
		{"another issuer", func(b *routestest.Browser) string { return b.Callback("rosalind") + "&iss=https://evil.example" }, 400, "wrong_issuer"},
		{"an empty issuer", func(b *routestest.Browser) string { return b.Callback("rosalind") + "&iss=" }, 400, "wrong_issuer"},
		{"a wrong code", func(b *routestest.Browser) string {
			return regexp.MustCompile(`code=[^&]+`).ReplaceAllString(b.Callback("rosalind"), "code=wrong")
		}, 400, "link_used"},
		{"an empty code", func(b *routestest.Browser) string {
			return regexp.MustCompile(`code=[^&]+`).ReplaceAllString(b.Callback("rosalind"), "code=")
		}, 400, "link_damaged"},
		{"an error that Globus made up", func(b *routestest.Browser) string {
			return regexp.MustCompile(`code=[^&]+`).ReplaceAllString(b.Callback("rosalind"), "error=<b>canary-error</b>")
		}, 503, "globus_error"},
		{"a query of 9 KB", func(b *routestest.Browser) string { return b.Callback("rosalind") + "&x=" + strings.Repeat("y", 9000) }, 414, "query_too_long"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			exchanges := s.Globus.Requests(globustest.TokenPath)
			b := s.Browser()
			b.Get("/") // it keeps cookies
			p := b.Get(test.callback(b))
			if p.Status != test.wantStatus || p.Reason() != test.wantReason {
				t.Errorf("got %d %s, want %d %s:\n%s", p.Status, p.Reason(), test.wantStatus, test.wantReason, p.Body)
			}
			if b.SignedIn() {
				t.Error("it signed somebody in")
			}
			if got := s.Globus.Requests(globustest.TokenPath) - exchanges; got > 0 && test.name != "a wrong code" {
				t.Error("the code was sent to Globus")
			}
			if strings.Contains(p.Body+s.Log.String(), "canary-error") {
				t.Error("what came from outside is repeated")
			}

			b = s.Browser()
			b.SignIn("rosalind")
			_, before := b.Cookie("session")
			b.Get(test.callback(b))
			if _, after := b.Cookie("session"); after != before || !b.SignedIn() {
				t.Error("the session that the browser had did not survive")
			}
		})
	}
}

// intoCode is a callback with something put into its code.
func intoCode(b *routestest.Browser, escaped string) string {
	b.T.Helper()
	return strings.Replace(b.Callback("rosalind"), "code=", "code="+escaped, 1)
}

// TestCallbackAgain is about a callback that comes more than once.
func TestCallbackAgain(t *testing.T) {
	t.Parallel()
	t.Run("replayed by the one who signed in", func(t *testing.T) {
		s := routestest.Start(t, routestest.Options{})
		b := s.Browser()
		callback := b.Callback("rosalind")
		b.Get(callback)
		if p := b.Get(callback); p.Status != http.StatusSeeOther || p.Header.Get("Location") != s.URL+"/" {
			t.Errorf("got %d to %s, want 303 home", p.Status, p.Header.Get("Location"))
		}
		if !b.SignedIn() || s.Globus.Requests(globustest.TokenPath) != 1 {
			t.Errorf("signed in: %v; %d exchanges, want 1", b.SignedIn(), s.Globus.Requests(globustest.TokenPath))
		}
	})
	t.Run("replayed after signing out", func(t *testing.T) {
		s := routestest.Start(t, routestest.Options{})
		b := s.Browser()
		callback := b.Callback("rosalind")
		b.Send(http.MethodPost, "/logout", b.Follow(b.Get(callback)).Form())
		if p := b.Get(callback); p.Status != http.StatusBadRequest || b.SignedIn() {
			t.Errorf("got %d, want 400 and nobody signed in", p.Status)
		}
	})
	t.Run("two at once", func(t *testing.T) {
		s := routestest.Start(t, routestest.Options{})
		b := s.Browser()
		callback := b.Callback("rosalind")
		arrived, wait := make(chan struct{}, 10), make(chan struct{})
		s.Globus.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.TokenPath: {Arrived: arrived, Wait: wait}}})
		name, attempt := b.Cookie("login")
		var wg sync.WaitGroup
		var pages [2]routestest.Page
		for i := range pages {
			wg.Go(func() { pages[i] = s.Browser().Get(callback, "Cookie", name+"="+attempt) })
		}
		<-arrived
		close(wait)
		wg.Wait()
		for _, p := range pages {
			if p.Status != http.StatusSeeOther {
				t.Errorf("got %d, want 303:\n%s", p.Status, p.Body)
			}
		}
		session := func(p routestest.Page) string {
			for _, c := range p.Header.Values("Set-Cookie") {
				if strings.Contains(c, "session=") {
					return strings.SplitN(c, ";", 2)[0]
				}
			}
			return ""
		}
		if got := session(pages[0]); got == "" || got != session(pages[1]) {
			t.Errorf("sessions %q and %q, want one", got, session(pages[1]))
		}
		if got := s.Globus.Requests(globustest.TokenPath); got != 1 {
			t.Errorf("%d exchanges, want 1", got)
		}
	})
	t.Run("a reload after the browser hung up", func(t *testing.T) {
		s := routestest.Start(t, routestest.Options{})
		b := s.Browser()
		callback := b.Callback("rosalind")
		arrived, wait := make(chan struct{}, 1), make(chan struct{})
		s.Globus.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.TokenPath: {Arrived: arrived, Wait: wait}}})
		ctx, hangUp := context.WithCancel(t.Context())
		go func() { <-arrived; hangUp() }()
		if _, err := b.Try(ctx, http.MethodGet, callback, nil); err == nil {
			t.Fatal("the browser did not hang up")
		}
		close(wait)
		if p := b.Follow(b.Get(callback)); !strings.Contains(p.Body, "Rosalind") || !b.SignedIn() {
			t.Errorf("not signed in on reload: %d\n%s", p.Status, p.Body)
		}
		if got := s.Globus.Requests(globustest.TokenPath); got != 1 {
			t.Errorf("%d exchanges, want 1", got)
		}
	})
	t.Run("left for too long", func(t *testing.T) {
		var passed atomic.Int64
		s := routestest.Start(t, routestest.Options{Now: func() time.Time { return time.Now().Add(time.Duration(passed.Load())) }})
		b := s.Browser()
		callback := b.Callback("rosalind")
		passed.Store(int64(11 * time.Minute))
		if p := b.Get(callback); p.Status != http.StatusBadRequest || s.Globus.Requests(globustest.TokenPath) != 0 {
			t.Errorf("got %d and %d exchanges, want 400 and none", p.Status, s.Globus.Requests(globustest.TokenPath))
		}
	})
}

// TestLies makes Globus do one thing wrong at a time, in addition to TestConformance.
func TestLies(t *testing.T) {
	t.Parallel()
	set := func(name string, value any) globustest.Edit { return globustest.Edit{Set: map[string]any{name: value}} }
	drop := func(name string) globustest.Edit { return globustest.Edit{Drop: []string{name}} }
	claims := func(e globustest.Edit) globustest.Lie { return globustest.Lie{Claims: e} }
	userinfo := func(e globustest.Edit) globustest.Lie { return globustest.Lie{UserInfo: e} }
	fault := func(path string, f globustest.Fault) globustest.Lie {
		return globustest.Lie{Endpoints: map[string]globustest.Fault{path: f}}
	}
	ago := func(d time.Duration) int64 { return time.Now().Add(-d).Unix() }
	const rosalind = "Rosalind Franklin"
	tests := []struct {
		name       string
		lie        globustest.Lie
		wantStatus int
		want       string // whose page it is, or its reason
	}{
		{"another authorized party", claims(set("azp", "someone-else")), 503, "globus_error"},
		{"an empty subject", claims(set("sub", "")), 503, "globus_error"},
		{"a subject that is a number", claims(set("sub", 5)), 503, "globus_error"},
		{"expired within the leeway", claims(set("exp", ago(4*time.Minute))), 200, rosalind},
		{"issued in the future", claims(set("iat", ago(-6*time.Minute))), 503, "globus_error"},
		{"a clock that is a little off", claims(set("iat", ago(-4*time.Minute))), 200, rosalind},
		{"signed with the client secret", globustest.Lie{Signing: globustest.HS512WithSecret}, 503, "globus_error"},
		{"signed with the public key", globustest.Lie{Signing: globustest.HS512WithPublicKey}, 503, "globus_error"},
		{"another key", globustest.Lie{Signing: globustest.ForeignKey}, 503, "globus_error"},
		{"no ID token", globustest.Lie{Token: drop("id_token")}, 503, "globus_error"},
		{"an ID token of 70 KB", globustest.Lie{Token: set("id_token", strings.Repeat("a.", 2)+strings.Repeat("a", 70<<10))}, 503, "globus_error"},
		{"another token type", globustest.Lie{Token: set("token_type", "DPoP")}, 503, "globus_error"},
		{"no token type", globustest.Lie{Token: drop("token_type")}, 200, rosalind},
		{"no resource server", globustest.Lie{Token: drop("resource_server")}, 200, rosalind},
		{"a token for ever", globustest.Lie{Token: set("expires_in", 1<<40)}, 200, rosalind},
		{"another state", globustest.Lie{Token: set("state", "canary-state")}, 200, rosalind}, // as the official SDK has recorded it
		{"other tokens that are none", globustest.Lie{Token: set("other_tokens", []any{"canary", nil, map[string]any{"access_token": 7}})}, 200, rosalind},
		{"an organization that is a list", claims(set("organization", []string{"canary"})), 200, rosalind},
		{"an identity set of text", claims(set("identity_set", []string{"canary"})), 200, rosalind},

		{"userinfo about nobody", userinfo(drop("sub")), 200, rosalind},
		{"userinfo of the wrong shape", userinfo(set("name", 5)), 200, rosalind},
		{"userinfo fresher", userinfo(set("name", "R. E. Franklin")), 200, "R. E. Franklin"},
		{"userinfo down", fault(globustest.UserInfoPath, globustest.Fault{Status: 500}), 200, rosalind},
		{"userinfo elsewhere", fault(globustest.UserInfoPath, globustest.Fault{Status: 307, Header: http.Header{"Location": {"http://127.0.0.1:1/"}}}), 200, rosalind},

		{"keys down", fault(globustest.KeysPath, globustest.Fault{Status: 503}), 503, "globus_error"},
		{"keys down once", fault(globustest.KeysPath, globustest.Fault{Status: 503, Times: 1}), 200, rosalind},
		{"keys of their own media type", fault(globustest.KeysPath, globustest.Fault{Header: http.Header{"Content-Type": {"application/jwk-set+json"}}, Body: keySet(t)}), 200, rosalind},
		{"token endpoint down", fault(globustest.TokenPath, globustest.Fault{Status: 500}), 503, "globus_error"},
		{"token endpoint answers HTML", fault(globustest.TokenPath, globustest.Fault{Header: http.Header{"Content-Type": {"text/html"}}, Body: "<h1>canary-body</h1>"}), 503, "globus_error"},
		{"token endpoint answers nothing", fault(globustest.TokenPath, globustest.Fault{Status: 200}), 503, "globus_error"},
		{"token endpoint hangs up", fault(globustest.TokenPath, globustest.Fault{HangUp: true}), 503, "globus_unreachable"},
		{"token endpoint never ends", fault(globustest.TokenPath, globustest.Fault{Endless: true}), 503, "globus_error"},
		{"token endpoint elsewhere", fault(globustest.TokenPath, globustest.Fault{Status: 307, Header: http.Header{"Location": {"http://127.0.0.1:1/"}}}), 503, "globus_error"},
		{"client refused", fault(globustest.TokenPath, globustest.Fault{Status: 401, Body: `{"error":"invalid_client"}`}), 503, "globus_error"},
		{"code refused", fault(globustest.TokenPath, globustest.Fault{Status: 401, Body: `{"error":"invalid_grant"}`}), 400, "link_used"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := routestest.Start(t, routestest.Options{})
			b := s.Browser()
			callback := b.Callback("rosalind")
			s.Globus.Lie(test.lie)
			p := b.Follow(b.Get(callback))
			if p.Status != test.wantStatus || p.Reason() != test.want && (p.Reason() != "" || !strings.Contains(p.Body, test.want)) {
				t.Errorf("got %d %s, want %d and %q:\n%s\n%s", p.Status, p.Reason(), test.wantStatus, test.want, p.Body, s.Log)
			}
			if got := s.Globus.Requests(globustest.TokenPath); got != 1 {
				t.Errorf("the code was sent %d times, want once", got)
			}
			if got, want := b.SignedIn(), test.wantStatus == http.StatusOK; got != want {
				t.Errorf("signed in: %v, want %v", got, want)
			}
			if test.wantStatus != http.StatusOK {
				if !strings.Contains(s.Log.String(), `"reason":`) {
					t.Error("the log does not say why")
				}
				if live := s.Globus.LiveTokens(); live != 0 && test.lie.Endpoints == nil && test.lie.Token.Set == nil && test.lie.Token.Drop == nil {
					t.Errorf("%d tokens of a failed sign-in were not revoked", live)
				}
			}
			if strings.Contains(p.Body+s.Log.String(), "canary") {
				t.Error("what Globus sent is repeated")
			}
		})
	}
}

// keySet returns Globus's keys as it serves them.
func keySet(t *testing.T) string {
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: routestest.SigningKey().Public(), Use: "sig", Algorithm: "RS512"}}})
	if err != nil {
		t.Fatal(err)
	}
	return string(set)
}

// TestSecondSignIn is about a browser that is signed in already.
func TestSecondSignIn(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	b := s.Browser()
	b.SignIn("rosalind")

	t.Run("needs no second one", func(t *testing.T) {
		p := b.Get("/login?next=/user")
		if p.Status != http.StatusSeeOther || p.Header.Get("Location") != s.URL+"/user" {
			t.Errorf("got %d to %s, want 303 to /user", p.Status, p.Header.Get("Location"))
		}
	})
	t.Run("that fails leaves the first alone", func(t *testing.T) {
		callback := b.Callback("ada")
		s.Globus.Lie(globustest.Lie{Signing: globustest.ForeignKey})
		defer s.Globus.Lie(globustest.Lie{})
		if p := b.Get(callback); p.Status != http.StatusServiceUnavailable {
			t.Errorf("got %d, want 503", p.Status)
		}
		if p := b.Get("/user"); !strings.Contains(p.Body, "Rosalind") {
			t.Errorf("the first session is gone:\n%s", p.Body)
		}
	})
	t.Run("as another ends the first", func(t *testing.T) {
		name, first := b.Cookie("session")
		before := s.Globus.LiveTokens()
		if p := b.SignIn("ada"); !strings.Contains(p.Body, "Ada Lovelace") {
			t.Errorf("not Ada:\n%s", p.Body)
		}
		if p := s.Browser().Get("/user", "Cookie", name+"="+first); strings.Contains(p.Body, "Rosalind") {
			t.Error("the first session still lives")
		}
		if got := s.Globus.LiveTokens(); got != before {
			t.Errorf("%d live tokens, want %d: those of the first session revoked", got, before)
		}
	})
}

func TestTwoTabs(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	b := s.Browser()
	first, second := b.Callback("rosalind"), b.Callback("ada")
	b.Get(second)
	if p := b.Follow(b.Get(first)); !strings.Contains(p.Body, "Rosalind") {
		t.Errorf("the last to finish is not who is signed in:\n%s", p.Body)
	}
	for range 7 {
		b.Get("/login?prompt=login")
	}
	n := 0
	for name := range b.Cookies() {
		if strings.Contains(name, "login-") {
			n++
		}
	}
	if n != 5 {
		t.Errorf("%d attempts are kept, want 5", n)
	}
}

// TestOnlyNavigationsSignIn: a request from within a page starts nothing.
func TestOnlyNavigationsSignIn(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	wanting(s, func() *globus.Requirements { return nil })
	tests := []struct {
		name       string
		headers    []string
		wantStatus int
	}{
		{"a link", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 303},
		{"an old browser", nil, 303},
		{"htmx", routestest.Htmx, 401},
		{"htmx for a whole page", []string{"HX-Request", "true", "HX-Request-Type", "full"}, 401},
		{"fetch", []string{"Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"}, 401},
		{"an image", []string{"Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, 401},
		{"a service worker, on the browser's behalf", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "empty"}, 303},
		{"a frame", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, 303},
		{"a prefetch", []string{"Sec-Purpose", "prefetch;prerender"}, 503},
		{"a prefetch of a private page", []string{"Sec-Purpose", "prefetch"}, 503},
		{"a look at the head", nil, 204},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := s.Browser()
			method := http.MethodGet
			if test.name == "a look at the head" {
				method = http.MethodHead
			}
			path := "/login"
			if test.name == "a prefetch of a private page" {
				path = "/probe/wanting"
			}
			p := b.Send(method, path, nil, test.headers...)
			if p.Status != test.wantStatus {
				t.Errorf("got %d, want %d", p.Status, test.wantStatus)
			}
			if name, _ := b.Cookie("login"); (name != "") != (test.wantStatus == http.StatusSeeOther) {
				t.Errorf("an attempt was begun: %v", name != "")
			}
			if p.Status != http.StatusSeeOther && p.Header.Get("Location") != "" {
				t.Error("it redirects")
			}
		})
	}
}

// TestNoSession: who needs a session and has none is asked to sign in, in a way
// that fits how they asked.
func TestNoSession(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	b := s.Browser()
	form := b.Get("/logout").Form("token", "access")
	tests := []struct {
		name    string
		headers []string
		want    string
	}{
		{"a form", nil, s.URL + "/login"},
		{"htmx", append([]string{"HX-Current-URL", s.URL + "/user?x=1"}, routestest.Htmx...), s.URL + "/login?next=%2Fuser%3Fx%3D1"},
		{"htmx on a page elsewhere", append([]string{"HX-Current-URL", "https://evil.example//evil.example/"}, routestest.Htmx...), s.URL + "/login"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := b.Send(http.MethodPost, "/tokens/show", form, test.headers...)
			if p.Status != http.StatusUnauthorized || p.Reason() != "session_ended" || p.Link(".login") != test.want {
				t.Errorf("got %d, want 401 and a link to %s:\n%s", p.Status, test.want, p.Body)
			}
			if whole := strings.Contains(p.Body, "<html"); whole == (len(test.headers) > 0) {
				t.Errorf("a whole page: %v", whole)
			}
		})
	}
}

// TestSlowGlobus: people who wait for Globus do not block others. The home page
// answers while all of them wait, or this test does not end.
func TestSlowGlobus(t *testing.T) {
	t.Parallel()
	const waiting = 10
	s := routestest.Start(t, routestest.Options{})
	arrived, wait := make(chan struct{}, waiting), make(chan struct{})
	callbacks := make([]string, waiting)
	browsers := make([]*routestest.Browser, waiting)
	for i := range callbacks {
		browsers[i] = s.Browser()
		callbacks[i] = browsers[i].Callback("rosalind")
	}
	s.Globus.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.TokenPath: {Arrived: arrived, Wait: wait}}})
	var wg sync.WaitGroup
	for i, b := range browsers {
		wg.Go(func() {
			p, err := b.Try(t.Context(), http.MethodGet, callbacks[i], nil)
			if err != nil {
				t.Error(err)
			} else if p.Status != http.StatusSeeOther && p.Reason() != "globus_timeout" { // on a slow machine 10 s may pass
				t.Errorf("got %d, want to be signed in:\n%s", p.Status, p.Body)
			}
		})
	}
	for range waiting {
		<-arrived
	}
	for range 3 {
		if p := s.Browser().Get("/"); p.Status != http.StatusOK {
			t.Errorf("home answers %d", p.Status)
		}
	}
	close(wait)
	wg.Wait()
}

// TestGlobusNeverAnswers: who signs in is told so after 10 s, and what session
// their browser had goes on.
func TestGlobusNeverAnswers(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	b := s.Browser()
	b.SignIn("ada")
	callback := b.Callback("rosalind")
	s.Globus.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.TokenPath: {Wait: make(chan struct{})}}})
	begun := time.Now()
	p := b.Get(callback)
	if took := time.Since(begun); took > time.Minute {
		t.Errorf("it took %s, want 10 s", took)
	}
	if p.Status != http.StatusServiceUnavailable || p.Reason() != "globus_timeout" {
		t.Errorf("got %d, want 503:\n%s", p.Status, p.Body)
	}
	if name, _ := b.Cookie("login"); name != "" {
		t.Error("the attempt is not spent, though its code may be")
	}
	if !strings.Contains(b.Get("/user").Body, "Ada Lovelace") {
		t.Error("the session that the browser had did not survive")
	}
}
