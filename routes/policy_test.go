package routes_test

import (
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
)

// Ada's other identities, as buttons of the emulator's page.
var (
	adasORCID  = url.Values{"identity": {"7a1c2e40-3b5d-4f6e-8a90-1815121002aa"}}
	adasGoogle = url.Values{"identity": {"7a1c2e40-3b5d-4f6e-8a90-1815121003aa"}}
	adasLab    = url.Values{"identity": {"7a1c2e40-3b5d-4f6e-8a90-1815121005aa"}}
)

func as(person string) url.Values { return url.Values{"person": {person}} }

func withMFA(person string) url.Values { return url.Values{"person": {person}, "mfa": {"1"}} }

func domains(names ...string) globus.Policy { return globus.Policy{Domains: names} }

var demoLab = globus.Policy{Groups: []string{globustest.DemoLab}}

// enter asks for a page, answers Globus's page so, and returns what comes of it.
func (b *browser) enter(path string, answer url.Values) page {
	b.t.Helper()
	chooser := b.follow(b.get(path))
	if !strings.HasPrefix(chooser.url, b.site.auth.URL) {
		b.t.Fatalf("at %s, want to be asked at Globus", chooser.url)
	}
	return b.follow(b.send(http.MethodPost, chooser.url, answer))
}

func saysNothing(l globustest.Lie) globustest.Lie {
	l.Introspection = globustest.Edit{Set: map[string]any{"session_info": map[string]any{"authentications": nil}}}
	return l
}

func down(paths ...string) globustest.Lie {
	l := globustest.Lie{Endpoints: map[string]globustest.Fault{}}
	for _, path := range paths {
		l.Endpoints[path] = globustest.Fault{Status: 503}
	}
	return l
}

func TestPolicy(t *testing.T) {
	domainAndGroup := globus.Policy{Domains: []string{"example.edu"}, Groups: []string{globustest.DemoLab}}
	tests := []struct {
		name       string
		policy     globus.Policy
		lie        globustest.Lie
		answer     url.Values
		wantStatus int
		want       []string
	}{
		{"an allowed domain", domains("example.com", "example.edu"), globustest.Lie{}, as("rosalind"), 200, []string{"Hello", "Rosalind"}},
		{"another identity, of an allowed domain", domains("lab.example.org"), globustest.Lie{}, adasLab, 200, []string{"Ada Lovelace"}},
		{"another identity, of no allowed domain", domains("example.edu"), globustest.Lie{}, adasORCID, 403,
			[]string{"You may not enter as this identity", "0000-0001-2345-6789@orcid.org", "ORCID", "an identity of example.edu", "prompt=login", globustest.IdentitiesPath}},
		{"an allowed identity is merely linked", domains("lab.example.org"), globustest.Lie{}, as("ada"), 403, []string{"ada@example.edu", "lab.example.org"}},
		{"two @, the allowed one first", domains("globus.org"), globustest.Lie{}, adasGoogle, 403, []string{"ada@globus.org@accounts.google.com"}},
		{"the end of an allowed domain", domains("ample.edu"), globustest.Lie{}, as("rosalind"), 403, []string{"rosalind@example.edu"}},
		{"above an allowed domain", domains("cs.example.edu"), globustest.Lie{}, as("rosalind"), 403, nil},
		{"nothing but an id", domains("example.edu"), globustest.Lie{}, as("sub-only"), 403, []string{"7a1c2e40-3b5d-4f6e-8a90-0000000001aa", "not given"}},
		{"hostile names", domains("example.edu"), globustest.Lie{}, as("markup"), 403, []string{"&lt;i&gt;Example Laboratory"}},

		{"in the group", demoLab, globustest.Lie{}, as("rosalind"), 200, nil},
		{"in the group by a linked identity", demoLab, globustest.Lie{}, as("ada"), 200, nil},
		{"not yet in the group", demoLab, globustest.Lie{}, as("markup"), 403, []string{"pending", "app.globus.org/groups/" + globustest.DemoLab}},
		{"in no group", demoLab, globustest.Lie{}, as("sub-only"), 403, []string{"active member of the group"}},
		{"groups down", demoLab, down(globustest.MyGroupsPath), as("rosalind"), 503, []string{"Nobody was signed in"}},

		{"a second factor", globus.Policy{MFA: true}, globustest.Lie{}, withMFA("rosalind"), 200, nil},
		{"no second factor", globus.Policy{MFA: true}, globustest.Lie{}, as("rosalind"), 403, []string{"a second factor"}},

		{"both rules hold", domainAndGroup, globustest.Lie{}, as("rosalind"), 200, nil},
		{"one of two does not", domainAndGroup, globustest.Lie{}, adasORCID, 403, nil},
		{"introspection down", domains("example.edu"), down(globustest.IntrospectPath), as("rosalind"), 503, []string{"Nobody was signed in"}},
		{"introspection about somebody else", domains("example.edu"),
			globustest.Lie{Introspection: globustest.Edit{Set: map[string]any{"sub": "7a1c2e40-3b5d-4f6e-8a90-000000000bad"}}}, as("rosalind"), 503, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := start(t, options{policy: test.policy})
			s.auth.Lie(test.lie)
			b := s.browser()
			p := b.enter("/login", test.answer)
			if strings.HasPrefix(p.url, s.auth.URL) { // asked again, for Globus had not said enough
				p = b.follow(b.send(http.MethodPost, p.url, test.answer))
			}
			if p.status != test.wantStatus {
				t.Errorf("got %d, want %d:\n%s", p.status, test.wantStatus, p.body)
			}
			for _, want := range test.want {
				if !strings.Contains(p.body, want) {
					t.Errorf("the page does not say %q:\n%s", want, p.body)
				}
			}
			if test.wantStatus == http.StatusOK {
				return
			}
			if _, cookie := b.cookie("session"); cookie != "" || s.auth.LiveTokens() != 0 || b.signedIn() {
				t.Errorf("there is a session, or %d tokens live on", s.auth.LiveTokens())
			}
		})
	}
}

// TestPolicyAsksAgain: where Globus let a person through without asking who they
// are, it is told to ask, once.
func TestPolicyAsksAgain(t *testing.T) {
	s := start(t, options{policy: domains("example.edu")})
	b := s.browser()
	s.auth.Lie(saysNothing(globustest.Lie{}))
	again := b.enter("/login?next=/transfers", as("rosalind"))
	u, err := url.Parse(again.url)
	if err != nil || u.Query().Get("prompt") != "login" || u.Query().Get("session_required_single_domain") != "example.edu" {
		t.Fatalf("at %s, want to be asked at Globus again", again.url)
	}
	p := b.follow(b.send(http.MethodPost, again.url, as("rosalind")))
	if p.status != http.StatusForbidden || !strings.Contains(p.body, "Globus does not say whether that is so") || s.auth.LiveTokens() != 0 {
		t.Errorf("still nothing: got %d at %s, %d live tokens, want a refusal:\n%s", p.status, p.url, s.auth.LiveTokens(), p.body)
	}
	if !strings.Contains(p.body, "login?next=%2Ftransfers&amp;prompt=login") {
		t.Error("the way in forgets where the person was going")
	}

	b = s.browser()
	again = b.enter("/login?next=/transfers", as("rosalind"))
	s.auth.Lie(globustest.Lie{})
	if p := b.follow(b.send(http.MethodPost, again.url, as("rosalind"))); p.status != http.StatusOK || p.url != s.url+"/transfers" {
		t.Errorf("asked: got %d at %s, want the transfers", p.status, p.url)
	}
}

// carry gives the other site's browser the session of b: the same app on another port.
func (b *browser) carry(to *site) *browser {
	b.t.Helper()
	_, session := b.cookie("session")
	other := to.browser()
	other.get("/")
	csrf, _ := other.cookie("csrf")
	address, _ := url.Parse(to.url)
	other.http.Jar.SetCookies(address, []*http.Cookie{{Name: strings.Replace(csrf, "csrf", "session", 1), Value: session, Path: "/"}})
	return other
}

// TestPolicyTurnedOn: it holds at once for those who are signed in.
func TestPolicyTurnedOn(t *testing.T) {
	before := start(t, options{})
	rosalind, ada := before.browser(), before.browser()
	rosalind.enter("/login", as("rosalind"))
	ada.enter("/login", adasORCID)

	s := start(t, options{dir: before.dir, auth: before.auth, policy: domains("example.edu")})
	if p := rosalind.carry(s).get("/"); p.status != http.StatusOK || !strings.Contains(p.body, "Hello <bdi>Rosalind") {
		t.Errorf("allowed: got %d:\n%s", p.status, p.body)
	}
	out := ada.carry(s)
	for _, path := range []string{"/", "/user", "/transfers"} {
		if p := out.get(path); p.status != http.StatusForbidden || !strings.Contains(p.body, "orcid.org") || strings.Contains(p.body, "Photo") {
			t.Errorf("%s: got %d, want a refusal:\n%s", path, p.status, p.body)
		}
		if p := out.get(path, htmx...); p.status != http.StatusForbidden || strings.Contains(p.body, "<html") || !strings.Contains(p.body, "orcid.org") {
			t.Errorf("%s for htmx: got %d, want a refusal in place:\n%s", path, p.status, p.body)
		}
	}
	// The ways on: to sign out, or to come as somebody else.
	if p := out.follow(out.send(http.MethodPost, "/logout", out.get("/").form())); !strings.Contains(p.body, "You are signed out here") {
		t.Errorf("cannot sign out: %d\n%s", p.status, p.body)
	}
	out = ada.carry(s)
	if p := out.enter("/login?prompt=login", as("ada")); p.status != http.StatusOK || !strings.Contains(p.body, "Hello <bdi>Ada") {
		t.Errorf("cannot come as another identity: %d\n%s", p.status, p.body)
	}
}

// TestPolicyGroupLost: who leaves the group is out some minutes later; that
// Groups cannot be reached is no reason for an hour.
func TestPolicyGroupLost(t *testing.T) {
	var c clock
	s := start(t, options{policy: demoLab, now: c.now})
	b := s.browser()
	b.enter("/login", as("rosalind"))
	asked := s.auth.Requests(globustest.MyGroupsPath)
	status := func() int { return b.get("/user").status }

	if status() != http.StatusOK || s.auth.Requests(globustest.MyGroupsPath) != asked {
		t.Error("asked again at once")
	}
	s.auth.Lie(down(globustest.MyGroupsPath))
	c.pass(50 * time.Minute)
	for range 3 {
		if got := status(); got != http.StatusOK {
			t.Errorf("Groups down: got %d, want what was last known", got)
		}
	}
	s.app.Idle() // it is asked in the background
	if s.auth.Requests(globustest.MyGroupsPath) == asked {
		t.Error("it was not asked")
	}
	told := s.lines("who may enter is decided as last known")
	if len(told) == 0 || !strings.Contains(fmt.Sprint(told[0]["remedy"]), "https://status.globus.org") || told[0]["session"] == nil {
		t.Errorf("the log does not say what to do: %v", told)
	}
	c.pass(11 * time.Minute)
	if p := b.get("/user"); p.status != http.StatusForbidden || !strings.Contains(p.body, "does not say") {
		t.Errorf("Groups down for an hour: got %d, want 403:\n%s", p.status, p.body)
	}
	s.auth.Lie(globustest.Lie{})
	c.pass(11 * time.Second) // it is left alone for ten
	if got := status(); got != http.StatusOK {
		t.Errorf("Groups back: got %d", got)
	}

	s.auth.Lie(globustest.Lie{Group: globustest.Edit{Set: map[string]any{"my_memberships": json.RawMessage("[]")}}})
	if got := status(); got != http.StatusOK {
		t.Errorf("within five minutes: got %d, want what was last known", got)
	}
	c.pass(6 * time.Minute)
	status() // which asks
	s.app.Idle()
	if got := status(); got != http.StatusForbidden {
		t.Errorf("later: got %d, want her out", got)
	}
	s.auth.Lie(globustest.Lie{})
	c.pass(6 * time.Minute)
	status()
	s.app.Idle()
	if got := status(); got != http.StatusOK {
		t.Errorf("in the group again: got %d, want her in", got)
	}
}

// TestPolicySessionKept: how somebody signed in stays true when their session at
// Globus has ended; what Globus says anew counts. Tokens that were replaced to
// learn it are revoked.
func TestPolicySessionKept(t *testing.T) {
	var c clock
	s := start(t, options{policy: domains("example.edu"), now: c.now})
	b := s.browser()
	b.enter("/login", as("rosalind"))
	live := s.auth.LiveTokens()
	renewed := func() {
		t.Helper()
		asked := s.auth.Requests(globustest.IntrospectPath)
		c.pass(61 * time.Minute)
		b.get("/user")
		s.app.Idle() // it is asked, and what it says kept, in the background
		if s.auth.Requests(globustest.IntrospectPath) == asked {
			t.Error("Globus is not asked anew")
		}
	}
	s.auth.Lie(saysNothing(globustest.Lie{}))
	renewed()
	s.auth.Lie(down(globustest.IntrospectPath))
	renewed()
	if p := b.get("/user"); p.status != http.StatusOK {
		t.Errorf("got %d, want what was last known:\n%s", p.status, p.body)
	}
	if got := s.auth.LiveTokens(); got != live {
		t.Errorf("%d tokens live, want %d: those that were replaced revoked", got, live)
	}
	s.auth.Lie(globustest.Lie{Introspection: globustest.Edit{Set: map[string]any{"identity_set_detail": []any{
		map[string]any{"sub": "7a1c2e40-3b5d-4f6e-8a90-1920072501aa", "username": "rosalind@elsewhere.example"},
	}}}})
	renewed()
	if p := b.get("/user"); p.status != http.StatusForbidden {
		t.Errorf("got %d, want that what Globus says anew counts:\n%s", p.status, p.body)
	}
}

// TestRequire: one route may demand more than the app does.
func TestRequire(t *testing.T) {
	s := start(t, options{})
	s.app.Require("GET /lab", globus.Policy{Identities: []string{"7a1c2e40-3b5d-4f6e-8a90-1815121005aa"}})
	b := s.browser()
	b.enter("/login", as("ada"))
	if p := b.get("/lab"); p.status != http.StatusForbidden || !strings.Contains(p.body, "ada@example.edu") {
		t.Errorf("another identity: got %d, want a refusal:\n%s", p.status, p.body)
	}
	if p := b.get("/"); p.status != http.StatusOK {
		t.Errorf("elsewhere: got %d", p.status)
	}
	b = s.browser()
	b.enter("/login", adasLab)
	if p := b.get("/lab"); p.status != http.StatusOK || !strings.Contains(p.body, "You are in") {
		t.Errorf("the identity: got %d:\n%s", p.status, p.body)
	}
	if p := s.browser().get("/lab"); p.status != http.StatusSeeOther {
		t.Errorf("nobody: got %d, want to be sent to sign in", p.status)
	}
}

// TestPolicyStepUp: who may enter is decided of a step up too; that Globus says
// nothing of how they signed in this time does not undo how they did.
func TestPolicyStepUp(t *testing.T) {
	s := start(t, options{policy: domains("example.edu")})
	b := s.browser()
	b.enter("/login", as("rosalind"))
	path := "/browse/" + place(t, "Example University Research Storage").ID
	s.auth.Lie(saysNothing(globustest.Lie{}))
	p := b.enter(path, url.Values{"allow": {"1"}})
	if p.status != http.StatusOK || p.url != s.url+path {
		t.Fatalf("got %d at %s, want the folder:\n%s", p.status, p.url, p.body)
	}
	s.auth.Lie(globustest.Lie{Introspection: globustest.Edit{Set: map[string]any{"identity_set_detail": []any{
		map[string]any{"sub": "7a1c2e40-3b5d-4f6e-8a90-1920072501aa", "username": "rosalind@elsewhere.example"},
	}}}})
	live := s.auth.LiveTokens()
	p = b.enter("/browse/"+place(t, "Example Supercomputer scratch").ID, withMFA("rosalind"))
	if p.status != http.StatusForbidden || !strings.Contains(p.body, "You may not enter as this identity") {
		t.Errorf("a domain that is not allowed any more: got %d at %s, want a refusal:\n%s", p.status, p.url, p.body)
	}
	if !b.signedIn() || s.auth.LiveTokens() != live {
		t.Errorf("the session is not as it was: %d live tokens, want %d", s.auth.LiveTokens(), live)
	}
}

// TestPolicyAsksSparingly: many requests of a session are one question, and a
// Globus that does not answer is left alone for a while.
func TestPolicyAsksSparingly(t *testing.T) {
	var c clock
	s := start(t, options{policy: domains("example.edu"), now: c.now})
	b := s.browser()
	b.enter("/login", as("rosalind"))
	asked := func() int { return s.auth.Requests(globustest.IntrospectPath) }
	all := func() {
		var requests sync.WaitGroup
		for i := range 24 {
			requests.Go(func() {
				if p, err := b.try(t.Context(), http.MethodGet, []string{"/", "/user", "/transfers"}[i%3], nil); err != nil || p.status != http.StatusOK {
					t.Errorf("got %d, %v", p.status, err)
				}
			})
		}
		requests.Wait()
	}
	before := asked()
	wait := make(chan struct{})
	s.auth.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.IntrospectPath: {Wait: wait}}})
	c.pass(61 * time.Minute)
	all() // while Globus thinks
	close(wait)
	s.app.Idle()
	if got := asked() - before; got < 1 || got > 2 { // the second by one who came late
		t.Errorf("Globus was asked %d times, want once", got)
	}

	s.auth.Lie(down(globustest.IntrospectPath))
	c.pass(61 * time.Minute)
	all()
	s.app.Idle()
	before = asked()
	all()
	s.app.Idle()
	if got := asked() - before; got > 0 {
		t.Errorf("a Globus that is down was asked %d times more, want to leave it alone", got)
	}
}

// TestPolicyManyGroups: whoever is put into any number of other groups is still
// in theirs, and those others are not kept.
func TestPolicyManyGroups(t *testing.T) {
	someone := globustest.DemoPeople()[0]
	own := someone.Groups
	someone.Groups = nil
	for i := range 1500 {
		someone.Groups = append(someone.Groups, globustest.Membership{Group: fmt.Sprintf("00000000-1a2b-4c3d-8e4f-%012d", i), Name: "Another"})
	}
	someone.Groups = append(someone.Groups, own...)
	s := start(t, options{policy: globus.Policy{Groups: []string{strings.ToUpper(globustest.DemoLab)}}, people: []globustest.Person{someone}})
	b := s.browser()
	if p := b.enter("/login", as(someone.Key)); p.status != http.StatusOK {
		t.Errorf("got %d, want her in:\n%s", p.status, p.body)
	}
}
