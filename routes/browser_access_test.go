package routes_test

import (
	"fmt"
	"testing"

	"example.org/portal/globus"
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
		window.ready = document.getElementById("refresh").hasAttribute("data-htmx-powered");
		observer.disconnect();
	}).observe(document.getElementById("main"), {childList: true, subtree: true})`)
	b.Click("#toggle-access")
	b.Swapped(s.URL + "/")
	if !b.Holds("window.ready") {
		t.Error("the link to refresh stood there before htmx had taken it up")
	}
}

// All can be done with the keyboard alone, and a swap leaves the focus where it was.
func TestBrowserKeyboard(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
	p := s.Person(t)
	b := p.Tab()
	press := func(selector string) {
		t.Helper()
		b.TabTo(selector)
		b.Press('\r')
	}
	focused := func(selector string) {
		t.Helper()
		routestest.Await(t, "the focus is on "+selector, func() bool {
			return b.Holds(fmt.Sprintf("document.activeElement.matches(%q)", selector))
		})
	}
	const refresh, rosalind = `[id="refresh-transfer.api.globus.org"]`, `[value="rosalind"]`

	b.GoTo("/")
	press(".skip-link")
	press(routestest.SignedOut)
	b.Shows(rosalind)
	press(rosalind)
	b.Shows(routestest.SignedIn)

	press("[data-copy=uuid]")
	routestest.Await(t, "the status line says so", func() bool { return b.Holds(`document.getElementById("status").innerText !== ""`) })
	b.Mark()
	press("#refresh")
	b.Swapped(s.URL + "/")
	focused("#refresh")
	b.Mark()
	press("#toggle-access")
	b.Swapped(s.URL + "/")
	focused("a#toggle-access") // which hides it
	b.Mark()
	b.Press('\r')
	b.Swapped(s.URL + "/")
	focused("button#toggle-access")
	press("#visitor a") // to the account
	b.Shows(refresh)
	b.Mark()
	press(refresh)
	b.Swapped(s.URL + "/account")
	focused(refresh)
	press("#logout")
	focused("#signed-out")
	b.HoldsNothingPersonal()
	if p.HasSession() {
		t.Error("there is still a session cookie")
	}
}

// The token panel shows, masks and refreshes.
func TestBrowserTokenPanel(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
	for _, name := range []string{"with JavaScript", "without JavaScript"} {
		t.Run(name, func(t *testing.T) {
			p := s.Person(t)
			p.NoScript = name == "without JavaScript"
			b := p.Tab()
			b.SignIn()
			b.Click("#visitor a")
			b.Sees("transfer.api.globus.org")
			b.Click(`[id="show-transfer.api.globus.org"]`)
			b.Shows("#tokens code")
			token := b.Text(`document.querySelector("#tokens code").innerText`)
			if !s.Globus.Live(token) {
				t.Errorf("shows %q, want a live token", token)
			}
			refreshes := s.Globus.Refreshes(globus.TransferServer)
			b.Click(`[id="refresh-transfer.api.globus.org"]`)
			routestest.Await(t, "it is refreshed", func() bool { return s.Globus.Refreshes(globus.TransferServer) == refreshes+1 })
			b.Settled()
			if b.Holds(`document.querySelector("#tokens code") !== null`) {
				t.Error("the token is not masked")
			}
		})
	}
}
