package globustest

import (
	"cmp"
	"slices"
	"time"
)

// A Person is somebody who can be chosen to sign in.
type Person struct {
	Key    string // value of the form field "person"; required, each their own
	Label  string // what the page calls them; empty: their name
	About  string // a line about them on the page; empty: none
	Claims Claims // what Globus tells of them

	// Tasks are what Globus Transfer does and did for them, in the order in which
	// it lists them when it is not asked for another. Nil: none.
	Tasks []Task

	// Groups are the Globus groups that they have to do with. Nil: none.
	Groups []Membership
}

// Claims are what Globus knows of a person. A nil pointer is sent as null.
type Claims struct {
	Sub string // required; a UUID at Globus

	// What the person's identity provider tells.
	Name                        *string
	Email                       *string
	Organization                *string
	PreferredUsername           *string
	IdentityProvider            *string // UUID
	IdentityProviderDisplayName *string

	// Linked are the other identities of the person. Nil: they have but one.
	Linked []LinkedIdentity

	// Absent names the claims that are left out, where null would be sent
	// otherwise: Globus does both. identity_set and last_authentication may be
	// named too.
	Absent []string
}

// A LinkedIdentity is another identity of a person. Globus sends no
// organization for it, and null for when it was last used.
type LinkedIdentity struct {
	// As in Claims.
	Sub                         string  `json:"sub"`
	Name                        *string `json:"name"` // nil, as seen at Globus: null
	Username                    string  `json:"username"`
	Email                       *string `json:"email"` // nil: null
	IdentityProvider            string  `json:"identity_provider"`
	IdentityProviderDisplayName string  `json:"identity_provider_display_name"`
	LastAuthentication          *int64  `json:"last_authentication"` // nil: null
}

// title is what the page calls the person.
func (p Person) title() string {
	if p.Label != "" {
		return p.Label
	}
	return cmp.Or(deref(p.Claims.Name), deref(p.Claims.PreferredUsername), p.Claims.Sub)
}

// of returns the claims that the names of scopes give an app to see, of a person
// who signed in at authenticated.
func (c Claims) of(scopes []string, authenticated time.Time) map[string]any {
	claims := map[string]any{"sub": c.Sub, "last_authentication": authenticated.Unix()}
	if slices.Contains(scopes, "email") {
		claims["email"] = c.Email
	}
	profile := slices.Contains(scopes, "profile")
	if profile {
		claims["name"] = c.Name
		claims["organization"] = c.Organization
		claims["preferred_username"] = c.PreferredUsername
		claims["identity_provider"] = c.IdentityProvider
		claims["identity_provider_display_name"] = c.IdentityProviderDisplayName
	}
	if profile || slices.Contains(scopes, identitySetScope) {
		claims["identity_set"] = c.identitySet(authenticated)
	}
	return Edit{Drop: c.Absent}.apply(claims)
}

// identitySet lists the identity itself, which alone has an organization, and
// then the linked ones.
func (c Claims) identitySet(authenticated time.Time) []any {
	set := []any{map[string]any{
		"sub":                            c.Sub,
		"name":                           c.Name,
		"username":                       c.PreferredUsername,
		"email":                          c.Email,
		"organization":                   c.Organization,
		"identity_provider":              c.IdentityProvider,
		"identity_provider_display_name": c.IdentityProviderDisplayName,
		"last_authentication":            authenticated.Unix(),
	}}
	for _, l := range c.Linked {
		set = append(set, l)
	}
	return set
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
