package globus

import (
	"fmt"
	"strings"

	"golang.org/x/oauth2"
)

// A Policy says who may enter. Each of its fields is a rule that has to hold;
// within one, any entry will do. The zero value lets everybody in and asks for
// nothing.
//
// What counts is how the person signed in, not what they could have signed in
// with: one authentication of the app's session with Globus has to satisfy all
// of Identities, Providers, Domains and MFA at once. An identity that is merely
// linked may have been left behind years ago, and a second factor at one
// provider says nothing of another. There may be several authentications in a
// session, since one lasts until the browser is closed; each of them proves that
// the person holds that identity, so any one will do.
type Policy struct {
	// Domains are compared with what follows the first "@" in the user name of
	// the identity that was used (a user name such as ada@globus.org@accounts.google.com
	// is one of Google's), whole and without regard to case: lab.example.edu is not in
	// example.edu. E-mail addresses are not looked at, for Globus does not verify
	// them. Nil: any domain.
	Domains []string

	// Groups are UUIDs of Globus groups. An active membership of any of the
	// person's linked identities will do, as it does at Globus. Nil: any.
	Groups []string

	// MFA asks for more than one factor. It is verified by what the identity
	// provider says through Globus: an amr with "mfa" (RFC 8176, section 2), or an
	// acr that is the REFEDS MFA profile. Many providers say nothing, and those who
	// use them do not get in.
	MFA bool

	Identities []string // UUIDs of identities; nil: any
	Providers  []string // UUIDs of identity providers; nil: any
}

// A Rule is one of the rules of a Policy.
type Rule string

// The rules, in the order in which they are looked at.
const (
	RuleIdentity Rule = "identity"
	RuleProvider Rule = "provider"
	RuleDomain   Rule = "domain"
	RuleMFA      Rule = "mfa"
	RuleGroup    Rule = "group"
)

// Check reports which entries of p can never match, as they are not UUIDs or
// domain names, or nil.
func (p Policy) Check() error {
	lists := []struct {
		rule    Rule
		what    string
		entries []string
		form    func(string) string
	}{
		{RuleDomain, "a domain name such as example.edu", p.Domains, lowerDomain},
		{RuleGroup, "the UUID of a group", p.Groups, lowerUUID},
		{RuleIdentity, "the UUID of an identity", p.Identities, lowerUUID},
		{RuleProvider, "the UUID of an identity provider", p.Providers, lowerUUID},
	}
	for _, l := range lists {
		for _, entry := range l.entries {
			if l.form(entry) == "" {
				return fmt.Errorf("globus: %q is not %s", entry, l.what)
			}
		}
	}
	return nil
}

// Empty reports whether p lets everybody in.
func (p Policy) Empty() bool { return !p.NeedsSession() && !p.NeedsGroups() }

// NeedsSession reports whether p asks how the person signed in, which Introspect
// tells.
func (p Policy) NeedsSession() bool {
	return p.MFA || len(p.Domains)+len(p.Identities)+len(p.Providers) > 0
}

// NeedsGroups reports whether p asks for the person's groups, which Groups.Mine
// tells.
func (p Policy) NeedsGroups() bool { return len(p.Groups) > 0 }

// AuthCodeOptions makes Client.AuthCodeURL ask Globus for a session that p
// allows. That is a help to the person and no guarantee: the outcome is for
// Decide. There is no parameter for groups or identity providers.
func (p Policy) AuthCodeOptions() []oauth2.AuthCodeOption {
	var opts []oauth2.AuthCodeOption
	add := func(name, value string) {
		if value != "" {
			opts = append(opts, oauth2.SetAuthURLParam(name, value))
		}
	}
	// Several identities would all be asked for, where any will do.
	if len(p.Identities) == 1 {
		add(paramIdentities, p.Identities[0])
	}
	add(paramDomains, strings.Join(p.Domains, ","))
	if p.MFA {
		add(paramMFA, "true")
	}
	return opts
}

// Requirements returns what to ask Globus for so that somebody whom p did not
// let in, by the decision d, may come to satisfy it; nil if no sign-in of theirs
// can, as with groups and identity providers.
func (p Policy) Requirements(d Decision) *Requirements {
	r := &Requirements{Code: "AuthorizationRequired"}
	switch d.Rule {
	case RuleIdentity:
		if len(p.Identities) == 1 { // of several, all would be asked for, where any will do
			r.Identities = p.Identities
		}
	case RuleDomain:
		r.Domains = p.Domains
	case RuleMFA:
		r.MFA = true
	}
	if !r.asks() {
		return nil
	}
	r.Domains, r.MFA = p.Domains, p.MFA // one authentication has to satisfy all
	return r
}

// Scopes returns what the app has to ask for so that p can be decided, beside
// openid and profile: GroupsScope for Groups, IdentitySetScope for Domains.
func (p Policy) Scopes() Scopes {
	var scopes Scopes
	if len(p.Domains) > 0 {
		scopes = append(scopes, Scope{Name: IdentitySetScope})
	}
	if p.NeedsGroups() {
		scopes = append(scopes, Scope{Name: GroupsScope})
	}
	return scopes
}
