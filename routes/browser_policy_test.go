package routes_test

import (
	"fmt"
	"net/url"
	"testing"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// Who comes with an identity that is not let in, comes again with another.
func TestBrowserPolicy(t *testing.T) {
	t.Parallel()
	s := start(t, routestest.Options{PublicURL: "http://localhost:PORT", Policy: domains("lab.example.org")})
	for _, name := range []string{"with JavaScript", "without JavaScript"} {
		t.Run(name, func(t *testing.T) {
			p := s.Person(t)
			p.NoScript = name == "without JavaScript"
			b := p.Tab()
			comeAsAnother(b, func(state string) {
				if p.HasSession() {
					t.Errorf("%s: there is a session", state)
				}
			})
			b.At(s.URL + "/probe/tasks")
			b.Sees("Ada Lovelace", "Note G")
		})
	}
}

// comeAsAnother is refused as Ada, and comes in as another of her identities.
func comeAsAnother(b *routestest.Tab, look func(state string)) {
	b.T.Helper()
	b.Expect("status of 403")
	b.GoTo("/login?next=/probe/tasks&prompt=login")
	b.Click(`[value="ada"]`)
	b.Shows(reason("policy"))
	b.Sees("ada@example.edu", "lab.example.org")
	look("not-admitted")
	b.Click(".way")
	b.At(b.Site.Globus.URL + globustest.AuthorizePath)
	b.Click(`[value="ada"] + details > summary`)
	b.Click(fmt.Sprintf("[value=%q]", url.Values{"identity": {"7a1c2e40-3b5d-4f6e-8a90-1815121005aa"}}.Get("identity")))
	b.At(b.Site.URL + "/probe/tasks")
	b.Sees("Ada Lovelace")
}
