package globus

import (
	"fmt"
	"strings"

	"golang.org/x/oauth2"
)

// A Policy says who may enter. Each field is a rule, and all rules must hold; for one
// rule, any entry is enough. The zero value allows everybody.
//
// A Policy is about how the person signed in, not about how they could have: one
// authentication of the app's session with Globus must satisfy all of Identities,
// Providers, Domains and MFA at once. A linked identity may have been out of use for
// years, and a second factor at one provider says nothing about another. A session may
// have several authentications, because it lasts until the browser is closed; each
// proves that the person holds that identity, so any one is enough.
type Policy struct {
	// Domains are compared with what follows the first "@" in the user name of
	// the identity that was used (a user name such as ada@globus.org@accounts.google.com
	// is one of Google's), whole and without regard to case: lab.example.edu is not in
	// example.edu. E-mail addresses do not count, because Globus does not verify
	// them. Nil: any domain.
	Domains []string

	// Groups are UUIDs of Globus groups. An active membership of any of the
	// person's linked identities is enough, as at Globus. Nil: any.
	Groups []string

	// MFA requires more than one factor. The identity provider must confirm it
	// through Globus: by an amr with "mfa" (RFC 8176, section 2), or by an acr that is
	// the REFEDS MFA profile. Many providers confirm nothing; their users are refused.
	MFA bool

	Identities []string // UUIDs of identities; nil: any
	Providers  []string // UUIDs of identity providers; nil: any
}

// A Rule is one of the rules of a Policy.
type Rule string

// The rules, in the order in which they are checked.
const (
	RuleIdentity Rule = "identity"
	RuleProvider Rule = "provider"
	RuleDomain   Rule = "domain"
	RuleMFA      Rule = "mfa"
	RuleGroup    Rule = "group"
)

// Check returns an error if an entry of p is not a UUID or a domain name, so that it can
// never match.
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

// Empty reports whether p allows everybody.
func (p Policy) Empty() bool { return !p.NeedsSession() && !p.NeedsGroups() }

// NeedsSession reports whether p depends on how the person signed in, which Introspect
// returns.
func (p Policy) NeedsSession() bool {
	return p.MFA || len(p.Domains)+len(p.Identities)+len(p.Providers) > 0
}

// NeedsGroups reports whether p depends on the person's groups, which Groups.Mine
// returns.
func (p Policy) NeedsGroups() bool { return len(p.Groups) > 0 }

// AuthCodeOptions makes Client.AuthCodeURL ask Globus for a session that p allows. That
// is no guarantee: Decide checks the outcome. There is no parameter for groups or
// identity providers.
func (p Policy) AuthCodeOptions() []oauth2.AuthCodeOption {
	var opts []oauth2.AuthCodeOption
	add := func(name, value string) {
		if value != "" {
			opts = append(opts, oauth2.SetAuthURLParam(name, value))
		}
	}
	// Globus would ask for all of several identities, where any one is enough.
	if len(p.Identities) == 1 {
		add(paramIdentities, p.Identities[0])
	}
	add(paramDomains, strings.Join(p.Domains, ","))
	if p.MFA {
		add(paramMFA, "true")
	}
	return opts
}

// Requirements returns the requirements by which a person whom p refused with the
// decision d may come to satisfy p; nil if no sign-in can, as with groups and identity
// providers.
func (p Policy) Requirements(d Decision) *Requirements {
	r := &Requirements{Code: "AuthorizationRequired"}
	switch d.Rule {
	case RuleIdentity:
		if len(p.Identities) == 1 { // Globus would ask for all of several
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

// Scopes returns the scopes that p needs besides openid and profile: GroupsScope for
// Groups, IdentitySetScope for Domains.
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
