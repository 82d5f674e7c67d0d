package globus

import (
	"slices"
	"strings"
	"time"
)

// A Decision is what a Policy says of a person. The zero value lets nobody in.
type Decision struct {
	Verdict Verdict // whether they may enter

	// Rule is the first rule that did not hold, of the authentication that came
	// closest; "" if Verdict is VerdictAllowed.
	Rule Rule

	// Needed is what the rule asks for, as it stands in the Policy; nil for
	// RuleMFA.
	Needed []string

	// Came is what they came with instead, in the authentications that came
	// closest: the user names that they signed in with for RuleIdentity and
	// RuleDomain, UUIDs of providers for RuleProvider, acr and amr for RuleMFA, and
	// for RuleGroup how far they have come in a group that would do. Empty:
	// nothing, or it is not known.
	Came []string
}

// A Verdict is the outcome of a Decision. Only VerdictAllowed is a yes.
type Verdict string

// What may come of a Decision.
const (
	VerdictAllowed      Verdict = "allowed"
	VerdictRefused      Verdict = "refused"      // Globus says that a rule does not hold
	VerdictUnverifiable Verdict = "unverifiable" // Globus does not say, or was not asked: to ask again may help
)

// Allowed reports whether the person may enter.
func (d Decision) Allowed() bool { return d.Verdict == VerdictAllowed }

// GroupsGood is how long after Globus was asked a person's groups still count.
const GroupsGood = time.Hour

// Decide says whether p lets the person of whom f is known enter at now. It
// knows of nothing else, and asks nobody. What is not known does not hold.
func (p Policy) Decide(f Facts, now time.Time) Decision {
	if d := p.decideSession(f); !d.Allowed() {
		return d
	}
	return p.decideGroups(f, now)
}

func (p Policy) decideSession(f Facts) Decision {
	rules := p.sessionRules()
	if len(rules) == 0 {
		return Decision{Verdict: VerdictAllowed}
	}
	// How far the best of the authentications came. None fails at the first rule.
	best, verdict := 0, VerdictUnverifiable
	for i, auth := range f.Authentications {
		held, v := hold(rules, auth)
		if v == VerdictAllowed {
			return Decision{Verdict: VerdictAllowed}
		}
		if i == 0 || held > best || held == best && v == VerdictUnverifiable {
			best, verdict = held, v
		}
	}
	failed := rules[best]
	d := Decision{Verdict: verdict, Rule: failed.name, Needed: failed.needed}
	for _, auth := range f.Authentications {
		if held, _ := hold(rules, auth); held < best {
			continue
		}
		for _, came := range failed.came(auth) {
			if came != "" && !slices.Contains(d.Came, came) {
				d.Came = append(d.Came, came)
			}
		}
	}
	return d
}

// hold returns how many of rules hold for one authentication, one after the
// other, and what the next one says.
func hold(rules []sessionRule, auth Authentication) (held int, v Verdict) {
	for i, r := range rules {
		if v := r.verdict(auth); v != VerdictAllowed {
			return i, v
		}
	}
	return len(rules), VerdictAllowed
}

func (p Policy) decideGroups(f Facts, now time.Time) Decision {
	if !p.NeedsGroups() {
		return Decision{Verdict: VerdictAllowed}
	}
	d := Decision{Verdict: VerdictRefused, Rule: RuleGroup, Needed: p.Groups}
	if f.GroupsAsked.IsZero() || now.Sub(f.GroupsAsked) > GroupsGood {
		d.Verdict = VerdictUnverifiable
		return d
	}
	for _, id := range p.Groups {
		switch status := f.Groups[lowerUUID(id)]; {
		case status == MembershipActive:
			return Decision{Verdict: VerdictAllowed}
		case status != "" && !slices.Contains(d.Came, string(status)):
			d.Came = append(d.Came, string(status))
		}
	}
	return d
}

// A sessionRule is a rule about one authentication.
type sessionRule struct {
	name    Rule
	needed  []string
	verdict func(Authentication) Verdict
	came    func(Authentication) []string
}

// sessionRules lists the rules of p that are not empty.
func (p Policy) sessionRules() []sessionRule {
	username := func(a Authentication) []string { return []string{a.Username} }
	all := []sessionRule{
		{RuleIdentity, p.Identities, func(a Authentication) Verdict {
			return among(lowerUUID(a.Identity), p.Identities, lowerUUID)
		}, username},
		{RuleProvider, p.Providers, func(a Authentication) Verdict {
			return among(lowerUUID(a.Provider), p.Providers, lowerUUID)
		}, func(a Authentication) []string { return []string{a.Provider} }},
		{RuleDomain, p.Domains, func(a Authentication) Verdict {
			if a.Username != "" && domainOf(a.Username) == "" {
				return VerdictRefused
			}
			return among(domainOf(a.Username), p.Domains, lowerDomain)
		}, username},
	}
	rules := slices.DeleteFunc(all, func(r sessionRule) bool { return len(r.needed) == 0 })
	if p.MFA {
		rules = append(rules, sessionRule{RuleMFA, nil, Authentication.mfa, func(a Authentication) []string {
			return append([]string{a.ACR}, a.AMR...)
		}})
	}
	return rules
}

// among says whether value is one of entries, both in the one form that they are
// compared in. An empty value is not known.
func among(value string, entries []string, form func(string) string) Verdict {
	switch {
	case value == "":
		return VerdictUnverifiable
	case slices.ContainsFunc(entries, func(e string) bool { return form(e) == value }):
		return VerdictAllowed
	}
	return VerdictRefused
}

// domainOf returns what follows the first "@" of a user name, in lower case, or
// "" if nothing does, or nothing is before it. It is a domain name only if there
// is no second one.
func domainOf(username string) string {
	name, domain, _ := strings.Cut(username, "@")
	if name == "" {
		return ""
	}
	return asciiLower(domain)
}

// refedsMFA is what providers of research and education say of a second factor
// (REFEDS MFA Profile).
const refedsMFA = "https://refeds.org/profile/mfa"

// mfa says whether there was more than one factor. That a provider says nothing
// does not say that there was but one.
func (a Authentication) mfa() Verdict {
	switch {
	case a.ACR == refedsMFA || slices.Contains(a.AMR, "mfa"):
		return VerdictAllowed
	case a.ACR == "" && !slices.ContainsFunc(a.AMR, func(m string) bool { return m != "" }):
		return VerdictUnverifiable
	}
	return VerdictRefused
}
