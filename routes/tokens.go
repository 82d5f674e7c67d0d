package routes

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
)

// tokensFor returns what yields the person's tokens for one resource server.
func (a *App) tokensFor(s *session.Session, server string) globus.TokenFunc {
	return func(ctx context.Context, rejected string) (globus.Token, error) {
		return a.sessions.Token(ctx, s, server, rejected)
	}
}

// refresh refreshes a token at Globus, and notes what came of it.
func (a *App) refresh(ctx context.Context, server string, old globus.Token, subject string) (globus.Token, error) {
	fresh, err := a.globus.Refresh(ctx, server, old, subject)
	a.metrics.refresh(err)
	if err == nil {
		a.log.InfoContext(ctx, "token refreshed", "resource_server", server)
	}
	return fresh, err // whose failure routes/session logs
}

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
	if !wantsFragment(r) {
		w.Header().Set("Refresh", "60; url="+a.absolute("")) // masks it without JavaScript
	}
	return a.show(w, r, http.StatusOK, "Your card", components.UserCard(card))
}

// refreshToken refreshes the token of one resource server now, due or not.
func (a *App) refreshToken(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	server := r.PostForm.Get("server")
	if _, held := s.Tokens[server]; !held {
		return noSuchToken()
	}
	if err := a.replaceToken(r.Context(), s, server); err != nil {
		return err
	}
	card := a.card(r, s)
	card.TokensOpen = true
	return a.show(w, r, http.StatusOK, "Your card", components.UserCard(card))
}

// replaceToken puts a fresh token for one resource server into s, due or not.
func (a *App) replaceToken(ctx context.Context, s *session.Session, server string) error {
	old := s.Tokens[server]
	fresh, err := a.sessions.Token(ctx, s, server, old.AccessToken)
	if err != nil {
		return err
	}
	s.Tokens[server] = fresh
	return nil
}

func noSuchToken() error {
	return &httpError{
		status: http.StatusBadRequest, reason: "no_such_token", heading: "There is no such token",
		message: "It may have been withdrawn at Globus. Reload the page to see those that there are.",
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
