package routes_test

import (
	"fmt"
	"testing"

	"example.org/portal/routes/routestest"
)

// What a swap brought is ready as soon as it stands there: whoever is quick, or
// lets Enter repeat, does not leave the page by a plain form.
func TestBrowserSwapIsReady(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
	b := s.Person(t).Tab()
	b.SignIn()
	b.Mark() // before anything is observed: the transfers are read again by themselves
	// Observers are called when the script that changed the page has ended.
	b.Run(`new MutationObserver((_, observer) => {
		if (document.getElementById("user-card").marked) return;
		window.ready = document.getElementById("logout").form.hasAttribute("data-htmx-powered");
		observer.disconnect();
	}).observe(document.getElementById("main"), {childList: true, subtree: true})`)
	b.Click("Show access token")
	b.Swapped(s.URL + "/")
	if !b.Holds("window.ready") {
		t.Error("the form to log out stood there before htmx had taken it up")
	}
}

// All can be done with the keyboard alone, and a swap leaves the focus where it was.
func TestBrowserKeyboard(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
	p := s.Person(t)
	b := p.Tab()
	press := func(label string) {
		t.Helper()
		b.TabTo(label)
		b.Press('\r')
	}
	focused := func(want string) {
		t.Helper()
		routestest.Await(t, "the focus is on "+want, func() bool {
			return b.Holds(fmt.Sprintf(`document.activeElement.textContent.replace(/\s+/g, " ").trim() === %q`, want))
		})
	}

	b.GoTo("/")
	press("Skip to the content")
	press("Log in with Globus")
	b.Sees("Choose who signs in")
	press("Rosalind Franklin")
	b.Sees("Hello Rosalind Franklin!")

	press("Copy the UUID")
	routestest.Await(t, "the status line says so", func() bool { return b.Holds(`document.getElementById("status").innerText === "Copied."`) })
	press("Tokens")
	b.Sees("refreshes by itself")
	b.Mark()
	press("Refresh now the access token for transfer.api.globus.org")
	b.Swapped(s.URL + "/")
	focused("Refresh now the access token for transfer.api.globus.org")
	b.Mark()
	press("Refresh the card")
	b.Swapped(s.URL + "/")
	focused("Refresh the card")
	b.Mark()
	press("Show access token")
	b.Swapped(s.URL + "/")
	focused("Hide access token")
	b.Mark()
	b.Press('\r')
	b.Swapped(s.URL + "/")
	focused("Show access token")
	b.Mark()
	press("Log out")
	b.Swapped(s.URL + "/")
	focused("You are signed out here")
	b.HoldsNothingPersonal()
	if p.HasSession() {
		t.Error("there is still a session cookie")
	}
}
