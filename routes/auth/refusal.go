package auth

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

// A refusal is the error of a person whom a policy refuses. Its text is for the log,
// and names nobody.
type refusal struct {
	decision globus.Decision
	policy   globus.Policy
	who      globus.Identity
	facts    globus.Facts
	session  *session.Session // nil if they were signing in
}

func (e *refusal) Error() string {
	return fmt.Sprintf("policy: %s %s", e.decision.Rule, e.decision.Verdict)
}

// refused returns the problem to show for a refusal: who the person signed in as, what
// is required, and what they can do. next is where they were going; "" is the home page.
func (a *Auth) refused(e *refusal, next string) *web.Problem {
	p := &web.Problem{
		Status: http.StatusForbidden, Reason: "policy", Heading: "You may not use this site with this identity",
		Message: "Globus confirmed who you are, but this site is open to some people only. It stored nothing about you.",
		Facts:   e.details(),
		Cause:   e,
	}
	if e.decision.Verdict == globus.VerdictUnverifiable {
		p.Reason = "policy_unverifiable"
	}
	if e.session != nil {
		p.Heading, p.Message = "You may not do this with this identity", "You are signed in, but this is open to some people only. Nothing was done."
		p.Form = &components.Form{Action: a.site.Path("/logout"), Label: "Log out"}
		if want := e.policy.Requirements(e.decision); want != nil {
			p.Ways = append(p.Ways, components.Way{Label: "Sign in at Globus for this", URL: a.stepUpURL(e.session, want, next)})
		}
	}
	p.Ways = append(p.Ways, components.Way{Label: "Log in with another identity", URL: a.site.OtherLoginURL(next)})
	switch e.decision.Rule {
	case globus.RuleGroup:
		for _, id := range e.decision.Needed {
			p.Ways = append(p.Ways, components.Way{Label: "See the group at Globus", URL: "https://app.globus.org/groups/" + id})
		}
	case globus.RuleDomain, globus.RuleIdentity, globus.RuleProvider:
		p.Ways = append(p.Ways, components.Way{Label: "Link an identity at Globus", URL: a.site.IdentitiesURL})
	}
	if components.ContactURL != "" {
		p.Ways = append(p.Ways, components.Way{Label: "Write to the people who run this site", URL: components.ContactURL})
	}
	return p
}

// details lists who signed in, and what is required.
func (e *refusal) details() []components.Fact {
	d := e.decision
	identity := cmp.Or(e.who.Username, e.who.Subject)
	provider := cmp.Or(e.who.ProviderName, e.who.Provider)
	// They may have authenticated with another identity than the one that the app sees.
	if auths := e.facts.Authentications; len(auths) > 0 && auths[0].Identity != e.who.Subject {
		identity, provider = cmp.Or(auths[0].Username, auths[0].Identity), cmp.Or(auths[0].ProviderName, auths[0].Provider)
	}
	facts := []components.Fact{{Label: "You signed in as", Value: identity}, {Label: "Identity provider", Value: provider}}
	required := map[globus.Rule]string{
		globus.RuleDomain:   "an identity of " + strings.Join(d.Needed, " or "),
		globus.RuleGroup:    "active membership of the group " + strings.Join(d.Needed, " or "),
		globus.RuleMFA:      "a second factor, confirmed by your identity provider",
		globus.RuleIdentity: "one of the identities that are listed for this",
		globus.RuleProvider: "an identity of a provider that is listed for this",
	}[d.Rule]
	facts = append(facts, components.Fact{Label: "Required", Value: required})
	switch {
	case d.Rule == globus.RuleGroup && len(d.Came) > 0:
		facts = append(facts, components.Fact{Label: "Your membership", Value: strings.Join(d.Came, ", ")})
	case d.Verdict == globus.VerdictUnverifiable:
		facts = append(facts, components.Fact{Label: "Not known", Value: "Globus does not say whether you meet this"})
	}
	return facts
}
