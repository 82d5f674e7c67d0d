package routes

import (
	"cmp"
	"maps"
	"net/http"
	"slices"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

// showToken shows the card with one token unmasked, for a minute. The form
// names its resource server, or means that of Globus Auth.
func (a *App) showToken(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	card := a.card(r, s)
	server := r.PostForm.Get("server")
	token, held := s.Tokens[cmp.Or(server, globus.AuthServer)]
	row := slices.IndexFunc(card.Tokens, func(row components.TokenRow) bool { return row.Server == server })
	switch kind := r.PostForm.Get("token"); {
	case !held:
		return noSuchToken()
	case kind == "access" && server == "":
		card.AccessToken.Shown = token.AccessToken
	case kind == "refresh" && server == "":
		card.RefreshToken.Shown = token.RefreshToken
	case kind == "access" && row >= 0:
		card.Tokens[row].Shown = token.AccessToken
		card.TokensOpen = true
	default:
		return noSuchToken()
	}
	if !web.WantsFragment(r) {
		w.Header().Set("Refresh", "60; url="+a.Absolute("")) // masks it without JavaScript
	}
	return web.Show(w, r, "Your card", components.UserCard(card))
}

// refreshToken refreshes the token of one resource server now, due or not.
func (a *App) refreshToken(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	server := r.PostForm.Get("server")
	if _, held := s.Tokens[server]; !held {
		return noSuchToken()
	}
	if err := a.Auth.Replace(r.Context(), s, server); err != nil {
		return err
	}
	card := a.card(r, s)
	card.TokensOpen = true
	return web.Show(w, r, "Your card", components.UserCard(card))
}

func noSuchToken() error {
	return &web.Problem{
		Status: http.StatusBadRequest, Reason: "no_such_token", Heading: "There is no such token",
		Message: "It may have been withdrawn at Globus. Reload the page to see those that there are.",
	}
}

// tokenRows lists the tokens of a session by resource server.
func tokenRows(tokens globus.Tokens) []components.TokenRow {
	var rows []components.TokenRow
	for _, server := range slices.Sorted(maps.Keys(tokens)) {
		t := tokens[server]
		rows = append(rows, components.TokenRow{Server: server, Scopes: t.Scopes, Expiry: t.Expiry, Refreshes: t.RefreshToken != ""})
	}
	return rows
}
