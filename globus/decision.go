package globus

import (
	"slices"
	"strings"
	"time"
)

// A Decision is the decision of a Policy about a person. The zero value allows nobody.
type Decision struct {
	Verdict Verdict // whether they may enter

	// Rule is the first rule that failed, for the authentication that satisfied the
	// most rules; "" if Verdict is VerdictAllowed.
	Rule Rule

	// Needed is the rule's entries in the Policy; nil for RuleMFA.
	Needed []string

	// Came is what the person has instead, in the authentications that satisfied the
	// most rules: user names for RuleIdentity and RuleDomain, UUIDs of providers for
	// RuleProvider, acr and amr for RuleMFA, and for RuleGroup the status of their
	// memberships. It is empty if there is nothing, or it is not known.
	Came []string
}

// A Verdict is the outcome of a Decision. Only VerdictAllowed is a yes.
type Verdict string

// The verdicts.
const (
	VerdictAllowed      Verdict = "allowed"
	VerdictRefused      Verdict = "refused"      // a rule failed
	VerdictUnverifiable Verdict = "unverifiable" // Globus does not say, or was not asked: asking again may help
)

// Allowed reports whether the person may enter.
func (d Decision) Allowed() bool { return d.Verdict == VerdictAllowed }

// GroupsGood is how long a person's groups count after Globus was asked for them.
const GroupsGood = time.Hour

// Decide decides at now, from f alone, whether p allows the person. A rule about what is
// not known fails.
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
	// best is how many rules the best authentication satisfies; without one, the first rule fails.
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

// hold returns how many of rules, in their order, one authentication satisfies, and the
// verdict of the next one.
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

// among returns the verdict on whether value is one of entries, which form normalizes
// as value is. An empty value is not known.
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

// refedsMFA is the acr by which providers of research and education confirm a second
// factor (REFEDS MFA Profile).
const refedsMFA = "https://refeds.org/profile/mfa"

// mfa returns the verdict on whether there was more than one factor. It is unverifiable
// if the provider says nothing.
func (a Authentication) mfa() Verdict {
	switch {
	case a.ACR == refedsMFA || slices.Contains(a.AMR, "mfa"):
		return VerdictAllowed
	case a.ACR == "" && !slices.ContainsFunc(a.AMR, func(m string) bool { return m != "" }):
		return VerdictUnverifiable
	}
	return VerdictRefused
}
