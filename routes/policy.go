package routes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
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
		a.background.Go(func() { _ = a.renewFacts(ctx, &renewing, due) })
	}
	if d := p.Decide(s.Facts, a.now()); !d.Allowed() {
		return &refusal{d, s.Identity, s.Facts, true, a.localPath(r.URL.RequestURI())}
	}
	return nil
}

// questions are what Globus is asked about somebody.
type questions struct{ session, groups bool }

// renewFacts asks Globus once for all requests of a session that want it, and
// keeps the answer with the session and in s.
func (a *App) renewFacts(ctx context.Context, s *session.Session, due questions) error {
	got, err, _ := a.asking.flight.Do(fmt.Sprint(s.ID(), due), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), maxFacts)
		defer cancel()
		if due.session {
			a.refreshGrant(ctx, s) // the old token may tell of the session as it was
		}
		facts, err := a.gather(ctx, s.Facts, due, s.Identity, func(server string) globus.TokenFunc { return a.tokensFor(s, server) })
		if err != nil {
			a.asking.failed(s.ID(), a.now())
			a.log.WarnContext(ctx, "who may enter is decided as last known", "session", s.Tag(), "reason", err)
		}
		err = a.sessions.Update(ctx, s, func(rec *session.Record) { rec.Facts = newer(rec.Facts, facts) })
		return s.Facts, err
	})
	if facts, ok := got.(globus.Facts); ok && err == nil && facts.Subject == s.Identity.Subject {
		s.Facts = facts
	}
	return err
}

// newer returns old with what fresh knows better: another may have asked since.
func newer(old, fresh globus.Facts) globus.Facts {
	old.Subject = fresh.Subject
	if fresh.SessionAsked.After(old.SessionAsked) {
		old.Authentications, old.SessionAsked = fresh.Authentications, fresh.SessionAsked
	}
	if fresh.GroupsAsked.After(old.GroupsAsked) {
		old.Groups, old.GroupsAsked = fresh.Groups, fresh.GroupsAsked
	}
	return old
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

// gather returns facts with what is due asked of Globus anew, both at once: one
// that hangs does not keep the other from being known. What could not be learnt
// stays as it was, and is the error.
func (a *App) gather(ctx context.Context, facts globus.Facts, due questions, id globus.Identity, tokens func(server string) globus.TokenFunc) (globus.Facts, error) {
	var in *globus.Introspection
	var groups []globus.Group
	var inErr, groupsErr error
	var asked sync.WaitGroup
	if due.session {
		asked.Go(func() { in, inErr = a.introspect(ctx, tokens(globus.AuthServer), id) })
	}
	if due.groups {
		asked.Go(func() { groups, groupsErr = a.globus.Groups(tokens(globus.GroupsServer)).Mine(ctx) })
	}
	asked.Wait()
	facts.Subject = id.Subject
	switch {
	case in == nil:
	case len(in.Authentications) > 0 || len(facts.Authentications) == 0:
		nameFrom(id, in.Authentications)
		facts = facts.WithSession(in, a.now())
	default:
		// Their session at Globus is over, the browser was closed perhaps; how
		// they signed in here is as true as it was.
		facts.SessionAsked = a.now()
	}
	if due.groups && groupsErr == nil {
		facts = facts.WithGroups(groups, a.now())
	}
	return facts, errors.Join(inErr, groupsErr)
}

var errNotTheirs = &globus.Error{Call: "introspect", Reason: globus.Malformed, Detail: "it is about another person, or a token that has ended"}

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

// introspect asks about the session behind a token; the answer must be about
// this person, and the token good.
func (a *App) introspect(ctx context.Context, token globus.TokenFunc, id globus.Identity) (*globus.Introspection, error) {
	t, err := token(ctx, "")
	if err != nil {
		return nil, err
	}
	in, err := a.globus.Introspect(ctx, t.AccessToken)
	if err != nil {
		return nil, err
	}
	if !in.Active || in.Subject != id.Subject {
		return nil, errNotTheirs
	}
	return in, nil
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
