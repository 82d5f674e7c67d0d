package globustest

import (
	"net/http"
	"slices"
	"strings"
)

// introspect says what a token is good for, and how the person signed in. To all
// but the app that it was given to, and of all but access tokens for Globus Auth
// itself, it says that there is no such token.
func (e *Emulator) introspect(r *http.Request) (any, error) {
	client, form, err := e.readCall(r, "token", "include")
	if err != nil {
		return nil, err
	}
	include := map[string]bool{}
	if form.Has("include") {
		for name := range strings.SplitSeq(form.Get("include"), ",") {
			include[name] = true
			if !slices.Contains([]string{"session_info", "identity_set", "identity_set_detail"}, name) {
				return nil, oauthRefusal(http.StatusBadRequest, "invalid_request", "Unknown include")
			}
		}
	}
	if form.Get("token") == "" {
		return nil, oauthRefusal(http.StatusBadRequest, "invalid_request", "Missing token parameter")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	t, ok := e.liveToken(form.Get("token"))
	if !ok || t.Refresh || t.ResourceServer != authServer || t.Grant.ClientID != client.ID {
		return map[string]any{"active": false}, nil
	}
	person, _ := e.person(t.Grant.Person)
	doc := e.introspection(t, person)
	if include["session_info"] {
		doc["session_info"] = t.Grant.sessionInfo(person)
	}
	// Whether Globus tells without the scope for it is not known for certain.
	if slices.Contains(t.Scopes, identitySetScope) {
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

func (e *Emulator) introspection(t token, p Person) map[string]any {
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
		"aud":        []string{authServer, t.Grant.ClientID},
		"iss":        e.issuer,
	}
	// Globus has been seen to tell these only to those who may see them anyway.
	if slices.Contains(t.Scopes, "profile") {
		doc["username"], doc["name"] = p.Claims.PreferredUsername, p.Claims.Name
	}
	if slices.Contains(t.Scopes, "email") {
		doc["email"] = p.Claims.Email
	}
	return doc
}

// sessionInfo lists the identities that the person signed in with for this app.
// Where they were let through instead, it is null. Providers say nothing of how
// it was done unless it was done well.
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
