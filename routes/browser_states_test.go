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
	source, err := os.ReadFile(routestest.Axe)
	if err != nil {
		routestest.Skip(t, "needs axe-core: npm ci --ignore-scripts --prefix .ci")
	}
	s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
	b := s.Person(t).Tab()
	seen := 0
	look := func(state string) {
		t.Helper()
		b.Settled()
		for _, a := range routestest.Appearances {
			b.Appear(a)
			b.Fits(state, a)
			b.Accessible(state, a, string(source))
			b.Screenshot(chromedp.FullScreenshot(100), state, a)
			if state == "signed-in" && a.Width > 1000 {
				b.Screenshot(chromedp.CaptureScreenshot(), "readme", a)
			}
		}
		b.Appear(routestest.Appearances[0])
		seen++
	}
	walk(b, look)
	closed := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT", Globus: s.Globus, Policy: domains("lab.example.org")})
	b.Site = closed
	comeAsAnother(b, look)
	if seen < 23 {
		t.Errorf("only %d states", seen)
	}
	b.Run(`document.body.innerHTML = "<img src='x'><a href='/'></a>"`)
	if len(b.Violations(string(source))) == 0 {
		t.Error("axe-core finds no fault in a page that has some")
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
	at := func(state, path, text string) {
		b.T.Helper()
		b.GoTo(path)
		b.Sees(text)
		look(state)
	}
	at("signed-out", "/", "You are not signed in")
	at("not-found", "/no/such/page", "There is no such page")
	at("link-used", "/login?code=x&state=y", "That sign-in link was used already")
	at("refused", "/login?error=access_denied&state="+attemptState(b), "Globus did not sign you in")
	at("logout-by-link", "/logout", "That cannot be done by a link")

	b.SignIn()
	b.Sees("Photo 51")
	look("signed-in")
	b.Click("Show access token")
	b.Sees("Hide")
	look("token-shown")
	b.Do(chromedp.Click(chromedp.CSS("#tokens-summary")))
	b.Sees("refreshes by itself")
	look("tokens")
	at("transfers", "/transfers", "Photo 51")
	at("card-alone", "/user", "Hello Rosalind Franklin!")
	lie(globustest.TaskListPath, 503)
	at("globus-down", "/", "Globus does not answer as it should")
	at("globus-down-page", "/transfers", "Globus does not answer as it should")
	b.Site.Globus.Lie(globustest.Lie{ConsentRequired: []string{globus.TransferScope + "[*https://auth.globus.org/scopes/" + place(b.T, "Example University Research").ID + "/data_access]"}})
	at("consent", "/", "Globus wants your consent")
	b.Click("Go on at Globus")
	b.Click("Allow")
	b.Sees("Globus asks for the same again")
	look("consent-again")
	b.Site.Globus.Lie(globustest.Lie{})
	at("folder", "/browse/"+place(b.T, "Example Light").ID, "README.txt")
	at("folder-odd-names", "/browse/"+place(b.T, "Example Light").ID+"?path=/odd+names/", "alert(1)")
	at("folder-empty", "/browse/"+place(b.T, "Example Light").ID+"?path=/empty/", "This folder is empty")
	b.GoTo("/browse/" + place(b.T, "Tape").ID)
	b.Click("Refuse")
	b.Sees("Globus did not get what it asked for")
	look("step-up-refused")
	b.GoTo("/browse/" + place(b.T, "Tape").ID)
	b.Sees("Choose who signs in")
	b.Do(chromedp.Click(chromedp.CSS(`button[value="markup"]`)))
	b.Sees("Somebody else came back from Globus")
	look("somebody-else")

	b.GoTo("/")
	b.Run(`document.querySelector("#logout").form.csrf_token.value = "old"`)
	b.Click("Log out")
	b.Sees("This form was too old")
	look("form-too-old")
	b.Click("Send it again")
	b.Sees("You are signed out here")
	look("signed-out-here")

	b.SignInAs("ada")
	b.Do(chromedp.Click(chromedp.CSS("#identities-summary")))
	b.Sees("Linked identities (5)", "In use here")
	look("linked-identities")
	b.SignInAs("sub-only")
	b.Sees("Hello!", "You have no transfers yet")
	look("only-sub")
	b.SignInAs("markup")
	b.Sees("alert(1)", "DROP TABLE")
	look("markup")
	b.EndSession()
	b.Click("Refresh the transfers")
	b.Sees("Log in again to go on from here")
	look("session-ended")
}

// attemptState begins an attempt to sign in, and returns its state.
func attemptState(b *routestest.Tab) string {
	b.T.Helper()
	b.GoTo("/login")
	b.Sees("Choose who signs in")
	return b.Text(`new URL(document.forms[0].action).searchParams.get("state")`)
}
