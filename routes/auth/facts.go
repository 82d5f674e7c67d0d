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

	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

const (
	maxFacts     = 3 * time.Second  // asking Globus for facts
	renewalPause = 10 * time.Second // after a renewal that failed, so that not every page waits for a Globus that is down
)

// A factSet says which facts to ask Globus for.
type factSet struct {
	session bool // how the person authenticated
	groups  bool
}

// signInFacts returns the facts that are asked for when a person signs in: how they
// authenticated if any policy needs it, because it may not be known later, and
// their groups if the app's policy does.
func (a *Auth) signInFacts() factSet {
	due := factSet{session: a.policy.NeedsSession(), groups: a.policy.NeedsGroups()}
	for _, p := range a.policies {
		due.session = due.session || p.NeedsSession()
	}
	return due
}

// renewFacts asks Globus for the facts that are due, once for all requests of the
// session that wait, and writes them to the session and to s. If Globus does not
// answer, the facts stay as they are.
func (a *Auth) renewFacts(ctx context.Context, s *session.Session, due factSet) error {
	if failed, ok := a.failedRenewal.Load(s.ID()); ok && a.site.Now().Sub(failed.(time.Time)).Abs() < renewalPause {
		return nil
	}
	renewed, err, _ := a.renewals.Do(fmt.Sprint(s.ID(), due), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), maxFacts)
		defer cancel()
		facts, err := a.fetchFacts(ctx, s.Facts, due, s.Identity, func(server string) globus.TokenFunc { return a.Token(s, server) })
		if err != nil {
			a.failedRenewal.Store(s.ID(), a.site.Now())
			time.AfterFunc(renewalPause, func() { a.failedRenewal.Delete(s.ID()) })
			a.site.Log.LogAttrs(ctx, slog.LevelWarn, "access policy not refreshed; using last known facts", append(web.Why(err), slog.String("session", s.Tag()))...)
		}
		err = a.sessions.Update(context.WithoutCancel(ctx), s, func(rec *session.Record) { rec.Facts = mergeFacts(rec.Facts, facts) })
		return s.Facts, err
	})
	if facts, ok := renewed.(globus.Facts); ok && err == nil && facts.Subject == s.Identity.Subject {
		s.Facts = facts
	}
	return err
}

// mergeFacts returns the newer of what both know: another request may have renewed
// old meanwhile.
func mergeFacts(old, fresh globus.Facts) globus.Facts {
	old.Subject = fresh.Subject
	// If Globus let the person pass without authenticating, how they did before holds.
	if fresh.SessionAsked.After(old.SessionAsked) && (len(fresh.Authentications) > 0 || len(old.Authentications) == 0) {
		old.Authentications, old.SessionAsked = fresh.Authentications, fresh.SessionAsked
	}
	if fresh.GroupsAsked.After(old.GroupsAsked) {
		old.Groups, old.GroupsAsked = fresh.Groups, fresh.GroupsAsked
	}
	return old
}

// fetchFacts asks Globus for the facts that are due, and returns old with them. It
// sends both requests at once, so that one that hangs does not delay the other.
// What Globus did not answer stays as it was, and is the error.
func (a *Auth) fetchFacts(ctx context.Context, old globus.Facts, due factSet, id globus.Identity, tokens func(server string) globus.TokenFunc) (globus.Facts, error) {
	var in *globus.Introspection
	var groups []globus.Group
	var inErr, groupsErr error
	var calls sync.WaitGroup
	if due.session {
		calls.Go(func() {
			inErr = a.site.Guard(ctx, func() (err error) { in, err = a.introspect(ctx, tokens(globus.AuthServer), id); return err })
		})
	}
	if due.groups {
		calls.Go(func() {
			groupsErr = a.site.Guard(ctx, func() (err error) { groups, err = a.globus.Groups(tokens(globus.GroupsServer)).Mine(ctx); return err })
		})
	}
	calls.Wait()
	facts := old
	facts.Subject = id.Subject
	if in != nil {
		addNames(in.Authentications, id.Linked)
		facts = facts.WithSession(in, a.site.Now())
	}
	if due.groups && groupsErr == nil {
		// No policy names the person's other groups, and there may be very many.
		groups = slices.DeleteFunc(groups, func(g globus.Group) bool { return !a.namesGroup(g.ID) })
		facts = facts.WithGroups(groups, a.site.Now())
	}
	return facts, errors.Join(inErr, groupsErr)
}

// namesGroup reports whether a policy of the app, or of a route, names a group.
func (a *Auth) namesGroup(id string) bool {
	names := func(p globus.Policy) bool {
		return slices.ContainsFunc(p.Groups, func(named string) bool { return strings.EqualFold(named, id) })
	}
	return names(a.policy) || slices.ContainsFunc(a.policies, names)
}

// tokenSource returns a source of tokens that are in no session yet.
func (a *Auth) tokenSource(tokens globus.Tokens) func(server string) globus.TokenFunc {
	return func(server string) globus.TokenFunc { return a.globus.Source(tokens, server, nil).Fresh }
}

// addNames adds the names of linked identities to authentications: introspection
// returns them only to clients that may see them.
func addNames(auths []globus.Authentication, linked []globus.LinkedIdentity) {
	for i := range auths {
		for _, l := range linked {
			if l.Subject == auths[i].Identity {
				auths[i].Username = cmp.Or(auths[i].Username, l.Username)
				auths[i].ProviderName = cmp.Or(auths[i].ProviderName, l.ProviderName)
			}
		}
	}
}

var errOtherToken = &globus.Error{Call: "introspect", Reason: globus.Malformed, Detail: "it is about another person, or a token that has ended"}

// introspect asks Globus about a token and its session. It is an error if the token
// has ended, or is not that of id.
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
		return nil, errOtherToken
	}
	return in, nil
}
