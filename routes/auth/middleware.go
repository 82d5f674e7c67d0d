package auth

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

// loaded is the session of a request, as the middleware loaded it.
type loaded struct {
	session *session.Session // nil if nobody is signed in
	err     error            // of the session store
}

type loadedKey struct{}

// middleware loads the session of each request, once. It answers the errors of pages
// that are about the session: requirements of Globus, and a session that has ended.
func (a *Auth) middleware(next web.HandlerFunc) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		l := &loaded{}
		l.session, l.err = a.sessions.Load(w, r)
		l.err = explainStore(l.err)
		r = r.WithContext(context.WithValue(r.Context(), loadedKey{}, l))
		a.setVisitor(r, l)

		err := next(w, r)
		if l.session == nil || err == nil {
			return err
		}
		if want, ok := globus.RequirementsOf(err); ok {
			return a.showRequirements(w, r, l.session, want, err)
		}
		if errors.Is(err, session.ErrGone) || a.endedMeanwhile(r, l.session, err) {
			// The browser may have the cookie of another session by now.
			a.setSession(r, nil)
			return a.noSession(w, r)
		}
		return err
	}
}

// Session returns the session of the person who sent r, or nil if nobody is signed
// in. A handler returns the error: the app's policy refuses the person, or the
// session store does not answer.
func (a *Auth) Session(r *http.Request) (*session.Session, error) {
	s, err := a.current(r)
	if s == nil || err != nil {
		return nil, err
	}
	err = a.check(r, s, a.policy)
	if errors.Is(err, session.ErrGone) { // it ended since it was loaded
		a.setSession(r, nil)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// current returns the session that the middleware loaded, without checking the
// policy.
func (a *Auth) current(r *http.Request) (*session.Session, error) {
	l := r.Context().Value(loadedKey{}).(*loaded)
	return l.session, l.err
}

// setSession replaces the session of r, after a sign-in or a sign-out.
func (a *Auth) setSession(r *http.Request, s *session.Session) {
	l := r.Context().Value(loadedKey{}).(*loaded)
	l.session, l.err = s, nil
	a.setVisitor(r, l)
}

// setVisitor sets who the header of the page and the log say sent r.
func (a *Auth) setVisitor(r *http.Request, l *loaded) {
	s := l.session
	if s == nil || !a.site.Now().Before(s.Deadline) {
		web.SetVisitor(r, components.Visitor{Unknown: l.err != nil}, a.sessions.Tag(r))
		return
	}
	web.SetVisitor(r, components.Visitor{
		SignedIn: true,
		Name:     cmp.Or(s.Identity.Name, s.Identity.Username),
		Left:     s.Deadline.Sub(a.site.Now()),
	}, s.Tag())
}

// endedMeanwhile reports whether err says that Globus rejected a token, and the
// session has ended since it was loaded: a sign-out revoked the token.
func (a *Auth) endedMeanwhile(r *http.Request, s *session.Session, err error) bool {
	e, ok := errors.AsType[*globus.Error](err)
	if !ok || e.Status != http.StatusUnauthorized {
		return false
	}
	alive, err := a.sessions.Alive(r.Context(), s)
	return !alive && err == nil
}
