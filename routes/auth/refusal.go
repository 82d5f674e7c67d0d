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

// A refusal is the error for someone whom a policy does not let in. Its text is
// for the log, and names nobody.
type refusal struct {
	decision globus.Decision
	policy   globus.Policy
	who      globus.Identity
	facts    globus.Facts
	session  *session.Session // which they have here already; nil: they were about to sign in
}

func (e *refusal) Error() string {
	return fmt.Sprintf("policy: %s %s", e.decision.Rule, e.decision.Verdict)
}

// refused returns what the person reads: who they came as, what is needed, and
// what they can do about it. next is where they were going; "" is the home page.
func (a *Auth) refused(e *refusal, next string) *web.Problem {
	p := &web.Problem{
		Status: http.StatusForbidden, Reason: "policy", Heading: "You may not enter as this identity",
		Message: "Globus says who you are, but this site is not open to everybody. Nothing was kept of your sign-in.",
		Facts:   e.tell(),
		Cause:   e,
	}
	if e.decision.Verdict == globus.VerdictUnverifiable {
		p.Reason = "policy_unverifiable"
	}
	if e.session != nil {
		p.Heading, p.Message = "This is not open to you as this identity", "You are signed in, but only some of those who are signed in may do this. Nothing was done."
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

// tell lists who came, and what would be needed.
func (e *refusal) tell() []components.Fact {
	d := e.decision
	came := cmp.Or(e.who.Username, e.who.Subject)
	provider := cmp.Or(e.who.ProviderName, e.who.Provider)
	// The identity that was used may be another than the one that the app sees.
	if auths := e.facts.Authentications; len(auths) > 0 && auths[0].Identity != e.who.Subject {
		came, provider = cmp.Or(auths[0].Username, auths[0].Identity), cmp.Or(auths[0].ProviderName, auths[0].Provider)
	}
	facts := []components.Fact{{Label: "You came as", Value: came}, {Label: "Through", Value: provider}}
	needed := map[globus.Rule]string{
		globus.RuleDomain:   "an identity of " + strings.Join(d.Needed, " or "),
		globus.RuleGroup:    "to be an active member of the group " + strings.Join(d.Needed, " or "),
		globus.RuleMFA:      "a sign-in with a second factor, which your identity provider confirms",
		globus.RuleIdentity: "one of the identities that were named for this",
		globus.RuleProvider: "an identity of a provider that was named for this",
	}[d.Rule]
	facts = append(facts, components.Fact{Label: "Needed is", Value: needed})
	switch {
	case d.Rule == globus.RuleGroup && len(d.Came) > 0:
		facts = append(facts, components.Fact{Label: "Your membership", Value: strings.Join(d.Came, ", ")})
	case d.Verdict == globus.VerdictUnverifiable:
		facts = append(facts, components.Fact{Label: "But", Value: "Globus does not say whether that is so"})
	}
	return facts
}
