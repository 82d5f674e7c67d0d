package routes_test

import (
	"net/http"
	"testing"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes"
	"example.org/portal/routes/routestest"
)

// TestLab: members see the beam times on a page and on their account page, and nobody else
// does. Whether somebody is a member is known when they have let the app ask Globus.
func TestLab(t *testing.T) {
	t.Parallel()
	people := globustest.DemoPeople()[:2]
	people[0].Groups = []globustest.Membership{{Group: routes.Lab.Groups[0], Name: "The lab"}}
	people[1].Groups = nil
	s := routestest.Start(t, routestest.Options{People: people})
	if p := s.Browser().Get("/lab"); p.Status != http.StatusSeeOther || p.Has("beam-times") {
		t.Errorf("nobody: got %d, want to be sent to sign in", p.Status)
	}
	for _, test := range []struct {
		person, reason string
		status         int
		sees           bool
	}{
		{people[0].Key, "", http.StatusOK, true},
		{people[1].Key, "policy", http.StatusForbidden, false},
	} {
		b := s.Browser()
		b.SignIn(test.person)
		if p := b.Get("/account"); p.Has("beam-times") || p.Link("#see-beam-times") != "/lab" {
			t.Errorf("%s has not been asked, and the account page is:\n%s", test.person, p.Body)
		}
		p := b.Get("/lab")
		if p.Reason() != "requirements" || p.Has("beam-times") {
			t.Errorf("%s has not been asked: got %d %q", test.person, p.Status, p.Reason())
		}
		b.AtGlobus(b.Get(p.Link(".step-up")), "allow", "1")
		if p := b.Get("/lab"); p.Status != test.status || p.Reason() != test.reason || p.Has("beam-times") != test.sees {
			t.Errorf("%s: got %d %q, beam times %t, want %d %q", test.person, p.Status, p.Reason(), p.Has("beam-times"), test.status, test.reason)
		}
		if p := b.Get("/account"); p.Has("beam-times") != test.sees {
			t.Errorf("%s, account page: beam times %t", test.person, p.Has("beam-times"))
		}
	}
}
