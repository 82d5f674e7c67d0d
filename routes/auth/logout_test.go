package auth_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// ofRosalind is what must not be left on a page after signing out.
var ofRosalind = []string{"Rosalind", "rosalind@example.edu", "Example University"}

func TestLogout(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		headers []string
		want    int
	}{
		{"by a form", nil, http.StatusSeeOther},
		{"by htmx", []string{"HX-Request", "true", "HX-Request-Type", "full"}, http.StatusSeeOther},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := routestest.Start(t, routestest.Options{})
			b := s.Browser()
			home := b.SignIn("rosalind")
			name, old := b.Cookie("session")
			if s.Globus.LiveTokens() != 4 {
				t.Fatalf("%d live tokens, want an access and a refresh token of two servers", s.Globus.LiveTokens())
			}
			p := b.Send(http.MethodPost, "/logout", home.Form(), test.headers...)
			if p.Status != test.want {
				t.Errorf("got %d, want %d", p.Status, test.want)
			}
			if test.want == http.StatusSeeOther && p.Header.Get("Location") != s.URL+"/signed-out" {
				t.Errorf("leads to %q, want /signed-out", p.Header.Get("Location"))
			}
			p = b.Follow(p)
			for _, want := range []string{"<html", `id="signed-out"`, s.Globus.URL + globustest.LogoutPath, "redirect_uri="} {
				if !strings.Contains(p.Body, want) {
					t.Errorf("the page lacks %q", want)
				}
			}
			for _, secret := range ofRosalind {
				if strings.Contains(p.Body, secret) {
					t.Errorf("%q is left on the page", secret)
				}
			}
			if _, session := b.Cookie("session"); session != "" || b.SignedIn() {
				t.Error("still signed in")
			}
			if p := s.Browser().Get("/user", "Cookie", name+"="+old); strings.Contains(p.Body, "Rosalind") {
				t.Error("the old cookie still opens the session")
			}
			if got := s.Globus.LiveTokens(); got != 0 {
				t.Errorf("%d tokens are still alive", got)
			}
		})
	}
}

// TestLogoutRefused: nobody else can sign a person out.
func TestLogoutRefused(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	b := s.Browser()
	form := b.SignIn("rosalind").Form()
	stranger := s.Browser().Get("/logout").Form()
	tests := []struct {
		name    string
		method  string
		form    url.Values
		headers []string
		want    int
		again   bool // the form is offered again
	}{
		{"by a link", http.MethodGet, nil, nil, 200, false},
		{"without a token", http.MethodPost, url.Values{}, nil, 403, true},
		{"with garbage for a token", http.MethodPost, url.Values{"csrf_token": {"garbage"}}, nil, 403, true},
		{"with another's token", http.MethodPost, stranger, nil, 403, true},
		{"from another site", http.MethodPost, form, []string{"Origin", "https://evil.example"}, 403, false},
		{"from another site, as browsers say", http.MethodPost, form, []string{"Sec-Fetch-Site", "cross-site"}, 403, false},
		{"from a sibling host", http.MethodPost, form, []string{"Sec-Fetch-Site", "same-site"}, 403, false},
		{"from another port", http.MethodPost, form, []string{"Origin", "http://127.0.0.1:1"}, 403, false},
		{"from nowhere", http.MethodPost, form, []string{"Origin", "null"}, 403, false},
		{"with evil's host and origin", http.MethodPost, form, []string{"Origin", "http://evil.example", "Host", "evil.example"}, 403, false},
		{"not as a form", http.MethodPost, form, []string{"Content-Type", "text/plain"}, 415, false},
		{"as an upload", http.MethodPost, form, []string{"Content-Type", "multipart/form-data; boundary=x"}, 403, false},
		{"with 65 KB", http.MethodPost, url.Values{"x": {strings.Repeat("y", 65<<10)}}, nil, 413, false},
		{"by PUT", http.MethodPut, nil, nil, 405, false},
		{"by htmx without a token", http.MethodPost, url.Values{}, routestest.Htmx, 403, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := b.Send(test.method, "/logout", test.form, test.headers...)
			if p.Status != test.want {
				t.Errorf("got %d, want %d:\n%s", p.Status, test.want, p.Body)
			}
			if !b.SignedIn() {
				t.Fatal("it signed the person out")
			}
			if got := p.Has(".send-again"); got != test.again {
				t.Errorf("offers the form again: %v, want %v:\n%s", got, test.again, p.Body)
			}
		})
	}
	t.Run("a form offered again works", func(t *testing.T) {
		p := b.Send(http.MethodPost, "/logout", url.Values{"csrf_token": {"old"}})
		b.Send(http.MethodPost, "/logout", p.Form())
		if b.SignedIn() {
			t.Error("still signed in")
		}
	})
}

// TestLogoutElsewhere: two tabs share a browser.
func TestLogoutElsewhere(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	b := s.Browser()
	tabA := b.SignIn("rosalind")
	b.Send(http.MethodPost, "/logout", tabA.Form())

	if p := b.Send(http.MethodPost, "/logout", b.Get("/logout").Form()); p.Status != http.StatusSeeOther {
		t.Errorf("signing out twice: got %d, want success", p.Status)
	}
	b.SignIn("rosalind")
	if p := b.Send(http.MethodPost, "/logout", tabA.Form()); p.Status != http.StatusForbidden || !b.SignedIn() {
		t.Errorf("a form from before: got %d, want 403", p.Status)
	}
	card := b.Get("/user", routestest.Htmx...) // tab B is looked at again
	if p := b.Send(http.MethodPost, "/logout", card.Form()); p.Status != http.StatusSeeOther || b.SignedIn() {
		t.Errorf("a form from the card read again: got %d, want 303", p.Status)
	}
	if p := b.Get("/user", routestest.Htmx...); strings.Contains(p.Body, "Rosalind") || strings.Contains(p.Body, "hx-") {
		t.Errorf("the signed-out card knows somebody, or asks by itself:\n%s", p.Body)
	}
}

// TestLogoutIsFinal signs out while other requests of the session are in
// flight: whatever they do, the old cookie opens nothing afterwards.
func TestLogoutIsFinal(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	for range 20 {
		b := s.Browser()
		form := b.SignIn("rosalind").Form()
		name, old := b.Cookie("session")
		csrfName, csrf := b.Cookie("csrf")
		cookies := name + "=" + old + "; " + csrfName + "=" + csrf
		show := url.Values{"csrf_token": form["csrf_token"], "token": {"access"}}
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for range 8 {
			other := s.Browser()
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					for _, path := range []string{"/", "/user", "/login"} {
						if _, err := other.Try(t.Context(), http.MethodGet, path, nil, "Cookie", cookies); err != nil {
							t.Error(err)
							return
						}
					}
					if _, err := other.Try(t.Context(), http.MethodPost, "/tokens/show", show, "Cookie", cookies); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		b.Send(http.MethodPost, "/logout", form)
		if p := s.Browser().Get("/user", "Cookie", name+"="+old); p.Has("uuid") {
			t.Fatal("the old cookie still opens the session")
		}
		close(stop)
		wg.Wait()
		if p := s.Browser().Get("/user", "Cookie", name+"="+old); p.Has("uuid") {
			t.Fatal("the old cookie opens the session again")
		}
	}
}

// TestLogoutWhileGlobusIsDown: the session ends here in any case, and soon.
func TestLogoutWhileGlobusIsDown(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		fault globustest.Fault
	}{
		{"failing", globustest.Fault{Status: 500}},
		{"silent", globustest.Fault{Wait: make(chan struct{})}},
		{"hanging up", globustest.Fault{HangUp: true}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := routestest.Start(t, routestest.Options{})
			b := s.Browser()
			form := b.SignIn("rosalind").Form()
			s.Globus.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.RevokePath: test.fault}})
			begun := time.Now()
			if p := b.Send(http.MethodPost, "/logout", form); p.Status != http.StatusSeeOther || b.SignedIn() {
				t.Errorf("got %d, want 303 and signed out", p.Status)
			}
			if took := time.Since(begun); took > time.Minute {
				t.Errorf("it took %s, want 2 s at most", took)
			}
			if !strings.Contains(s.Log.String(), "tokens not revoked") {
				t.Error("the log does not say that tokens live on")
			}
		})
	}
}

func TestSignedOutPage(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	b := s.Browser()
	if p := b.Get("/signed-out"); p.Status != http.StatusOK || !p.Has("signed-out") {
		t.Errorf("got %d", p.Status)
	}
	b.SignIn("rosalind")
	if p := b.Get("/signed-out"); p.Status != http.StatusSeeOther {
		t.Errorf("someone signed in is told otherwise: %d", p.Status)
	}
}

// TestFormTokenIsRenewed: a sign-in and a sign-out replace the CSRF token.
func TestFormTokenIsRenewed(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	b := s.Browser()
	b.Get("/")
	_, before := b.Cookie("csrf")
	home := b.SignIn("rosalind")
	_, during := b.Cookie("csrf")
	b.Send(http.MethodPost, "/logout", home.Form())
	_, after := b.Cookie("csrf")
	if before == "" || before == during || during == after || before == after {
		t.Errorf("the CSRF cookie is %q, then %q, then %q; want three", before, during, after)
	}
}

// TestLogoutWhileCalling: if a sign-out revokes a token during a call, the page says that
// the session has ended, and not that the token was rejected.
func TestLogoutWhileCalling(t *testing.T) {
	t.Parallel()
	s := routestest.StartWithProbes(t, routestest.Options{})
	b := s.Browser()
	form := b.SignIn("rosalind").Form()
	other := s.Browser()
	other.Client.Jar = must(cookiejar.New(nil))
	other.Client.Jar.SetCookies(must(url.Parse(s.URL)), b.Client.Jar.Cookies(must(url.Parse(s.URL))))
	arrived, wait := make(chan struct{}, 2), make(chan struct{})
	s.Globus.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.TaskListPath: {Arrived: arrived, Wait: wait, Status: 401}}})
	late := make(chan routestest.Page)
	go func() { late <- other.Get("/probe/tasks", routestest.Htmx...) }()
	<-arrived
	wait <- struct{}{} // which makes the app refresh it, and try again
	<-arrived
	b.Send(http.MethodPost, "/logout", form)
	close(wait)
	if p := <-late; p.Status != http.StatusUnauthorized || p.Reason() != "session_ended" {
		t.Errorf("got %d, want that the session has ended:\n%s", p.Status, p.Body)
	}
}
