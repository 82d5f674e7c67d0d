package components

import "slices"

// asks says in words what scopes allow the app to do. A scope that has no
// words here is named as it is.
func asks(scopes []string) []string {
	words := map[string]string{
		"openid":  "know that it is you",
		"profile": "see your name and organization",
		"email":   "see your e-mail address",
		"urn:globus:auth:scope:transfer.api.globus.org:all":                          "use Globus Transfer on your behalf",
		"urn:globus:auth:scope:groups.api.globus.org:view_my_groups_and_memberships": "see your groups, and your roles in them",
		"urn:globus:auth:scope:auth.globus.org:view_identity_set":                    "see the identities linked to yours",
	}
	var list []string
	for _, scope := range scopes {
		line, ok := words[scope]
		if !ok {
			line = "use the scope " + scope
		}
		if !slices.Contains(list, line) {
			list = append(list, line)
		}
	}
	return list
}
