package globustest

import (
	"slices"
	"strings"
)

// The resource servers whose scopes the emulator knows.
const (
	authServer     = "auth.globus.org"
	transferServer = "transfer.api.globus.org"
	groupsServer   = "groups.api.globus.org"
)

const (
	identitySetScope = "urn:globus:auth:scope:auth.globus.org:view_identity_set"
	transferScope    = "urn:globus:auth:scope:transfer.api.globus.org:all"
)

// A scope is something that an app may ask for.
type scope struct {
	Name   string
	Server string // the resource server whose token carries it
	Words  string // what it means, for the person
}

// knownScopes lists every scope that there is; Globus has more.
func knownScopes() []scope {
	return []scope{
		{"openid", authServer, "Know which identity you sign in with"},
		{"profile", authServer, "See your name, user name and organization"},
		{"email", authServer, "See your e-mail address"},
		{"urn:globus:auth:scope:auth.globus.org:view_identities", authServer, "Look up identities"},
		{identitySetScope, authServer, "See which identities you have linked"},
		{transferScope, transferServer, "Manage your data transfers"},
		{"urn:globus:auth:scope:groups.api.globus.org:view_my_groups_and_memberships", groupsServer, "See the groups that you belong to"},
	}
}

// parseScopes splits what an app asks for, each scope once, into those that
// stand by themselves and those that they depend on, and tells which of it
// nobody knows.
func (e *Emulator) parseScopes(asked string) (known, dependent []scope, unknown []string) {
	all := knownScopes()
	add := func(list []scope, s scope) []scope {
		if slices.Contains(list, s) {
			return list
		}
		return append(list, s)
	}
	for _, text := range splitScopes(asked) {
		name, deps, ok := e.dependents(text)
		i := slices.IndexFunc(all, func(s scope) bool { return s.Name == name })
		if i < 0 || !ok {
			unknown = append(unknown, text)
			continue
		}
		known = add(known, all[i])
		for _, d := range deps {
			dependent = add(dependent, d)
		}
	}
	return known, dependent, unknown
}

// scopeNames returns the names of those of scopes that belong to server, or of
// all for an empty server, sorted: Globus keeps to no order, least of all to
// that in which they were asked for.
func scopeNames(scopes []scope, server string) []string {
	var names []string
	for _, s := range scopes {
		if server == "" || s.Server == server {
			names = append(names, s.Name)
		}
	}
	slices.Sort(names)
	return names
}

// servers returns the resource servers of scopes, in the order of the token
// endpoint's answer. auth.globus.org comes first if openid was asked for; if
// not, it comes last, since Globus then promises nothing.
func servers(scopes []scope) []string {
	var names []string
	openID := false
	for _, s := range scopes {
		openID = openID || s.Name == "openid"
		if s.Server != authServer && !slices.Contains(names, s.Server) {
			names = append(names, s.Server)
		}
	}
	slices.Sort(names)
	switch {
	case openID:
		return slices.Insert(names, 0, authServer)
	case len(scopeNames(scopes, authServer)) > 0:
		return append(names, authServer)
	}
	return names
}

// splitScopes splits what an app asks for at the blanks that are outside of
// brackets.
func splitScopes(asked string) []string {
	var parts []string
	depth, from := 0, 0
	for i, c := range asked + " " {
		switch {
		case c == '[':
			depth++
		case c == ']':
			depth--
		case c == ' ' && depth <= 0:
			if i > from {
				parts = append(parts, asked[from:i])
			}
			from = i + 1
		}
	}
	if from < len(asked) { // brackets that do not close
		parts = append(parts, asked[from:])
	}
	return parts
}

// dependents splits a scope such as transfer[*a *b] into its name and what it
// depends on. Transfer depends on the data_access of collections that want it,
// each of them optional, and on nothing else; nothing else depends on anything.
func (e *Emulator) dependents(text string) (name string, deps []scope, ok bool) {
	name, list, some := strings.Cut(text, "[")
	if !some {
		return name, nil, !strings.Contains(name, "]")
	}
	list, closed := strings.CutSuffix(list, "]")
	if !closed || list == "" || name != transferScope {
		return name, nil, false
	}
	for one := range strings.SplitSeq(list, " ") {
		i := slices.IndexFunc(e.collections, func(c Collection) bool { return c.DataAccess && one == "*"+c.dataAccess() })
		if i < 0 {
			return name, nil, false
		}
		deps = append(deps, scope{
			Name:  transferScope + "[*" + e.collections[i].dataAccess() + "]",
			Words: "Read and write your files in " + e.collections[i].Name,
		})
	}
	return name, deps, true
}

// dataAccess is the scope that lets Transfer at the files of c.
func (c Collection) dataAccess() string {
	return "https://auth.globus.org/scopes/" + c.ID + "/data_access"
}
