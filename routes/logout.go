package routes

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"example.org/portal/components"
	"example.org/portal/globus"
)

// maxRevoke is how long a person waits for Globus when they sign out.
const maxRevoke = 2 * time.Second

// logout ends the session, first here, then its tokens at Globus.
func (a *App) logout(w http.ResponseWriter, r *http.Request) error {
	// It is done even if the browser hangs up.
	r = r.WithContext(context.WithoutCancel(r.Context()))
	tokens, err := a.sessions.SignOut(r)
	visitedBy(r, nil)
	a.revoke(r.Context(), tokens)
	a.sessions.ClearCookie(w)
	http.SetCookie(w, a.cookies.cookie(a.cookies.name("signed-out"), "1", 0))
	a.csrf.RegenerateToken(w, r)
	if err != nil {
		a.log.ErrorContext(r.Context(), "signed out in the browser only", "session", a.sessions.Tag(r), "reason", err)
		return a.showSignedOut(w, r, http.StatusServiceUnavailable)
	}
	a.log.InfoContext(r.Context(), "signed out", "session", a.sessions.Tag(r))
	return redirect(w, a.absolute(a.site.Path("/signed-out")))
}

// signedOut reports whether somebody signed out in r's browser, and has not
// asked to sign in since.
func (a *App) signedOut(r *http.Request) bool {
	_, err := r.Cookie(a.cookies.name("signed-out"))
	return err == nil
}

// signedOutPage says that nobody is signed in here, where that is true.
func (a *App) signedOutPage(w http.ResponseWriter, r *http.Request) error {
	s, err := a.load(w, r)
	if err != nil {
		return err
	}
	if s != nil {
		return redirect(w, a.absolute(""))
	}
	return a.showSignedOut(w, r, http.StatusOK)
}

func (a *App) showSignedOut(w http.ResponseWriter, r *http.Request, status int) error {
	return a.showPage(w, r, status, components.SignedOut(a.page(r, "Signed out"), status != http.StatusOK))
}

// revoke ends tokens at Globus as far as that goes. It outlives the request,
// but not for long.
func (a *App) revoke(ctx context.Context, tokens globus.Tokens) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), maxRevoke)
	defer cancel()
	if err := a.globus.RevokeAll(ctx, tokens); err != nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, "tokens not revoked", why(err)...)
	}
}
