package auth

import (
	"context"
	"errors"
	"net/http"

	"example.org/portal/globus"
	"example.org/portal/routes/session"
)

// check decides from facts in the session, so that a policy which is turned on
// holds at once. What was never asked is asked first, and so are groups that are
// older than five minutes; if Globus cannot be reached, groups count for an hour.
// What the person can do about it at Globus, they are asked for.
func (a *Auth) check(r *http.Request, s *session.Session, p globus.Policy) error {
	if p.Empty() {
		return nil
	}
	if err := consentFor(s, p); err != nil {
		return err
	}
	due := questions{
		session: p.NeedsSession() && s.Facts.SessionAsked.IsZero(),
		groups:  p.NeedsGroups() && a.site.Now().Sub(s.Facts.GroupsAsked) > groupFactsFor,
	}
	if due != (questions{}) && !a.asking.failedLately(s.ID(), a.site.Now()) {
		if err := a.renewFacts(r.Context(), s, due); errors.Is(err, session.ErrGone) {
			return err
		}
	}
	if d := p.Decide(s.Facts, a.site.Now()); !d.Allowed() {
		return a.refused(&refusal{decision: d, policy: p, who: s.Identity, facts: s.Facts, session: s}, a.site.Here(r))
	}
	return nil
}

// examine decides about someone who is about to be signed in, and notes in rec
// what is known. What Globus does not tell keeps them out.
func (a *Auth) examine(ctx context.Context, rec *session.Record) error {
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
	if d := a.policy.Decide(rec.Facts, a.site.Now()); !d.Allowed() {
		return &refusal{decision: d, policy: a.policy, who: rec.Identity, facts: rec.Facts}
	}
	return nil
}

// questions returns what is asked about everybody who signs in: what the app's
// policy needs to know, and how they authenticated if a route does.
func (a *Auth) questions() questions {
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
