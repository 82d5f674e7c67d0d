package routes

import (
	"strings"

	"example.org/portal/globus"
)

// WhoMayEnter says in words whom a policy lets in.
func WhoMayEnter(p globus.Policy) string {
	var rules []string
	if len(p.Domains) > 0 {
		rules = append(rules, "with an identity of "+strings.Join(p.Domains, " or "))
	}
	if len(p.Groups) > 0 {
		rules = append(rules, "who is an active member of the group "+strings.Join(p.Groups, " or "))
	}
	if p.MFA {
		rules = append(rules, "who signed in with a second factor")
	}
	if len(rules) == 0 {
		return "anyone with any Globus identity, Google and ORCID included"
	}
	return "anyone " + strings.Join(rules, ", and ")
}
