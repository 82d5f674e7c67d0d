package routes_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// A page that is open when its session's time is up says so by itself, shows
// nothing personal any more, and keeps what was typed.
func TestBrowserSessionEnds(t *testing.T) {
	t.Parallel()
	var c routestest.Clock
	s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT", Now: c.Now})
	b := s.Person(t).Tab()
	b.SignIn()
	c.Pass(7*24*time.Hour - 25*time.Second) // it lasts a week
	b.GoTo("/")
	b.Sees("Rosalind Franklin")
	b.Settled()
	b.Mark()
	b.Run(`document.querySelector("main").insertAdjacentHTML("beforeend", "<textarea id='typed'>an hour's work</textarea>")`)
	b.Expect("status of 401") // of what else the page reads by itself
	c.Pass(25 * time.Second)
	b.Pass(40 * time.Second) // a tick begins to count, and one more notices
	b.Shows(routestest.Ended, routestest.SignedOut)
	b.Swapped(s.URL + "/")
	b.HoldsNothingPersonal()
	if got := b.Text(`document.getElementById("typed").value`); got != "an hour's work" {
		t.Errorf("what was typed is %q now", got)
	}
}

// The header of a page without a card notices a sign-out elsewhere, and leads
// back to that page.
func TestBrowserHeader(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
	p := s.Person(t)
	a, b := p.Tab(), p.Tab()
	a.Front()
	a.SignIn()
	b.Front()
	b.GoTo("/no/such/page")
	b.Expect("status of 404")
	b.Shows(reason("no_such_page"), routestest.SignedIn)
	a.Front()
	a.Click("#logout")
	a.Shows("#signed-out")
	b.Front()
	b.Shows(routestest.Ended)
	b.HoldsNothingPersonal()
	if got, want := b.Text(`document.querySelector("#visitor .login").href`), s.URL+"/login?next=%2Fno%2Fsuch%2Fpage"; got != want {
		t.Errorf("the link leads to %s, want %s", got, want)
	}
}

// note is a form in which something was typed.
const note = `<form id="note" method="post" action="/tokens/show" HTMX>
	<input type="hidden" name="csrf_token"><input type="hidden" name="token" value="access">
	<input name="note" value="an hour's work"><button id="keep">Keep it</button></form>`

// addNote puts the form on the page, with htmx or as a plain form.
func addNote(b *routestest.Tab, attributes string) {
	b.T.Helper()
	b.Run(`{
		const main = document.querySelector("main");
		main.insertAdjacentHTML("beforeend", ` + "`" + strings.Replace(note, "HTMX", attributes, 1) + "`" + `);
		document.querySelector("#note [name=csrf_token]").value = document.querySelector("#logout").form.csrf_token.value;
		globalThis.htmx?.process(main);
	}`)
}

// A form that is sent after the session's end is not lost: it can be sent again
// once somebody has logged in, in another tab.
func TestBrowserFormAfterEnd(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
	for _, name := range []string{"ended, with htmx", "ended, plain", "signed out elsewhere, with htmx", "signed out elsewhere, plain"} {
		t.Run(name, func(t *testing.T) {
			p := s.Person(t)
			b := p.Tab()
			b.SignIn()
			if strings.HasSuffix(name, "htmx") {
				addNote(b, `hx-post="/tokens/show" hx-target="#note" hx-swap="outerHTML"`)
			} else {
				addNote(b, "")
			}
			b.Expect("status of 401")
			b.Expect("status of 403")
			if strings.HasPrefix(name, "signed out elsewhere") {
				elsewhere := p.Tab()
				elsewhere.Front()
				elsewhere.GoTo("/")
				elsewhere.Click("#logout")
				elsewhere.Shows("#signed-out")
				b.Front()
				b.Shows(routestest.Ended)
				b.Click("#keep")
			} else {
				b.EndSession()
				b.Click("#keep")
			}
			// The answer, which the transfers, read again by then, may look like.
			answer := ".problem:has(+ #note)"
			if strings.HasSuffix(name, "htmx") {
				b.Shows(answer+` [target="_blank"]`, routestest.SignedOut)
			} else {
				answer = "div" + reason("session_ended")
				b.Shows(answer + " .login")
			}
			b.Settled()
			if !b.Holds(`[...document.querySelectorAll("[name=note]")].some((e) => e.value === "an hour's work")`) {
				t.Fatal("what was typed is gone")
			}
			ways := fmt.Sprintf("%q", "#visitor .login, "+answer+" .login")
			if leads := b.Text(`[...document.querySelectorAll(` + ways + `)].filter((a) => a.target !== "_blank").map((a) => a.outerHTML).join()`); leads != "" {
				t.Errorf("it leaves the page where something was typed: %s", leads)
			}
			other := p.Tab()
			other.Front()
			other.GoTo("/login")
			other.Shows(routestest.SignedIn) // Globus remembers her
			b.Front()
			if strings.HasSuffix(name, "htmx") {
				b.Shows(routestest.SignedIn)
				b.Click("#keep")
			} else {
				b.Click(".send-again")
			}
			b.Shows(reason("form_old") + " .facts")
			b.Click(".send-again")
			b.Shows("#user-card code")
		})
	}
}

// What answers a form with an error stands beside it: what was typed stays, and
// so does the focus. The next answer takes its place.
func TestBrowserErrorBesideForm(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
	b := s.Person(t).Tab()
	b.SignIn()
	addNote(b, `hx-post="/tokens/show" hx-target="#note" hx-swap="outerHTML" hx-disable="find button"`)
	b.Run(`document.querySelector("#note [name=note]").value = "x".repeat(70000)`)
	b.Expect("status of 413")
	for range 2 {
		b.Click("#keep")
		b.Shows(reason("too_long"))
		b.Settled()
		if !b.Holds(`document.querySelectorAll(".problem").length === 1 && document.querySelector("#note [name=note]").value.length === 70000`) {
			t.Fatal("want one answer, and what was typed")
		}
		if !b.Holds(`document.activeElement.id === "keep"`) {
			t.Errorf("the focus is on %s", b.Text("document.activeElement.tagName"))
		}
	}
	b.Run(`document.querySelector("#note [name=note]").value = "shorter"`)
	b.Click("#keep")
	b.Shows("#user-card code")
	b.Settled()
	if !b.Holds(`document.querySelector(".problem, #note") === null`) {
		t.Error("the form, or an old answer, is still there")
	}
}

// A double click does what a click does.
func TestBrowserDoubleClick(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
	for _, name := range []string{"with JavaScript", "without JavaScript"} {
		t.Run(name, func(t *testing.T) {
			p := s.Person(t)
			p.NoScript = name == "without JavaScript"
			b := p.Tab()
			b.GoTo("/")
			b.DoubleClick(routestest.SignedOut)
			b.Click(`[value="rosalind"]`)
			b.Shows(routestest.SignedIn)
			if !p.NoScript {
				place := b.Place("#toggle-access")
				b.Mark()
				b.Do(chromedp.MouseClickXY(place[0], place[1]))
				b.Swapped(s.URL + "/") // another button is there now
				b.Do(chromedp.MouseClickXY(place[0], place[1], chromedp.ClickCount(2)))
				b.Idle()
				b.Shows("#user-card code")
			}
			b.DoubleClick("#logout")
			b.Shows("#signed-out")
			b.Idle()
			b.Shows("#signed-out")
			if p.HasSession() {
				t.Error("there is still a session cookie")
			}
		})
	}
}

// The second of two log-outs, whose form is too old by then, is a log-out too.
func TestLogoutTwice(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	b := s.Browser()
	home := b.SignIn("rosalind")
	for range 2 {
		p := b.Send(http.MethodPost, "/logout", home.Form())
		if p.Status != http.StatusSeeOther || !strings.HasSuffix(p.Header.Get("Location"), "/signed-out") {
			t.Fatalf("got %d to %q, want 303 to the page of those who have signed out", p.Status, p.Header.Get("Location"))
		}
	}
	b.SignIn("ada")
	if p := b.Send(http.MethodPost, "/logout", home.Form()); p.Status != http.StatusForbidden || !b.SignedIn() {
		t.Errorf("got %d, want 403: it is another session", p.Status)
	}
}

// What takes long shows that it is under way.
func TestBrowserProgress(t *testing.T) {
	t.Parallel()
	s := start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
	b := s.Person(t).Tab()
	b.SignIn()
	b.GoTo("/probe/tasks")
	b.Settled()
	const bar = `getComputedStyle(document.querySelector(".site-header"), "::after")`
	if !b.Holds(bar + `.opacity === "0"`) {
		t.Error("the bar shows, though nothing is under way")
	}
	wait := make(chan struct{})
	s.Globus.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.TaskListPath: {Wait: wait}}})
	b.Click("#tasks-again")
	routestest.Await(t, "the bar shows", func() bool { return b.Holds(bar + `.opacity > 0.4`) })
	if !b.Holds(bar+`.animationDelay === "0.15s"`) || !b.Holds(`getComputedStyle(document.querySelector("#tasks-again")).opacity < 1`) {
		t.Error("want a delay of 150 ms, and the button dimmed")
	}
	close(wait)
	b.Settled()
	routestest.Await(t, "the bar is gone", func() bool { return b.Holds(bar + `.opacity === "0"`) })
}

// Times are in the reader's zone, or in UTC for those without JavaScript.
func TestBrowserTimes(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
	for name, want := range map[string]string{"with JavaScript": "GMT+5:45", "without JavaScript": "UTC"} {
		t.Run(name, func(t *testing.T) {
			p := s.Person(t)
			p.NoScript = name == "without JavaScript"
			b := p.Tab()
			b.Do(routestest.Call(emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Asia/Kathmandu"}))
			b.SignIn()
			b.GoTo("/account")
			for _, step := range []string{"first", "swapped"} {
				if got := b.Text(`document.querySelector("time[data-local=text]").innerText`); !strings.HasSuffix(got, want) {
					t.Errorf("%s: the time is %q, want it to end with %s", step, got, want)
				}
				if got := b.Text(`document.querySelector("time[data-local=title]").title`); !strings.HasSuffix(got, want) {
					t.Errorf("%s: behind the words is %q, want it to end with %s", step, got, want)
				}
				b.Mark()
				b.Click(`[id="refresh-auth.globus.org"]`)
				routestest.Await(t, "the account is another", func() bool { return b.Holds(`document.getElementById("account")?.marked !== true`) })
				b.Settled()
			}
		})
	}
}
