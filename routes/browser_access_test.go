package routes_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// On the narrowest phone, in the dark, no page is wider than the screen.
func TestBrowserNarrow(t *testing.T) {
	s := start(t, options{publicURL: "http://localhost:PORT"})
	b := startChromium(t).person(t, s).tab()
	b.do(
		call(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 320, Height: 640, DeviceScaleFactor: 2, Mobile: true}),
		call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
		}),
	)
	b.expect("status of 404")
	fits := func(page string) {
		t.Helper()
		b.settled()
		got, err := evaluate[[]float64](b, `[innerWidth, document.documentElement.scrollWidth,
			...getComputedStyle(document.body).color.match(/\d+/g).map(Number)]`)
		if err != nil || len(got) < 5 {
			t.Fatal(got, err)
		}
		if got[0] != 320 || got[1] > 320 {
			t.Errorf("%s: %v px wide in a window of %v, want 320 in 320", page, got[1], got[0])
		}
		if min(got[2], got[3], got[4]) < 128 {
			t.Errorf("%s: the text is rgb%v in the dark, want it light", page, got[2:5])
		}
	}

	b.goTo("/")
	b.sees("You are not signed in")
	fits("signed out")
	b.click("Log in with Globus")
	b.sees("Choose who signs in")
	fits("the emulator's page")
	b.click("Rosalind Franklin")
	b.sees("Hello")
	fits("signed in")
	b.click("Show access token")
	b.sees("Hide")
	fits("with a token")
	b.goTo("/no/such/page")
	b.sees("There is no such page")
	fits("an error")
	b.goTo("/")
	b.click("Log out")
	b.sees("You are signed out here")
	fits("after signing out")
}

// All can be done with the keyboard alone, and a swap leaves the focus where it was.
func TestBrowserKeyboard(t *testing.T) {
	s := start(t, options{publicURL: "http://localhost:PORT"})
	p := startChromium(t).person(t, s)
	b := p.tab()
	press := func(label string) {
		t.Helper()
		b.tabTo(label)
		b.do(chromedp.KeyEvent(kb.Enter))
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

	b.mark()
	press("Refresh the card")
	b.swapped(s.url + "/")
	focused("Refresh the card")
	b.mark()
	press("Show access token")
	b.swapped(s.url + "/")
	focused("Hide access token")
	b.mark()
	b.do(chromedp.KeyEvent(kb.Enter))
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
