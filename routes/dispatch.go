package routes

import (
	"net/http"

	"github.com/justinas/nosurf"

	"example.org/portal/components"
)

// dispatch finds the page for a request. The pages have a mux of their own,
// behind the checks of protect, so that a 404 or a 405 is a page too; the mux by
// itself would answer with plain text.
func (a *App) dispatch(w http.ResponseWriter, r *http.Request) {
	h, pattern := a.pages.Handler(r)
	if pattern != "" {
		a.pages.ServeHTTP(w, r)
		return
	}
	probe := &probe{header: http.Header{}}
	h.ServeHTTP(probe, r)
	if probe.status != http.StatusMethodNotAllowed {
		a.fail(w, r, &httpError{
			status: http.StatusNotFound, reason: "no_such_page", heading: "There is no such page",
			message: "Check the address, or go to the home page.",
		})
		return
	}
	w.Header().Set("Allow", probe.header.Get("Allow"))
	refusal := &httpError{
		status: http.StatusMethodNotAllowed, reason: "form_only", heading: "That cannot be done by a link",
		message: "This address takes a form. Go to the home page and use the button there.",
	}
	if r.Method == http.MethodPost {
		refusal.reason = "page_only"
		refusal.heading, refusal.message = "This page does not accept forms", "Go to the home page and use the buttons there."
	}
	if r.URL.Path == a.site.Path("/logout") {
		refusal.message = "Signing out takes a click, so that no link can do it to you."
		refusal.form = &components.Form{Action: r.URL.Path, CSRFToken: nosurf.Token(r), Label: "Log out"}
	}
	a.fail(w, r, refusal)
}

// A probe learns what a handler would answer.
type probe struct {
	header http.Header
	status int
}

func (p *probe) Header() http.Header         { return p.header }
func (p *probe) WriteHeader(status int)      { p.status = status }
func (p *probe) Write(b []byte) (int, error) { return len(b), nil }
