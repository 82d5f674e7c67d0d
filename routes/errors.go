package routes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
)

// A handlerFunc answers a request, or returns an error and has written nothing.
type handlerFunc func(w http.ResponseWriter, r *http.Request) error

// An httpError is an error whose heading and message the person may read. Of
// any other error they learn only that something went wrong.
type httpError struct {
	status   int
	reason   string // what kind of problem it is, in a word that does not change; for the log, tests and scripts
	heading  string
	message  string            // what happened and what to do
	facts    []components.Fact // what to know of it that came from elsewhere, names above all
	ways     []components.Way  // out of it; may be empty
	loginURL string            // where to sign in, if that helps
	retry    string            // path of what to try again, if that helps; a 503 of a page has its own
	form     *components.Form  // to send again, or nil
	cause    error             // for the log; may be nil
}

// Error is for the log, and so does not change with what pages say.
func (e *httpError) Error() string {
	kind := cmp.Or(e.reason, e.heading)
	if e.cause == nil {
		return kind
	}
	return kind + ": " + e.cause.Error()
}

func (e *httpError) Unwrap() error { return e.cause }

// catch turns a handlerFunc into an http.Handler: the one place where errors,
// panics too, become pages.
func (a *App) catch(h handlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := a.guarded(r.Context(), func() error { return h(w, r) })
		if want, ok := globus.RequirementsOf(err); ok && visitOf(r).session != nil {
			err = a.askFor(w, r, visitOf(r).session, want, err)
		}
		if err != nil {
			a.fail(w, r, err)
		}
	})
}

// guarded calls f, and makes an error of a panic. What runs in a goroutine of its
// own needs it too: nobody else would recover there, and the process would end.
func (a *App) guarded(ctx context.Context, f func() error) (err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if p == http.ErrAbortHandler {
			panic(p)
		}
		a.log.ErrorContext(ctx, "panic", "stack", string(debug.Stack()))
		err = fmt.Errorf("panic: %T", p)
	}()
	return f()
}

// fail answers with the page of err, or for htmx its fragment. Why is logged
// when the request is.
func (a *App) fail(w http.ResponseWriter, r *http.Request, err error) {
	visitOf(r).err = err
	e := a.asHTTPError(r, err)
	if e.status == http.StatusRequestTimeout {
		r = r.WithContext(context.WithoutCancel(r.Context())) // net/http ended it, and the browser waits
	}
	if r.Context().Err() != nil {
		return // the browser hung up
	}
	if e.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "10")
	}
	problem := components.Problem{
		Site:      a.site,
		Reason:    e.reason,
		Heading:   e.heading,
		Message:   e.message,
		Facts:     e.facts,
		Ways:      e.ways,
		Reference: requestID(r),
		LoginURL:  e.loginURL,
		Retry:     e.retry,
		Form:      e.form,
	}
	if e.status == http.StatusServiceUnavailable && r.Method == http.MethodGet && r.URL.Path != a.site.Path("/login") {
		problem.Retry = a.localPath(r.URL.RequestURI())
	}
	// What panicked may be a part of every page, this one too.
	err = a.guarded(r.Context(), func() error {
		if wantsFragment(r) {
			besideForm(w, r)
			return write(w, r, e.status, components.ProblemFragment(problem))
		}
		return write(w, r, e.status, components.ProblemPage(a.page(r, e.heading), problem))
	})
	if err != nil {
		a.log.ErrorContext(r.Context(), "error page not rendered", "reason", err)
		http.Error(w, "Something went wrong here.", http.StatusInternalServerError)
	}
}

// why is what the log says about err: the reason and, where one is known, the
// remedy. No page shows either.
func why(err error) []slog.Attr {
	attrs := []slog.Attr{slog.Any("reason", err)}
	if remedy := globus.Remedy(err); remedy != "" {
		attrs = append(attrs, slog.String("remedy", remedy))
	}
	return attrs
}

// besideForm has htmx put what answers a form before its target, and not in its
// place: what was typed may stand there.
func besideForm(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		w.Header().Set("HX-Reswap", "beforebegin")
	}
}

// asHTTPError says what the person reads about err.
func (a *App) asHTTPError(r *http.Request, err error) *httpError {
	if no, ok := errors.AsType[*refusal](err); ok {
		return a.refused(r, no)
	}
	if e, ok := errors.AsType[*httpError](err); ok {
		return e
	}
	if isStoreError(err) {
		return &httpError{
			status: http.StatusServiceUnavailable, reason: "store_unavailable", heading: "Please try again in a moment",
			message: "This site cannot reach its own records just now. You are not signed out; reload the page in a moment.",
		}
	}
	if errors.Is(err, globus.ErrNoToken) {
		return &httpError{
			status: http.StatusForbidden, reason: "no_token", heading: "Globus gave no token for this",
			message: "You may have withdrawn your consent, or this site did not ask for it. Log out and in again to be asked.",
		}
	}
	if e, ok := errors.AsType[*globus.Error](err); ok {
		return globusError(e)
	}
	if _, ok := errors.AsType[*url.Error](err); ok { // of a call by an HTTPClient
		return serviceError(&globus.Error{})
	}
	return &httpError{
		status: http.StatusInternalServerError, reason: "internal", heading: "Something went wrong here",
		message: "That is our fault, and it has been written down. Please try again.",
	}
}

func isStoreError(err error) bool {
	_, ok := errors.AsType[*session.StoreError](err)
	return ok
}
