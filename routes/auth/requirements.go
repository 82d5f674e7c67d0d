package auth

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

// maxRequirements is how many bytes of requirements fit into the link of the button.
// Proxies accept URLs of up to 8 KiB.
const maxRequirements = 3 << 10

// showRequirements answers a request that failed with err because a Globus service
// has requirements. It shows a card with one button, which leads to Globus and back.
// Nothing redirects by itself, so nothing can loop, and no form is sent again by
// itself.
func (a *Auth) showRequirements(w http.ResponseWriter, r *http.Request, s *session.Session, want *globus.Requirements, err error) error {
	web.SetReason(r, err)
	card := components.Required{Site: a.site.Site, Requirements: want}
	if about, ok := errors.AsType[*web.About](err); ok {
		card.Facts, card.Names = about.Facts, about.Names
	}
	next := a.site.Here(r)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		next, card.Form = a.site.From(r), web.FormAgain(w, r)
	}
	if card.URL = a.stepUpURL(s, want, next); card.URL == "" {
		return &web.Problem{
			Status: http.StatusForbidden, Reason: "requirements_too_large", Heading: "Globus requires more than this site can ask for",
			Message: "Its requirements are too long for one request. Please tell the people who run this site, with the reference below.",
			Cause:   err,
		}
	}
	switch {
	case web.WantsJSON(r):
		return &web.Problem{Status: http.StatusForbidden, Reason: "requirements", Heading: card.Heading(), LoginURL: card.URL, Cause: err}
	case web.WantsFragment(r):
		web.BesideForm(w, r)
		return web.ShowStatus(w, r, http.StatusForbidden, "", components.RequiredCard(card))
	}
	return web.ShowPageStatus(w, r, http.StatusForbidden, components.RequiredPage(web.NewPage(r, card.Heading()), card))
}

// stepUpURL returns the link by which the person of s satisfies the requirements at
// Globus and returns to next; "" if they are too long for a link.
func (a *Auth) stepUpURL(s *session.Session, want *globus.Requirements, next string) string {
	asked := *want
	asked.Code, asked.Message = "", "" // these are not sent to Globus
	text, err := json.Marshal(asked)
	if err != nil || len(text) > maxRequirements {
		return ""
	}
	return a.site.StepUpURL(s.Sign(string(text)), next)
}

// startStepUp redirects the browser to Globus with the requirements in a link that
// stepUpURL made. A link of another session, such as one from before a new sign-in,
// leads to next: that page finds out again what is required.
func (a *Auth) startStepUp(w http.ResponseWriter, r *http.Request, s *session.Session, signed, next string) error {
	text, ok := s.Verify(signed)
	var want globus.Requirements
	if !ok || json.Unmarshal([]byte(text), &want) != nil {
		return web.RedirectURL(w, a.site.Absolute(next))
	}
	opts := append(want.AuthCodeOptions(), a.allScopes(s, want.Scopes).AuthCodeOption())
	return a.redirectToGlobus(w, r, attempt{Next: next, StepUp: s.Identity.Subject}, opts)
}

// allScopes returns more, the scopes that the app asks for, and those of the tokens
// in s: the new tokens must be good for all that the old ones were.
func (a *Auth) allScopes(s *session.Session, more globus.Scopes) globus.Scopes {
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

// consentFor returns an error that requires consent to the scopes that p needs, or
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
