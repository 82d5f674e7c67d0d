package routes_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

const axe = "../.ci/node_modules/axe-core/axe.min.js"

// An appearance is how somebody looks at the pages.
type appearance struct {
	name, scheme string
	width        int64 // CSS pixels
}

var appearances = []appearance{{"wide", "light", 1100}, {"dark", "dark", 1100}, {"narrow", "light", 320}, {"narrow-dark", "dark", 320}}

// Every state of every page, in the light and in the dark, wide and on the
// narrowest phone: axe-core finds no fault, nothing is wider than the screen,
// and the text has the colour of the scheme. With SCREENSHOTS=folder each is
// written there as a picture.
func TestBrowserStates(t *testing.T) {
	source, err := os.ReadFile(axe)
	if err != nil {
		skip(t, "needs axe-core: npm ci --ignore-scripts --prefix .ci")
	}
	s := start(t, options{publicURL: "http://localhost:PORT"})
	b := startChromium(t).person(t, s).tab()
	seen := 0
	look := func(state string) {
		t.Helper()
		b.settled()
		for _, a := range appearances {
			b.appear(a)
			b.fits(state, a)
			b.accessible(state, a, string(source))
			b.screenshot(chromedp.FullScreenshot(100), state, a)
			if state == "signed-in" && a.width > 1000 {
				b.screenshot(chromedp.CaptureScreenshot(), "readme", a)
			}
		}
		b.appear(appearances[0])
		seen++
	}
	walk(b, look)
	closed := start(t, options{publicURL: "http://localhost:PORT", auth: s.auth, policy: domains("lab.example.org")})
	b.site = closed
	comeAsAnother(b, look)
	if seen < 23 {
		t.Errorf("only %d states", seen)
	}
	b.set(`document.body.innerHTML = "<img src='x'><a href='/'></a>"`)
	if len(b.violations(string(source))) == 0 {
		t.Error("axe-core finds no fault in a page that has some")
	}
}

// walk brings the tab from state to state and calls look in each.
func walk(b *tab, look func(state string)) {
	lie := func(path string, status int) {
		b.site.auth.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{path: {Status: status}}})
	}
	for _, status := range []string{"400", "401", "403", "404", "405", "503"} {
		b.expect("status of " + status)
	}
	at := func(state, path, text string) {
		b.t.Helper()
		b.goTo(path)
		b.sees(text)
		look(state)
	}
	at("signed-out", "/", "You are not signed in")
	at("not-found", "/no/such/page", "There is no such page")
	at("link-used", "/login?code=x&state=y", "That sign-in link was used already")
	at("refused", "/login?error=access_denied&state="+b.attemptState(), "Globus did not sign you in")
	at("logout-by-link", "/logout", "That cannot be done by a link")

	b.signIn()
	b.sees("Photo 51")
	look("signed-in")
	b.click("Show access token")
	b.sees("Hide")
	look("token-shown")
	b.do(chromedp.Click(chromedp.CSS("#tokens-summary")))
	b.sees("refreshes by itself")
	look("tokens")
	at("transfers", "/transfers", "Photo 51")
	at("card-alone", "/user", "Hello Rosalind Franklin!")
	lie(globustest.TaskListPath, 503)
	at("globus-down", "/", "Globus does not answer as it should")
	at("globus-down-page", "/transfers", "Globus does not answer as it should")
	b.site.auth.Lie(globustest.Lie{ConsentRequired: []string{globus.TransferScope + "[*https://auth.globus.org/scopes/" + place(b.t, "Example University Research").ID + "/data_access]"}})
	at("consent", "/", "Globus wants your consent")
	b.click("Go on at Globus")
	b.click("Allow")
	b.sees("Globus asks for the same again")
	look("consent-again")
	b.site.auth.Lie(globustest.Lie{})
	at("folder", "/browse/"+place(b.t, "Example Light").ID, "README.txt")
	at("folder-odd-names", "/browse/"+place(b.t, "Example Light").ID+"?path=/odd+names/", "alert(1)")
	at("folder-empty", "/browse/"+place(b.t, "Example Light").ID+"?path=/empty/", "This folder is empty")
	b.goTo("/browse/" + place(b.t, "Tape").ID)
	b.click("Refuse")
	b.sees("Globus did not get what it asked for")
	look("step-up-refused")
	b.goTo("/browse/" + place(b.t, "Tape").ID)
	b.sees("Choose who signs in")
	b.do(chromedp.Click(chromedp.CSS(`button[value="markup"]`)))
	b.sees("Somebody else came back from Globus")
	look("somebody-else")

	b.goTo("/")
	b.set(`document.querySelector("#logout").form.csrf_token.value = "old"`)
	b.click("Log out")
	b.sees("This form was too old")
	look("form-too-old")
	b.click("Send it again")
	b.sees("You are signed out here")
	look("signed-out-here")

	b.signInAs("ada")
	b.do(chromedp.Click(chromedp.CSS("#identities-summary")))
	b.sees("Linked identities (5)", "In use here")
	look("linked-identities")
	b.signInAs("sub-only")
	b.sees("Hello!", "You have no transfers yet")
	look("only-sub")
	b.signInAs("markup")
	b.sees("alert(1)", "DROP TABLE")
	look("markup")
	b.endSession()
	b.click("Refresh the transfers")
	b.sees("Log in again to go on from here")
	look("session-ended")
}

// attemptState begins an attempt to sign in, and returns its state.
func (b *tab) attemptState() string {
	b.t.Helper()
	b.goTo("/login")
	b.sees("Choose who signs in")
	return b.get(`new URL(document.forms[0].action).searchParams.get("state")`)
}

// signInAs signs in as one of the people of the emulator.
func (b *tab) signInAs(person string) {
	b.t.Helper()
	b.goTo("/login?prompt=login")
	b.sees("Choose who signs in")
	b.do(chromedp.Click(chromedp.CSS(fmt.Sprintf("button[value=%q]", person))))
	b.at(b.site.url + "/")
	b.settled()
}

// endSession takes the session cookie from the browser, as if the session had
// ended in another window.
func (b *tab) endSession() {
	b.t.Helper()
	name := strings.Replace(b.site.url, "http://localhost:", "portal-", 1) + "-session"
	b.do(call(network.DeleteCookies, network.DeleteCookiesParams{Name: name, URL: b.site.url}))
}

// appear shows the page so.
func (b *tab) appear(a appearance) {
	b.t.Helper()
	b.do(
		chromedp.EmulateViewport(a.width, 800),
		call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: a.scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
		}),
	)
}

// fits checks that nothing has to be scrolled sideways, and the colour scheme.
func (b *tab) fits(state string, a appearance) {
	b.t.Helper()
	got, err := evaluate[[]float64](b, `[innerWidth, document.documentElement.scrollWidth,
		...getComputedStyle(document.body).color.match(/\d+/g).map(Number)]`)
	if err != nil || len(got) < 5 {
		b.t.Fatal(got, err)
	}
	if got[0] != float64(a.width) || got[1] > got[0] {
		b.t.Errorf("%s, %s: %v px wide in a window of %v, want at most %d", state, a.name, got[1], got[0], a.width)
	}
	if dark := min(got[2], got[3], got[4]) >= 128; dark != (a.scheme == "dark") {
		b.t.Errorf("%s, %s: the text is rgb%v", state, a.name, got[2:5])
	}
}

func (b *tab) accessible(state string, a appearance, axe string) {
	b.t.Helper()
	for _, v := range b.violations(axe) {
		b.t.Errorf("%s, %s: %s", state, a.name, v)
	}
}

// violations lists what axe-core finds wrong with the page, best practices included.
func (b *tab) violations(axe string) []string {
	b.t.Helper()
	if !b.is("typeof axe === 'object'") {
		b.set(axe + ";0")
	}
	got, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](`axe.run(document).then((found) => found.violations.map((v) =>
		v.id + ": " + v.help + "\n" + v.nodes.map((n) => n.html + "\n" + n.failureSummary).join("\n")))`, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatal(err)
	}
	return got
}

func (b *tab) screenshot(take chromedp.Action[[]byte], state string, a appearance) {
	b.t.Helper()
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(b.ctx, take)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, state+"-"+a.name+".png"), picture, 0o644); err != nil {
		b.t.Fatal(err)
	}
}
