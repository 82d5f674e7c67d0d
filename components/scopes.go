package components

import "slices"

// An ask is something that Globus asks people to let the app do.
type ask struct{ what, why string } // why may be empty

func (a ask) inFull() string {
	if a.why == "" {
		return a.what
	}
	return a.what + ", " + a.why
}

// asks says in words what scopes allow the app to do, and what for. Give your own
// scopes words here; one that has none is named as it is.
func asks(scopes []string) []ask {
	words := map[string]ask{
		"openid":  {"know that it is you", "to keep you signed in"},
		"profile": {"see your name and organization", "to show them to you"},
		"email":   {"see your e-mail address", "to show it to you"},
		"urn:globus:auth:scope:transfer.api.globus.org:all":                          {"use Globus Transfer on your behalf", "to find and send your files, and to follow the transfers"},
		"urn:globus:auth:scope:groups.api.globus.org:view_my_groups_and_memberships": {what: "see your groups, and your roles in them"},
		"urn:globus:auth:scope:search.api.globus.org:search":                         {"search on your behalf", "to find what you and your groups can see"},
		"urn:globus:auth:scope:auth.globus.org:view_identity_set":                    {what: "see the identities linked to yours"},
	}
	var list []ask
	for _, scope := range scopes {
		a, ok := words[scope]
		if !ok {
			a.what = "use the scope " + scope
		}
		if !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	return list
}
