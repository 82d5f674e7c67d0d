package routes

import (
	"net/http"
	"slices"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

// showToken shows one token unmasked, for a minute. If the form names a resource
// server, that is its access token, on the account page; otherwise it is one of the
// tokens for Globus Auth, on the user card.
func (a *App) showToken(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	server, kind := r.PostForm.Get("server"), r.PostForm.Get("token")
	if server != "" {
		return a.showAccountToken(w, r, s, server, kind)
	}
	card, token := a.card(r, s), s.Tokens[globus.AuthServer]
	switch {
	case kind == "access" && token.AccessToken != "":
		card.AccessToken.Shown = token.AccessToken
	case kind == "refresh" && token.RefreshToken != "":
		card.RefreshToken.Shown = token.RefreshToken
	default:
		return noSuchToken()
	}
	a.maskAfterMinute(w, r, "/")
	return web.Show(w, r, "Your card", components.UserCard(card))
}

func (a *App) showAccountToken(w http.ResponseWriter, r *http.Request, s *session.Session, server, kind string) error {
	account := a.accountOf(s)
	i := slices.IndexFunc(account.Tokens, func(row components.TokenRow) bool { return row.Server == server })
	if i < 0 || kind != "access" {
		return noSuchToken()
	}
	account.Tokens[i].Shown = s.Tokens[server].AccessToken
	a.maskAfterMinute(w, r, "/account")
	return showAccount(w, r, account)
}

// maskAfterMinute makes a browser without JavaScript go to route after a minute,
// where the token is masked.
func (a *App) maskAfterMinute(w http.ResponseWriter, r *http.Request, route string) {
	if !web.WantsFragment(r) {
		w.Header().Set("Refresh", "60; url="+a.Absolute(a.Path(route)))
	}
}

// refreshToken refreshes the token of one resource server now, due or not.
func (a *App) refreshToken(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	server := r.PostForm.Get("server")
	if _, held := s.Tokens[server]; !held {
		return noSuchToken()
	}
	if err := a.Auth.Refresh(r.Context(), s, server); err != nil {
		return err
	}
	return showAccount(w, r, a.accountOf(s))
}

func noSuchToken() error {
	return &web.Problem{
		Status: http.StatusBadRequest, Reason: "no_such_token", Heading: "There is no such token",
		Message: "It may have been withdrawn at Globus. Reload the page to see your tokens.",
	}
}
