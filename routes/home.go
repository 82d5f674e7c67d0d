package routes

import (
	"net/http"

	"github.com/justinas/nosurf"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
)

// home shows the whole page, card included.
func (a *App) home(w http.ResponseWriter, r *http.Request) error {
	s, err := a.admit(w, r)
	if err != nil {
		return err
	}
	return a.showPage(w, r, http.StatusOK, components.Home(a.page(r, ""), a.card(r, s)))
}

// userCard shows the card alone, that of someone signed out included: a tab
// asks for it when it becomes visible again.
func (a *App) userCard(w http.ResponseWriter, r *http.Request) error {
	s, err := a.admit(w, r)
	if err != nil {
		return err
	}
	return a.show(w, r, http.StatusOK, "Your card", components.UserCard(a.card(r, s)))
}

// card returns what the card shows of s, which may be nil.
func (a *App) card(r *http.Request, s *session.Session) components.Card {
	c := components.Card{Site: a.site, CSRFToken: nosurf.Token(r)}
	if s == nil {
		c.Ended = a.sessions.Brought(r)
		return c
	}
	token := s.Tokens[globus.AuthServer]
	c.Identity = &s.Identity
	c.AccessToken.Held = token.AccessToken != ""
	c.RefreshToken.Held = token.RefreshToken != ""
	c.SignedIn, c.Ends, c.Now = s.Began, s.Deadline, a.now()
	c.Tokens = tokenRows(s.Tokens)
	return c
}
