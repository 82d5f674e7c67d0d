package globustest

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A Person is somebody who can sign in.
type Person struct {
	Key    string // value of the form field "person"; unique; required
	Label  string // name on the page; empty: their name, user name or Sub
	About  string // description on the page; empty: none
	Claims Claims // what Globus knows about them

	// Tasks are their tasks at Globus Transfer, in the order of a list without orderby.
	// Nil: none.
	Tasks []Task

	// Bookmarks are their bookmarks at Transfer. Nil: none.
	Bookmarks []Bookmark

	// Groups are their memberships in Globus groups. Nil: none.
	Groups []Membership
}

// Claims are what Globus knows about a person. A nil pointer is sent as null.
type Claims struct {
	Sub string // required; a UUID at Globus

	// Claims of the person's identity provider.
	Name                        *string
	Email                       *string
	Organization                *string
	PreferredUsername           *string
	IdentityProvider            *string // UUID
	IdentityProviderDisplayName *string

	// Linked are the other identities of the person. Nil: none.
	Linked []LinkedIdentity

	// Absent names claims that are left out instead of sent as null: Globus does both.
	// identity_set and last_authentication can be named too.
	Absent []string
}

// A LinkedIdentity is another identity of a person. Globus sends no organization for it, and
// null for last_authentication.
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

// title is the person's name on the page.
func (p Person) title() string {
	return cmp.Or(p.Label, deref(p.Claims.Name), deref(p.Claims.PreferredUsername), p.Claims.Sub)
}

// of returns the claims that an app with these scopes sees about a person who signed in at
// authenticated.
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

// identitySet lists the identity itself, which alone has an organization, and then the
// linked identities.
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

// userInfo responds with the person's claims for the scopes of the token. It accepts the
// token only in the Authorization header.
func (e *Emulator) userInfo(r *http.Request) (any, error) {
	secret, ok := e.bearer(r)
	if !ok {
		return nil, unauthorized()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	t, ok := e.liveToken(secret)
	if !ok || t.Refresh {
		return nil, unauthorized()
	}
	if !slices.Contains(t.Scopes, "openid") { // a token for Transfer, say
		return nil, forbidden()
	}
	person, ok := e.person(t.Grant.Person)
	if !ok {
		return nil, unauthorized()
	}
	return e.lie.UserInfo.apply(person.Claims.of(t.Scopes, t.Grant.Authenticated)), nil
}

func unauthorized() *refusal {
	return apiRefusal(http.StatusUnauthorized, "Unauthorized", "Call must be authenticated")
}

// forbidden differs from unauthorized in status and code only.
func forbidden() *refusal {
	refused := apiRefusal(http.StatusForbidden, "Unauthorized", "Call must be authenticated")
	refused.body["errors"].([]map[string]any)[0]["code"] = "FORBIDDEN"
	return refused
}

// bearer returns the token in the request's only Authorization header. With Config.Strict
// a token in the query is an error.
func (e *Emulator) bearer(r *http.Request) (string, bool) {
	headers := r.Header.Values("Authorization")
	if len(headers) != 1 || e.strict && r.URL.Query().Has("access_token") {
		return "", false
	}
	scheme, secret, ok := strings.Cut(headers[0], " ")
	return secret, ok && strings.EqualFold(scheme, "Bearer")
}

// introspect responds with a token's scopes and session. An app can introspect its own
// access tokens for Globus Auth, and a resource server those for itself. Other tokens are
// inactive.
func (e *Emulator) introspect(r *http.Request) (any, error) {
	client, form, err := e.readCall(r, "token", "include")
	if err != nil {
		return nil, err
	}
	include := map[string]bool{}
	for _, name := range commaList(form, "include") {
		if name == "identities_set" && !e.strict { // its former name
			name = "identity_set"
		}
		switch {
		case slices.Contains([]string{"session_info", "identity_set", "identity_set_detail"}, name):
			include[name] = true
		case e.strict:
			return nil, oauthRefusal(http.StatusBadRequest, "invalid_request", "Unknown include")
		default:
			recordOf(r).ignore("include=" + name)
		}
	}
	if form.Get("token") == "" {
		return nil, oauthRefusal(http.StatusBadRequest, "invalid_request", "Missing token parameter")
	}
	if client.Secret == "" { // RFC 7662, section 2.1
		return nil, oauthRefusal(http.StatusUnauthorized, "invalid_client", "A public client cannot authenticate")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	t, ok := e.liveToken(form.Get("token"))
	own := t.ResourceServer == authServer && t.Grant.ClientID == client.ID
	forIt := t.ResourceServer == client.server()
	if !ok || t.Refresh || !own && !forIt {
		return map[string]any{"active": false}, nil
	}
	person, _ := e.person(t.Grant.Person)
	doc := e.introspection(t, person, client)
	if include["session_info"] {
		doc["session_info"] = t.Grant.sessionInfo(person)
	}
	if !e.strict || slices.Contains(t.Scopes, identitySetScope) { // whether Globus sends it without is not known
		if include["identity_set"] {
			var set []string
			for _, l := range person.identities() {
				set = append(set, l.Sub)
			}
			doc["identity_set"] = set
		}
		if include["identity_set_detail"] {
			doc["identity_set_detail"] = person.Claims.identitySet(t.Grant.Authenticated)
		}
	}
	return e.lie.Introspection.apply(doc), nil
}

func (e *Emulator) introspection(t token, p Person, client Client) map[string]any {
	issued := t.Expiry.Add(-e.tokenLifetime).Unix()
	doc := map[string]any{
		"active":     true,
		"token_type": "Bearer",
		"scope":      strings.Join(t.Scopes, " "),
		"client_id":  t.Grant.ClientID,
		"sub":        p.Claims.Sub,
		"iat":        issued,
		"nbf":        issued,
		"exp":        t.Expiry.Unix(),
		"aud":        slices.Compact([]string{t.ResourceServer, client.ID}),
		"iss":        e.issuer,
	}
	// Globus has been seen to tell these with profile and email; whether it does
	// without is not known.
	if !e.strict || slices.Contains(t.Scopes, "profile") {
		doc["username"], doc["name"] = p.Claims.PreferredUsername, p.Claims.Name
	}
	if !e.strict || slices.Contains(t.Scopes, "email") {
		doc["email"] = p.Claims.Email
	}
	return doc
}

// sessionInfo lists the identities with which the person has signed in to this app. If they
// did not have to sign in, authentications is null. Providers send acr and amr only for a
// second factor.
func (g grant) sessionInfo(p Person) map[string]any {
	var authentications map[string]any // nil: null
	for _, l := range p.identities() {
		auth, ok := g.Used[l.Sub]
		if !ok {
			continue
		}
		if authentications == nil {
			authentications = map[string]any{}
		}
		entry := map[string]any{
			"idp":           l.IdentityProvider,
			"auth_time":     float64(auth.At.Unix()) + 0.5, // Globus sends integers, too
			"acr":           nil,
			"amr":           nil,
			"custom_claims": map[string]any{},
		}
		if auth.MFA {
			entry["amr"] = []string{"pwd", "mfa"}
		}
		authentications[l.Sub] = entry
	}
	return map[string]any{"session_id": nameUUID(g.CodeHash), "authentications": authentications}
}
