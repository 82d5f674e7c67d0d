package web

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/justinas/nosurf"

	"example.org/portal/components"
)

// Two checks that are independent of each other keep other sites from sending
// forms: http.CrossOriginProtection looks at where the browser says that a request
// comes from, and nosurf at the token in it. nosurf runs twice: first for every
// page, because pages contain a token, and once more in the route, after the body
// has been allowed.

// useCSRF makes both handlers; age is how long a browser keeps its token.
func (s *Server) useCSRF(age time.Duration) {
	newHandler := func(h http.HandlerFunc) *nosurf.CSRFHandler {
		csrf := nosurf.New(h)
		// The cookie lives as long as a session: a browser that is started again
		// with its old tabs still has both.
		csrf.SetBaseCookie(*s.Cookies.New("csrf", "", int(age/time.Second)))
		csrf.SetIsTLSFunc(func(*http.Request) bool { return s.secure() })
		return csrf
	}
	s.csrf = newHandler(s.answerPage)
	s.csrf.ExemptFunc(func(*http.Request) bool { return true })

	s.verifier = newHandler(func(http.ResponseWriter, *http.Request) {})
	s.verifier.SetFailureHandler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		stateOf(r).csrfErr = nosurf.Reason(r)
	}))
}

// RenewCSRFToken gives the browser another token: forms that were made before a
// sign-in or a sign-out belong to another session.
func (s *Server) RenewCSRFToken(w http.ResponseWriter, r *http.Request) {
	s.csrf.RegenerateToken(w, r)
}

var crossOrigin = http.NewCrossOriginProtection()

// checkOrigin refuses a request that another site made.
func (s *Server) checkOrigin(r *http.Request) error {
	if crossOrigin.Check(r) == nil {
		return nil
	}
	return &Problem{
		Status: http.StatusForbidden, Reason: "cross_origin", Heading: "That came from another site",
		Message: "The request was not made on this site, so nothing was done. Open the page here and try again.",
		Cause:   errors.New("cross-origin request"),
	}
}

// verifyCSRF returns the problem of a request without the right token. A form that
// was merely too old is offered again with a fresh token and what was typed. One
// that came from elsewhere is not: its fields may be somebody else's.
func (s *Server) verifyCSRF(r *http.Request) error {
	token, err := sentToken(r)
	if err != nil {
		return err
	}
	sent := r.Clone(r.Context())
	sent.Header.Set(nosurf.HeaderName, token)
	sent.PostForm, sent.Form, sent.Body = url.Values{}, url.Values{}, http.NoBody // the token is found already
	s.verifier.ServeHTTP(&headRecorder{header: http.Header{}}, sent)
	cause := stateOf(r).csrfErr
	if cause == nil {
		return nil
	}
	p := &Problem{
		Status: http.StatusForbidden, Reason: "form_old", Heading: "This form was too old",
		Message: "You may have signed in or out since the page was opened. Nothing was done.",
		Cause:   cause,
	}
	if !errors.Is(cause, nosurf.ErrBadToken) {
		p.Message = "The request was not made on this site, or your browser did not say that it was. Nothing was done. Open the page again and retry."
		return p
	}
	visitor, from := Visitor(r), s.From(r)
	p.Form = FormAgain(nil, r)
	if p.Form == nil { // a file, or no form at all: only its own page can make it again
		p.Heading = "This page was too old"
		p.Message = "You may have signed in or out since it was opened. Nothing was done. Open the page again, and retry."
		if from != "" {
			p.Ways = []components.Way{{Label: "Open the page again", URL: from}}
		}
	}
	switch {
	case !visitor.SignedIn && p.Form != nil:
		p.Message = "You are not signed in any more. Nothing was done. If the form needs a sign-in, log in again in another tab, then come back and send it again: what you typed is still here."
		p.LoginURL = s.LoginURL(from)
	case visitor.SignedIn && visitor.Name != "":
		p.Facts = []components.Fact{{Label: "You are signed in as", Value: visitor.Name}}
	}
	return p
}
