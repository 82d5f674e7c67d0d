package routes

import (
	"errors"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/justinas/nosurf"

	"example.org/portal/components"
)

const (
	maxQuery       = 8000     // bytes; proxies let pass 8 KiB of address
	maxForm        = 8 << 10  // bytes
	maxCookieBytes = 16 << 10 // of the Cookie header
	maxCookieCount = 500      // from 3,000 on net/http would see none at all
)

// protect refuses what no page should have to deal with: too much of anything,
// and forms that another site sent.
func (a *App) protect(next http.Handler) http.Handler {
	a.csrf = nosurf.New(next)
	// It lives as long as a session: a browser that is started again with its old
	// tabs still has both.
	a.csrf.SetBaseCookie(*a.cookies.cookie(a.cookies.name("csrf"), "", int(a.lifetime/time.Second)))
	a.csrf.SetIsTLSFunc(func(*http.Request) bool { return a.cookies.secure })
	a.csrf.SetFailureHandler(a.catch(a.refuseForm))

	// Two checks that know nothing of each other: whence the browser says that
	// the form comes, and the token in it.
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(a.catch(func(http.ResponseWriter, *http.Request) error {
		return &httpError{
			status: http.StatusForbidden, reason: "cross_origin", heading: "That came from another site",
			message: "The request was not made on this site, so nothing was done. Open the page here and try again.",
			cause:   errors.New("cross-origin request"),
		}
	}))
	checked := crossOrigin.Handler(a.csrf)

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Cookie, HX-Request, HX-Request-Type")
		if isOffice(r) {
			answerOffice(w)
			return
		}
		if err := limit(w, r); err != nil {
			a.fail(w, r, err)
			return
		}
		checked.ServeHTTP(w, r)
	})
}

// limit bounds a request, and parses its form before nosurf does, which would
// keep the error to itself, and take an upload of any size by any method.
func limit(w http.ResponseWriter, r *http.Request) error {
	if len(r.URL.RawQuery) > maxQuery {
		return &httpError{
			status: http.StatusRequestURITooLong, reason: "query_too_long", heading: "That link is too long",
			message: "The address has more behind the question mark than any page here understands.",
		}
	}
	cookies := strings.Join(r.Header.Values("Cookie"), ";")
	if len(cookies) > maxCookieBytes || strings.Count(cookies, ";") > maxCookieCount {
		return &httpError{
			status: http.StatusBadRequest, reason: "too_many_cookies", heading: "Too many cookies",
			message: "Your browser sent more cookies than this site can read. Clear the cookies of this site and try again.",
		}
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return nil
	case http.MethodPost:
		return parseForm(w, r)
	}
	w.Header().Set("Allow", "GET, HEAD, POST")
	return &httpError{
		status: http.StatusMethodNotAllowed, reason: "method", heading: "That cannot be done here",
		message: "Pages are read, and forms are sent; there is nothing else.",
	}
}

func parseForm(w http.ResponseWriter, r *http.Request) error {
	if t, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); t != "application/x-www-form-urlencoded" {
		return &httpError{
			status: http.StatusUnsupportedMediaType, reason: "not_a_form", heading: "That is not a form",
			message: "Only forms can be sent here.",
		}
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			w.Header().Set("Connection", "close") // the rest of it is not worth reading
			return &httpError{
				status: http.StatusRequestEntityTooLarge, reason: "too_long", heading: "That is too long",
				message: "The form holds more than can be sent at once. Shorten it and try again.",
			}
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			w.Header().Set("Connection", "close")
			return &httpError{
				status: http.StatusRequestTimeout, reason: "too_slow", heading: "That took too long to arrive",
				message: "Nothing was done. Your connection may be slow; please try again.", cause: errors.New("body not read in time"),
			}
		}
		return &httpError{
			status: http.StatusBadRequest, reason: "form_unreadable", heading: "That form could not be read",
			message: "Go back, reload the page and try again.", cause: errors.New("malformed form"),
		}
	}
	return nil
}

// refuseForm answers a form that failed nosurf's checks. One that was merely
// too old is offered again, with a fresh token and what was typed; what came
// from elsewhere is not, for its fields are another's.
func (a *App) refuseForm(w http.ResponseWriter, r *http.Request) error {
	reason := nosurf.Reason(r)
	refusal := &httpError{
		status: http.StatusForbidden, reason: "form_old", heading: "This form was too old",
		message: "You may have signed in or out since the page was opened. Nothing was done.",
		cause:   reason,
	}
	if _, known := a.pages.Handler(r); known == "" || !errors.Is(reason, nosurf.ErrBadToken) {
		refusal.message = "The request was not made on this site, or your browser hid that it was. Nothing was done. Open the page again and retry."
		return refusal
	}
	if r.URL.Path == a.site.Path("/logout") && !a.visitor(r).SignedIn {
		return redirect(w, a.absolute(a.site.Path("/signed-out"))) // the second click of a double one
	}
	refusal.form = formAgain(r)
	who := a.visitor(r)
	switch {
	case !who.SignedIn:
		refusal.message = "You are not signed in any more, and nothing was done. If this needs it, log in again in another tab; then send it again: what you typed is kept here."
		refusal.loginURL = a.site.LoginURL(a.currentPath(r))
	case who.Name != "":
		refusal.facts = []components.Fact{{Label: "You are signed in as", Value: who.Name}}
	}
	return refusal
}

// formAgain offers the form that r sent once more, with a fresh token.
func formAgain(r *http.Request) *components.Form {
	return &components.Form{
		Action:    r.URL.Path,
		CSRFToken: nosurf.Token(r),
		Fields:    fields(r.PostForm),
		Label:     "Send it again",
	}
}

// fields lists what a form held, but for its token.
func fields(form url.Values) []components.Field {
	var list []components.Field
	for _, name := range slices.Sorted(maps.Keys(form)) {
		if name == nosurf.FormFieldName {
			continue
		}
		for _, v := range form[name] {
			list = append(list, components.Field{Name: name, Value: v})
		}
	}
	return list
}
