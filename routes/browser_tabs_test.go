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
	a, b := p.Tab(), p.Tab()
	a.Front()
	a.SignIn()
	b.Front()
	b.GoTo("/")
	b.Sees("Hello Rosalind Franklin!")
	b.Mark()

	a.Front()
	routestest.Await(t, "the other tab is hidden", func() bool { return b.Holds(`document.visibilityState === "hidden"`) })
	a.Click("Log out")
	a.Sees("You are signed out here")
	a.Idle()
	if !b.Holds(`document.getElementById("user-card").marked`) {
		t.Error("a hidden tab read its card again")
	}
	asked := s.Globus.Requests(globustest.AuthorizePath)

	b.Expect("status of 401") // its transfers
	b.Front()
	b.Swapped(s.URL + "/")
	b.Sees("You are not signed in", "Your session has ended")
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

	b.Click("Log in with Globus")
	b.Sees("Hello Rosalind Franklin!") // it did remember: nobody was chosen
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
	b.Sees("Hello Rosalind Franklin!")
	b.Mark()

	a.Front()
	a.Click("Log out")
	a.Click("Log in again")
	a.Sees("Hello Rosalind Franklin!")

	b.Front()
	b.Swapped(s.URL + "/")
	b.Sees("Hello Rosalind Franklin!")
	b.Click("Log out")
	b.Sees("You are signed out here")
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
	b.Click("Log out")
	b.Click("Log in again")
	b.Sees("Hello Rosalind Franklin!")

	a.Expect("status of 403")
	a.Mark()
	a.Click("Log out")
	a.Sees("This form was too old")
	a.Swapped(s.URL + "/")
	if !p.HasSession() {
		t.Error("signed out by a form that was refused")
	}
	a.Click("Send it again")
	a.Sees("You are signed out here")
	a.HoldsNothingPersonal()
	if p.HasSession() {
		t.Error("there is still a session cookie")
	}
}

// The Back button brings back no page of someone who has signed out.
func TestBrowserBack(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
	tests := []struct {
		name     string
		noScript bool
		pages    int // of the app, between the sign-in and the sign-out
	}{
		{"with JavaScript", false, 3},
		{"without JavaScript", true, 4}, // signing out loads a page of its own
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := s.Person(t)
			p.NoScript = test.noScript
			b := p.Tab()
			b.SignIn()
			b.GoTo("/user")
			b.Sees("Rosalind Franklin")
			b.GoTo("/transfers") // which would send somebody else to sign in
			b.Sees("Photo 51")
			b.GoTo("/")
			b.Click("Log out")
			b.Sees("You are signed out here")
			b.Expect("status of 401")
			for i := range test.pages {
				b.Mark()
				b.Back()
				b.Loaded(s.URL)
				if i == test.pages-3 { // the transfers
					b.Sees("You are signed out here", "Log in to see this page")
				} else {
					b.Sees("You are not signed in")
				}
				b.HoldsNothingPersonal()
			}
			// Globus, which remembers the person, answers the old question once more.
			b.Expect("status of 400")
			b.Back()
			b.Sees("That sign-in link was used already or has expired")
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
	s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT", Now: now})
	b := s.Person(t).Tab()
	b.SignIn()
	b.GoTo("/user") // which loads nothing by itself: else the browser would not keep it
	b.Sees("Rosalind Franklin")
	b.Mark()
	b.GoTo("/transfers")
	b.Sees("Recent transfers")
	later.Store(int64(30 * 24 * time.Hour)) // longer than any session

	b.Back()
	b.Sees("You are not signed in")
	b.Loaded(s.URL + "/user")
	b.HoldsNothingPersonal()
	if times, whyNot := b.Cached(); times == 0 {
		routestest.Skip(t, fmt.Sprintf("the browser did not keep the page, because of %q", whyNot))
	}
}
