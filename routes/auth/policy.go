package auth

import (
	"context"
	"errors"
	"net/http"
	"time"

	"example.org/portal/globus"
	"example.org/portal/routes/session"
)

// groupsTTL is how old a person's groups may be before Globus is asked again.
const groupsTTL = 5 * time.Minute

// check returns nil if p allows the person of s, and otherwise the problem or the
// requirements to show. It decides on every request, from the facts in the session,
// so that a policy that is turned on holds at once. Facts that are missing or too
// old are renewed first; if Globus does not answer, groups count for an hour.
func (a *Auth) check(r *http.Request, s *session.Session, p globus.Policy) error {
	if p.Empty() {
		return nil
	}
	if err := consentFor(s, p); err != nil {
		return err
	}
	if err := a.renewDue(r.Context(), s, p); err != nil {
		return err
	}
	if no := a.decide(p, s.Identity, s.Facts); no != nil {
		no.session = s
		return a.refused(no, a.site.Here(r))
	}
	return nil
}

// renewDue renews the facts in s that p needs and that are missing or too old. Its error
// is session.ErrGone: the session has ended meanwhile.
func (a *Auth) renewDue(ctx context.Context, s *session.Session, p globus.Policy) error {
	due := factSet{
		session: p.NeedsSession() && s.Facts.SessionAsked.IsZero(),
		groups:  p.NeedsGroups() && a.site.Now().Sub(s.Facts.GroupsAsked) > groupsTTL,
	}
	if due == (factSet{}) {
		return nil
	}
	if err := a.renewFacts(ctx, s, due); errors.Is(err, session.ErrGone) {
		return err
	}
	return nil
}

// checkLogin returns what is known about the person of a login, if the app's policy
// allows them. If Globus does not answer, nobody is allowed.
func (a *Auth) checkLogin(ctx context.Context, login *globus.Login) (globus.Facts, error) {
	ctx, cancel := context.WithTimeout(ctx, maxFacts)
	defer cancel()
	facts, err := a.fetchFacts(ctx, globus.Facts{}, a.signInFacts(), login.Identity, a.tokenSource(login.Tokens))
	if a.policy.Empty() {
		return facts, nil // check asks again what a route needs to know
	}
	if err != nil {
		return facts, err
	}
	if no := a.decide(a.policy, login.Identity, facts); no != nil {
		return facts, no
	}
	return facts, nil
}

// decide returns the refusal of a person by p, or nil if p allows them.
func (a *Auth) decide(p globus.Policy, who globus.Identity, facts globus.Facts) *refusal {
	d := p.Decide(facts, a.site.Now())
	if d.Allowed() {
		return nil
	}
	return &refusal{decision: d, policy: p, who: who, facts: facts}
}

// needsPrompt reports whether a sign-in was refused only because Globus did not ask
// the person to authenticate, so that their identity is not known. Then they are
// sent to Globus once more, with prompt=login.
func needsPrompt(err error, t attempt) bool {
	no, ok := errors.AsType[*refusal](err)
	return ok && !t.Prompt && no.decision.Verdict == globus.VerdictUnverifiable && len(no.facts.Authentications) == 0
}
