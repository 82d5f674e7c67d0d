package routes

import (
	"net/http"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

// home shows the home page.
func (a *App) home(w http.ResponseWriter, r *http.Request) error {
	s, err := a.Auth.Session(r)
	if err != nil {
		return err
	}
	return web.ShowPage(w, r, components.Home(web.NewPage(r, ""), a.card(r, s)))
}

// userCard shows the card alone, also to someone who is signed out: an open page
// requests it when its tab becomes visible again.
func (a *App) userCard(w http.ResponseWriter, r *http.Request) error {
	s, err := a.Auth.Session(r)
	if err != nil {
		return err
	}
	return web.Show(w, r, "Your card", components.UserCard(a.card(r, s)))
}

// card returns what the card shows of s, which may be nil.
func (a *App) card(r *http.Request, s *session.Session) components.Card {
	c := components.Card{Site: a.Site}
	if s == nil {
		c.Ended = a.Auth.HadSession(r)
		return c
	}
	token := s.Tokens[globus.AuthServer]
	c.Identity = &s.Identity
	c.AccessToken.Held = token.AccessToken != ""
	c.RefreshToken.Held = token.RefreshToken != ""
	return c
}
