package auth_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

// Ada's other identities, as buttons of the emulator's page.
var (
	adasORCID  = url.Values{"identity": {"7a1c2e40-3b5d-4f6e-8a90-1815121002aa"}}
	adasGoogle = url.Values{"identity": {"7a1c2e40-3b5d-4f6e-8a90-1815121003aa"}}
	adasLab    = url.Values{"identity": {"7a1c2e40-3b5d-4f6e-8a90-1815121005aa"}}
)

func domains(names ...string) globus.Policy { return globus.Policy{Domains: names} }

var demoLab = globus.Policy{Groups: []string{globustest.DemoLab}}

func saysNothing(l globustest.Lie) globustest.Lie {
	l.Introspection = globustest.Edit{Set: map[string]any{"session_info": map[string]any{"authentications": nil}}}
	return l
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	domainAndGroup := globus.Policy{Domains: []string{"example.edu"}, Groups: []string{globustest.DemoLab}}
	tests := []struct {
		name       string
		policy     globus.Policy
		lie        globustest.Lie
		answer     url.Values
		wantStatus int
		want       []string // parts of the page
	}{
		{"an allowed domain", domains("example.com", "example.edu"), globustest.Lie{}, routestest.As("rosalind"), 200, []string{"Rosalind"}},
		{"another identity, of an allowed domain", domains("lab.example.org"), globustest.Lie{}, adasLab, 200, []string{"Ada Lovelace"}},
		{"another identity, of no allowed domain", domains("example.edu"), globustest.Lie{}, adasORCID, 403,
			[]string{"0000-0001-2345-6789@orcid.org", "ORCID", "example.edu", "prompt=login", globustest.IdentitiesPath}},
		{"an allowed identity is merely linked", domains("lab.example.org"), globustest.Lie{}, routestest.As("ada"), 403, []string{"ada@example.edu", "lab.example.org"}},
		{"two @, the allowed one first", domains("globus.org"), globustest.Lie{}, adasGoogle, 403, []string{"ada@globus.org@accounts.google.com"}},
		{"the end of an allowed domain", domains("ample.edu"), globustest.Lie{}, routestest.As("rosalind"), 403, []string{"rosalind@example.edu"}},
		{"above an allowed domain", domains("cs.example.edu"), globustest.Lie{}, routestest.As("rosalind"), 403, nil},
		{"nothing but an id", domains("example.edu"), globustest.Lie{}, routestest.As("sub-only"), 403, []string{"7a1c2e40-3b5d-4f6e-8a90-0000000001aa", `class="missing"`, "policy_unverifiable"}},
		{"hostile names", domains("example.edu"), globustest.Lie{}, routestest.As("markup"), 403, []string{"&lt;i&gt;Example Laboratory"}},

		{"in the group", demoLab, globustest.Lie{}, routestest.As("rosalind"), 200, nil},
		{"in the group by a linked identity", demoLab, globustest.Lie{}, routestest.As("ada"), 200, nil},
		{"not yet in the group", demoLab, globustest.Lie{}, routestest.As("markup"), 403, []string{"pending", "app.globus.org/groups/" + globustest.DemoLab}},
		{"in no group", demoLab, globustest.Lie{}, routestest.As("sub-only"), 403, []string{"app.globus.org/groups/" + globustest.DemoLab}},
		{"groups down", demoLab, routestest.Down(globustest.MyGroupsPath), routestest.As("rosalind"), 503, nil},

		{"a second factor", globus.Policy{MFA: true}, globustest.Lie{}, routestest.WithMFA("rosalind"), 200, nil},
		{"no second factor", globus.Policy{MFA: true}, globustest.Lie{}, routestest.As("rosalind"), 403, []string{"policy_unverifiable"}},

		{"both rules hold", domainAndGroup, globustest.Lie{}, routestest.As("rosalind"), 200, nil},
		{"one of two does not", domainAndGroup, globustest.Lie{}, adasORCID, 403, nil},
		{"introspection down", domains("example.edu"), routestest.Down(globustest.IntrospectPath), routestest.As("rosalind"), 503, nil},
		{"introspection about somebody else", domains("example.edu"),
			globustest.Lie{Introspection: globustest.Edit{Set: map[string]any{"sub": "7a1c2e40-3b5d-4f6e-8a90-000000000bad"}}}, routestest.As("rosalind"), 503, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := routestest.Start(t, routestest.Options{Policy: test.policy})
			s.Globus.Lie(test.lie)
			b := s.Browser()
			p := b.Enter("/login", test.answer)
			if strings.HasPrefix(p.URL, s.Globus.URL) { // asked again, for Globus had not said enough
				p = b.Follow(b.Send(http.MethodPost, p.URL, test.answer))
			}
			if p.Status != test.wantStatus {
				t.Errorf("got %d, want %d:\n%s", p.Status, test.wantStatus, p.Body)
			}
			if got, want := p.Reason(), map[int]string{200: "", 403: "policy", 503: "globus_error"}[test.wantStatus]; !strings.HasPrefix(got, want) || (got == "") != (want == "") {
				t.Errorf("the reason is %q, want %q", got, want)
			}
			for _, want := range test.want {
				if !strings.Contains(p.Body, want) {
					t.Errorf("the page does not say %q:\n%s", want, p.Body)
				}
			}
			if test.wantStatus == http.StatusOK {
				return
			}
			if _, cookie := b.Cookie("session"); cookie != "" || s.Globus.LiveTokens() != 0 || b.SignedIn() {
				t.Errorf("there is a session, or %d tokens live on", s.Globus.LiveTokens())
			}
		})
	}
}

// TestPolicyAsksAgain: if Globus did not ask a person to authenticate, the app sends
// prompt=login, once.
func TestPolicyAsksAgain(t *testing.T) {
	t.Parallel()
	s := routestest.StartWithProbes(t, routestest.Options{Policy: domains("example.edu")})
	b := s.Browser()
	s.Globus.Lie(saysNothing(globustest.Lie{}))
	again := b.Enter("/login?next=/probe/tasks", routestest.As("rosalind"))
	u, err := url.Parse(again.URL)
	if err != nil || u.Query().Get("prompt") != "login" || u.Query().Get("session_required_single_domain") != "example.edu" {
		t.Fatalf("at %s, want to be asked at Globus again", again.URL)
	}
	p := b.Follow(b.Send(http.MethodPost, again.URL, routestest.As("rosalind")))
	if p.Status != http.StatusForbidden || p.Reason() != "policy_unverifiable" || s.Globus.LiveTokens() != 0 {
		t.Errorf("still nothing: got %d at %s, %d live tokens, want a refusal:\n%s", p.Status, p.URL, s.Globus.LiveTokens(), p.Body)
	}
	if !strings.Contains(p.Body, "login?next=%2Fprobe%2Ftasks&amp;prompt=login") {
		t.Error("the way in forgets where the person was going")
	}

	b = s.Browser()
	again = b.Enter("/login?next=/probe/tasks", routestest.As("rosalind"))
	s.Globus.Lie(globustest.Lie{})
	if p := b.Follow(b.Send(http.MethodPost, again.URL, routestest.As("rosalind"))); p.Status != http.StatusOK || p.URL != s.URL+"/probe/tasks" {
		t.Errorf("asked: got %d at %s, want the tasks", p.Status, p.URL)
	}
}

// TestPolicyTurnedOn: it holds at once for those who are signed in.
func TestPolicyTurnedOn(t *testing.T) {
	t.Parallel()
	before := routestest.Start(t, routestest.Options{})
	rosalind, ada := before.Browser(), before.Browser()
	rosalind.Enter("/login", routestest.As("rosalind"))
	ada.Enter("/login", adasORCID)

	s := routestest.StartWithProbes(t, routestest.Options{Dir: before.Dir, Globus: before.Globus, Policy: domains("example.edu")})
	if p := rosalind.Carry(s).Get("/"); p.Status != http.StatusOK || !strings.Contains(p.Body, "<bdi>Rosalind") {
		t.Errorf("allowed: got %d:\n%s", p.Status, p.Body)
	}
	out := ada.Carry(s)
	for _, path := range []string{"/", "/user", "/probe/tasks"} {
		if p := out.Get(path); p.Status != http.StatusForbidden || !strings.Contains(p.Body, "orcid.org") || strings.Contains(p.Body, "Photo") {
			t.Errorf("%s: got %d, want a refusal:\n%s", path, p.Status, p.Body)
		}
		if p := out.Get(path, routestest.Htmx...); p.Status != http.StatusForbidden || strings.Contains(p.Body, "<html") || !strings.Contains(p.Body, "orcid.org") {
			t.Errorf("%s for htmx: got %d, want a refusal in place:\n%s", path, p.Status, p.Body)
		}
	}
	// The ways on: to sign out, or to come as somebody else.
	if p := out.Follow(out.Send(http.MethodPost, "/logout", out.Get("/").Form())); !p.Has("signed-out") {
		t.Errorf("cannot sign out: %d\n%s", p.Status, p.Body)
	}
	out = ada.Carry(s)
	if p := out.Enter("/login?prompt=login", routestest.As("ada")); p.Status != http.StatusOK || !strings.Contains(p.Body, "<bdi>Ada") {
		t.Errorf("cannot come as another identity: %d\n%s", p.Status, p.Body)
	}
}

// TestPolicyGroupLost: a person who leaves the group is refused with the first request
// after five minutes, POST or GET. If Groups cannot be reached, the last known groups
// count for an hour.
func TestPolicyGroupLost(t *testing.T) {
	t.Parallel()
	var c routestest.Clock
	s := routestest.Start(t, routestest.Options{Policy: demoLab, Now: c.Now})
	b := s.Browser()
	form := b.Enter("/login", routestest.As("rosalind")).Form("token", "access")
	asked := func() int { return s.Globus.Requests(globustest.MyGroupsPath) }
	status := func() int { return b.Get("/user").Status }

	before := asked()
	if status() != http.StatusOK || asked() != before {
		t.Error("asked again at once")
	}
	s.Globus.Lie(routestest.Down(globustest.MyGroupsPath))
	c.Pass(50 * time.Minute)
	for range 3 {
		if got := status(); got != http.StatusOK {
			t.Errorf("Groups down: got %d, want what was last known", got)
		}
	}
	if got := asked() - before; got != 1 {
		t.Errorf("a Globus that is down was asked %d times, want once, and then left alone", got)
	}
	told := s.LogLines("access policy not refreshed; using last known facts")
	if len(told) != 1 || told[0]["remedy"] == nil || told[0]["session"] == nil {
		t.Errorf("the log does not say what to do: %v", told)
	}
	c.Pass(11 * time.Minute)
	if p := b.Get("/user"); p.Status != http.StatusForbidden || p.Reason() != "policy_unverifiable" {
		t.Errorf("Groups down for an hour: got %d, want 403:\n%s", p.Status, p.Body)
	}
	s.Globus.Lie(globustest.Lie{})
	c.Pass(11 * time.Second) // it is left alone for ten
	if got := status(); got != http.StatusOK {
		t.Errorf("Groups back: got %d", got)
	}

	s.Globus.Lie(globustest.Lie{Group: globustest.Edit{Set: map[string]any{"my_memberships": json.RawMessage("[]")}}})
	if got := status(); got != http.StatusOK {
		t.Errorf("within five minutes: got %d, want what was last known", got)
	}
	c.Pass(6 * time.Minute)
	if p := b.Send(http.MethodPost, "/tokens/show", form); p.Status != http.StatusForbidden || p.Reason() != "policy" {
		t.Errorf("later: the first form gets %d, want her out", p.Status)
	}
	s.Globus.Lie(globustest.Lie{})
	c.Pass(6 * time.Minute)
	if got := status(); got != http.StatusOK {
		t.Errorf("in the group again: got %d, want her in", got)
	}
}

// TestPolicyAsksOnce: Globus is asked once how somebody signed in, and once for their
// groups by all requests of a session that wait.
func TestPolicyAsksOnce(t *testing.T) {
	t.Parallel()
	var c routestest.Clock
	s := routestest.Start(t, routestest.Options{Policy: globus.Policy{Domains: []string{"example.edu"}, Groups: demoLab.Groups}, Now: c.Now})
	b := s.Browser()
	b.Enter("/login", routestest.As("rosalind"))
	introspected, listed := s.Globus.Requests(globustest.IntrospectPath), s.Globus.Requests(globustest.MyGroupsPath)
	arrived, wait := make(chan struct{}, 24), make(chan struct{})
	s.Globus.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.MyGroupsPath: {Arrived: arrived, Wait: wait}}})
	c.Pass(30 * time.Hour)
	var requests sync.WaitGroup
	for i := range 24 {
		requests.Go(func() {
			if p, err := b.Try(t.Context(), http.MethodGet, []string{"/", "/user"}[i%2], nil); err != nil || p.Status != http.StatusOK {
				t.Errorf("got %d, %v", p.Status, err)
			}
		})
	}
	<-arrived
	close(wait)
	requests.Wait()
	if got := s.Globus.Requests(globustest.MyGroupsPath) - listed; got < 1 || got > 2 { // the second by one who came late
		t.Errorf("Globus was asked for groups %d times, want once", got)
	}
	if got := s.Globus.Requests(globustest.IntrospectPath) - introspected; got != 0 {
		t.Errorf("Globus was asked %d times more how they signed in", got)
	}
}

// TestRequire: one route may demand more than the app does. What it needs to know
// is asked for when it is first needed, and its button leads to a sign-in that
// can satisfy it.
func TestRequire(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		policy globus.Policy
		first  url.Values // how they signed in
		reason string     // of the first answer
		asks   url.Values // what its button asks Globus for
		at     []string   // what they do there
		want   int        // then
	}{
		{"a group", demoLab, routestest.As("rosalind"), "requirements", url.Values{"scope": {globus.GroupsScope}}, []string{"allow", "1"}, 200},
		{"another's group", demoLab, routestest.As("sub-only"), "requirements", url.Values{"scope": {globus.GroupsScope}}, []string{"allow", "1"}, 403},
		{"a second factor", globus.Policy{MFA: true}, routestest.As("rosalind"), "policy_unverifiable", url.Values{"session_required_mfa": {"true"}}, []string{"person", "rosalind", "mfa", "1"}, 200},
		{"a second factor, which they had", globus.Policy{MFA: true}, routestest.WithMFA("rosalind"), "", nil, nil, 200},
		{"a domain", domains("lab.example.org"), routestest.As("ada"), "policy", url.Values{"session_required_single_domain": {"lab.example.org"}}, []string{"identity", "7a1c2e40-3b5d-4f6e-8a90-1815121005aa"}, 200},
		{"an identity", globus.Policy{Identities: []string{"7a1c2e40-3b5d-4f6e-8a90-1815121005aa"}}, routestest.As("ada"), "policy",
			url.Values{"session_required_identities": {"7a1c2e40-3b5d-4f6e-8a90-1815121005aa"}}, []string{"identity", "7a1c2e40-3b5d-4f6e-8a90-1815121005aa"}, 200},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := routestest.Start(t, routestest.Options{})
			s.App.Handle("GET /probe/lab", s.App.Auth.Require(test.policy, func(w http.ResponseWriter, r *http.Request, _ *session.Session) error {
				return web.JSON(w, r, "you are in")
			}))
			if p := s.Browser().Get("/probe/lab"); p.Status != http.StatusSeeOther {
				t.Errorf("nobody: got %d, want to be sent to sign in", p.Status)
			}
			b := s.Browser()
			b.Enter("/login", test.first)
			p := b.Get("/probe/lab")
			if p.Reason() != test.reason {
				t.Fatalf("got %d %q, want %q:\n%s", p.Status, p.Reason(), test.reason, p.Body)
			}
			if home := b.Get("/"); home.Status != http.StatusOK {
				t.Errorf("elsewhere: got %d", home.Status)
			}
			if test.asks != nil {
				begun := b.Get(cmp.Or(p.Link(".step-up"), p.Link(".way")))
				asked := begun.AuthorizeRequest(t, s)
				for name, want := range test.asks {
					if !strings.Contains(asked.Get(name), want[0]) {
						t.Errorf("Globus is asked for %s %q, want %q", name, asked.Get(name), want[0])
					}
				}
				if back := b.AtGlobus(begun, test.at...); back.Header.Get("Location") != s.URL+"/probe/lab" {
					t.Fatalf("came back to %q: %d\n%s", back.Header.Get("Location"), back.Status, back.Body)
				}
				p = b.Get("/probe/lab")
			}
			if p.Status != test.want {
				t.Errorf("got %d, want %d:\n%s", p.Status, test.want, p.Body)
			}
		})
	}
}

// TestAllows: a template learns what the route would decide, hours later too. For a
// group it is false until the person has consented that Globus is asked.
func TestAllows(t *testing.T) {
	t.Parallel()
	var c routestest.Clock
	s := routestest.Start(t, routestest.Options{Now: c.Now})
	s.App.Handle("GET /probe/lab", s.App.Auth.Require(demoLab, func(w http.ResponseWriter, r *http.Request, _ *session.Session) error {
		return web.JSON(w, r, "you are in")
	}))
	s.App.HandleFunc("GET /probe/button", func(w http.ResponseWriter, r *http.Request) error {
		who, err := s.App.Auth.Session(r)
		if err != nil {
			return err
		}
		return web.JSON(w, r, s.App.Auth.Allows(who, demoLab))
	})
	for _, test := range []struct {
		person string
		want   string
	}{{"rosalind", "true"}, {"markup", "false"}} {
		b := s.Browser()
		shown := func() string { return strings.TrimSpace(b.Get("/probe/button").Body) }
		if got := shown(); got != "false" {
			t.Errorf("nobody: got %s", got)
		}
		b.SignIn(test.person)
		if got := shown(); got != "false" {
			t.Errorf("%s, without consent: got %s", test.person, got)
		}
		b.AtGlobus(b.Get(b.Get("/probe/lab").Link(".step-up")), "allow", "1")
		for range 2 {
			if got := shown(); got != test.want {
				t.Errorf("%s: got %s, want %s", test.person, got, test.want)
			}
			c.Pass(2 * time.Hour)
		}
	}
}

// TestPolicyStepUp: after a step-up about which Globus returns no authentications, the
// earlier ones hold; if it returns some, they hold from the next request on.
func TestPolicyStepUp(t *testing.T) {
	t.Parallel()
	s := routestest.StartWithProbes(t, routestest.Options{Policy: domains("example.edu")})
	wanting(s, func() *globus.Requirements { return &globus.Requirements{MFA: true} })
	b := s.Browser()
	b.Enter("/login", routestest.As("rosalind"))
	s.Globus.Lie(saysNothing(globustest.Lie{}))
	if back := b.AtGlobus(beginStepUp(t, b), "person", "rosalind", "mfa", "1"); back.Header.Get("Location") != s.URL+"/probe/wanting" || !b.SignedIn() || b.Get("/").Status != http.StatusOK {
		t.Fatalf("got %d to %q:\n%s", back.Status, back.Header.Get("Location"), back.Body)
	}
	s.Globus.Lie(globustest.Lie{Introspection: globustest.Edit{Set: map[string]any{"identity_set_detail": []any{
		map[string]any{"sub": "7a1c2e40-3b5d-4f6e-8a90-1920072501aa", "username": "rosalind@elsewhere.example"},
	}}}})
	b.AtGlobus(beginStepUp(t, b), "person", "rosalind", "mfa", "1")
	if p := b.Get("/"); p.Status != http.StatusForbidden || p.Reason() != "policy" {
		t.Errorf("a domain that is not allowed any more: got %d at %s, want a refusal:\n%s", p.Status, p.URL, p.Body)
	}
}

// TestPolicyManyGroups: a person in any number of other groups is still in theirs, and
// the other groups are not kept.
func TestPolicyManyGroups(t *testing.T) {
	t.Parallel()
	someone := globustest.DemoPeople()[0]
	own := someone.Groups
	someone.Groups = nil
	for i := range 300 { // the race detector makes more of them slow to read
		someone.Groups = append(someone.Groups, globustest.Membership{Group: fmt.Sprintf("00000000-1a2b-4c3d-8e4f-%012d", i), Name: "Another"})
	}
	someone.Groups = append(someone.Groups, own...)
	s := routestest.Start(t, routestest.Options{Policy: globus.Policy{Groups: []string{strings.ToUpper(globustest.DemoLab)}}, People: []globustest.Person{someone}})
	b := s.Browser()
	if p := b.Enter("/login", routestest.As(someone.Key)); p.Status != http.StatusOK {
		t.Errorf("got %d, want her in:\n%s", p.Status, p.Body)
	}
}
