package routes_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
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
	t.Parallel()
	var c routestest.Clock
	s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT", People: someTransfers(), Now: c.Now})
	p := s.Person(t)
	b, other := p.Tab(), p.Tab()
	b.Front()
	b.SignIn()
	b.Sees("Recent transfers", "Under way", "Active", "Ended 8.")
	b.Mark()
	b.Click("Older")
	b.Sees("Ended 11.", "Newest")
	b.Click("Newest")
	b.Sees("Under way")
	if !b.Holds("window.marked") {
		t.Error("a page was loaded")
	}

	s.Globus.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.TaskListPath: {Status: 503}}})
	b.Expect("status of 503")
	b.GoTo("/")
	b.Sees("Globus does not answer as it should", "Try again", "Hello Rosalind Franklin!")
	s.Globus.Lie(globustest.Lie{})
	b.Click("Try again")
	b.Sees("Under way", "Hello Rosalind Franklin!")
	b.Settled()

	// From here on the page's timers go by a time of their own.
	reads := func() int { return s.Globus.Requests(globustest.TaskListPath) }

	before := reads()
	b.Pass(21 * time.Second)
	b.Settled()
	if got := reads() - before; got < 3 || got > 5 {
		t.Errorf("read %d times in 21 s, want about 4", got)
	}

	other.Front() // an empty one: a page would read transfers too
	routestest.Await(t, "the tab is hidden", func() bool { return b.Holds(`document.visibilityState === "hidden"`) })
	b.Settled()
	before = reads()
	b.Pass(21 * time.Second)
	if got := reads() - before; got != 0 {
		t.Errorf("read %d times while nobody looked, want none", got)
	}

	c.Pass(5 * time.Minute)
	b.Front()
	routestest.Await(t, "nothing is active", func() bool { return b.Holds(`!document.querySelector("#transfers .badge.active")`) })
	b.Sees("Under way", "Succeeded")
	b.Settled()
	before = reads()
	b.Pass(21 * time.Second)
	if got := reads() - before; got != 0 {
		t.Errorf("read %d times though nothing is active, want none", got)
	}

	b.StoresNothing()
}

func TestBrowserTransfersWithoutScript(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT", People: someTransfers()})
	p := s.Person(t)
	p.NoScript = true
	b := p.Tab()
	b.SignIn()
	b.Click("Show my recent transfers")
	b.At(s.URL + "/transfers")
	b.Sees("Under way", "Ended 8.")
	b.Click("Older")
	b.At(s.URL + "/transfers?offset=10")
	b.Sees("Ended 11.")
	b.Click("Newest")
	b.Sees("Under way")
}

// The token panel shows, masks and refreshes, and stays unfolded.
func TestBrowserTokenPanel(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
	for _, name := range []string{"with JavaScript", "without JavaScript"} {
		t.Run(name, func(t *testing.T) {
			p := s.Person(t)
			p.NoScript = name == "without JavaScript"
			b := p.Tab()
			b.SignIn()
			b.Do(chromedp.Click(chromedp.CSS("#tokens summary")))
			b.Sees("transfer.api.globus.org", "days left", "refreshes by itself")
			b.Click("Show the access token for transfer.api.globus.org")
			b.Sees("Hide")
			token := b.Text(`document.querySelector("#tokens code").innerText`)
			if !s.Globus.Live(token) {
				t.Errorf("shows %q, want a live token", token)
			}
			refreshes := s.Globus.Refreshes(globus.TransferServer)
			b.Click("Refresh now the access token for transfer.api.globus.org")
			routestest.Await(t, "it is refreshed", func() bool { return s.Globus.Refreshes(globus.TransferServer) == refreshes+1 })
			b.Settled()
			if b.Holds(`document.querySelector("#tokens code") !== null`) {
				t.Error("the token is not masked")
			}
			if !b.Holds(`document.querySelector("#tokens").open`) {
				t.Error("the panel was folded")
			}
		})
	}
}
