package web

import (
	"cmp"
	"io"
	"net/http"
	"strings"
)

// pages answers all requests except those for static files and health checks.
func (s *Server) pages(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "Accept, Cookie, HX-Request, HX-Request-Type")
	if isOffice(r) {
		answerOffice(w)
		return
	}
	if err := cmp.Or(s.checkOrigin(r), checkHead(r)); err != nil {
		s.fail(w, r, err)
		return
	}
	s.csrf.ServeHTTP(w, r) // which calls answerPage
}

// answerPage answers with the page of a request, or with the problem that its
// handler returns.
func (s *Server) answerPage(w http.ResponseWriter, r *http.Request) {
	err := s.Guard(r.Context(), func() error { return s.middleware(s.dispatch)(w, r) })
	if err != nil {
		s.fail(w, r, err)
	}
}

// dispatch calls the route of r. The routes have a mux of their own because a mux
// by itself would answer 404 and 405 with plain text.
func (s *Server) dispatch(w http.ResponseWriter, r *http.Request) error {
	h, pattern := s.routes.Handler(r)
	if pattern != "" {
		s.routes.ServeHTTP(w, r) // a *route, which keeps its error in the request's state
		return stateOf(r).result
	}
	answer := &headRecorder{header: http.Header{}}
	h.ServeHTTP(answer, r)
	if answer.status != http.StatusMethodNotAllowed {
		return &Problem{
			Status: http.StatusNotFound, Reason: "no_such_page", Heading: "There is no such page",
			Message: "Check the address, or go to the home page.",
		}
	}
	w.Header().Set("Allow", answer.header.Get("Allow"))
	switch {
	case isRead(r):
		return &Problem{
			Status: http.StatusMethodNotAllowed, Reason: "form_only", Heading: "A link cannot do that",
			Message: "This address takes a form. Go to the home page and use the button there.",
		}
	case r.Method == http.MethodPost:
		return &Problem{
			Status: http.StatusMethodNotAllowed, Reason: "page_only", Heading: "This page does not accept forms",
			Message: "Go to the home page and use the buttons there.",
		}
	}
	return &Problem{
		Status: http.StatusMethodNotAllowed, Reason: "method", Heading: "This page does not accept that request",
		Message: "This address does not allow the method of the request.",
	}
}

// A headRecorder keeps the status and headers of an answer, and nothing else.
type headRecorder struct {
	header http.Header
	status int
}

func (h *headRecorder) Header() http.Header         { return h.header }
func (h *headRecorder) WriteHeader(status int)      { h.status = status }
func (h *headRecorder) Write(b []byte) (int, error) { return len(b), nil }

// isOffice reports whether a program such as Word asks, because somebody clicked
// on a link in a document. It follows redirects with cookies of its own, and gives
// the last address to the browser: that of a sign-in that nobody can complete.
func isOffice(r *http.Request) bool {
	agent := strings.ToLower(r.UserAgent())
	return strings.Contains(agent, "ms-office") || strings.Contains(agent, "microsoft office")
}

// answerOffice answers such a program with a page instead of a redirect, so that the
// browser opens the address of the link.
func answerOffice(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	io.WriteString(w, `<!DOCTYPE html><html lang="en"><title>Portal</title><meta http-equiv="refresh" content="0"><p>Please open this link in a browser.</p></html>`)
}
