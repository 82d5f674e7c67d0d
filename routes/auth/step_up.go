package auth

import (
	"maps"
	"net/http"

	"example.org/portal/globus"
	"example.org/portal/routes/session"
)

// mergeLogin merges the login of a step-up into the session of r's browser: the new
// tokens, and how the person authenticated. One compare-and-swap writes both, so a
// session that has ended stays ended, and a store that fails changes nothing.
func (a *Auth) mergeLogin(r *http.Request, login *globus.Login, t attempt) (*session.Session, error) {
	ctx := r.Context()
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
	// If Globus does not answer, check asks again when a policy needs to know.
	facts, _ := a.fetchFacts(ctx, globus.Facts{}, a.signInFacts(), login.Identity, a.tokenSource(login.Tokens))
	err = a.sessions.Update(ctx, s, func(rec *session.Record) {
		replaced := maps.Clone(rec.Tokens)
		maps.Copy(rec.Tokens, login.Tokens)
		rec.Replace(replaced)
		rec.Identity, rec.Facts = login.Identity, mergeFacts(rec.Facts, facts)
	})
	if err != nil {
		return nil, err
	}
	a.site.Log.InfoContext(ctx, "stepped up", "session", s.Tag())
	return s, nil
}

// An otherPerson is the error of a step-up from which another person came back than
// the one who is signed in.
type otherPerson struct{ came, signedIn globus.Identity }

func (*otherPerson) Error() string { return errOtherPerson.Error() }

func (*otherPerson) Unwrap() error { return errOtherPerson }
