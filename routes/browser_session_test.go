package routes_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"example.org/portal/globus/globustest"
)

// A page that is open when its session's time is up says so by itself, shows
// nothing personal any more, and keeps what was typed.
func TestBrowserSessionEnds(t *testing.T) {
	var c clock
	s := start(t, options{publicURL: "http://localhost:PORT", now: c.now})
	b := startChromium(t).person(t, s).tab()
	b.signIn()
	c.pass(7*24*time.Hour - 25*time.Second) // it lasts a week
	b.goTo("/")
	b.sees("Hello Rosalind Franklin!", "less than a minute", "Photo 51")
	b.mark()
	b.set(`document.querySelector("main").insertAdjacentHTML("beforeend", "<textarea id='typed'>an hour's work</textarea>")`)
	b.expect("status of 401") // of the list, which is under way
	c.pass(25 * time.Second)
	b.pass(40 * time.Second) // a tick begins to count, and one more notices
	b.sees("Your session has ended. Log in again", "You are not signed in")
	b.swapped(s.url + "/")
	b.holdsNothingPersonal()
	if got := b.get(`document.getElementById("typed").value`); got != "an hour's work" {
		t.Errorf("what was typed is %q now", got)
	}
}

// The header of a page without a card notices a sign-out elsewhere, and leads
// back to that page.
func TestBrowserHeader(t *testing.T) {
	s := start(t, options{publicURL: "http://localhost:PORT"})
	p := startChromium(t).person(t, s)
	a, b := p.tab(), p.tab()
	a.front()
	a.signIn()
	b.front()
	b.goTo("/no/such/page")
	b.expect("status of 404")
	b.sees("There is no such page", "Rosalind Franklin")
	a.front()
	a.click("Log out")
	a.sees("You are signed out here")
	b.front()
	b.sees("Your session has ended.")
	b.holdsNothingPersonal()
	if got, want := b.get(`document.querySelector("#visitor a").href`), s.url+"/login?next=%2Fno%2Fsuch%2Fpage"; got != want {
		t.Errorf("the link leads to %s, want %s", got, want)
	}
}

// note is a form in which something was typed.
const note = `<form id="note" method="post" action="/tokens/show" HTMX>
	<input type="hidden" name="csrf_token"><input type="hidden" name="token" value="access">
	<input name="note" value="an hour's work"><button>Keep it</button></form>`

// addNote puts the form on the page, with htmx or as a plain form.
func (b *tab) addNote(attributes string) {
	b.t.Helper()
	b.set(`{
		const main = document.querySelector("main");
		main.insertAdjacentHTML("beforeend", ` + "`" + strings.Replace(note, "HTMX", attributes, 1) + "`" + `);
		document.querySelector("#note [name=csrf_token]").value = document.querySelector("#logout").form.csrf_token.value;
		globalThis.htmx?.process(main);
	}`)
}

// A form that is sent after the session's end is not lost: it can be sent again
// once somebody has logged in, in another tab.
func TestBrowserFormAfterEnd(t *testing.T) {
	s := start(t, options{publicURL: "http://localhost:PORT"})
	c := startChromium(t)
	for _, name := range []string{"ended, with htmx", "ended, plain", "signed out elsewhere, with htmx", "signed out elsewhere, plain"} {
		t.Run(name, func(t *testing.T) {
			p := c.person(t, s)
			b := p.tab()
			b.signIn()
			if strings.HasSuffix(name, "htmx") {
				b.addNote(`hx-post="/tokens/show" hx-target="#note" hx-swap="outerHTML"`)
			} else {
				b.addNote("")
			}
			b.expect("status of 401")
			b.expect("status of 403")
			if strings.HasPrefix(name, "signed out elsewhere") {
				elsewhere := p.tab()
				elsewhere.front()
				elsewhere.goTo("/")
				elsewhere.click("Log out")
				elsewhere.sees("You are signed out here")
				b.front()
				b.sees("Your session has ended.") // in the header
				b.click("Keep it")
				b.sees("You are not signed in any more", "in another tab")
			} else {
				b.endSession()
				b.click("Keep it")
				b.sees("Your session has ended", "in another tab")
			}
			b.settled()
			if strings.HasSuffix(name, "htmx") {
				b.sees("You are not signed in")
			}
			if !b.is(`[...document.querySelectorAll("[name=note]")].some((e) => e.value === "an hour's work")`) {
				t.Fatal("what was typed is gone")
			}
			const stays = `[...document.querySelectorAll("a.primary, #visitor a")].filter((a) => a.innerText.includes("another tab")).every((a) => a.target === "_blank")`
			if !b.is(stays) {
				t.Error("a link leaves the page where something was typed")
			}
			other := p.tab()
			other.front()
			other.goTo("/login")
			other.sees("Hello Rosalind Franklin!") // Globus remembers her
			b.front()
			if strings.HasSuffix(name, "htmx") {
				b.sees("Signed in as\nRosalind Franklin")
				b.click("Keep it")
			} else {
				b.click("Send it again")
			}
			b.sees("This form was too old", "You are signed in as")
			b.click("Send it again")
			b.sees("Hello Rosalind Franklin!", "Hide")
		})
	}
}

// What answers a form with an error stands beside it: what was typed stays, and
// so does the focus. The next answer takes its place.
func TestBrowserErrorBesideForm(t *testing.T) {
	s := start(t, options{publicURL: "http://localhost:PORT"})
	b := startChromium(t).person(t, s).tab()
	b.signIn()
	b.addNote(`hx-post="/tokens/show" hx-target="#note" hx-swap="outerHTML" hx-disable="find button"`)
	b.set(`document.querySelector("#note [name=note]").value = "x".repeat(9000)`)
	b.expect("status of 413")
	for range 2 {
		b.click("Keep it")
		b.sees("The form holds more than can be sent at once")
		b.settled()
		if !b.is(`document.querySelectorAll(".problem").length === 1 && document.querySelector("#note [name=note]").value.length === 9000`) {
			t.Fatal("want one answer, and what was typed")
		}
		if !b.is(`document.activeElement.textContent === "Keep it"`) {
			t.Errorf("the focus is on %s", b.get("document.activeElement.tagName"))
		}
	}
	b.set(`document.querySelector("#note [name=note]").value = "shorter"`)
	b.click("Keep it")
	b.sees("Hide")
	b.settled()
	if !b.is(`document.querySelector(".problem, #note") === null`) {
		t.Error("the form, or an old answer, is still there")
	}
}

// A double click does what a click does.
func TestBrowserDoubleClick(t *testing.T) {
	s := start(t, options{publicURL: "http://localhost:PORT"})
	c := startChromium(t)
	for _, name := range []string{"with JavaScript", "without JavaScript"} {
		t.Run(name, func(t *testing.T) {
			p := c.person(t, s)
			p.noScript = name == "without JavaScript"
			b := p.tab()
			b.goTo("/")
			b.doubleClick("Log in with Globus")
			b.sees("Choose who signs in")
			b.click("Rosalind Franklin")
			b.sees("Hello Rosalind Franklin!")
			if !p.noScript {
				place := b.place("Show access token")
				b.mark()
				b.do(chromedp.MouseClickXY(place[0], place[1]))
				b.swapped(s.url + "/") // another button is there now
				b.do(chromedp.MouseClickXY(place[0], place[1], chromedp.ClickCount(2)))
				b.idle()
				b.sees("Hide")
			}
			b.doubleClick("Log out")
			b.sees("You are signed out here")
			b.idle()
			b.sees("You are signed out here")
			if p.hasSession() {
				t.Error("there is still a session cookie")
			}
		})
	}
}

// The second of two log-outs, whose form is too old by then, is a log-out too.
func TestLogoutTwice(t *testing.T) {
	s := start(t, options{})
	b := s.browser()
	home := b.signIn("rosalind")
	for range 2 {
		p := b.send(http.MethodPost, "/logout", home.form())
		if p.status != http.StatusSeeOther || !strings.HasSuffix(p.header.Get("Location"), "/signed-out") {
			t.Fatalf("got %d to %q, want 303 to the page of those who have signed out", p.status, p.header.Get("Location"))
		}
	}
	b.signIn("ada")
	if p := b.send(http.MethodPost, "/logout", home.form()); p.status != http.StatusForbidden || !b.signedIn() {
		t.Errorf("got %d, want 403: it is another session", p.status)
	}
}

// What takes long shows that it is under way.
func TestBrowserProgress(t *testing.T) {
	s := start(t, options{publicURL: "http://localhost:PORT"})
	b := startChromium(t).person(t, s).tab()
	b.signIn()
	b.sees("Photo 51")
	const bar = `getComputedStyle(document.querySelector(".site-header"), "::after")`
	if !b.is(bar + `.opacity === "0"`) {
		t.Error("the bar shows, though nothing is under way")
	}
	wait := make(chan struct{})
	s.auth.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.TaskListPath: {Wait: wait}}})
	b.click("Refresh the transfers")
	await(t, "the bar shows", func() bool { return b.is(bar + `.opacity > 0.4`) })
	if !b.is(bar+`.animationDelay === "0.15s"`) || !b.is(`getComputedStyle(document.querySelector("#transfers-refresh")).opacity < 1`) {
		t.Error("want a delay of 150 ms, and the button dimmed")
	}
	close(wait)
	b.settled()
	await(t, "the bar is gone", func() bool { return b.is(bar + `.opacity === "0"`) })
}

// Times are in the reader's zone, or in UTC for those without JavaScript.
func TestBrowserTimes(t *testing.T) {
	s := start(t, options{publicURL: "http://localhost:PORT"})
	c := startChromium(t)
	for name, want := range map[string]string{"with JavaScript": "GMT+5:45", "without JavaScript": "UTC"} {
		t.Run(name, func(t *testing.T) {
			p := c.person(t, s)
			p.noScript = name == "without JavaScript"
			b := p.tab()
			b.do(call(emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Asia/Kathmandu"}))
			b.signIn()
			for _, step := range []string{"first", "swapped"} {
				if got := b.get(`document.querySelector("time[data-local=text]").innerText`); !strings.HasSuffix(got, want) {
					t.Errorf("%s: the time is %q, want it to end with %s", step, got, want)
				}
				if got := b.get(`document.querySelector("time[data-local=title]").title`); !strings.HasSuffix(got, want) {
					t.Errorf("%s: behind the words is %q, want it to end with %s", step, got, want)
				}
				b.mark()
				b.do(chromedp.Click(chromedp.CSS("#refresh")))
				await(t, "the card is another", func() bool { return b.is(`document.getElementById("user-card")?.marked !== true`) })
				b.settled()
			}
		})
	}
}
