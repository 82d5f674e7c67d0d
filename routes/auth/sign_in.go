package auth

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

const (
	maxSignIn   = 10 * time.Second // exchanging the code and saving the session
	maxUserInfo = 3 * time.Second  // of that, asking userinfo
)

// redeem exchanges the code of an attempt for tokens, and returns the session that
// they begin or, in a step-up, are merged into. It goes on if the browser hangs up,
// because a code can be exchanged only once.
func (a *Auth) redeem(r *http.Request, code string, t attempt) (*session.Session, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), maxSignIn)
	defer cancel()
	r = r.WithContext(ctx)
	login, err := a.globus.Exchange(ctx, code, t.Attempt)
	if err != nil {
		return nil, err // Exchange has revoked the tokens
	}
	s, err := a.useLogin(r, login, t)
	if err != nil {
		a.discardTokens(r, login)
		return nil, err
	}
	return s, nil
}

func (a *Auth) useLogin(r *http.Request, login *globus.Login, t attempt) (*session.Session, error) {
	if err := a.useUserInfo(r.Context(), login); err != nil {
		return nil, err
	}
	if t.StepUp != "" {
		return a.mergeLogin(r, login, t)
	}
	return a.signIn(r, login)
}

// signIn begins the session of a login that the policy allows. Once it is saved,
// the session that the browser had before is ended.
func (a *Auth) signIn(r *http.Request, login *globus.Login) (*session.Session, error) {
	ctx := r.Context()
	facts, err := a.checkLogin(ctx, login)
	if err != nil {
		return nil, err
	}
	s, err := a.sessions.SignIn(ctx, session.Record{Identity: login.Identity, Tokens: login.Tokens, Began: a.site.Now(), Facts: facts})
	if err != nil {
		return nil, err
	}
	previous, _ := a.current(r)
	tokens, err := a.sessions.SignOut(r)
	if err != nil { // the new session holds all the same
		a.site.Log.ErrorContext(ctx, "old session not ended yet", "reason", err)
	}
	a.recordSignIn(ctx, s)
	a.retireTokens(ctx, s, previous != nil && previous.Identity.Subject == s.Identity.Subject, tokens)
	return s, nil
}

// useUserInfo replaces the ID token's claims about the person by those of userinfo.
// If userinfo cannot be had, the claims of the ID token stay. It is an error if
// userinfo is about another person (OpenID Connect Core, section 5.3.2).
func (a *Auth) useUserInfo(ctx context.Context, login *globus.Login) error {
	token, ok := login.Tokens[globus.AuthServer]
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, maxUserInfo)
	defer cancel()
	id, err := a.globus.UserInfo(ctx, token.AccessToken)
	if err != nil {
		a.site.Log.LogAttrs(ctx, slog.LevelWarn, "userinfo not used", web.Why(err)...)
		return nil
	}
	if id.Subject != login.Identity.Subject {
		return &globus.Error{Call: "userinfo", Reason: globus.BadUserInfo, Detail: "sub is not that of the ID token"}
	}
	login.Identity = id.Or(login.Identity)
	return nil
}

// discardTokens revokes the tokens of a login that begins no session. Those that
// the browser's session holds stay, because Globus may issue the same token twice.
func (a *Auth) discardTokens(r *http.Request, login *globus.Login) {
	ctx := context.WithoutCancel(r.Context())
	own, _ := a.current(r)
	if own == nil {
		a.revoke(ctx, login.Tokens)
		return
	}
	a.retireTokens(ctx, own, own.Identity.Subject == login.Identity.Subject, login.Tokens)
}

// retireTokens revokes tokens that s does not use: at once if they are another
// person's. Tokens of the same person are revoked when s ends, because they may
// belong to the same grant, see session.Record.Replace.
func (a *Auth) retireTokens(ctx context.Context, s *session.Session, samePerson bool, tokens globus.Tokens) {
	tokens = tokens.Without(s.Tokens)
	if len(tokens) == 0 {
		return
	}
	err := session.ErrGone
	if samePerson {
		err = a.sessions.Update(ctx, s, func(rec *session.Record) { rec.Replace(tokens) })
	}
	switch {
	case errors.Is(err, session.ErrGone):
		a.revoke(ctx, tokens)
	case err != nil:
		a.site.Log.ErrorContext(ctx, "replaced tokens not kept", "reason", err)
	}
}
