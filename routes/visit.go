package routes

import (
	"cmp"
	"context"
	"crypto/rand"
	"net/http"

	"example.org/portal/components"
	"example.org/portal/routes/session"
)

// A visit is what becomes known about a request while it is answered.
type visit struct {
	id      string           // names the request in the log, and on the error page that it led to
	client  string           // where it came from, for the log
	err     error            // why it was refused; nil if it was not
	session *session.Session // whose it is; nil for nobody, or if nobody has asked yet
	asked   bool
}

type visitKey struct{}

func newVisit(r *http.Request) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), visitKey{}, &visit{id: rand.Text()[:12], client: clientIP(r)}))
}

func visitOf(r *http.Request) *visit {
	v, _ := r.Context().Value(visitKey{}).(*visit)
	return v
}

func requestID(r *http.Request) string { return visitOf(r).id }

// load returns the session of the browser that sent r, as session.Manager.Load
// does, and remembers for the header of the page whose it is.
func (a *App) load(w http.ResponseWriter, r *http.Request) (*session.Session, error) {
	s, err := a.sessions.Load(w, r)
	visitedBy(r, s)
	return s, err
}

// visitedBy notes whose request r is: nil for nobody's, whom the header of the
// page then names.
func visitedBy(r *http.Request, s *session.Session) {
	v := visitOf(r)
	v.session, v.asked = s, true
}

// visitor says who is signed in, for the header. A page that needs no session
// is shown all the same if that cannot be told.
func (a *App) visitor(r *http.Request) components.Visitor {
	v := visitOf(r)
	if !v.asked {
		v.session, _ = a.sessions.Peek(r)
		v.asked = true
	}
	s := v.session
	if s == nil || !a.now().Before(s.Deadline) {
		return components.Visitor{Site: a.site}
	}
	return components.Visitor{
		Site:     a.site,
		SignedIn: true,
		Name:     cmp.Or(s.Identity.Name, s.Identity.Username),
		Left:     s.Deadline.Sub(a.now()),
	}
}

// showVisitor answers a page that asks whether its person is still signed in.
func (a *App) showVisitor(w http.ResponseWriter, r *http.Request) error {
	if _, err := a.load(w, r); err != nil {
		return err
	}
	visitor := a.visitor(r)
	if !visitor.SignedIn {
		visitor.Ended, visitor.LoginURL = true, a.site.LoginURL(a.currentPath(r))
	}
	return a.show(w, r, http.StatusOK, "Who is signed in", components.SignedInAs(visitor))
}
