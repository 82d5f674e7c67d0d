package routes_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"example.org/portal/components"
	"example.org/portal/globus/globustest"
)

// The tests in this file click in a real browser. The app is on localhost and
// Globus on 127.0.0.1: two sites, as in the real world. Every tab fails its
// test over any line in its console and any request to where none belongs.

func TestBrowserFlow(t *testing.T) {
	s := start(t, options{publicURL: "http://localhost:PORT"})
	c := startChromium(t)
	t.Run("with JavaScript", func(t *testing.T) { flow(t, c.person(t, s)) })
	t.Run("without JavaScript", func(t *testing.T) {
		p := c.person(t, s)
		p.noScript = true
		flow(t, p)
	})
}

// flow is all that a person does, in and out. With JavaScript the card, and in
// the end the page, is swapped in place; without, each step loads a page.
func flow(t *testing.T, p *person) {
	s := p.site
	b := p.tab()
	step := func(label, page string) {
		t.Helper()
		b.mark()
		b.click(label)
		if p.noScript {
			b.loaded(s.url + page)
		} else {
			b.swapped(s.url + "/")
		}
	}

	b.goTo("/")
	b.sees(components.AppName, "You are not signed in")
	b.storesNothing()
	b.click("Log in with Globus")
	b.at(s.auth.URL + globustest.AuthorizePath)
	b.click("Rosalind Franklin")
	b.sees("Hello Rosalind Franklin!")
	b.at(s.url + "/")
	card := []string{"Username", "Email", "rosalind@example.edu", "UUID", "7a1c2e40-3b5d-4f6e-8a90-1920072501aa",
		"Organization", "Example University", "Access token", "Refresh token", "••••••••"}
	b.sees(card...)
	b.storesNothing()

	step("Refresh", "/user")
	b.sees(card...)
	if got := b.get(`document.getElementById("status").innerText`); !p.noScript && !strings.HasPrefix(got, "Updated at ") {
		t.Errorf("the status line says %q, want when it was updated", got)
	}

	step("Show access token", "/tokens/show")
	token := b.get(`document.querySelector("#user-card code").innerText`)
	if !s.auth.Live(token) {
		t.Errorf("the page shows %q, want a live token", token)
	}
	step("Hide access token", "/user")
	if b.is(`document.querySelector("#user-card code") !== null`) {
		t.Error("the token is still there after Hide")
	}
	b.sees(card...)
	b.storesNothing()

	step("Log out", "/signed-out")
	b.sees("You are signed out here")
	b.holdsNothingPersonal()
	if got, want := b.get("document.activeElement.innerText"), "You are signed out here"; got != want {
		t.Errorf("the focus is on %q, want %q", got, want)
	}
	if p.hasSession() || s.auth.Live(token) {
		t.Error("the session cookie, or the token, outlived the sign-out")
	}

	b.do(chromedp.Reload())
	b.sees("signed")
	b.holdsNothingPersonal()
	b.goTo("/")
	b.sees("You are not signed in")
	b.holdsNothingPersonal()

	b.goTo("/signed-out")
	b.click("Sign out of Globus too")
	b.at(s.auth.URL + globustest.LogoutPath)
	b.sees("You are signed out of the emulated Globus")
	b.click("Continue to")
	b.at(s.url + "/")
	b.sees("You are not signed in")
	b.click("Log in with Globus")
	b.sees("Choose who signs in") // it forgot
}

// A token that was asked for is masked again after a minute.
func TestBrowserMasksAgain(t *testing.T) {
	s := start(t, options{publicURL: "http://localhost:PORT"})
	c := startChromium(t)
	for _, name := range []string{"with JavaScript", "without JavaScript"} {
		t.Run(name, func(t *testing.T) {
			p := c.person(t, s)
			p.noScript = name == "without JavaScript"
			b := p.tab()
			b.signIn()
			b.click("Show access token")
			b.sees("Hide")
			b.settled()
			b.pass(50 * time.Second)
			if !b.is(`document.querySelector("#user-card code") !== null`) {
				t.Error("masked before a minute is over")
			}
			b.pass(15 * time.Second)
			await(t, "it is masked after a minute", func() bool {
				return b.is(`document.readyState === "complete" && document.querySelector("#user-card") !== null && document.querySelector("#user-card code") === null`)
			})
		})
	}
}

func TestBrowserRefuse(t *testing.T) {
	s := start(t, options{publicURL: "http://localhost:PORT"})
	p := startChromium(t).person(t, s)
	b := p.tab()
	b.goTo("/")
	b.click("Log in with Globus")
	b.expect("status of 403")
	b.click("Refuse")
	b.sees("Globus did not sign you in")
	b.storesNothing()
	b.click("Log in with Globus")
	b.sees("Choose who signs in")
	b.goTo("/")
	b.sees("You are not signed in")
	if p.hasSession() {
		t.Error("there is a session cookie")
	}
}
