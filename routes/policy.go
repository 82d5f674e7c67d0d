package routes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"example.org/portal/globus"
	"example.org/portal/routes/session"
)

const (
	sessionFactsFor = time.Hour       // until Globus is asked anew how somebody signed in
	groupFactsFor   = 5 * time.Minute // likewise, for their groups
	maxFacts        = 5 * time.Second // for asking; a page waits as long only if nothing is known yet
)

// admit is load for a page that is for those who may enter. Whom the policy does
// not let in is an error that becomes a page which says why.
func (a *App) admit(w http.ResponseWriter, r *http.Request) (*session.Session, error) {
	s, err := a.load(w, r)
	if s == nil || err != nil {
		return nil, err
	}
	if err := a.allow(r, s, a.policy); err != nil {
		return nil, err
	}
	return s, nil
}

// require demands more at one route than the app's own policy does: of those who
// are signed in, h answers only whom p lets in too.
func (a *App) require(p globus.Policy, h sessionFunc) sessionFunc {
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
	unknown := p.NeedsSession() && s.Facts.SessionAsked.IsZero() || p.NeedsGroups() && age(s.Facts.GroupsAsked) > globus.GroupsGood
	old := p.NeedsSession() && age(s.Facts.SessionAsked) > sessionFactsFor || p.NeedsGroups() && age(s.Facts.GroupsAsked) > groupFactsFor
	if a.asking.failedLately(s.Tag(), a.now()) {
		unknown, old = false, false
	}
	switch {
	case unknown:
		if err := a.renewFacts(r.Context(), s, p); errors.Is(err, session.ErrGone) {
			return err
		}
	case old:
		renewing := *s // the request's own goes on
		renewing.Tokens = maps.Clone(s.Tokens)
		ctx := context.WithoutCancel(r.Context())
		a.background.Go(func() { _ = a.renewFacts(ctx, &renewing, p) })
	}
	if d := p.Decide(s.Facts, a.now()); !d.Allowed() {
		return &refusal{d, s.Identity, s.Facts, true, a.localPath(r.URL.RequestURI())}
	}
	return nil
}

// renewFacts asks Globus once for all requests of a session that want it, and
// keeps the answer with the session and in s.
func (a *App) renewFacts(ctx context.Context, s *session.Session, p globus.Policy) error {
	what := fmt.Sprint(s.Tag(), p.NeedsSession(), p.NeedsGroups())
	got, err, _ := a.asking.flight.Do(what, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), maxFacts)
		defer cancel()
		if p.NeedsSession() {
			a.refreshGrant(ctx, s) // the old token may tell of the session as it was
		}
		facts, err := a.gather(ctx, s.Facts, p, s.Identity, func(server string) globus.TokenFunc { return a.tokensFor(s, server) })
		if err != nil {
			a.asking.failed(s.Tag(), a.now())
			a.log.WarnContext(ctx, "who may enter is decided as last known", "session", s.Tag(), "reason", err)
		}
		return facts, a.sessions.Update(ctx, s, func(rec *session.Record) { rec.Facts = facts })
	})
	if err == nil {
		s.Facts = got.(globus.Facts)
	}
	return err
}

// refreshGrant refreshes the token for Globus Auth, if that can be done.
func (a *App) refreshGrant(ctx context.Context, s *session.Session) {
	old := s.Tokens[globus.AuthServer]
	if old.RefreshToken == "" {
		return
	}
	if fresh, err := a.sessions.Token(ctx, s, globus.AuthServer, old.AccessToken); err == nil && fresh.AccessToken != old.AccessToken {
		s.Tokens[globus.AuthServer] = fresh
		a.revoke(ctx, globus.Tokens{globus.AuthServer: {AccessToken: old.AccessToken}})
	}
}

// gather returns facts with what p needs to know of a person asked of Globus
// anew. What could not be learnt stays as it was, and is the error.
func (a *App) gather(ctx context.Context, facts globus.Facts, p globus.Policy, id globus.Identity, tokens func(server string) globus.TokenFunc) (globus.Facts, error) {
	facts.Subject = id.Subject
	var faults []error
	if p.NeedsSession() {
		in, err := a.introspect(ctx, tokens(globus.AuthServer))
		switch {
		case err != nil:
			faults = append(faults, err)
		case len(in.Authentications) > 0 || len(facts.Authentications) == 0:
			nameFrom(id, in.Authentications)
			facts = facts.WithSession(in, a.now())
			facts.SessionAsked = a.now() // even if it says nothing about this person
		default:
			// Their session at Globus is over, the browser was closed perhaps;
			// how they signed in here is as true as it was.
			facts.SessionAsked = a.now()
		}
	}
	if p.NeedsGroups() {
		groups, err := a.globus.Groups(tokens(globus.GroupsServer)).Mine(ctx)
		if err != nil {
			faults = append(faults, err)
		} else {
			facts = facts.WithGroups(groups, a.now())
		}
	}
	return facts, errors.Join(faults...)
}

// nameFrom gives authentications the names that the ID token, or userinfo, gave
// the identities; introspection names them only to those who may see them.
func nameFrom(id globus.Identity, auths []globus.Authentication) {
	for i := range auths {
		for _, l := range id.Linked {
			if l.Subject == auths[i].Identity {
				auths[i].Username = cmp.Or(auths[i].Username, l.Username)
				auths[i].ProviderName = cmp.Or(auths[i].ProviderName, l.ProviderName)
			}
		}
	}
}

func (a *App) introspect(ctx context.Context, token globus.TokenFunc) (*globus.Introspection, error) {
	t, err := token(ctx, "")
	if err != nil {
		return nil, err
	}
	return a.globus.Introspect(ctx, t.AccessToken)
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
	rec.Facts, err = a.gather(ctx, rec.Facts, a.policy, rec.Identity, func(server string) globus.TokenFunc {
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
