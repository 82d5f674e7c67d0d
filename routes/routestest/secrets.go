package routestest

import (
	"regexp"

	"example.org/portal/globus/globustest"
)

// ShownToken finds a token that a page shows.
var ShownToken = regexp.MustCompile(`<code[^>]*>(Ag[^<]+)</code>`)

// Personal returns what tells who the demo's people are.
func Personal() map[string]string {
	all := map[string]string{}
	for _, p := range globustest.DemoPeople() {
		for claim, text := range map[string]*string{"name": p.Claims.Name, "e-mail": p.Claims.Email, "user name": p.Claims.PreferredUsername, "UUID": &p.Claims.Sub} {
			if text != nil && *text != "" {
				all[p.Key+"'s "+claim] = *text
			}
		}
	}
	return all
}
