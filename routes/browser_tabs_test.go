package routes_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"example.org/portal/globus/globustest"
)

// Who signs out in one tab is signed out in the others as soon as they look at
// them, and stays so, although Globus would sign them in again without asking.
//
// The tabs are real tabs of one window: Page.bringToFront hides the one and
// shows the other, as a click on a tab does. No event is made up.
func TestBrowserTwoTabs(t *testing.T) {
	s := start(t, options{publicURL: "http://localhost:PORT"})
	p := startChromium(t).person(t, s)
	a, b := p.tab(), p.tab()
	a.front()
	a.signIn()
	b.front()
	b.goTo("/")
	b.sees("Hello Rosalind Franklin!")
	b.mark()

	a.front()
	await(t, "the other tab is hidden", func() bool { return b.is(`document.visibilityState === "hidden"`) })
	a.click("Log out")
	a.sees("You are signed out here")
	a.idle()
	if !b.is(`document.getElementById("user-card").marked`) {
		t.Error("a hidden tab read its card again")
	}
	asked := s.auth.Requests(globustest.AuthorizePath)

	b.expect("status of 401") // its transfers
	b.front()
	b.swapped(s.url + "/")
	b.sees("You are not signed in", "Your session has ended")
	b.idle()
	a.front()
	a.idle()
	b.front() // again: the card of someone signed out reads nothing
	b.idle()
	b.holdsNothingPersonal()
	if p.hasSession() {
		t.Error("signed in again without a click")
	}
	if got := s.auth.Requests(globustest.AuthorizePath); got != asked {
		t.Errorf("Globus was asked %d times more, want none", got-asked)
	}

	b.click("Log in with Globus")
	b.sees("Hello Rosalind Franklin!") // it did remember: nobody was chosen
}

// The card that a tab reads again has a token that is good for its forms.
func TestBrowserLogOutAfterReread(t *testing.T) {
	s := start(t, options{publicURL: "http://localhost:PORT"})
	p := startChromium(t).person(t, s)
	a, b := p.tab(), p.tab()
	a.front()
	a.signIn()
	b.front()
	b.goTo("/")
	b.sees("Hello Rosalind Franklin!")
	b.mark()

	a.front()
	a.click("Log out")
	a.click("Log in again")
	a.sees("Hello Rosalind Franklin!")

	b.front()
	b.swapped(s.url + "/")
	b.sees("Hello Rosalind Franklin!")
	b.click("Log out")
	b.sees("You are signed out here")
	b.holdsNothingPersonal()
	if p.hasSession() {
		t.Error("there is still a session cookie")
	}
}

// A form from before the last sign-in is refused, and offered again.
func TestBrowserFormTooOld(t *testing.T) {
	s := start(t, options{publicURL: "http://localhost:PORT"})
	p := startChromium(t).person(t, s)
	a, b := p.tab(), p.window() // both in sight, so a does not read its card again
	a.signIn()
	b.goTo("/")
	b.click("Log out")
	b.click("Log in again")
	b.sees("Hello Rosalind Franklin!")

	a.expect("status of 403")
	a.mark()
	a.click("Log out")
	a.sees("This form was too old")
	a.swapped(s.url + "/")
	if !p.hasSession() {
		t.Error("signed out by a form that was refused")
	}
	a.click("Send it again")
	a.sees("You are signed out here")
	a.holdsNothingPersonal()
	if p.hasSession() {
		t.Error("there is still a session cookie")
	}
}

// The Back button brings back no page of someone who has signed out.
func TestBrowserBack(t *testing.T) {
	s := start(t, options{publicURL: "http://localhost:PORT"})
	c := startChromium(t)
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
			p := c.person(t, s)
			p.noScript = test.noScript
			b := p.tab()
			b.signIn()
			b.goTo("/user")
			b.sees("Rosalind Franklin")
			b.goTo("/transfers") // which would send somebody else to sign in
			b.sees("Photo 51")
			b.goTo("/")
			b.click("Log out")
			b.sees("You are signed out here")
			b.expect("status of 401")
			for i := range test.pages {
				b.mark()
				b.back()
				b.loaded(s.url)
				if i == test.pages-3 { // the transfers
					b.sees("You are signed out here", "Log in to see this page")
				} else {
					b.sees("You are not signed in")
				}
				b.holdsNothingPersonal()
			}
			// Globus, which remembers the person, answers the old question once more.
			b.expect("status of 400")
			b.back()
			b.sees("That sign-in link was used already or has expired")
			b.holdsNothingPersonal()
			if p.hasSession() {
				t.Error("signed in again by going back")
			}
			// In Chromium 156: never, because of CacheControlNoStoreHTTPOnlyCookieModified.
			times, whyNot := b.cached()
			t.Logf("back/forward cache: used %d times; else not, because of %q", times, whyNot)
		})
	}
}

// A page that the browser kept whole, no-store or not, is read again when the
// person comes back to it: the session may have ended meanwhile.
func TestBrowserBackForwardCache(t *testing.T) {
	var later atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	s := start(t, options{publicURL: "http://localhost:PORT", now: now})
	b := startChromium(t).person(t, s).tab()
	b.signIn()
	b.goTo("/user") // which loads nothing by itself: else the browser would not keep it
	b.sees("Rosalind Franklin")
	b.mark()
	b.goTo("/transfers")
	b.sees("Recent transfers")
	later.Store(int64(30 * 24 * time.Hour)) // longer than any session

	b.back()
	b.sees("You are not signed in")
	b.loaded(s.url + "/user")
	b.holdsNothingPersonal()
	if times, whyNot := b.cached(); times == 0 {
		skip(t, fmt.Sprintf("the browser did not keep the page, because of %q", whyNot))
	}
}
