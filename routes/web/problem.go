package web

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"example.org/portal/components"
	"example.org/portal/globus"
)

// A Problem is an error that people may read. Of any other error they learn only
// what explain.go says about its kind.
type Problem struct {
	Status   int
	Reason   string                 // the kind of problem, in a word that does not change; for the log, tests and scripts
	Heading  string                 // what happened, in a few words
	Message  string                 // what happened and what to do, in a sentence or two
	Facts    []components.Fact      // what explains it, such as names from elsewhere
	Ways     []components.Way       // links to what may help
	LoginURL string                 // where to sign in, if that helps
	Retry    string                 // path of what to try again, if that helps; a GET that is answered by 503 has its own
	Form     *components.Form       // to send again; nil if there is none
	Errors   components.FieldErrors // what is wrong with a form, for scripts; see ShowInvalid
	Cause    error                  // for the log; may be nil
}

// Error is for the log, and does not depend on what pages say.
func (p *Problem) Error() string {
	kind := cmp.Or(p.Reason, p.Heading)
	if p.Cause == nil {
		return kind
	}
	return kind + ": " + p.Cause.Error()
}

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.Cause }

// Guard calls f, and makes an error of a panic. What runs in a goroutine of its
// own needs it too, because a panic there would end the process.
func (s *Server) Guard(ctx context.Context, f func() error) (err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if p == http.ErrAbortHandler {
			panic(p)
		}
		s.Log.ErrorContext(ctx, "panic", "stack", string(debug.Stack()))
		err = fmt.Errorf("panic: %T", p)
	}()
	return f()
}

// fail answers with what explain says about err: as a page, as a fragment for htmx,
// or as JSON. The log line of the request has err. A response that has begun can only
// be cut off, so that nobody takes it for a whole one.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	SetReason(r, err)
	if late, ok := err.(lateError); ok {
		s.Log.LogAttrs(r.Context(), slog.LevelError, "the handler returned an error after it had begun to answer, so nobody sees a page about it: check everything before writing", Why(late.error)...)
		if w.Header().Get("Content-Length") == "" {
			panic(http.ErrAbortHandler)
		}
		return
	}
	p := explain(err)
	if stateOf(r).tooSlow {
		r = r.WithContext(context.WithoutCancel(r.Context())) // net/http cancelled it, but the browser waits
	}
	if r.Context().Err() != nil {
		return // the browser hung up
	}
	shown := *p
	switch {
	case p.Status == http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "10")
		if r.Method == http.MethodGet && p.LoginURL == "" {
			shown.Retry = cmp.Or(p.Retry, s.Here(r))
		}
	case p.Status == http.StatusRequestTimeout:
		w.Header().Set("Connection", "close") // the rest of the body stays unread
	}
	// The part of a page that panicked may be part of the error page too.
	err = s.Guard(r.Context(), func() error { return s.showProblem(w, r, shown) })
	if err != nil {
		s.Log.ErrorContext(r.Context(), "error page not rendered", "reason", err)
		http.Error(w, "Something went wrong here.", http.StatusInternalServerError)
	}
}

func (s *Server) showProblem(w http.ResponseWriter, r *http.Request, p Problem) error {
	if WantsJSON(r) {
		return sendProblem(w, r, p)
	}
	view := components.Problem{
		Site:      s.Site,
		Reason:    p.Reason,
		Heading:   p.Heading,
		Message:   p.Message,
		Facts:     p.Facts,
		Ways:      p.Ways,
		Reference: ID(r),
		LoginURL:  p.LoginURL,
		Retry:     p.Retry,
		Form:      p.Form,
	}
	if WantsFragment(r) {
		BesideForm(w, r)
		return write(w, r, p.Status, components.ProblemFragment(view))
	}
	page := NewPage(r, p.Heading)
	page.Visitor.LoginURL = cmp.Or(p.LoginURL, page.Visitor.LoginURL)
	if p.Status == http.StatusNotFound {
		page.Visitor.LoginURL = s.LoginURL("") // there is nothing to come back to
	}
	return write(w, r, p.Status, components.ProblemPage(page, view))
}

// sendProblem answers with the problem as JSON (RFC 9457).
func sendProblem(w http.ResponseWriter, r *http.Request, p Problem) error {
	b, err := json.Marshal(struct {
		Title     string `json:"title"`
		Status    int    `json:"status"`
		Detail    string `json:"detail,omitempty"`
		Reason    string `json:"reason,omitempty"`
		Reference string `json:"reference"`
		LoginURL  string `json:"login_url,omitempty"`

		Errors components.FieldErrors `json:"errors,omitempty"`
	}{p.Heading, p.Status, p.Message, p.Reason, ID(r), p.LoginURL, p.Errors})
	if err != nil {
		return err
	}
	return send(w, p.Status, "application/problem+json", append(b, '\n'))
}

// Why returns what the log says about err: the reason and, where one is known, the
// remedy. No page shows either.
func Why(err error) []slog.Attr {
	attrs := []slog.Attr{slog.Any("reason", err)}
	if remedy := globus.Remedy(err); remedy != "" {
		attrs = append(attrs, slog.String("remedy", remedy))
	}
	return attrs
}

// BesideForm makes htmx put the answer to a form before its target instead of in its
// place, so that the form stays, with what was typed.
func BesideForm(w http.ResponseWriter, r *http.Request) {
	if !isRead(r) {
		w.Header().Set("HX-Reswap", "beforebegin")
	}
}
