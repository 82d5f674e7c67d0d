package globustest

import (
	"hash/fnv"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// An identity is an identity as the API for identities sends it.
type identity struct {
	ID               string  `json:"id"`
	Username         string  `json:"username"`
	Status           string  `json:"status"` // used, or unused if nobody has signed in with it
	Name             *string `json:"name"`
	Email            *string `json:"email"`
	Organization     *string `json:"organization"`
	IdentityProvider string  `json:"identity_provider"`
	IdentityType     string  `json:"identity_type"`
}

// A provider is an identity provider as the API for identities sends it.
type provider struct {
	ID               string   `json:"id"`
	Name             string   `json:"name"`
	ShortName        string   `json:"short_name"`
	AlternativeNames []string `json:"alternative_names"`
	Domains          []string `json:"domains"`
}

// getIdentities looks up identities by ids or usernames, or the identity in the path, or its
// consents. It leaves out unknown user names; with provision=true it creates unused
// identities for them.
func (e *Emulator) getIdentities(r *http.Request) (any, error) {
	id, below, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, GetIdentitiesPath+"/"), "/")
	if below == "consents" {
		return e.getConsents(r, id)
	}
	params, err := e.readLookup(r, "ids", "usernames", "include", "provision")
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	one := strings.HasPrefix(r.URL.Path, GetIdentitiesPath+"/")
	if one {
		params = url.Values{"ids": {id}, "include": params["include"]}
	}
	if params.Has("ids") == params.Has("usernames") {
		return nil, apiRefusal(http.StatusBadRequest, "Bad Request", "Exactly one of ids and usernames is needed")
	}
	found := e.findIdentities(commaList(params, "ids"), commaList(params, "usernames"), params.Get("provision") == "true")
	doc := map[string]any{"identities": found}
	if one {
		if below != "" || len(found) == 0 {
			return nil, apiRefusal(http.StatusNotFound, "Not Found", "No such identity")
		}
		doc = map[string]any{"identity": found[0]}
	}
	if slices.Contains(commaList(params, "include"), "identity_provider") {
		doc["included"] = map[string]any{"identity_providers": e.providersOf(found)}
	}
	return doc, nil
}

// getProviders looks up identity providers by ids or domains.
func (e *Emulator) getProviders(r *http.Request) (any, error) {
	params, err := e.readLookup(r, "ids", "domains")
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	ids, domains := commaList(params, "ids"), commaList(params, "domains")
	found := slices.DeleteFunc(e.providers(), func(p provider) bool {
		wanted := slices.Contains(ids, p.ID) || slices.ContainsFunc(p.Domains, func(d string) bool { return slices.Contains(domains, d) })
		return (ids != nil || domains != nil) && !wanted
	})
	return map[string]any{"identity_providers": found}, nil
}

// readLookup reads the parameters of a look-up. An app can authenticate it with HTTP Basic,
// or with a person's token for Globus Auth. Which scope the token needs is not known for
// certain: globus/globus-cli uses view_identity_set, and the documentation names
// view_identities. With Config.Strict it must have one of the two.
func (e *Emulator) readLookup(r *http.Request, names ...string) (url.Values, error) {
	params, unknown := e.known(r, r.URL.Query(), names)
	if unknown != "" {
		return nil, apiRefusal(http.StatusBadRequest, "Bad Request", "Unknown parameter: "+unknown)
	}
	if name := repeated(params); name != "" {
		return nil, apiRefusal(http.StatusBadRequest, "Bad Request", "Repeated parameter: "+name)
	}
	if _, _, basic := r.BasicAuth(); basic {
		if client, err := e.authenticate(r, nil); err != nil || client.Secret == "" {
			return nil, unauthorized()
		}
		return params, nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	t, err := e.authToken(r)
	if err != nil {
		return nil, err
	}
	if e.strict && !slices.Contains(t.Scopes, viewIdentitiesScope) && !slices.Contains(t.Scopes, identitySetScope) {
		return nil, forbidden()
	}
	return params, nil
}

// authToken returns the request's token for Globus Auth. It needs e.mu.
func (e *Emulator) authToken(r *http.Request) (token, error) {
	secret, ok := e.bearer(r)
	if !ok {
		return token{}, unauthorized()
	}
	t, ok := e.liveToken(secret)
	if !ok || t.Refresh {
		return token{}, unauthorized()
	}
	if t.ResourceServer != authServer {
		return token{}, forbidden()
	}
	recordOf(r).client = t.Grant.ClientID
	return t, nil
}

// commaList reads a parameter that is a list; nil: it is absent.
func commaList(params url.Values, name string) (list []string) {
	for s := range strings.SplitSeq(params.Get(name), ",") {
		if s = strings.TrimSpace(s); s != "" {
			list = append(list, s)
		}
	}
	return list
}

// findIdentities needs e.mu.
func (e *Emulator) findIdentities(ids, usernames []string, provision bool) []identity {
	found := []identity{}
	all := e.everyIdentity()
	for _, id := range ids {
		if i := slices.IndexFunc(all, func(one identity) bool { return strings.EqualFold(one.ID, id) }); i >= 0 {
			found = append(found, all[i])
		}
	}
	for _, name := range usernames {
		i := slices.IndexFunc(all, func(one identity) bool { return strings.EqualFold(one.Username, name) })
		if i >= 0 {
			found = append(found, all[i])
		} else if one, ok := e.provision(name); provision && ok {
			e.provisioned = append(e.provisioned, one)
			found = append(found, one)
		}
	}
	return found
}

// everyIdentity lists the identities of people and of apps, and the provisioned ones. It
// needs e.mu.
func (e *Emulator) everyIdentity() []identity {
	people := slices.Clone(e.people)
	e.clientsMu.RLock()
	for _, id := range slices.Sorted(maps.Keys(e.clients)) {
		people = append(people, e.clients[id].person())
	}
	e.clientsMu.RUnlock()
	var all []identity
	for _, p := range people {
		for i, l := range p.identities() {
			one := identity{ID: l.Sub, Username: l.Username, Status: "used", Name: l.Name, Email: l.Email, IdentityProvider: l.IdentityProvider, IdentityType: "login"}
			if i == 0 {
				one.Organization = p.Claims.Organization
			}
			all = append(all, one)
		}
	}
	return append(all, e.provisioned...)
}

// provision returns a new identity for a user name. Its domain must belong to a known
// provider.
func (e *Emulator) provision(username string) (identity, bool) {
	_, domain, _ := strings.Cut(username, "@")
	for _, p := range e.providers() {
		if slices.Contains(p.Domains, domain) {
			return identity{
				ID: nameUUID("identity " + strings.ToLower(username)), Username: username, Status: "unused",
				IdentityProvider: p.ID, IdentityType: "login",
			}, true
		}
	}
	return identity{}, false
}

// providers lists the identity providers of all people, and Globus ID. The text after the
// first @ of a user name is the domain of its provider.
func (e *Emulator) providers() []provider {
	all := []provider{{ID: globusIDProvider, Name: "Globus ID", ShortName: "globusid", AlternativeNames: []string{}, Domains: []string{"globusid.org"}}}
	for _, person := range e.people {
		for _, l := range person.identities() {
			_, domain, ok := strings.Cut(l.Username, "@")
			if l.IdentityProvider == "" || !ok {
				continue
			}
			i := slices.IndexFunc(all, func(p provider) bool { return p.ID == l.IdentityProvider })
			if i < 0 {
				i = len(all)
				short, _, _ := strings.Cut(domain, ".")
				all = append(all, provider{ID: l.IdentityProvider, Name: l.IdentityProviderDisplayName, ShortName: short, AlternativeNames: []string{}})
			}
			if !slices.Contains(all[i].Domains, domain) {
				all[i].Domains = append(all[i].Domains, domain)
			}
		}
	}
	return all
}

func (e *Emulator) providersOf(all []identity) []provider {
	return slices.DeleteFunc(e.providers(), func(p provider) bool {
		return !slices.ContainsFunc(all, func(one identity) bool { return one.IdentityProvider == p.ID })
	})
}

// getConsents lists a person's consents for the calling app or, with all=true and the scope
// view_consents, for every app.
func (e *Emulator) getConsents(r *http.Request, id string) (any, error) {
	params, unknown := e.known(r, r.URL.Query(), []string{"all"})
	if unknown != "" {
		return nil, apiRefusal(http.StatusBadRequest, "Bad Request", "Unknown parameter: "+unknown)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	t, err := e.authToken(r)
	if err != nil {
		return nil, err
	}
	person, _ := e.person(t.Grant.Person)
	all := strings.EqualFold(params.Get("all"), "true")
	own := slices.ContainsFunc(person.identities(), func(l LinkedIdentity) bool { return l.Sub == id })
	if !own || all && !slices.Contains(t.Scopes, viewConsentsScope) {
		return nil, forbidden()
	}
	list := []any{}
	consents := e.state.Consents[person.Key]
	for _, clientID := range slices.Sorted(maps.Keys(consents)) {
		if !all && clientID != t.Grant.root() {
			continue
		}
		for _, c := range consents[clientID] {
			list = append(list, e.consentDocument(person, clientID, c))
		}
	}
	return map[string]any{"consents": list}, nil
}

func (e *Emulator) consentDocument(p Person, clientID string, c consent) map[string]any {
	number := func(path []string) uint32 { // id of the consent with that path, always the same
		h := fnv.New32a()
		h.Write([]byte(p.Key + " " + clientID + " " + strings.Join(path, " ")))
		return h.Sum32() >> 1
	}
	last := len(c.Path) - 1
	holder := clientID // the app, or the resource server whose scope depends on this one
	if last > 0 {
		above, _ := e.scope(c.Path[last-1])
		holder = nameUUID(above.ResourceServer)
	}
	path := []uint32{}
	for i := range c.Path {
		path = append(path, number(c.Path[:i+1]))
	}
	return map[string]any{
		"id":                   path[last],
		"dependency_path":      path,
		"client":               holder,
		"scope":                nameUUID(c.Path[last]),
		"scope_name":           c.Path[last],
		"status":               "approved",
		"allows_refresh":       c.Refresh,
		"atomically_revocable": c.Optional,
		"auto_approved":        false,
		"effective_identity":   p.Claims.Sub,
		"created":              transferTime(c.Created),
		"updated":              transferTime(c.Created),
		"last_used":            transferTime(c.Created),
	}
}
