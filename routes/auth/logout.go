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
	maxRevoke = 2 * time.Second // revoking tokens; a person who signs out waits for it

	signedOutCookie = "signed-out" // is set from a sign-out until the next sign-in begins
)

// Logout returns the handler that ends the session and revokes its tokens.
func (a *Auth) Logout() web.Handler { return logout{a} }

type logout struct{ auth *Auth }

// Allow redirects a browser without a session cookie at once. After a double click,
// the second request has none, and its CSRF token is no longer right.
func (h logout) Allow(w http.ResponseWriter, r *http.Request) (bool, error) {
	if h.auth.sessions.Brought(r) {
		return true, nil
	}
	return false, web.Redirect(w, r, "/signed-out")
}

func (h logout) Serve(w http.ResponseWriter, r *http.Request) error {
	a := h.auth
	r = r.WithContext(context.WithoutCancel(r.Context())) // a browser that hangs up is signed out too
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

// LogoutPage shows a button that signs out, because a link must not sign anybody out.
func (a *Auth) LogoutPage(w http.ResponseWriter, r *http.Request) error {
	return web.ShowPage(w, r, components.LogoutPage(web.NewPage(r, "Log out")))
}

// SignedOutPage says that nobody is signed in here. It redirects people who are
// signed in to the home page.
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

// Visitor shows the part of the header that says who is signed in. An open page
// requests it to learn whether its session has ended. Every page has that part already,
// so who asks for it as a page is sent to the home page.
func (a *Auth) Visitor(w http.ResponseWriter, r *http.Request) error {
	if !web.WantsFragment(r) {
		return web.Redirect(w, r, "/")
	}
	if _, err := a.current(r); err != nil {
		return err
	}
	visitor, from := web.Visitor(r), a.site.From(r)
	visitor.OnAccount = from == a.site.Path("/account")
	if !visitor.SignedIn {
		visitor.Ended, visitor.LoginURL = true, a.site.LoginURL(from)
	}
	return web.Show(w, r, "", components.SignedInAs(visitor))
}

// HadSession reports whether r's browser sent a session cookie: on a page where
// nobody is signed in, its session has ended.
func (a *Auth) HadSession(r *http.Request) bool { return a.sessions.Brought(r) }

// signedOut reports whether the last thing that happened in r's browser was a
// sign-out.
func (a *Auth) signedOut(r *http.Request) bool {
	_, err := r.Cookie(a.site.Cookies.Name(signedOutCookie))
	return err == nil
}

// revoke revokes tokens at Globus, and logs a failure. It goes on when the request is
// cancelled, for maxRevoke at most.
func (a *Auth) revoke(ctx context.Context, tokens globus.Tokens) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), maxRevoke)
	defer cancel()
	if err := a.globus.RevokeAll(ctx, tokens); err != nil {
		a.site.Log.LogAttrs(ctx, slog.LevelWarn, "tokens not revoked", web.Why(err)...)
	}
}
