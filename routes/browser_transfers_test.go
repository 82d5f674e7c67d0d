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
	p.Full = true
	b, other := p.Tab(), p.Tab()
	b.Front()
	b.SignIn()
	b.Sees("Under way", "Ended 8.")
	b.Shows("#transfers .badge.active")
	b.Click("#transfers-more")
	b.Sees("Ended 11.")
	b.Do(chromedp.Reload())
	b.Sees("Ended 11.") // older ones have an address of their own
	b.Click("#transfers-newest")
	b.Sees("Under way")

	s.Globus.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.TaskListPath: {Status: 503}}})
	b.Expect("status of 503")
	b.GoTo("/")
	b.Shows(reason("globus_unavailable"), routestest.SignedIn)
	s.Globus.Lie(globustest.Lie{})
	b.Click(".retry")
	b.Sees("Under way", "Rosalind Franklin")
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
	b.Sees("Under way")
	b.Shows("#transfers .badge.succeeded")
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
	b.Click(".unless-loading")
	b.At(s.URL + "/transfers")
	b.Sees("Under way", "Ended 8.")
	b.Click("#transfers-more")
	b.At(s.URL + "/transfers?offset=10")
	b.Sees("Ended 11.")
	b.Click("#transfers-newest")
	b.Sees("Under way")
}

// Every state of the list, as TestBrowserStates has those of the other pages.
func TestBrowserTransfersStates(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
	b := s.Person(t).Tab()
	look := looker(t, b)
	b.SignIn()
	b.Sees("Photo 51")
	look("home-transfers")
	b.GoTo("/transfers")
	b.Sees("Photo 51")
	look("transfers")
	s.Globus.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.TaskListPath: {Status: 503}}})
	b.Expect("status of 503")
	b.GoTo("/")
	b.Shows(reason("globus_unavailable"))
	look("home-globus-down")
	s.Globus.Lie(globustest.Lie{})
	b.SignInAs("sub-only")
	b.Shows("#transfers-none")
	look("transfers-none")
	b.SignInAs("markup")
	b.Sees("DROP TABLE")
	look("transfers-markup")
}
