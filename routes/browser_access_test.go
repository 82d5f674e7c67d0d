package routes_test

import (
	"fmt"
	"testing"
)

// What a swap brought is ready as soon as it stands there: whoever is quick, or
// lets Enter repeat, does not leave the page by a plain form.
func TestBrowserSwapIsReady(t *testing.T) {
	s := start(t, options{publicURL: "http://localhost:PORT"})
	b := startChromium(t).person(t, s).tab()
	b.signIn()
	b.mark() // before anything is observed: the transfers are read again by themselves
	// Observers are called when the script that changed the page has ended.
	b.set(`new MutationObserver((_, observer) => {
		if (document.getElementById("user-card").marked) return;
		window.ready = document.getElementById("logout").form.hasAttribute("data-htmx-powered");
		observer.disconnect();
	}).observe(document.getElementById("main"), {childList: true, subtree: true})`)
	b.click("Show access token")
	b.swapped(s.url + "/")
	if !b.is("window.ready") {
		t.Error("the form to log out stood there before htmx had taken it up")
	}
}

// All can be done with the keyboard alone, and a swap leaves the focus where it was.
func TestBrowserKeyboard(t *testing.T) {
	s := start(t, options{publicURL: "http://localhost:PORT"})
	p := startChromium(t).person(t, s)
	b := p.tab()
	press := func(label string) {
		t.Helper()
		b.tabTo(label)
		b.press('\r')
	}
	focused := func(want string) {
		t.Helper()
		await(t, "the focus is on "+want, func() bool {
			return b.is(fmt.Sprintf(`document.activeElement.textContent.replace(/\s+/g, " ").trim() === %q`, want))
		})
	}

	b.goTo("/")
	press("Skip to the content")
	press("Log in with Globus")
	b.sees("Choose who signs in")
	press("Rosalind Franklin")
	b.sees("Hello Rosalind Franklin!")

	press("Copy the UUID")
	await(t, "the status line says so", func() bool { return b.is(`document.getElementById("status").innerText === "Copied."`) })
	press("Tokens")
	b.sees("refreshes by itself")
	b.mark()
	press("Refresh now the access token for transfer.api.globus.org")
	b.swapped(s.url + "/")
	focused("Refresh now the access token for transfer.api.globus.org")
	b.mark()
	press("Refresh the card")
	b.swapped(s.url + "/")
	focused("Refresh the card")
	b.mark()
	press("Show access token")
	b.swapped(s.url + "/")
	focused("Hide access token")
	b.mark()
	b.press('\r')
	b.swapped(s.url + "/")
	focused("Show access token")
	b.mark()
	press("Log out")
	b.swapped(s.url + "/")
	focused("You are signed out here")
	b.holdsNothingPersonal()
	if p.hasSession() {
		t.Error("there is still a session cookie")
	}
}
