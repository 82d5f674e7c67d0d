package routes

import (
	"net/http"
	"slices"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

// showToken shows one token unmasked, for a minute: on the account page an access
// token, by its resource server; without one, a token of Globus Auth on the user card.
func (a *App) showToken(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	server, kind := r.PostForm.Get("server"), r.PostForm.Get("token")
	if server != "" {
		return a.showTokenOf(w, r, s, server, kind)
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
	a.maskIn(w, r, "/")
	return web.Show(w, r, "Your card", components.UserCard(card))
}

func (a *App) showTokenOf(w http.ResponseWriter, r *http.Request, s *session.Session, server, kind string) error {
	account := a.accountOf(s)
	i := slices.IndexFunc(account.Tokens, func(row components.TokenRow) bool { return row.Server == server })
	if i < 0 || kind != "access" {
		return noSuchToken()
	}
	account.Tokens[i].Shown = s.Tokens[server].AccessToken
	a.maskIn(w, r, "/account")
	return showAccount(w, r, account)
}

// maskIn has a browser without JavaScript leave a page with a token after a minute.
func (a *App) maskIn(w http.ResponseWriter, r *http.Request, route string) {
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
		Message: "It may have been withdrawn at Globus. Reload the page to see those that there are.",
	}
}
