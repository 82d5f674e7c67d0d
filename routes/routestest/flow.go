package routestest

import (
	"testing"

	"github.com/chromedp/chromedp"

	"example.org/portal/globus/globustest"
)

// Flow is all that a person does, in and out. With JavaScript the card is swapped
// in place; without, each step loads a page. It calls signedIn when they are.
func Flow(t *testing.T, p *Person, signedIn ...func()) {
	s := p.Site
	b := p.Tab()
	step := func(target, page string) {
		t.Helper()
		b.Mark()
		b.Click(target)
		if p.NoScript {
			b.Loaded(s.URL + page)
		} else {
			b.Swapped(s.URL + "/")
		}
	}

	b.GoTo("/")
	b.Shows(SignedOut)
	b.StoresNothing()
	b.Click(SignedOut)
	b.At(s.Globus.URL + globustest.AuthorizePath)
	b.Click(`[value="rosalind"]`)
	b.Shows(SignedIn)
	b.At(s.URL + "/")
	facts := append(rosalindsFacts, "rosalind@example.edu", "7a1c2e40-3b5d-4f6e-8a90-1920072501aa", "••••••••")
	b.Sees(facts...)
	b.StoresNothing()
	for _, f := range signedIn {
		f()
	}

	step("#refresh", "/user")
	b.Sees(facts...)
	if b.Text(`document.getElementById("status").innerText`) == "" && !p.NoScript {
		t.Error("the status line does not say that the card was updated")
	}

	const shown = "#user-card code"
	step("#toggle-access", "/tokens/show")
	token := b.Text(`document.querySelector("` + shown + `").innerText`)
	if !s.Globus.Live(token) {
		t.Errorf("the page shows %q, want a live token", token)
	}
	step("#toggle-access", "/user")
	if b.Holds(`document.querySelector("` + shown + `") !== null`) {
		t.Error("the token is still there after it was hidden")
	}
	b.Sees(facts...)
	b.StoresNothing()

	b.Mark()
	b.Click("#logout")
	b.Loaded(s.URL + "/signed-out")
	b.Shows("#signed-out")
	b.HoldsNothingPersonal()
	if got, want := b.Text("document.activeElement.id"), "signed-out"; got != want {
		t.Errorf("the focus is on %q, want %q", got, want)
	}
	if p.HasSession() || s.Globus.Live(token) {
		t.Error("the session cookie, or the token, outlived the sign-out")
	}

	b.Do(chromedp.Reload())
	b.Shows("#main .login")
	b.HoldsNothingPersonal()
	b.GoTo("/")
	b.Shows(SignedOut)
	b.HoldsNothingPersonal()

	b.GoTo("/signed-out")
	b.Click("#globus-logout")
	b.At(s.Globus.URL + globustest.LogoutPath)
	b.Click(`[href="` + s.URL + `/"]`) // back to the app
	b.At(s.URL + "/")
	b.Click(SignedOut)
	b.Shows(`[value="rosalind"]`) // Globus forgot who it was
}
