package routes_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// Who signs out in one tab is signed out in the others as soon as they look at
// them, and stays so, although Globus would sign them in again without asking.
//
// The tabs are real tabs of one window: Page.bringToFront hides the one and
// shows the other, as a click on a tab does. No event is made up.
func TestBrowserTwoTabs(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
	p := s.Person(t)
	p.Full = true
	a, b := p.Tab(), p.Tab()
	a.Front()
	a.SignIn()
	b.Front()
	b.GoTo("/")
	b.Shows(routestest.SignedIn)
	b.Mark()

	a.Front()
	routestest.Await(t, "the other tab is hidden", func() bool { return b.Holds(`document.visibilityState === "hidden"`) })
	a.Click("#logout")
	a.Shows("#signed-out")
	a.Idle()
	if !b.Holds(`document.getElementById("user-card").marked`) {
		t.Error("a hidden tab read its card again")
	}
	asked := s.Globus.Requests(globustest.AuthorizePath)

	b.Expect("status of 401") // of what else the page reads by itself
	b.Front()
	b.Swapped(s.URL + "/")
	b.Shows(routestest.SignedOut, routestest.Ended)
	b.Idle()
	a.Front()
	a.Idle()
	b.Front() // again: the card of someone signed out reads nothing
	b.Idle()
	b.HoldsNothingPersonal()
	if p.HasSession() {
		t.Error("signed in again without a click")
	}
	if got := s.Globus.Requests(globustest.AuthorizePath); got != asked {
		t.Errorf("Globus was asked %d times more, want none", got-asked)
	}

	b.Click(routestest.SignedOut)
	b.Shows(routestest.SignedIn) // it did remember: nobody was chosen
}

// The card that a tab reads again has a token that is good for its forms.
func TestBrowserLogOutAfterReread(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
	p := s.Person(t)
	a, b := p.Tab(), p.Tab()
	a.Front()
	a.SignIn()
	b.Front()
	b.GoTo("/")
	b.Shows(routestest.SignedIn)
	b.Mark()

	a.Front()
	a.Click("#logout")
	a.Click("#main .login")
	a.Shows(routestest.SignedIn)

	b.Front()
	b.Swapped(s.URL + "/")
	b.Shows(routestest.SignedIn)
	b.Click("#logout")
	b.Shows("#signed-out")
	b.HoldsNothingPersonal()
	if p.HasSession() {
		t.Error("there is still a session cookie")
	}
}

// A form from before the last sign-in is refused, and offered again.
func TestBrowserFormTooOld(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
	p := s.Person(t)
	a, b := p.Tab(), p.Window() // both in sight, so a does not read its card again
	a.SignIn()
	b.GoTo("/")
	b.Click("#logout")
	b.Click("#main .login")
	b.Shows(routestest.SignedIn)

	a.Expect("status of 403")
	a.Mark()
	a.Click("#logout")
	a.Shows(reason("form_old"))
	if !p.HasSession() {
		t.Error("signed out by a form that was refused")
	}
	a.Click(".send-again")
	a.Shows("#signed-out")
	a.HoldsNothingPersonal()
	if p.HasSession() {
		t.Error("there is still a session cookie")
	}
}

// The Back button brings back no page of someone who has signed out.
func TestBrowserBack(t *testing.T) {
	t.Parallel()
	s := start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
	tests := []struct {
		name     string
		noScript bool
	}{
		{"with JavaScript", false},
		{"without JavaScript", true},
	}
	const pages = 4 // of the app, from the sign-in to the one after the sign-out
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := s.Person(t)
			p.Full = true
			p.NoScript = test.noScript
			b := p.Tab()
			b.GoTo("/")
			b.Click(routestest.SignedOut)
			b.Click("[value=rosalind]")
			b.Shows(routestest.SignedIn)
			b.GoTo("/user")
			b.Sees("Rosalind Franklin")
			b.GoTo("/probe/tasks") // which would send somebody else to sign in
			b.Sees("Photo 51")
			b.GoTo("/")
			b.Click("#logout")
			b.Shows("#signed-out")
			b.Expect("status of 401")
			for i := range pages {
				b.Mark()
				b.Back()
				b.Loaded(s.URL)
				if i == pages-3 { // the tasks
					b.Shows(reason("signed_out") + " .login")
				} else {
					b.Shows(routestest.SignedOut)
				}
				b.HoldsNothingPersonal()
			}
			// Globus, which remembers the person, answers the old question once more.
			b.Expect("status of 400")
			b.Back()
			b.Shows(reason("link_used"))
			b.HoldsNothingPersonal()
			if p.HasSession() {
				t.Error("signed in again by going back")
			}
			// In Chromium 156: never, because of CacheControlNoStoreHTTPOnlyCookieModified.
			times, whyNot := b.Cached()
			t.Logf("back/forward cache: used %d times; else not, because of %q", times, whyNot)
		})
	}
}

// A page that the browser kept whole, no-store or not, is read again when the
// person comes back to it: the session may have ended meanwhile.
func TestBrowserBackForwardCache(t *testing.T) {
	t.Parallel()
	var later atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	s := start(t, routestest.Options{PublicURL: "http://localhost:PORT", Now: now})
	p := s.Person(t)
	p.Full = true
	b := p.Tab()
	b.SignIn()
	b.GoTo("/user") // which loads nothing by itself: else the browser would not keep it
	b.Sees("Rosalind Franklin")
	b.Mark()
	b.GoTo("/probe/tasks")
	b.Shows("#tasks")
	later.Store(int64(30 * 24 * time.Hour)) // longer than any session

	b.Back()
	b.Shows(routestest.SignedOut)
	b.Loaded(s.URL + "/user")
	b.HoldsNothingPersonal()
	if times, whyNot := b.Cached(); times == 0 {
		routestest.Skip(t, fmt.Sprintf("the browser did not keep the page, because of %q", whyNot))
	}
}
