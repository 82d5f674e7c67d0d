package routes_test

import (
	"os"
	"testing"

	"github.com/chromedp/chromedp"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// Every state of every page, in the light and in the dark, wide and on the
// narrowest phone: axe-core finds no fault, nothing is wider than the screen,
// and the text has the colour of the scheme. With SCREENSHOTS=folder each is
// written there as a picture.
func TestBrowserStates(t *testing.T) {
	t.Parallel()
	s := start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
	b := s.Person(t).Tab()
	look, seen := looker(t, b), 0
	count := func(state string) { t.Helper(); look(state); seen++ }
	walk(b, count)
	closed := start(t, routestest.Options{PublicURL: "http://localhost:PORT", Globus: s.Globus, Policy: domains("lab.example.org")})
	b.Site = closed
	comeAsAnother(b, count)
	if seen < 19 {
		t.Errorf("only %d states", seen)
	}
	b.Run(`document.body.innerHTML = "<img src='x'><a href='/'></a>"`)
	if len(b.Violations(axe(t))) == 0 {
		t.Error("axe-core finds no fault in a page that has some")
	}
}

// axe is the source of axe-core. It skips the test if there is none.
func axe(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile(routestest.Axe)
	if err != nil {
		routestest.Skip(t, "needs axe-core: npm ci --ignore-scripts --prefix .ci")
	}
	return string(source)
}

// looker returns what looks at the page that is in the tab, in every appearance.
func looker(t *testing.T, b *routestest.Tab) (look func(state string)) {
	t.Helper()
	source := axe(t)
	return func(state string) {
		t.Helper()
		b.Settled()
		for _, a := range routestest.Appearances {
			b.Appear(a)
			b.Fits(state, a)
			b.Accessible(state, a, source)
			b.Screenshot(chromedp.FullScreenshot(100), state, a)
			if state == "signed-in" && a.Width > 1000 {
				b.Screenshot(chromedp.CaptureScreenshot(), "readme", a)
			}
		}
		b.Appear(routestest.Appearances[0])
	}
}

// walk brings the tab from state to state and calls look in each.
func walk(b *routestest.Tab, look func(state string)) {
	lie := func(path string, status int) {
		b.Site.Globus.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{path: {Status: status}}})
	}
	for _, status := range []string{"400", "401", "403", "404", "405", "503"} {
		b.Expect("status of " + status)
	}
	at := func(state, path, selector string) {
		b.T.Helper()
		b.GoTo(path)
		b.Shows(selector)
		look(state)
	}
	at("signed-out", "/", routestest.SignedOut)
	at("not-found", "/no/such/page", reason("no_such_page"))
	at("link-used", "/login?code=x&state=y", reason("link_used"))
	at("refused", "/login?error=access_denied&state="+attemptState(b), reason("denied"))
	at("form-by-link", "/tokens/show", reason("form_only"))
	at("logout-by-link", "/logout", "#not-signed-in")

	b.SignIn()
	look("signed-in")
	b.Click("#toggle-access")
	b.Shows("#user-card code")
	look("token-shown")
	at("account", "/account", "#tokens")
	b.Click(`[id="show-transfer.api.globus.org"]`)
	b.Shows("#tokens code")
	look("account-token-shown")
	at("not-found-signed-in", "/no/such/page", reason("no_such_page"))
	at("message", "/probe/message", "#message")
	at("logout-page", "/logout", "#logout-here")
	at("card-alone", "/user", "#user-card")
	b.GoTo("/probe/tasks")
	lie(globustest.TaskListPath, 503)
	b.Click("#tasks-again")
	b.Shows("section" + reason("globus_unavailable"))
	look("globus-down")
	at("globus-down-page", "/probe/tasks", reason("globus_unavailable"))
	b.Site.Globus.Lie(globustest.Lie{})
	b.GoTo("/probe/tasks")
	b.Site.Globus.Lie(globustest.Lie{ConsentRequired: []string{globus.TransferScope + "[*https://auth.globus.org/scopes/" + place(b.T, "Example University Research").ID + "/data_access]"}})
	b.Click("#tasks-again")
	b.Shows(reason("requirements"))
	look("consent")
	b.Site.Globus.Lie(globustest.Lie{})
	b.GoTo("/probe/folder/" + place(b.T, "Tape").ID)
	b.Click(".step-up")
	b.Click("[name=deny]")
	b.Shows(reason("denied"))
	look("step-up-refused")
	b.GoTo("/probe/folder/" + place(b.T, "Tape").ID)
	b.Click(".step-up")
	b.Click(`[value="markup"]`)
	b.Shows(reason("other_person"))
	look("somebody-else")

	b.GoTo("/")
	b.Run(`document.querySelector("#logout").form.csrf_token.value = "old"`)
	b.Click("#logout")
	b.Shows(reason("form_old"))
	look("form-too-old")
	b.Click(".send-again")
	b.Shows("#signed-out")
	look("signed-out-here")

	b.SignInAs("ada")
	at("linked-identities", "/account", "#identities .badge.active")
	b.SignInAs("sub-only")
	b.Shows("#user-card .missing")
	look("only-sub")
	b.SignInAs("markup")
	b.Sees("alert(1)")
	look("markup")
	b.GoTo("/probe/tasks")
	b.EndSession()
	b.Click("#tasks-again")
	b.Shows(reason("session_ended"))
	look("session-ended")
}

// attemptState begins an attempt to sign in, and returns its state.
func attemptState(b *routestest.Tab) string {
	b.T.Helper()
	b.GoTo("/login")
	b.Shows("[name=deny]")
	return b.Text(`new URL(document.forms[0].action).searchParams.get("state")`)
}
