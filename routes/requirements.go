package routes

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
)

// maxRequirements is how many bytes of requirements fit into the button's link,
// which proxies let pass up to 8 KiB.
const maxRequirements = 3 << 10

// askFor answers a request for which a service wants more of the person, which
// came to err: by a card with one button, which leads to Globus and back. It is
// the one place for that, since a handler just returns the error. Nothing
// redirects by itself, so nothing can go in circles, and no form is sent again
// by itself.
func (a *App) askFor(w http.ResponseWriter, r *http.Request, s *session.Session, want *globus.Requirements, err error) error {
	visitOf(r).err = err
	card := components.Required{Site: a.site, Requirements: want}
	next := a.localPath(r.URL.RequestURI())
	if r.Method == http.MethodPost {
		next, card.Form = a.currentPath(r), formAgain(r)
	}
	if card.URL = a.stepUpURL(s, want, next); card.URL == "" {
		return &httpError{
			status: http.StatusForbidden, reason: "requirements_too_large", heading: "Globus wants more than this site can ask for",
			message: "What it wants of you first is too much for one request. Please tell the people who run this site, with the reference below.",
			cause:   err,
		}
	}
	if !wantsFragment(r) {
		return write(w, r, http.StatusForbidden, components.RequiredPage(a.page(r, card.Heading()), card))
	}
	besideForm(w, r)
	return write(w, r, http.StatusForbidden, components.RequiredCard(card))
}

// stepUpURL returns the link that leads the person of s to Globus with what is
// wanted, and then to next; "" if that is too much for a link.
func (a *App) stepUpURL(s *session.Session, want *globus.Requirements, next string) string {
	asked := *want
	asked.Code, asked.Message = "", "" // Globus does not want them
	text, err := json.Marshal(asked)
	if err != nil || len(text) > maxRequirements {
		return ""
	}
	return a.site.StepUpURL(s.Sign(string(text)), next)
}

// startStepUp sends the browser to Globus with what a link of stepUpURL holds. A
// link that another session made, as one before a new sign-in, leads to next,
// where what is wanted is found out again.
func (a *App) startStepUp(w http.ResponseWriter, r *http.Request, s *session.Session, signed, next string) error {
	text, ok := s.Verify(signed)
	var want globus.Requirements
	if !ok || json.Unmarshal([]byte(text), &want) != nil {
		return redirect(w, a.absolute(next))
	}
	opts := append(want.AuthCodeOptions(), a.scopesWith(s, want.Scopes).AuthCodeOption())
	return a.toGlobus(w, r, attempt{Next: next, StepUp: s.Identity.Subject}, opts)
}

// scopesWith returns more beside all that the app asks for, and that s holds
// already: the new tokens are to be good for no less than the old ones.
func (a *App) scopesWith(s *session.Session, more globus.Scopes) globus.Scopes {
	lists := [][]string{a.globus.Scopes()}
	for _, server := range slices.Sorted(maps.Keys(s.Tokens)) {
		lists = append(lists, s.Tokens[server].Scopes)
	}
	var all globus.Scopes
	for _, list := range lists {
		if scopes, err := globus.ParseScopes(list...); err == nil {
			all = all.Merge(scopes)
		}
	}
	return all.Merge(more)
}

// consentFor returns the requirements that ask for the scopes which p needs, or
// nil if s has a token for them.
func consentFor(s *session.Session, p globus.Policy) error {
	if _, held := s.Tokens[globus.GroupsServer]; !p.NeedsGroups() || held {
		return nil
	}
	return &globus.Error{
		Call: "groups", Reason: globus.Refused, Code: "ConsentRequired",
		Requirements: &globus.Requirements{Code: "ConsentRequired", Scopes: p.Scopes()},
	}
}
