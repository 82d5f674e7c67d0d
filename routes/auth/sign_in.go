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
	maxUserInfo = 3 * time.Second  // of that, for what the ID token tells as well
)

// signIn redeems the code and saves the new session; only then does it end the
// session that the browser had. It goes on if the browser hangs up, for a code
// cannot be redeemed again.
func (a *Auth) signIn(r *http.Request, code string, t attempt) (*session.Session, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), maxSignIn)
	defer cancel()
	r = r.WithContext(ctx)
	login, err := a.globus.Exchange(ctx, code, t.Attempt)
	if err != nil {
		return nil, err
	}
	s, err := a.newSession(ctx, login)
	if err != nil {
		a.discard(r, login)
		return nil, err
	}
	before, _ := a.current(r)
	old := a.endOld(r)
	a.noteSignIn(ctx, s)
	a.replaced(ctx, s, before != nil && before.Identity.Subject == s.Identity.Subject, old)
	return s, nil
}

// newSession makes a session of a login, if the policy allows it.
func (a *Auth) newSession(ctx context.Context, login *globus.Login) (*session.Session, error) {
	if err := a.useUserInfo(ctx, login); err != nil {
		return nil, err
	}
	rec := session.Record{Identity: login.Identity, Tokens: login.Tokens, Began: a.site.Now()}
	if err := a.examine(ctx, &rec); err != nil {
		return nil, err
	}
	return a.sessions.SignIn(ctx, rec)
}

// useUserInfo takes what userinfo says about the person in place of the ID
// token's claims. It may fail, for those name the person already; it may not be
// about somebody else.
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

// discard does away with the tokens of a sign-in that came to nothing here, after
// Exchange accepted them (what it refuses, it revokes itself), but for those that
// the browser's own session holds: Globus may give the same out again.
func (a *Auth) discard(r *http.Request, login *globus.Login) {
	ctx := context.WithoutCancel(r.Context())
	own, _ := a.current(r)
	if own == nil {
		a.revoke(ctx, login.Tokens)
		return
	}
	a.replaced(ctx, own, own.Identity.Subject == login.Identity.Subject, login.Tokens)
}

// replaced does away with tokens that s has others in the place of: at once if
// they are another person's, and otherwise with s, see session.Record.Replace.
func (a *Auth) replaced(ctx context.Context, s *session.Session, samePerson bool, tokens globus.Tokens) {
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

// endOld ends the session that r's browser had before, if any, and returns the
// tokens that it held to the last. What fails is logged: the new session stands.
func (a *Auth) endOld(r *http.Request) globus.Tokens {
	old, err := a.sessions.SignOut(r)
	if err != nil {
		a.site.Log.ErrorContext(r.Context(), "old session not ended yet", "reason", err)
	}
	return old
}
