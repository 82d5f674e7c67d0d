package settings

import (
	"strings"

	"example.org/portal/globus"
)

// RedirectURI is the address that Globus sends people back to. It must be
// registered, character for character. It is "" if PUBLIC_URL is at fault.
func (s *Settings) RedirectURI() string {
	if s.PublicURL == nil {
		return ""
	}
	return s.PublicURL.String() + "/login"
}

// Globus returns the configuration of the app's client at Globus. It asks people
// for GLOBUS_SCOPES, and for what the access policy has to know about them.
func (s *Settings) Globus() globus.Config {
	return globus.Config{
		ClientID:     s.ClientID,
		ClientSecret: s.ClientSecret,
		RedirectURL:  s.RedirectURI(),
		Scopes:       s.Scopes.Merge(s.Policy.Scopes()).Texts(),
		Issuer:       s.Issuer,
		TransferURL:  s.transferURL,
		GroupsURL:    s.groupsURL,
	}
}

// WhoMayEnter describes in words who may enter by the access policy.
func (s *Settings) WhoMayEnter() string {
	var rules []string
	add := func(rule string, values []string) {
		if len(values) > 0 {
			rules = append(rules, rule+strings.Join(values, " or "))
		}
	}
	add("with an identity of ", s.Policy.Domains)
	add("who is an active member of the group ", s.Policy.Groups)
	add("who is the identity ", s.Policy.Identities)
	add("who signed in through the identity provider ", s.Policy.Providers)
	if s.Policy.MFA {
		rules = append(rules, "who signed in with a second factor")
	}
	if len(rules) == 0 {
		return "anyone with any Globus identity, Google and ORCID included"
	}
	return "anyone " + strings.Join(rules, ", and ")
}
