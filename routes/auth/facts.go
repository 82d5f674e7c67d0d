package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

const (
	groupFactsFor = 5 * time.Minute // until Globus is asked anew for somebody's groups
	maxFacts      = 3 * time.Second // for asking

	askAnewAfter = 10 * time.Second // a Globus that did not answer about a session
	maxRemember  = 1000             // such sessions
)

// questions are what Globus is asked about somebody.
type questions struct{ session, groups bool }

// renewFacts asks Globus once for all requests of a session that want it, and
// keeps the answer with the session and in s.
func (a *Auth) renewFacts(ctx context.Context, s *session.Session, due questions) error {
	got, err, _ := a.asking.flight.Do(fmt.Sprint(s.ID(), due), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), maxFacts)
		defer cancel()
		var facts globus.Facts
		err := a.site.Guard(ctx, func() (err error) {
			facts, err = a.gather(ctx, s.Facts, due, s.Identity, func(server string) globus.TokenFunc { return a.Token(s, server) })
			return err
		})
		if err != nil {
			a.asking.failed(s.ID(), a.site.Now())
			a.site.Log.LogAttrs(ctx, slog.LevelWarn, "access policy not refreshed; using last known facts", append(web.Why(err), slog.String("session", s.Tag()))...)
		}
		err = a.sessions.Update(context.WithoutCancel(ctx), s, func(rec *session.Record) { rec.Facts = newer(rec.Facts, facts) })
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
	// That Globus let somebody pass without asking does not undo how they signed in.
	if fresh.SessionAsked.After(old.SessionAsked) && (len(fresh.Authentications) > 0 || len(old.Authentications) == 0) {
		old.Authentications, old.SessionAsked = fresh.Authentications, fresh.SessionAsked
	}
	if fresh.GroupsAsked.After(old.GroupsAsked) {
		old.Groups, old.GroupsAsked = fresh.Groups, fresh.GroupsAsked
	}
	return old
}

// gather returns facts with what is due asked of Globus anew, both at once: one
// that hangs does not keep the other from being known. What could not be learnt
// stays as it was, and is the error.
func (a *Auth) gather(ctx context.Context, facts globus.Facts, due questions, id globus.Identity, tokens func(server string) globus.TokenFunc) (globus.Facts, error) {
	var in *globus.Introspection
	var groups []globus.Group
	var inErr, groupsErr error
	var asked sync.WaitGroup
	if due.session {
		asked.Go(func() {
			inErr = a.site.Guard(ctx, func() (err error) { in, err = a.introspect(ctx, tokens(globus.AuthServer), id); return err })
		})
	}
	if due.groups {
		asked.Go(func() {
			groupsErr = a.site.Guard(ctx, func() (err error) { groups, err = a.globus.Groups(tokens(globus.GroupsServer)).Mine(ctx); return err })
		})
	}
	asked.Wait()
	facts.Subject = id.Subject
	if in != nil {
		nameFrom(id, in.Authentications)
		facts = facts.WithSession(in, a.site.Now())
	}
	if due.groups && groupsErr == nil {
		// The others are nobody's business here, and there may be any number.
		groups = slices.DeleteFunc(groups, func(g globus.Group) bool {
			return !a.namesGroup(g.ID)
		})
		facts = facts.WithGroups(groups, a.site.Now())
	}
	return facts, errors.Join(inErr, groupsErr)
}

// namesGroup reports whether a policy of the app, or of a route, names a group.
func (a *Auth) namesGroup(id string) bool {
	return slices.ContainsFunc(append(a.policies, a.policy), func(p globus.Policy) bool {
		return slices.ContainsFunc(p.Groups, func(named string) bool { return strings.EqualFold(named, id) })
	})
}

// tokensOf yields tokens that no session holds yet.
func (a *Auth) tokensOf(tokens globus.Tokens) func(server string) globus.TokenFunc {
	return func(server string) globus.TokenFunc { return a.globus.Source(tokens, server, nil).Fresh }
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
func (a *Auth) introspect(ctx context.Context, token globus.TokenFunc, id globus.Identity) (*globus.Introspection, error) {
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

// asking is what goes on between policies and Globus: one question for all
// requests of a session that have it, and none for a while after one failed.
type asking struct {
	flight singleflight.Group

	mu       sync.Mutex
	failedAt map[string]time.Time // when a question last failed, by session
}

func (q *asking) failed(session string, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.failedAt == nil || len(q.failedAt) >= maxRemember {
		q.failedAt = map[string]time.Time{}
	}
	q.failedAt[session] = now
}

func (q *asking) failedLately(session string, now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	at, ok := q.failedAt[session]
	return ok && now.Sub(at).Abs() < askAnewAfter
}
