package routes

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"example.org/portal/globus"
)

// login starts an attempt to sign in, and receives its callback.
func (a *App) login(w http.ResponseWriter, r *http.Request) error {
	// The address may hold a code; it must not travel on.
	w.Header().Set("Referrer-Policy", "no-referrer")
	if r.Method == http.MethodHead {
		w.WriteHeader(http.StatusNoContent) // nobody has asked to sign in yet
		return nil
	}
	if isPrefetch(r) {
		return refusePrefetch(w)
	}
	q, err := loginQuery(r.URL.RawQuery)
	if err != nil {
		return a.notSignedIn(r, a.refuseLogin(err, "", "link_damaged", "That sign-in link is damaged", "Nobody was signed in by it. Begin again."))
	}
	if q.Has("code") || q.Has("error") {
		if err := a.callback(w, r, q); err != nil {
			return a.notSignedIn(r, err)
		}
		return nil
	}
	return a.startLogin(w, r, q)
}

// loginQuery parses the query of /login strictly: what net/url would drop in
// silence, or give the first of, is a fault.
func loginQuery(raw string) (url.Values, error) {
	q, err := url.ParseQuery(raw)
	if err != nil {
		return nil, errors.New("malformed query")
	}
	for _, known := range []string{"code", "state", "error", "error_description", "iss", "next", "prompt", "step_up"} {
		if len(q[known]) > 1 {
			return nil, errors.New("doubled parameter " + known)
		}
	}
	for _, name := range []string{"code", "state", "error", "iss"} {
		if strings.ContainsFunc(q.Get(name), func(r rune) bool { return r < ' ' || r > '~' }) { // RFC 6749, appendix A
			return nil, errors.New("a character that cannot be in " + name)
		}
	}
	if q.Has("code") && q.Get("code") == "" {
		return nil, errors.New("empty code")
	}
	return q, nil
}

// startLogin sends the browser to Globus, if it is to show what comes of it: a
// request from within a page must not sign anybody in.
func (a *App) startLogin(w http.ResponseWriter, r *http.Request, q url.Values) error {
	if !isNavigation(r) {
		return a.noSession(w, r)
	}
	next := a.localPath(q.Get("next"))
	if q.Get("prompt") == "login" {
		return a.begin(w, r, attempt{Next: next, Prompt: true})
	}
	s, err := a.load(w, r)
	if err != nil {
		return err
	}
	if s != nil && q.Has("step_up") {
		return a.startStepUp(w, r, s, q.Get("step_up"), next)
	}
	if s != nil && a.policy.Decide(s.Facts, a.now()).Allowed() {
		return redirect(w, a.absolute(next))
	}
	return a.begin(w, r, attempt{Next: next})
}

// begin sends the browser to Globus to sign in with the attempt t.
func (a *App) begin(w http.ResponseWriter, r *http.Request, t attempt) error {
	if a.signedOut(r) {
		http.SetCookie(w, a.cookies.cookie(a.cookies.name("signed-out"), "", -1))
	}
	return a.toGlobus(w, r, t, a.policy.AuthCodeOptions())
}

// toGlobus sends the browser to Globus with the attempt t, whose secrets it makes.
func (a *App) toGlobus(w http.ResponseWriter, r *http.Request, t attempt, opts []oauth2.AuthCodeOption) error {
	t.Attempt, t.Begun = globus.NewAttempt(), a.now()
	if err := a.keepAttempt(w, r, t); err != nil {
		return err
	}
	if t.Prompt {
		opts = append(opts, globus.PromptLogin())
	}
	return redirect(w, a.globus.AuthCodeURL(t.Attempt, opts...))
}

// absolute returns the URL of a local path; "" stands for the home page.
func (a *App) absolute(path string) string {
	if path = a.localPath(path); path == "" {
		path = a.site.Path("/")
	}
	return a.origin + path
}
