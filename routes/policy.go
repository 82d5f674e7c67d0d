package routes

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"strings"
	"time"

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
	a.groups = append(a.groups, p.Groups...)
	return func(w http.ResponseWriter, r *http.Request, s *session.Session) error {
		if err := a.allow(r, s, p); err != nil {
			return err
		}
		return h(w, r, s)
	}
}

// allow decides from what is kept with the session, so a policy that is turned
// on holds at once. What was never asked is asked now; what is old is renewed in
// the background, and until then what was last known counts.
func (a *App) allow(r *http.Request, s *session.Session, p globus.Policy) error {
	if p.Empty() {
		return nil
	}
	age := func(asked time.Time) time.Duration { return a.now().Sub(asked) }
	due := questions{
		session: p.NeedsSession() && age(s.Facts.SessionAsked) > sessionFactsFor,
		groups:  p.NeedsGroups() && age(s.Facts.GroupsAsked) > groupFactsFor,
	}
	unknown := p.NeedsSession() && s.Facts.SessionAsked.IsZero() || p.NeedsGroups() && age(s.Facts.GroupsAsked) > globus.GroupsGood
	switch {
	case due == questions{} || a.asking.failedLately(s.ID(), a.now()):
	case unknown:
		if err := a.renewFacts(r.Context(), s, due); errors.Is(err, session.ErrGone) {
			return err
		}
	default:
		renewing := *s // the request's own goes on
		renewing.Tokens = maps.Clone(s.Tokens)
		ctx := context.WithoutCancel(r.Context())
		a.background.Go(func() {
			_ = a.guarded(ctx, func() error { return a.renewFacts(ctx, &renewing, due) })
		})
	}
	if d := p.Decide(s.Facts, a.now()); !d.Allowed() {
		return &refusal{d, s.Identity, s.Facts, true, a.localPath(r.URL.RequestURI())}
	}
	return nil
}

// examine decides about someone who is about to be signed in, with these
// tokens, and notes in rec what is known. What Globus does not tell keeps them out.
func (a *App) examine(ctx context.Context, tokens globus.Tokens, rec *session.Record) error {
	if a.policy.Empty() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, maxFacts)
	defer cancel()
	var err error
	rec.Facts, err = a.gather(ctx, rec.Facts, questions{a.policy.NeedsSession(), a.policy.NeedsGroups()}, rec.Identity, func(server string) globus.TokenFunc {
		return a.globus.Source(tokens, server, nil).Fresh
	})
	if err != nil {
		return err
	}
	if d := a.policy.Decide(rec.Facts, a.now()); !d.Allowed() {
		return &refusal{d, rec.Identity, rec.Facts, false, ""}
	}
	return nil
}

// toldNothing reports whether a sign-in was refused only because Globus let the
// person through without asking who they are. Then it is asked to ask, once.
func toldNothing(err error, t attempt) bool {
	no, ok := errors.AsType[*refusal](err)
	return ok && !t.Asked && no.decision.Verdict == globus.VerdictUnverifiable && len(no.facts.Authentications) == 0
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
