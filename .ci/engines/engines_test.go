// Package engines_test walks through the app in the engines of Firefox and of Safari, and
// on the same way in Chromium, in which everything else about pages is tested.
package engines_test

import (
	"testing"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

func TestMain(m *testing.M) { routestest.Main(m) }

// rosalindsFacts is what the card says of Rosalind.
var rosalindsFacts = []string{"Rosalind Franklin", "rosalind@example.edu", "Example University", "7a1c2e40-3b5d-4f6e-8a90-1920072501aa"}

// TestEngines: a person signs in, refreshes the card, looks at a token, signs out and
// goes back; and has the app in two tabs, and in two windows.
func TestEngines(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(*testing.T, *routestest.Site) browser{
		"Chromium": startChromium,
		"Firefox":  startFirefox,
		"WebKit":   startWebKit,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
			walk(t, s, start(t, s))
		})
	}
}

func walk(t *testing.T, s *routestest.Site, open browser) {
	a := &page{t, open("tab")}
	a.open(s.URL + "/")
	a.click(routestest.SignedOut)
	a.shows(`[value="rosalind"]`)
	a.at(s.Globus.URL + globustest.AuthorizePath)
	a.click(`[value="rosalind"]`)
	a.shows(routestest.SignedIn)
	a.at(s.URL + "/")
	a.says(rosalindsFacts...)

	a.swaps("#refresh")
	a.says(rosalindsFacts...)
	a.swaps("#toggle-access")
	token := a.get(`document.querySelector("#user-card code").innerText`)
	if !s.Globus.Live(token) {
		t.Errorf("the page shows %q, want a live token", token)
	}

	// Who signs out in one tab is signed out in the other as soon as they look at it.
	b := &page{t, open("tab")}
	b.open(s.URL + "/account")
	b.open(s.URL + "/")
	b.shows(routestest.SignedIn)
	a.front()
	a.click("#logout")
	a.shows("#signed-out")
	a.at(s.URL + "/signed-out")
	a.holdsNothing(token)
	if n := s.Globus.LiveTokens(); n != 0 {
		t.Errorf("%d tokens are alive after the sign-out", n)
	}
	b.front()
	b.shows(routestest.SignedOut, routestest.Ended)
	b.holdsNothing(token)

	// The Back button brings back no page of theirs, nor does it sign them in.
	b.back()
	b.shows("[data-reason=signed_out] .login")
	b.at(s.URL + "/account")
	b.holdsNothing(token)
	a.front()
	a.back()
	a.shows(routestest.SignedOut)
	a.at(s.URL + "/")
	a.holdsNothing(token)
	if n := s.Globus.LiveTokens(); n != 0 {
		t.Errorf("signed in again by going back: %d tokens are alive", n)
	}

	// In two windows, both in sight, the other one learns of it by what they do there.
	a.click(routestest.SignedOut)
	a.shows(routestest.SignedIn) // Globus remembers her
	c := &page{t, open("window")}
	c.open(s.URL + "/")
	c.shows(routestest.SignedIn)
	a.front()
	a.click("#logout")
	a.shows("#signed-out")
	c.front()
	c.click("#toggle-access")
	c.shows(routestest.SignedOut, routestest.Ended)
	c.holdsNothing()
}
