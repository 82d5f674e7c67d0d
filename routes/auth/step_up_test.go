package auth_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// beginStepUp clicks on the button of the card that /probe/wanting shows.
func beginStepUp(t *testing.T, b *routestest.Browser) routestest.Page {
	t.Helper()
	begun := b.Get(b.Get("/probe/wanting").Link(".step-up"))
	begun.AuthorizeRequest(t, b.Site)
	return begun
}

// TestStepUpTokens: the session lasts no longer than it would have; the tokens that
// were replaced end with it, and the others stay.
func TestStepUpTokens(t *testing.T) {
	t.Parallel()
	var c routestest.Clock
	s := routestest.Start(t, routestest.Options{Now: c.Now})
	wanting(s, func() *globus.Requirements { return domain("example.edu") })
	b := s.Browser()
	b.SignIn("rosalind")
	token := func(server string) string {
		p := b.Send("POST", "/tokens/show", b.Get("/").Form("server", server, "token", "access"), routestest.Htmx...)
		m := regexp.MustCompile(`<code[^>]*>([^<]+)</code>`).FindStringSubmatch(p.Body)
		if m == nil {
			t.Fatalf("no token of %q: %d\n%s", server, p.Status, p.Body)
		}
		return html.UnescapeString(m[1])
	}
	c.Pass(6 * 24 * time.Hour)
	b.Get("/") // refreshes
	auth, transfer := token(""), token(globus.TransferServer)
	// Globus gives no token for Transfer this time: the one that is held stays.
	s.Globus.Lie(globustest.Lie{Token: globustest.Edit{Set: map[string]any{"other_tokens": []any{}}}})
	back := b.AtGlobus(beginStepUp(t, b), "person", "rosalind")
	s.Globus.Lie(globustest.Lie{})
	if back.Status != http.StatusSeeOther || len(back.Header.Values("Set-Cookie")) != 1 {
		t.Fatalf("the callback answers %d, and sets %q; want only the attempt's cookie spent:\n%s", back.Status, back.Header.Values("Set-Cookie"), back.Body)
	}
	if got := token(""); got == auth || !s.Globus.Live(got) {
		t.Error("the token was not replaced")
	}
	if got := token(globus.TransferServer); got != transfer && s.Globus.Live(transfer) {
		t.Error("the token for Transfer was not kept")
	}
	c.Pass(24 * time.Hour)
	if b.SignedIn() {
		t.Error("the session lasts longer than it would have")
	}
}

// TestStepUpFails: whatever goes wrong on the way, the session is as it was, and the
// person reads how to go on.
func TestStepUpFails(t *testing.T) {
	t.Parallel()
	rosalind := []string{"person", "rosalind"}
	tests := []struct {
		name       string
		at         []string // what the person does at Globus
		lie        globustest.Lie
		breakStore bool
		wantStatus int
		wantReason string
	}{
		{"the person refuses", []string{"deny", "1"}, globustest.Lie{}, false, 403, "denied"},
		{"somebody else", []string{"person", "markup"}, globustest.Lie{}, false, 403, "other_person"},
		{"Globus is down", rosalind, routestest.Down(globustest.TokenPath), false, 503, "step_up_failed"},
		{"an ID token without nonce", rosalind, globustest.Lie{Claims: globustest.Edit{Drop: []string{"nonce"}}}, false, 503, "step_up_failed"},
		{"userinfo about another", rosalind, globustest.Lie{UserInfo: globustest.Edit{Set: map[string]any{"sub": "x"}}}, false, 503, "step_up_failed"},
		{"the store is down", rosalind, globustest.Lie{}, true, 503, "store_unavailable"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := routestest.Start(t, routestest.Options{})
			wanting(s, func() *globus.Requirements { return domain("example.edu") })
			b := s.Browser()
			b.SignIn("rosalind")
			_, before := b.Cookie("session")
			at := b.Get(beginStepUp(t, b).Header.Get("Location"))
			back := b.Send("POST", at.URL, routestest.Page{}.Form(test.at...))
			s.Globus.Lie(test.lie)
			mend := func() {}
			if test.breakStore {
				mend = s.BreakStore()
			}
			p := b.Get(back.Header.Get("Location"))
			mend()
			s.Globus.Lie(globustest.Lie{})
			if p.Status != test.wantStatus || p.Reason() != test.wantReason {
				t.Errorf("got %d %q, want %d %q:\n%s", p.Status, p.Reason(), test.wantStatus, test.wantReason, p.Body)
			}
			if way := p.Link(".retry") + strings.TrimPrefix(p.Link(".login"), s.URL); way != "/probe/wanting" && way != "/login?next=%2Fprobe%2Fwanting&prompt=login" {
				t.Errorf("it leads on to %q, want to what was asked for", way)
			}
			if _, after := b.Cookie("session"); after != before || !b.SignedIn() {
				t.Error("the session changed")
			}
			b.WantAllRevoked()
		})
	}
}

// TestStepUpMeanwhile: the session ends, or another begins in the same browser,
// while somebody is at Globus. What ended stays ended.
func TestStepUpMeanwhile(t *testing.T) {
	t.Parallel()
	signOut := func(b *routestest.Browser) { b.Send("POST", "/logout", b.Get("/").Form()) }
	tests := []struct {
		name       string
		meanwhile  func(b *routestest.Browser)
		as         string
		wantReason string
		want       string // who is signed in at the end; "": nobody
	}{
		{"signed out, and came back", signOut, "rosalind", "signed_out", ""},
		{"signed out, and somebody else came back", signOut, "ada", "signed_out", ""},
		{"somebody else signed in", func(b *routestest.Browser) { b.SignIn("ada") }, "rosalind", "other_person", "Ada"},
		{"somebody else signed in, and came back", func(b *routestest.Browser) { b.SignIn("ada") }, "ada", "other_person", "Ada"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := routestest.Start(t, routestest.Options{})
			wanting(s, func() *globus.Requirements { return &globus.Requirements{Prompt: "login"} })
			b := s.Browser()
			b.SignIn("rosalind")
			begun := beginStepUp(t, b)
			test.meanwhile(b)
			p := b.AtGlobus(begun, "person", test.as)
			if p.Reason() != test.wantReason {
				t.Errorf("got %d %q, want %q", p.Status, p.Reason(), test.wantReason)
			}
			if b.SignedIn() != (test.want != "") || !strings.Contains(b.Get("/user").Body, test.want) {
				t.Errorf("signed in: %t, want %q", b.SignedIn(), test.want)
			}
			b.WantAllRevoked()
		})
	}
}

// TestStepUpRacesSignOut: two step-ups at once are both merged; a sign-out during one is
// final.
func TestStepUpRacesSignOut(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	wanting(s, func() *globus.Requirements { return domain("example.edu") })
	b := s.Browser()
	b.SignIn("rosalind")
	stepUp := func() string { return b.Get(beginStepUp(t, b).Header.Get("Location")).Header.Get("Location") }
	arrived, wait := make(chan struct{}, 2), make(chan struct{})
	hold := func() {
		s.Globus.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.UserInfoPath: {Arrived: arrived, Wait: wait}}})
	}

	first, second := stepUp(), stepUp()
	hold()
	var both sync.WaitGroup
	for _, back := range []string{first, second} {
		both.Go(func() {
			if p := b.Get(back); p.Header.Get("Location") != s.URL+"/probe/wanting" {
				t.Errorf("got %d to %q", p.Status, p.Header.Get("Location"))
			}
		})
	}
	<-arrived
	<-arrived
	close(wait)
	both.Wait()
	s.Globus.Lie(globustest.Lie{})
	if !b.SignedIn() {
		t.Error("nobody is signed in after two steps up at once")
	}

	form, back := b.Get("/").Form(), stepUp()
	wait = make(chan struct{})
	hold()
	both.Go(func() { b.Get(back) })
	<-arrived
	b.Send(http.MethodPost, "/logout", form)
	close(wait)
	both.Wait()
	if b.SignedIn() || s.Globus.LiveTokens() != 0 {
		t.Errorf("signed in: %t, %d live tokens, after signing out", b.SignedIn(), s.Globus.LiveTokens())
	}
}

// TestStepUpTwice: a callback that comes twice redeems its code once, and leads to
// the page both times.
func TestStepUpTwice(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	wanting(s, func() *globus.Requirements { return domain("example.edu") })
	b := s.Browser()
	b.SignIn("rosalind")
	begun := beginStepUp(t, b)
	jar := b.Client.Jar.Cookies(must(url.Parse(s.URL)))
	at := b.Get(begun.Header.Get("Location"))
	back := b.Send("POST", at.URL, routestest.As("rosalind"))
	if at.Status != http.StatusOK {
		back = at
	}
	redeemed := s.Globus.Requests(globustest.TokenPath)
	for range 2 {
		b.Client.Jar.SetCookies(must(url.Parse(s.URL)), jar)
		if p := b.Get(back.Header.Get("Location")); p.Header.Get("Location") != s.URL+"/probe/wanting" {
			t.Errorf("got %d to %q:\n%s", p.Status, p.Header.Get("Location"), p.Body)
		}
	}
	if got := s.Globus.Requests(globustest.TokenPath) - redeemed; got != 1 {
		t.Errorf("%d exchanges, want 1", got)
	}
	b.WantAllRevoked()
}
