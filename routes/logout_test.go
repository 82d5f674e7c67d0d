package routes_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/portal/globus/globustest"
)

// ofRosalind is what must not be left on a page after signing out.
var ofRosalind = []string{"Rosalind", "rosalind@example.edu", "Example University"}

func TestLogout(t *testing.T) {
	tests := []struct {
		name    string
		headers []string
		want    int
	}{
		{"by a form", nil, http.StatusSeeOther},
		{"by htmx", []string{"HX-Request", "true", "HX-Request-Type", "full"}, http.StatusOK},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := start(t, options{})
			b := s.browser()
			home := b.signIn("rosalind")
			name, old := b.cookie("session")
			if s.auth.LiveTokens() != 4 {
				t.Fatalf("%d live tokens, want an access and a refresh token of two servers", s.auth.LiveTokens())
			}
			p := b.send(http.MethodPost, "/logout", home.form(), test.headers...)
			if p.status != test.want {
				t.Errorf("got %d, want %d", p.status, test.want)
			}
			if test.want == http.StatusSeeOther && p.header.Get("Location") != s.url+"/signed-out" {
				t.Errorf("leads to %q, want /signed-out", p.header.Get("Location"))
			}
			p = b.follow(p)
			for _, want := range []string{"<html", "You are signed out here", s.auth.URL + globustest.LogoutPath, "redirect_uri="} {
				if !strings.Contains(p.body, want) {
					t.Errorf("the page lacks %q", want)
				}
			}
			for _, secret := range ofRosalind {
				if strings.Contains(p.body, secret) {
					t.Errorf("%q is left on the page", secret)
				}
			}
			if _, session := b.cookie("session"); session != "" || b.signedIn() {
				t.Error("still signed in")
			}
			if p := s.browser().get("/user", "Cookie", name+"="+old); strings.Contains(p.body, "Rosalind") {
				t.Error("the old cookie still opens the session")
			}
			if got := s.auth.LiveTokens(); got != 0 {
				t.Errorf("%d tokens are still alive", got)
			}
		})
	}
}

// TestLogoutRefused: nobody else can sign a person out.
func TestLogoutRefused(t *testing.T) {
	s := start(t, options{})
	b := s.browser()
	form := b.signIn("rosalind").form()
	stranger := s.browser().get("/logout").form()
	tests := []struct {
		name    string
		method  string
		form    url.Values
		headers []string
		want    int
		again   bool // the form is offered again
	}{
		{"by a link", http.MethodGet, nil, nil, 405, true},
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
		{"as an upload", http.MethodPost, form, []string{"Content-Type", "multipart/form-data; boundary=x"}, 415, false},
		{"with 9 KB", http.MethodPost, url.Values{"x": {strings.Repeat("y", 9<<10)}}, nil, 413, false},
		{"by PUT", http.MethodPut, nil, nil, 405, false},
		{"by htmx without a token", http.MethodPost, url.Values{}, htmx, 403, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := b.send(test.method, "/logout", test.form, test.headers...)
			if p.status != test.want {
				t.Errorf("got %d, want %d:\n%s", p.status, test.want, p.body)
			}
			if !b.signedIn() {
				t.Fatal("it signed the person out")
			}
			if got := strings.Contains(p.body, `name="csrf_token"`); got != test.again {
				t.Errorf("offers the form again: %v, want %v:\n%s", got, test.again, p.body)
			}
		})
	}
	t.Run("a form offered again works", func(t *testing.T) {
		p := b.send(http.MethodPost, "/logout", url.Values{"csrf_token": {"old"}})
		b.send(http.MethodPost, "/logout", p.form())
		if b.signedIn() {
			t.Error("still signed in")
		}
	})
}

// TestLogoutElsewhere: two tabs share a browser.
func TestLogoutElsewhere(t *testing.T) {
	s := start(t, options{})
	b := s.browser()
	tabA := b.signIn("rosalind")
	b.send(http.MethodPost, "/logout", tabA.form())

	if p := b.send(http.MethodPost, "/logout", b.get("/logout").form()); p.status != http.StatusSeeOther {
		t.Errorf("signing out twice: got %d, want success", p.status)
	}
	b.signIn("rosalind")
	if p := b.send(http.MethodPost, "/logout", tabA.form()); p.status != http.StatusForbidden || !b.signedIn() {
		t.Errorf("a form from before: got %d, want 403", p.status)
	}
	card := b.get("/user", htmx...) // tab B is looked at again
	if p := b.send(http.MethodPost, "/logout", card.form()); p.status != http.StatusSeeOther || b.signedIn() {
		t.Errorf("a form from the card read again: got %d, want 303", p.status)
	}
	if p := b.get("/user", htmx...); strings.Contains(p.body, "Rosalind") || strings.Contains(p.body, "hx-") {
		t.Errorf("the signed-out card knows somebody, or asks by itself:\n%s", p.body)
	}
}

// TestLogoutIsFinal signs out while other requests of the session are in
// flight: whatever they do, the old cookie opens nothing afterwards.
func TestLogoutIsFinal(t *testing.T) {
	s := start(t, options{})
	for range 20 {
		b := s.browser()
		form := b.signIn("rosalind").form()
		name, old := b.cookie("session")
		csrfName, csrf := b.cookie("csrf")
		cookies := name + "=" + old + "; " + csrfName + "=" + csrf
		show := url.Values{"csrf_token": form["csrf_token"], "token": {"access"}}
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for range 8 {
			other := s.browser()
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					for _, path := range []string{"/", "/user", "/login"} {
						if _, err := other.try(t.Context(), http.MethodGet, path, nil, "Cookie", cookies); err != nil {
							t.Error(err)
							return
						}
					}
					if _, err := other.try(t.Context(), http.MethodPost, "/tokens/show", show, "Cookie", cookies); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		b.send(http.MethodPost, "/logout", form)
		if p := s.browser().get("/user", "Cookie", name+"="+old); strings.Contains(p.body, "Log out") {
			t.Fatal("the old cookie still opens the session")
		}
		close(stop)
		wg.Wait()
		if p := s.browser().get("/user", "Cookie", name+"="+old); strings.Contains(p.body, "Log out") {
			t.Fatal("the old cookie opens the session again")
		}
	}
}

// TestLogoutWhileGlobusIsDown: the session ends here in any case, and soon.
func TestLogoutWhileGlobusIsDown(t *testing.T) {
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
			s := start(t, options{})
			b := s.browser()
			form := b.signIn("rosalind").form()
			s.auth.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.RevokePath: test.fault}})
			begun := time.Now()
			if p := b.send(http.MethodPost, "/logout", form); p.status != http.StatusSeeOther || b.signedIn() {
				t.Errorf("got %d, want 303 and signed out", p.status)
			}
			if took := time.Since(begun); took > 5*time.Second {
				t.Errorf("it took %s, want 2 s at most", took)
			}
			if !strings.Contains(s.log.String(), "tokens not revoked") {
				t.Error("the log does not say that tokens live on")
			}
		})
	}
}

func TestSignedOutPage(t *testing.T) {
	s := start(t, options{})
	b := s.browser()
	if p := b.get("/signed-out"); p.status != http.StatusOK || !strings.Contains(p.body, "signed out here") {
		t.Errorf("got %d", p.status)
	}
	b.signIn("rosalind")
	if p := b.get("/signed-out"); p.status != http.StatusSeeOther {
		t.Errorf("someone signed in is told otherwise: %d", p.status)
	}
}

// TestFormTokenIsRenewed: what a form could prove before somebody signed in, or
// out, it cannot prove afterwards.
func TestFormTokenIsRenewed(t *testing.T) {
	s := start(t, options{})
	b := s.browser()
	b.get("/")
	_, before := b.cookie("csrf")
	home := b.signIn("rosalind")
	_, during := b.cookie("csrf")
	b.send(http.MethodPost, "/logout", home.form())
	_, after := b.cookie("csrf")
	if before == "" || before == during || during == after || before == after {
		t.Errorf("the CSRF cookie is %q, then %q, then %q; want three", before, during, after)
	}
}

// TestLogoutWhileCalling: a token that is revoked while it is on its way to
// Globus is the end of a session, and no fault of the token.
func TestLogoutWhileCalling(t *testing.T) {
	s := start(t, options{})
	b := s.browser()
	form := b.signIn("rosalind").form()
	other := s.browser()
	other.http.Jar = must(cookiejar.New(nil))
	other.http.Jar.SetCookies(must(url.Parse(s.url)), b.http.Jar.Cookies(must(url.Parse(s.url))))
	arrived, wait := make(chan struct{}, 2), make(chan struct{})
	s.auth.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.TaskListPath: {Arrived: arrived, Wait: wait, Status: 401}}})
	late := make(chan page)
	go func() { late <- other.get("/transfers", htmx...) }()
	<-arrived
	wait <- struct{}{} // which makes the app refresh it, and try again
	<-arrived
	b.send(http.MethodPost, "/logout", form)
	close(wait)
	if p := <-late; p.status != http.StatusUnauthorized || !strings.Contains(p.body, "Your session has ended") {
		t.Errorf("got %d, want that the session has ended:\n%s", p.status, p.body)
	}
}
