package globus_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"example.org/portal/globus"
)

const (
	campusIdP = "0dc3a1f0-6f5b-4a43-9d0e-5b1f2f6a7c01"
	googleIdP = "0dc3a1f0-6f5b-4a43-9d0e-5b1f2f6a7c03"
	refeds    = "https://refeds.org/profile/mfa"
)

var noon = time.Unix(1_800_000_000, 0)

// with returns facts about somebody who signed in with these.
func with(auths ...globus.Authentication) globus.Facts {
	return globus.Facts{Subject: uuid1, Authentications: auths, SessionAsked: noon}
}

func as(username string) globus.Authentication {
	return globus.Authentication{Identity: uuid1, Username: username, Provider: campusIdP, Time: noon}
}

func byAMR(username string, methods ...string) globus.Authentication {
	a := as(username)
	a.AMR = methods
	return a
}

func byACR(username, class string) globus.Authentication {
	a := as(username)
	a.ACR = class
	return a
}

func member(at time.Time, groups map[string]globus.MembershipStatus) globus.Facts {
	return globus.Facts{Subject: uuid1, Groups: groups, GroupsAsked: at}
}

func TestDecide(t *testing.T) {
	type groups = map[string]globus.MembershipStatus
	edu := globus.Policy{Domains: []string{"example.edu", "lab.example.org"}}
	mfa := globus.Policy{MFA: true}
	eduMFA := globus.Policy{Domains: []string{"example.edu"}, MFA: true}
	lab := globus.Policy{Groups: []string{uuid1, strings.ToUpper(uuid2)}}
	campusOnly := globus.Policy{Providers: []string{campusIdP}}
	me := globus.Policy{Identities: []string{uuid2, uuid1}}
	both := globus.Policy{Domains: []string{"example.edu"}, Groups: []string{uuid1}}
	tests := []struct {
		name   string
		policy globus.Policy
		facts  globus.Facts
		want   string // verdict, rule, and what they came with
	}{
		{"nothing is asked", globus.Policy{}, globus.Facts{}, "allowed  []"},
		{"empty lists", globus.Policy{Domains: []string{}, Groups: []string{}}, globus.Facts{}, "allowed  []"},

		{"domain", edu, with(as("rosalind@example.edu")), "allowed  []"},
		{"the other domain", edu, with(as("x@lab.example.org")), "allowed  []"},
		{"capitals", edu, with(as("Rosalind@Example.EDU")), "allowed  []"},
		{"capitals in the policy", globus.Policy{Domains: []string{"Example.Edu"}}, with(as("x@example.edu")), "allowed  []"},
		{"another domain", edu, with(as("x@example.com")), "refused domain [x@example.com]"},
		{"below an allowed one", edu, with(as("x@evil.example.edu")), "refused domain [x@evil.example.edu]"},
		{"above an allowed one", edu, with(as("x@example.org")), "refused domain [x@example.org]"},
		{"ends like an allowed one", edu, with(as("x@notexample.edu")), "refused domain [x@notexample.edu]"},
		{"begins like an allowed one", edu, with(as("x@example.edu.evil.example")), "refused domain [x@example.edu.evil.example]"},
		{"two @, the allowed one last", edu, with(as("x@evil.example@example.edu")), "refused domain [x@evil.example@example.edu]"},
		{"two @, the allowed one first", edu, with(as("x@example.edu@accounts.google.com")), "refused domain [x@example.edu@accounts.google.com]"},
		{"two @ at once", edu, with(as("x@@example.edu")), "refused domain [x@@example.edu]"},
		{"@ at the end", edu, with(as("x@example.edu@")), "refused domain [x@example.edu@]"},
		{"no @", edu, with(as("example.edu")), "refused domain [example.edu]"},
		{"nothing after @", edu, with(as("example.edu@")), "refused domain [example.edu@]"},
		{"nothing before @", edu, with(as("@example.edu")), "refused domain [@example.edu]"},
		{"dot at the end", edu, with(as("x@example.edu.")), "refused domain [x@example.edu.]"},
		{"blank", edu, with(as("x@example.edu ")), "refused domain [x@example.edu ]"},
		{"no user name", edu, with(as("")), "unverifiable domain []"},
		{"Kelvin sign", globus.Policy{Domains: []string{"kelvin.example"}}, with(as("x@\u212Aelvin.example")), "refused domain [x@\u212Aelvin.example]"},
		{"a policy that is no domain", globus.Policy{Domains: []string{""}}, with(as("x@")), "refused domain [x@]"},
		{"Google as Google", globus.Policy{Domains: []string{"globus.org@accounts.google.com"}}, with(as("x@globus.org@accounts.google.com")), "refused domain [x@globus.org@accounts.google.com]"},
		{"several, one allowed", edu, with(as("x@gmail.com"), as("x@example.edu")), "allowed  []"},
		{"several, none allowed", edu, with(as("x@gmail.com"), as("x@example.com")), "refused domain [x@gmail.com x@example.com]"},
		{"several, one not known", edu, with(as("x@gmail.com"), as("")), "unverifiable domain [x@gmail.com]"},
		{"no authentication", edu, with(), "unverifiable domain []"},
		{"nothing known", edu, globus.Facts{}, "unverifiable domain []"},

		{"mfa by amr", mfa, with(byAMR("x", "pwd", "mfa")), "allowed  []"},
		{"mfa by acr", mfa, with(byACR("x", refeds)), "allowed  []"},
		{"a password", mfa, with(byAMR("x", "pwd")), "refused mfa [pwd]"},
		{"another class", mfa, with(byACR("x", refeds+"/no")), "refused mfa [" + refeds + "/no]"},
		{"capitals are another method", mfa, with(byAMR("x", "MFA")), "refused mfa [MFA]"},
		{"provider does not say", mfa, with(as("x")), "unverifiable mfa []"},
		{"provider says nothing", mfa, with(byAMR("x", "")), "unverifiable mfa []"},
		{"mfa, nothing known", mfa, globus.Facts{}, "unverifiable mfa []"},

		{"domain and mfa", eduMFA, with(byAMR("x@example.edu", "mfa")), "allowed  []"},
		{"domain without mfa", eduMFA, with(byAMR("x@example.edu", "pwd")), "refused mfa [pwd]"},
		{"mfa without domain", eduMFA, with(byAMR("x@gmail.com", "mfa")), "refused domain [x@gmail.com]"},
		{"one has the domain, the other mfa", eduMFA, with(byAMR("x@gmail.com", "mfa"), byAMR("x@example.edu", "pwd")), "refused mfa [pwd]"},

		{"provider", campusOnly, with(as("x")), "allowed  []"},
		{"another provider", campusOnly, with(globus.Authentication{Identity: uuid1, Provider: googleIdP}), "refused provider [" + googleIdP + "]"},
		{"no provider", campusOnly, with(globus.Authentication{Identity: uuid1}), "unverifiable provider []"},
		{"identity", me, with(as("x")), "allowed  []"},
		{"another identity", me, with(globus.Authentication{Identity: campusIdP, Username: "y"}), "refused identity [y]"},
		{"who they are seen as does not count", me, globus.Facts{Subject: uuid1}, "unverifiable identity []"},

		{"member", lab, member(noon, groups{uuid1: "active"}), "allowed  []"},
		{"member of the other", lab, member(noon, groups{uuid1: "pending", uuid2: "active"}), "allowed  []"},
		{"of another group", lab, member(noon, groups{campusIdP: "active"}), "refused group []"},
		{"invited", lab, member(noon, groups{uuid1: "invited", uuid2: "pending"}), "refused group [invited pending]"},
		{"of none", lab, member(noon, nil), "refused group []"},
		{"not known", lab, globus.Facts{Subject: uuid1}, "unverifiable group []"},
		{"as last known", lab, member(noon.Add(-time.Hour), groups{uuid1: "active"}), "allowed  []"},
		{"too long ago", lab, member(noon.Add(-time.Hour-time.Second), groups{uuid1: "active"}), "unverifiable group []"},

		{"all rules hold", both, globus.Facts{Authentications: with(as("x@example.edu")).Authentications, Groups: groups{uuid1: "active"}, GroupsAsked: noon}, "allowed  []"},
		{"one does not", both, globus.Facts{Authentications: with(as("x@example.edu")).Authentications, GroupsAsked: noon}, "refused group []"},
		{"nor does the other", both, globus.Facts{Authentications: with(as("x@example.com")).Authentications, Groups: groups{uuid1: "active"}, GroupsAsked: noon}, "refused domain [x@example.com]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := tt.policy.Decide(tt.facts, noon)
			if got := fmt.Sprint(d.Verdict, " ", d.Rule, " ", d.Came); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if d.Allowed() != (d.Verdict == globus.VerdictAllowed) {
				t.Error("it contradicts itself")
			}
			needed := map[globus.Rule][]string{
				globus.RuleDomain: tt.policy.Domains, globus.RuleGroup: tt.policy.Groups,
				globus.RuleIdentity: tt.policy.Identities, globus.RuleProvider: tt.policy.Providers,
			}
			if !reflect.DeepEqual(d.Needed, needed[d.Rule]) {
				t.Errorf("got %v as needed", d.Needed)
			}
			kept, err := json.Marshal(tt.facts)
			if err != nil {
				t.Fatal(err)
			}
			var again globus.Facts
			if err := json.Unmarshal(kept, &again); err != nil || !reflect.DeepEqual(tt.policy.Decide(again, noon), d) {
				t.Errorf("kept as %s they lead to %+v, %v", kept, tt.policy.Decide(again, noon), err)
			}
		})
	}
	if (globus.Decision{}).Allowed() {
		t.Error("the zero decision lets somebody in")
	}
}

func TestFacts(t *testing.T) {
	of := func(sub string, active bool) *globus.Introspection {
		return &globus.Introspection{Active: active, Subject: sub, Authentications: []globus.Authentication{as("x@example.edu")}}
	}
	tests := []struct {
		name  string
		facts globus.Facts
		in    *globus.Introspection
		want  bool // what it says is taken over
	}{
		{"theirs", globus.Facts{Subject: uuid1}, of(uuid1, true), true},
		{"somebody else's", globus.Facts{Subject: uuid1}, of(uuid2, true), false},
		{"one that has ended", globus.Facts{Subject: uuid1}, of(uuid1, false), false},
		{"nobody's", globus.Facts{}, of("", true), false},
		{"older ones go", with(as("x@example.edu")), of(uuid2, true), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := tt.facts.WithSession(tt.in, noon)
			if got := len(f.Authentications) == 1 && f.SessionAsked.Equal(noon); got != tt.want || len(f.Authentications) == 0 == tt.want {
				t.Errorf("got %+v", f)
			}
		})
	}

	list := func(status globus.MembershipStatus) []globus.Membership { return []globus.Membership{{Status: status}} }
	f := globus.Facts{Subject: uuid1}.WithGroups([]globus.Group{
		{ID: strings.ToUpper(uuid1), Memberships: list("active")}, {ID: uuid1, Memberships: list("pending")},
		{ID: uuid2, Memberships: list("invited")}, {ID: campusIdP}, {ID: "x", Memberships: list("active")},
	}, noon)
	if fmt.Sprint(f.Groups) != fmt.Sprintf("map[%s:active %s:invited]", uuid1, uuid2) || !f.GroupsAsked.Equal(noon) {
		t.Errorf("got %+v", f)
	}
	var many []globus.Group
	for i := range 3000 {
		many = append(many, globus.Group{ID: fmt.Sprintf("7a1c2e40-3b5d-4f6e-8a90-%012d", i), Memberships: list("pending")})
	}
	many = append(many, globus.Group{ID: campusIdP, Memberships: list("active")})
	if f = f.WithGroups(many, noon); len(f.Groups) != 1000 || f.Groups[campusIdP] != "active" {
		t.Errorf("%d groups are kept, the active one as %q", len(f.Groups), f.Groups[campusIdP])
	}
}

func TestPolicyAsks(t *testing.T) {
	tests := []struct {
		name       string
		policy     globus.Policy
		wantParams url.Values
		wantScopes string
		session    bool
		groups     bool
	}{
		{"nothing", globus.Policy{}, url.Values{}, "", false, false},
		{"domains", globus.Policy{Domains: []string{"a.example", "b.example"}}, url.Values{"session_required_single_domain": {"a.example,b.example"}}, globus.IdentitySetScope, true, false},
		{"mfa", globus.Policy{MFA: true}, url.Values{"session_required_mfa": {"true"}}, "", true, false},
		{"identity", globus.Policy{Identities: []string{uuid1}}, url.Values{"session_required_identities": {uuid1}}, "", true, false},
		{"identities", globus.Policy{Identities: []string{uuid1, uuid2}}, url.Values{}, "", true, false},
		{"provider", globus.Policy{Providers: []string{campusIdP}}, url.Values{}, "", true, false},
		{"groups", globus.Policy{Groups: []string{uuid1}}, url.Values{}, globus.GroupsScope, false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := asked(tt.policy.AuthCodeOptions()); !reflect.DeepEqual(got, tt.wantParams) {
				t.Errorf("got %v, want %v", got, tt.wantParams)
			}
			if got := tt.policy.Scopes().String(); got != tt.wantScopes {
				t.Errorf("got scopes %q, want %q", got, tt.wantScopes)
			}
			if tt.policy.NeedsSession() != tt.session || tt.policy.NeedsGroups() != tt.groups || tt.policy.Empty() != (!tt.session && !tt.groups) {
				t.Errorf("it needs session %t, groups %t", tt.policy.NeedsSession(), tt.policy.NeedsGroups())
			}
		})
	}
}

func TestPolicyCheck(t *testing.T) {
	tests := []struct {
		name   string
		policy globus.Policy
		want   string // in the error; empty: there is none
	}{
		{"empty", globus.Policy{}, ""},
		{"full", globus.Policy{Domains: []string{"Example.edu"}, Groups: []string{uuid1}, Identities: []string{strings.ToUpper(uuid1)}, Providers: []string{campusIdP}, MFA: true}, ""},
		{"an @", globus.Policy{Domains: []string{"a.example", "@example.edu"}}, `"@example.edu" is not a domain name`},
		{"a wildcard", globus.Policy{Domains: []string{"*.example.edu"}}, "not a domain name"},
		{"a blank", globus.Policy{Domains: []string{" example.edu"}}, "not a domain name"},
		{"two in one", globus.Policy{Domains: []string{"a.example,b.example"}}, "not a domain name"},
		{"nothing", globus.Policy{Domains: []string{""}}, "not a domain name"},
		{"not ASCII", globus.Policy{Domains: []string{"é.example"}}, "not a domain name"},
		{"a group's name", globus.Policy{Groups: []string{"My lab"}}, "the UUID of a group"},
		{"an identity's name", globus.Policy{Identities: []string{"a@example.edu"}}, "the UUID of an identity"},
		{"a provider's name", globus.Policy{Providers: []string{"ORCID"}}, "the UUID of an identity provider"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.policy.Check()
			if (err != nil) != (tt.want != "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
