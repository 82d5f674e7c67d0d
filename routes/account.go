package routes

import (
	"maps"
	"net/http"
	"slices"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

// account shows who is signed in, for how long, and the tokens that the app holds.
func (a *App) account(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	return showAccount(w, r, a.accountOf(s))
}

func showAccount(w http.ResponseWriter, r *http.Request, account components.Account) error {
	return web.Show(w, r, "Your account", components.AccountCards(account))
}

// accountOf returns what the account page shows of s, with every token masked.
func (a *App) accountOf(s *session.Session) components.Account {
	return components.Account{
		Site:     a.Site,
		Identity: &s.Identity,
		SignedIn: s.Began,
		Ends:     s.Deadline,
		Now:      a.Now(),
		Tokens:   tokenRows(s.Tokens),
		Lab:      a.labCard(s),
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
