package auth

import (
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"example.org/portal/globus"
	"example.org/portal/routes/web"
)

// Login starts an attempt to sign in, and receives its callback.
func (a *Auth) Login(w http.ResponseWriter, r *http.Request) error {
	// The URL may hold a code, which must not be sent on as a referrer.
	w.Header().Set("Referrer-Policy", "no-referrer")
	if r.Method == http.MethodHead {
		w.WriteHeader(http.StatusNoContent) // a HEAD starts no attempt
		return nil
	}
	if web.IsPrefetch(r) {
		return web.RefusePrefetch(w)
	}
	q, err := loginQuery(r.URL.RawQuery)
	if err != nil {
		return a.loginFailed(r, err, attempt{})
	}
	if q.Has("code") || q.Has("error") {
		return a.callback(w, r, q)
	}
	return a.startLogin(w, r, q)
}

// A linkError says what is wrong with a link to /login.
type linkError string

func (e linkError) Error() string { return string(e) }

// loginQuery parses the query of /login strictly: it rejects what net/url would drop
// silently, and a parameter that comes twice (RFC 6749, section 3.1).
func loginQuery(raw string) (url.Values, error) {
	q, err := url.ParseQuery(raw)
	if err != nil {
		return nil, linkError("malformed query")
	}
	for _, known := range []string{"code", "state", "error", "error_description", "iss", "next", "prompt", "step_up"} {
		if len(q[known]) > 1 {
			return nil, linkError("parameter " + known + " more than once")
		}
	}
	for _, name := range []string{"code", "state", "error", "iss"} {
		if strings.ContainsFunc(q.Get(name), func(r rune) bool { return r < ' ' || r > '~' }) { // RFC 6749, appendix A
			return nil, linkError("invalid character in " + name)
		}
	}
	if q.Has("code") && q.Get("code") == "" {
		return nil, linkError("empty code")
	}
	return q, nil
}

// startLogin redirects the browser to Globus. It answers only navigations, because a
// request from within a page must not sign anybody in.
func (a *Auth) startLogin(w http.ResponseWriter, r *http.Request, q url.Values) error {
	if !web.IsNavigation(r) {
		return a.noSession(w, r)
	}
	next := a.site.LocalPath(q.Get("next"))
	if q.Get("prompt") == "login" {
		return a.beginSignIn(w, r, attempt{Next: next, Prompt: true})
	}
	s, err := a.current(r)
	if err != nil {
		return err
	}
	if s != nil && q.Has("step_up") {
		return a.startStepUp(w, r, s, q.Get("step_up"), next)
	}
	if s != nil && a.policy.Decide(s.Facts, a.site.Now()).Allowed() {
		return web.RedirectURL(w, a.site.Absolute(next))
	}
	return a.beginSignIn(w, r, attempt{Next: next})
}

// beginSignIn redirects the browser to Globus to sign in with the attempt t.
func (a *Auth) beginSignIn(w http.ResponseWriter, r *http.Request, t attempt) error {
	if a.signedOut(r) {
		http.SetCookie(w, a.site.Cookies.New(signedOutCookie, "", -1))
	}
	return a.redirectToGlobus(w, r, t, a.policy.AuthCodeOptions())
}

// redirectToGlobus redirects the browser to Globus with the attempt t, after it has
// made the secrets of t.
func (a *Auth) redirectToGlobus(w http.ResponseWriter, r *http.Request, t attempt, opts []oauth2.AuthCodeOption) error {
	t.Attempt, t.Begun = globus.NewAttempt(), a.site.Now()
	if err := a.setAttempt(w, r, t); err != nil {
		return err
	}
	if t.Prompt {
		opts = append(opts, globus.PromptLogin())
	}
	return web.RedirectURL(w, a.globus.AuthCodeURL(t.Attempt, opts...))
}
