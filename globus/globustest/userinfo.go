package globustest

import (
	"net/http"
	"slices"
	"strings"
)

// userInfo answers with what the token lets the app know of the person: the
// claims of the ID token that are about them. The token comes in the
// Authorization header and nowhere else.
func (e *Emulator) userInfo(r *http.Request) (any, error) {
	secret, ok := bearer(r)
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

// forbidden says no more than unauthorized: only status and code tell them apart.
func forbidden() *refusal {
	refused := apiRefusal(http.StatusForbidden, "Unauthorized", "Call must be authenticated")
	refused.body["errors"].([]map[string]any)[0]["code"] = "FORBIDDEN"
	return refused
}

// bearer returns the token of the request's only Authorization header.
func bearer(r *http.Request) (string, bool) {
	headers := r.Header.Values("Authorization")
	if len(headers) != 1 || r.URL.Query().Has("access_token") {
		return "", false
	}
	scheme, secret, ok := strings.Cut(headers[0], " ")
	return secret, ok && strings.EqualFold(scheme, "Bearer")
}
