package auth

import (
	"context"
	"maps"
	"net/http"

	"example.org/portal/globus"
	"example.org/portal/routes/session"
)

// stepUp redeems the code of somebody who went to Globus once more while they
// were signed in, and merges the new tokens, and how they authenticated, into
// their session by one compare-and-swap. A session that ended meanwhile stays
// ended; if the store fails, nothing is changed.
func (a *Auth) stepUp(r *http.Request, code string, t attempt) (*session.Session, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), maxSignIn)
	defer cancel()
	r = r.WithContext(ctx)
	login, err := a.globus.Exchange(ctx, code, t.Attempt)
	if err != nil {
		return nil, err
	}
	s, err := a.mergeLogin(r, login, t)
	if err != nil {
		a.discard(r, login)
		return nil, err
	}
	a.site.Log.InfoContext(ctx, "stepped up", "session", s.Tag())
	return s, nil
}

// mergeLogin merges a login into the session that r's browser has.
func (a *Auth) mergeLogin(r *http.Request, login *globus.Login, t attempt) (*session.Session, error) {
	ctx := r.Context()
	if err := a.useUserInfo(ctx, login); err != nil {
		return nil, err
	}
	s, err := a.current(r)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, session.ErrGone
	}
	if login.Identity.Subject != t.StepUp || s.Identity.Subject != t.StepUp {
		return nil, &otherPerson{login.Identity, s.Identity}
	}
	facts, _ := a.gather(ctx, globus.Facts{}, a.questions(), login.Identity, a.tokensOf(login.Tokens)) // what fails is asked when a policy needs it
	err = a.sessions.Update(ctx, s, func(rec *session.Record) {
		replaced := maps.Clone(rec.Tokens)
		maps.Copy(rec.Tokens, login.Tokens)
		rec.Replace(replaced)
		rec.Identity, rec.Facts = login.Identity, newer(rec.Facts, facts)
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// An otherPerson is the error for somebody who came back from Globus instead of
// the person who is signed in.
type otherPerson struct{ came, signedIn globus.Identity }

func (*otherPerson) Error() string { return errOtherPerson.Error() }

func (*otherPerson) Unwrap() error { return errOtherPerson }
