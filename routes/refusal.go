package routes

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"github.com/justinas/nosurf"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
)

// A refusal is the error for someone whom a policy does not let in. Its text is
// for the log, and names nobody.
type refusal struct {
	decision globus.Decision
	policy   globus.Policy
	who      globus.Identity
	facts    globus.Facts
	session  *session.Session // which they have here already; nil: they were about to sign in
	next     string           // where they were going; "" is the home page
}

func (e *refusal) Error() string {
	return fmt.Sprintf("policy: %s %s", e.decision.Rule, e.decision.Verdict)
}

// refused says what the person reads: who they came as, what is needed, and
// what they can do about it.
func (a *App) refused(r *http.Request, e *refusal) *httpError {
	said := &httpError{
		status: http.StatusForbidden, reason: "policy", heading: "You may not enter as this identity",
		message: "Globus says who you are, but this site is not open to everybody. Nothing was kept of your sign-in.",
		facts:   e.tell(),
		cause:   e,
	}
	if e.decision.Verdict == globus.VerdictUnverifiable {
		said.reason = "policy_unverifiable"
	}
	if e.session != nil {
		said.message = "Globus says who you are, but this is not open to everybody who is signed in."
		said.form = &components.Form{Action: a.site.Path("/logout"), CSRFToken: nosurf.Token(r), Label: "Log out"}
		if want := e.policy.Requirements(e.decision); want != nil {
			said.ways = append(said.ways, components.Way{Label: "Sign in at Globus for this", URL: a.stepUpURL(e.session, want, e.next)})
		}
	}
	said.ways = append(said.ways, components.Way{Label: "Log in with another identity", URL: a.site.OtherLoginURL(e.next)})
	switch e.decision.Rule {
	case globus.RuleGroup:
		for _, id := range e.decision.Needed {
			said.ways = append(said.ways, components.Way{Label: "See the group at Globus", URL: "https://app.globus.org/groups/" + id})
		}
	case globus.RuleDomain, globus.RuleIdentity, globus.RuleProvider:
		said.ways = append(said.ways, components.Way{Label: "Link an identity at Globus", URL: a.site.IdentitiesURL})
	}
	if components.ContactURL != "" {
		said.ways = append(said.ways, components.Way{Label: "Write to the people who run this site", URL: components.ContactURL})
	}
	return said
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
