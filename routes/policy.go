package routes

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"example.org/portal/globus"
	"example.org/portal/routes/session"
)

// admit is load for a page that is for those who may enter. Whom the policy does
// not let in is an error that becomes a page which says why.
func (a *App) admit(w http.ResponseWriter, r *http.Request) (*session.Session, error) {
	s, err := a.load(w, r)
	if s == nil || err != nil {
		return nil, err
	}
	err = a.allow(r, s, a.policy)
	if errors.Is(err, session.ErrGone) {
		visitedBy(r, nil) // it ended meanwhile
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// require demands more at one route than the app's own policy does: of those who
// are signed in, h answers only whom p lets in too.
func (a *App) require(p globus.Policy, h sessionFunc) sessionFunc {
	a.policies = append(a.policies, p)
	return func(w http.ResponseWriter, r *http.Request, s *session.Session) error {
		if err := a.allow(r, s, p); err != nil {
			return err
		}
		return h(w, r, s)
	}
}

// allow decides from facts in the session, so that a policy which is turned on
// holds at once. What was never asked is asked first, and so are groups that are
// older than five minutes; if Globus cannot be reached, groups count for an hour.
// What the person can do about it at Globus, they are asked for.
func (a *App) allow(r *http.Request, s *session.Session, p globus.Policy) error {
	if p.Empty() {
		return nil
	}
	if err := consentFor(s, p); err != nil {
		return err
	}
	due := questions{
		session: p.NeedsSession() && s.Facts.SessionAsked.IsZero(),
		groups:  p.NeedsGroups() && a.now().Sub(s.Facts.GroupsAsked) > groupFactsFor,
	}
	if due != (questions{}) && !a.asking.failedLately(s.ID(), a.now()) {
		if err := a.renewFacts(r.Context(), s, due); errors.Is(err, session.ErrGone) {
			return err
		}
	}
	if d := p.Decide(s.Facts, a.now()); !d.Allowed() {
		return &refusal{decision: d, policy: p, who: s.Identity, facts: s.Facts, session: s, next: a.localPath(r.URL.RequestURI())}
	}
	return nil
}

// examine decides about someone who is about to be signed in, and notes in rec
// what is known. What Globus does not tell keeps them out.
func (a *App) examine(ctx context.Context, rec *session.Record) error {
	due := a.questions()
	if due == (questions{}) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, maxFacts)
	defer cancel()
	var err error
	rec.Facts, err = a.gather(ctx, rec.Facts, due, rec.Identity, a.tokensOf(rec.Tokens))
	if a.policy.Empty() {
		return nil // a route that needs to know asks again
	}
	if err != nil {
		return err
	}
	if d := a.policy.Decide(rec.Facts, a.now()); !d.Allowed() {
		return &refusal{decision: d, policy: a.policy, who: rec.Identity, facts: rec.Facts}
	}
	return nil
}

// questions returns what is asked about everybody who signs in: what the app's
// policy needs to know, and how they authenticated if a route does.
func (a *App) questions() questions {
	due := questions{groups: a.policy.NeedsGroups()}
	for _, p := range append(a.policies, a.policy) {
		due.session = due.session || p.NeedsSession()
	}
	return due
}

// needsPrompt reports whether a sign-in was refused only because Globus let the
// person through without asking who they are. Then it is told to ask, once.
func needsPrompt(err error, t attempt) bool {
	no, ok := errors.AsType[*refusal](err)
	return ok && !t.Prompt && no.decision.Verdict == globus.VerdictUnverifiable && len(no.facts.Authentications) == 0
}

// WhoMayEnter says in words whom a policy lets in.
func WhoMayEnter(p globus.Policy) string {
	var rules []string
	if len(p.Domains) > 0 {
		rules = append(rules, "with an identity of "+strings.Join(p.Domains, " or "))
	}
	if len(p.Groups) > 0 {
		rules = append(rules, "who is an active member of the group "+strings.Join(p.Groups, " or "))
	}
	if p.MFA {
		rules = append(rules, "who signed in with a second factor")
	}
	if len(rules) == 0 {
		return "anyone with any Globus identity, Google and ORCID included"
	}
	return "anyone " + strings.Join(rules, ", and ")
}
