package globustest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"example.org/portal/globus"
)

// The resource servers that the emulator implements.
const (
	authServer     = globus.AuthServer
	transferServer = globus.TransferServer
	groupsServer   = globus.GroupsServer
)

const (
	identitySetScope    = "urn:globus:auth:scope:auth.globus.org:view_identity_set"
	viewIdentitiesScope = "urn:globus:auth:scope:auth.globus.org:view_identities"
	viewConsentsScope   = "urn:globus:auth:scope:auth.globus.org:view_consents"
	transferScope       = globus.TransferScope

	// No token has this scope: @globus/sdk requests refresh tokens with it, instead of
	// access_type=offline.
	offlineScope = "offline_access"
)

// A Scope is a scope that apps can request. Its resource server is an app, or a service that
// the emulator need not implement.
type Scope struct {
	Name           string // as apps request it; required
	ResourceServer string // whose token has it: a domain, or the ID of a Client; required
	Description    string // shown when a person is asked for consent; empty: Name

	// Dependencies are scopes of other services that the resource server needs. Consent to
	// this scope includes them, and the resource server gets tokens for them by the
	// dependent token grant. Nil: none.
	Dependencies []string
}

// wellKnownScopes lists the scopes of Globus's own services, from globus/globus-sdk-python,
// src/globus_sdk/scopes/data. Emulator.scope adds those of collections.
func wellKnownScopes() []Scope {
	known := []Scope{
		{Name: "openid", ResourceServer: authServer, Description: "Know which identity you sign in with"},
		{Name: "profile", ResourceServer: authServer, Description: "See your name, user name and organization"},
		{Name: "email", ResourceServer: authServer, Description: "See your e-mail address"},
	}
	add := func(prefix, server string, scopes ...string) {
		for i := 0; i < len(scopes); i += 2 {
			known = append(known, Scope{Name: prefix + scopes[i], ResourceServer: server, Description: scopes[i+1]})
		}
	}
	urn := func(server string, scopes ...string) { add("urn:globus:auth:scope:"+server+":", server, scopes...) }
	urn(authServer,
		"view_identities", "Look up identities",
		"view_identity_set", "See which identities you have linked",
		"view_authentications", "See when and how you signed in",
		"view_consents", "See what you have allowed apps",
		"view_clients", "See the apps that you have registered",
		"view_clients_and_scopes", "See the apps and scopes that you have registered",
		"manage_projects", "Manage the apps that you have registered",
	)
	urn(transferServer, "all", "Manage your data transfers", "gcp_install", "Set up Globus Connect Personal")
	urn(groupsServer,
		"view_my_groups_and_memberships", "See the groups that you belong to",
		"all", "Manage your groups",
	)
	urn("nexus.api.globus.org", "groups", "Manage your groups")
	urn("search.api.globus.org",
		"all", "Manage search indices, and search them",
		"search", "Search",
		"ingest", "Add data to search indices",
		"globus_connect_server", "Search, as a Globus Connect Server",
	)
	add("https://auth.globus.org/scopes/eec9b274-0c81-4334-bdc2-54e90e689b9a/", "flows.globus.org",
		"all", "Manage and run flows",
		"manage_flows", "Manage flows",
		"view_flows", "See flows",
		"run", "Run flows",
		"run_status", "See how runs of flows fare",
		"run_manage", "Manage runs of flows",
	)
	const timers = "524230d7-ea86-4a52-8312-86065a9e0417"
	add("https://auth.globus.org/scopes/"+timers+"/", timers, "timer", "Schedule what is to be done")
	add("https://auth.globus.org/scopes/facd7ccc-c5f4-42aa-916b-a0e270e2c2a9/", "funcx_service", "all", "Run functions with Globus Compute")
	return known
}

// checkScopes returns the well-known scopes and these. One of these replaces a
// well-known one of the same name.
func checkScopes(own []Scope) ([]Scope, error) {
	all := wellKnownScopes()
	for _, s := range own {
		parsed, err := globus.ParseScopes(s.Name)
		if err != nil || len(parsed) != 1 || parsed[0].Name != s.Name || s.ResourceServer == "" {
			return nil, fmt.Errorf("globustest: scope %q: it needs a Name without brackets and a ResourceServer", s.Name)
		}
		all = slices.DeleteFunc(all, func(known Scope) bool { return known.Name == s.Name })
		all = append(all, s)
	}
	for _, s := range own {
		deps, err := globus.ParseScopes(s.Dependencies...)
		if err != nil {
			return nil, fmt.Errorf("globustest: dependencies of scope %s: %w", s.Name, err)
		}
		for _, d := range deps {
			if !slices.ContainsFunc(all, func(known Scope) bool { return known.Name == d.Name }) {
				return nil, fmt.Errorf("globustest: scope %s depends on the unknown scope %s", s.Name, d.Name)
			}
		}
	}
	return all, nil
}

// dataAccess is the scope with which Transfer can reach the files of c.
func (c Collection) dataAccess() string {
	return "https://auth.globus.org/scopes/" + c.ID + "/data_access"
}

// scope finds a scope by its name: a well-known one, one of Config.Scopes, or one
// of a collection. Collections without DataAccess have no data_access.
func (e *Emulator) scope(name string) (Scope, bool) {
	for _, c := range e.places {
		switch {
		case c.DataAccess && name == c.dataAccess():
			return Scope{Name: name, ResourceServer: c.ID, Description: "Read and write your files in " + c.Name}, true
		case name == strings.TrimSuffix(c.dataAccess(), "data_access")+"https":
			return Scope{Name: name, ResourceServer: c.ID, Description: "Read and write your files in " + c.Name + " over HTTPS"}, true
		}
	}
	i := slices.IndexFunc(e.scopes, func(s Scope) bool { return s.Name == name })
	if i < 0 {
		return Scope{}, false
	}
	return e.scopes[i], true
}

// A requestedScope is a scope that an app requests, or a dependency of one.
type requestedScope struct {
	Scope
	Path     []string // names of the scopes that depend on it, the outermost first, and its own
	Optional bool     // a person can rescind the consent without the scope above it
}

// Words is the description that a person reads.
func (a requestedScope) Words() string { return cmp.Or(a.Description, a.Name) }

// Text is the scope as a dependency, such as a[b].
func (a requestedScope) Text() string {
	last := len(a.Path) - 1
	return strings.Join(a.Path, "[") + strings.Repeat("]", last)
}

// parseScopes returns the scopes that an app requests, each before its dependencies; whether
// it requests refresh tokens; and the unknown scopes.
func (e *Emulator) parseScopes(text string) (all []requestedScope, offline bool, unknown []string) {
	scopes, err := globus.ParseScopes(text)
	if err != nil {
		return nil, false, []string{text}
	}
	scopes = slices.DeleteFunc(scopes, func(s globus.Scope) bool {
		offline = offline || s.Name == offlineScope
		return s.Name == offlineScope
	})
	w := scopeWalk{e: e}
	w.walk(scopes, nil)
	return w.all, offline, w.unknown
}

// A scopeWalk visits a tree of scopes, with the dependencies that a scope always has.
type scopeWalk struct {
	e       *Emulator
	all     []requestedScope
	unknown []string
}

func (w *scopeWalk) walk(scopes globus.Scopes, above []string) {
	for _, s := range scopes {
		known, ok := w.e.scope(s.Name)
		if !ok || w.e.strict && !surelyValid(s, known, above) {
			w.unknown = append(w.unknown, s.String())
			continue
		}
		path := append(slices.Clone(above), s.Name)
		w.all = append(w.all, requestedScope{Scope: known, Path: path, Optional: s.Optional})
		own, _ := globus.ParseScopes(known.Dependencies...) // checkScopes has read them
		own = slices.DeleteFunc(own, func(d globus.Scope) bool { return slices.Contains(path, d.Name) })
		w.walk(s.Dependencies.Merge(own), path)
	}
}

// surelyValid reports whether a scope is requested in a way that Globus is known to accept.
func surelyValid(s globus.Scope, known Scope, above []string) bool {
	dataAccess := strings.HasSuffix(s.Name, "/data_access")
	if len(above) == 0 && (s.Optional || dataAccess) {
		return false
	}
	if dataAccess && (!s.Optional || above[len(above)-1] != transferScope) {
		return false
	}
	return len(s.Dependencies) == 0 || known.ResourceServer != authServer
}

// topScopes returns the scopes that are no dependencies.
func topScopes(all []requestedScope) (top []Scope) {
	for _, a := range all {
		if len(a.Path) == 1 {
			top = append(top, a.Scope)
		}
	}
	return top
}

// scopeNames returns the sorted names of the scopes of a server, or of all scopes if server
// is empty. Globus sends them in no fixed order, and not in that of the request.
func scopeNames(scopes []Scope, server string) []string {
	var names []string
	for _, s := range scopes {
		if server == "" || s.ResourceServer == server {
			names = append(names, s.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// servers returns the resource servers of scopes in the order of a token response.
// auth.globus.org is the first if openid was requested. Otherwise it is the last, because
// Globus then promises no order.
func servers(scopes []Scope) []string {
	var names []string
	openID := false
	for _, s := range scopes {
		openID = openID || s.Name == "openid"
		if s.ResourceServer != authServer && !slices.Contains(names, s.ResourceServer) {
			names = append(names, s.ResourceServer)
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
