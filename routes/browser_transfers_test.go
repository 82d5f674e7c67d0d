package routes_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

// someTransfers is a person with one transfer that goes on for two minutes, and
// twelve that have ended.
func someTransfers() []globustest.Person {
	name := "Rosalind Franklin"
	p := globustest.Person{Key: "rosalind", Claims: globustest.Claims{Sub: "5d9ba3c4-0000-4000-8000-000000000001", Name: &name}}
	p.Tasks = append(p.Tasks, globustest.Task{Label: "Under way", Status: globus.TaskActive, Takes: 2 * time.Minute, Files: 500, Bytes: 1 << 40})
	for i := range 12 {
		p.Tasks = append(p.Tasks, globustest.Task{Label: fmt.Sprintf("Ended %d.", i), Ago: time.Duration(i+1) * time.Hour})
	}
	return []globustest.Person{p}
}

// The list loads by itself, reads itself again while something is under way and
// somebody looks, stops when nothing is, and pages on.
func TestBrowserTransfers(t *testing.T) {
	var c clock
	s := start(t, options{publicURL: "http://localhost:PORT", people: someTransfers(), now: c.now})
	p := startChromium(t).person(t, s)
	b, other := p.tab(), p.tab()
	b.front()
	b.signIn()
	b.sees("Recent transfers", "Under way", "Active", "Ended 8.")
	b.mark()
	b.click("Older")
	b.sees("Ended 11.", "Newest")
	b.click("Newest")
	b.sees("Under way")
	if !b.is("window.marked") {
		t.Error("a page was loaded")
	}

	s.auth.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.TaskListPath: {Status: 503}}})
	b.expect("status of 503")
	b.goTo("/")
	b.sees("Globus does not answer as it should", "Try again", "Hello Rosalind Franklin!")
	s.auth.Lie(globustest.Lie{})
	b.click("Try again")
	b.sees("Under way", "Hello Rosalind Franklin!")
	b.settled()

	// From here on the page's timers go by a time of their own.
	reads := func() int { return s.auth.Requests(globustest.TaskListPath) }

	before := reads()
	b.pass(21 * time.Second)
	b.settled()
	if got := reads() - before; got < 3 || got > 5 {
		t.Errorf("read %d times in 21 s, want about 4", got)
	}

	other.front() // an empty one: a page would read transfers too
	await(t, "the tab is hidden", func() bool { return b.is(`document.visibilityState === "hidden"`) })
	b.settled()
	before = reads()
	b.pass(21 * time.Second)
	if got := reads() - before; got != 0 {
		t.Errorf("read %d times while nobody looked, want none", got)
	}

	c.pass(5 * time.Minute)
	b.front()
	await(t, "nothing is active", func() bool { return b.is(`!document.querySelector("#transfers .badge.active")`) })
	b.sees("Under way", "Succeeded")
	b.settled()
	before = reads()
	b.pass(21 * time.Second)
	if got := reads() - before; got != 0 {
		t.Errorf("read %d times though nothing is active, want none", got)
	}

	b.storesNothing()
}

func TestBrowserTransfersWithoutScript(t *testing.T) {
	s := start(t, options{publicURL: "http://localhost:PORT", people: someTransfers()})
	p := startChromium(t).person(t, s)
	p.noScript = true
	b := p.tab()
	b.signIn()
	b.click("Show my recent transfers")
	b.at(s.url + "/transfers")
	b.sees("Under way", "Ended 8.")
	b.click("Older")
	b.at(s.url + "/transfers?offset=10")
	b.sees("Ended 11.")
	b.click("Newest")
	b.sees("Under way")
}

// The token panel shows, masks and refreshes, and stays unfolded.
func TestBrowserTokenPanel(t *testing.T) {
	s := start(t, options{publicURL: "http://localhost:PORT"})
	c := startChromium(t)
	for _, name := range []string{"with JavaScript", "without JavaScript"} {
		t.Run(name, func(t *testing.T) {
			p := c.person(t, s)
			p.noScript = name == "without JavaScript"
			b := p.tab()
			b.signIn()
			b.do(chromedp.Click(chromedp.CSS("#tokens summary")))
			b.sees("transfer.api.globus.org", "days left", "refreshes by itself")
			b.click("Show the access token for transfer.api.globus.org")
			b.sees("Hide")
			token := b.get(`document.querySelector("#tokens code").innerText`)
			if !s.auth.Live(token) {
				t.Errorf("shows %q, want a live token", token)
			}
			refreshes := s.auth.Refreshes(globus.TransferServer)
			b.click("Refresh now the access token for transfer.api.globus.org")
			await(t, "it is refreshed", func() bool { return s.auth.Refreshes(globus.TransferServer) == refreshes+1 })
			b.settled()
			if b.is(`document.querySelector("#tokens code") !== null`) {
				t.Error("the token is not masked")
			}
			if !b.is(`document.querySelector("#tokens").open`) {
				t.Error("the panel was folded")
			}
		})
	}
}
