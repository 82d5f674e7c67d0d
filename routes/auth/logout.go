package auth

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/web"
)

const (
	maxRevoke = 2 * time.Second // how long a person waits for Globus when they sign out

	signedOutCookie = "signed-out" // says that somebody signed out in this browser
)

// Logout returns the handler that ends the session, first here and then at Globus.
func (a *Auth) Logout() web.Handler { return logout{a} }

type logout struct{ auth *Auth }

// Allow leads a browser without a session on at once, such as one that sends the
// form a second time after a double click: its CSRF token is gone.
func (h logout) Allow(w http.ResponseWriter, r *http.Request) (bool, error) {
	if h.auth.sessions.Brought(r) {
		return true, nil
	}
	return false, web.Redirect(w, r, "/signed-out")
}

func (h logout) Serve(w http.ResponseWriter, r *http.Request) error {
	a := h.auth
	r = r.WithContext(context.WithoutCancel(r.Context())) // it is done even if the browser hangs up
	tokens, err := a.sessions.SignOut(r)
	a.setSession(r, nil)
	a.revoke(r.Context(), tokens)
	a.sessions.ClearCookie(w)
	http.SetCookie(w, a.site.Cookies.New(signedOutCookie, "1", 0))
	a.site.RenewCSRFToken(w, r)
	if err != nil {
		a.site.Log.ErrorContext(r.Context(), "signed out in the browser only", "session", a.sessions.Tag(r), "reason", err)
		return showSignedOut(w, r, http.StatusServiceUnavailable)
	}
	a.site.Log.InfoContext(r.Context(), "signed out", "session", a.sessions.Tag(r))
	return web.Redirect(w, r, "/signed-out")
}

// LogoutPage has the button that signs out: a link must not.
func (a *Auth) LogoutPage(w http.ResponseWriter, r *http.Request) error {
	return web.ShowPage(w, r, components.LogoutPage(web.NewPage(r, "Log out")))
}

// SignedOutPage says that nobody is signed in here, if that is true.
func (a *Auth) SignedOutPage(w http.ResponseWriter, r *http.Request) error {
	s, err := a.current(r)
	if err != nil {
		return err
	}
	if s != nil {
		return web.Redirect(w, r, "/")
	}
	return showSignedOut(w, r, http.StatusOK)
}

func showSignedOut(w http.ResponseWriter, r *http.Request, status int) error {
	page := web.NewPage(r, "Signed out")
	page.Visitor.LoginURL = page.LoginURL("") // which is no page to come back to
	return web.ShowPageStatus(w, r, status, components.SignedOut(page, status != http.StatusOK))
}

// Visitor answers a page that asks whether its person is still signed in.
func (a *Auth) Visitor(w http.ResponseWriter, r *http.Request) error {
	if _, err := a.current(r); err != nil {
		return err
	}
	visitor, from := web.Visitor(r), a.site.From(r)
	visitor.OnAccount = from == a.site.Path("/account")
	if !visitor.SignedIn {
		visitor.Ended, visitor.LoginURL = true, a.site.LoginURL(from)
	}
	return web.Show(w, r, "Who is signed in", components.SignedInAs(visitor))
}

// EndedHere reports whether r's browser had a session that has ended.
func (a *Auth) EndedHere(r *http.Request) bool { return a.sessions.Brought(r) }

// signedOut reports whether somebody signed out in r's browser, and nobody has
// begun to sign in since.
func (a *Auth) signedOut(r *http.Request) bool {
	_, err := r.Cookie(a.site.Cookies.Name(signedOutCookie))
	return err == nil
}

// revoke ends tokens at Globus, as far as that succeeds. It outlives the request,
// but not by long.
func (a *Auth) revoke(ctx context.Context, tokens globus.Tokens) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), maxRevoke)
	defer cancel()
	if err := a.globus.RevokeAll(ctx, tokens); err != nil {
		a.site.Log.LogAttrs(ctx, slog.LevelWarn, "tokens not revoked", web.Why(err)...)
	}
}
