package routes_test

import (
	"testing"
	"time"

	"example.org/portal/routes/routestest"
)

// The tests in this file click in a real browser. The app is on localhost and
// Globus on 127.0.0.1: two sites, as in the real world. Every tab fails its
// test over any line in its console and any request to where none belongs.

func TestBrowserFlow(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
	t.Run("with JavaScript", func(t *testing.T) { routestest.Flow(t, s.Person(t)) })
	t.Run("without JavaScript", func(t *testing.T) {
		p := s.Person(t)
		p.NoScript = true
		routestest.Flow(t, p)
	})
}

// A token that was asked for is masked again after a minute.
func TestBrowserMasksAgain(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
	for _, name := range []string{"with JavaScript", "without JavaScript"} {
		t.Run(name, func(t *testing.T) {
			p := s.Person(t)
			p.NoScript = name == "without JavaScript"
			b := p.Tab()
			b.SignIn()
			b.Click("#toggle-access")
			b.Shows("#user-card code")
			b.Settled()
			b.Pass(50 * time.Second)
			if !b.Holds(`document.querySelector("#user-card code") !== null`) {
				t.Error("masked before a minute is over")
			}
			b.Pass(15 * time.Second)
			routestest.Await(t, "it is masked after a minute", func() bool {
				return b.Holds(`document.readyState === "complete" && document.querySelector("#user-card") !== null && document.querySelector("#user-card code") === null`)
			})
		})
	}
}

func TestBrowserRefuse(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
	p := s.Person(t)
	b := p.Tab()
	b.GoTo("/")
	b.Click(routestest.SignedOut)
	b.Expect("status of 403")
	b.Click("[name=deny]")
	b.Shows(reason("denied"))
	b.StoresNothing()
	b.Click(".problem .login")
	b.Shows(`[value="rosalind"]`)
	b.GoTo("/")
	b.Shows(routestest.SignedOut)
	if p.HasSession() {
		t.Error("there is a session cookie")
	}
}
