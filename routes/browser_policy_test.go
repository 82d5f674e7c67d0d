package routes_test

import (
	"testing"

	"example.org/portal/globus/globustest"
)

// Who comes with an identity that is not let in, comes again with another.
func TestBrowserPolicy(t *testing.T) {
	s := start(t, options{publicURL: "http://localhost:PORT", policy: domains("lab.example.org")})
	c := startChromium(t)
	for _, name := range []string{"with JavaScript", "without JavaScript"} {
		t.Run(name, func(t *testing.T) {
			p := c.person(t, s)
			p.noScript = name == "without JavaScript"
			b := p.tab()
			comeAsAnother(b, func(state string) {
				if p.hasSession() {
					t.Errorf("%s: there is a session", state)
				}
			})
			b.at(s.url + "/transfers")
			b.sees("Ada Lovelace", "Note G")
		})
	}
}

// comeAsAnother is refused as Ada, and comes in as another of her identities.
func comeAsAnother(b *tab, look func(state string)) {
	b.t.Helper()
	b.expect("status of 403")
	b.goTo("/login?next=/transfers&prompt=login")
	b.click("Ada Lovelace")
	b.sees("You may not enter as this identity", "ada@example.edu", "an identity of lab.example.org")
	look("not-admitted")
	b.click("Log in with another identity")
	b.at(b.site.auth.URL + globustest.AuthorizePath)
	b.click("With another identity of Ada Lovelace")
	b.click("lovelace@lab.example.org")
	b.at(b.site.url + "/transfers")
	b.sees("Ada Lovelace")
}
