package components

import (
	"cmp"
	"strings"

	"example.org/portal/globus"
)

// A Required is what a page says when a service requires something of the person
// first, at Globus.
type Required struct {
	Site
	Requirements *globus.Requirements // what is wanted
	URL          string               // leads to Globus, and back
	Form         *Form                // was sent, and refused; nil: nothing was
	Facts        []Fact               // what it is about, such as the name of a collection
	Names        map[string]string    // what to call collections, by their UUIDs
}

// Heading says in a few words what is wanted.
func (q Required) Heading() string {
	if len(q.Requirements.Scopes) > 0 {
		return "Globus needs your consent"
	}
	return "Globus requires another sign-in for this"
}

// says returns the message of the service, preferably the one that is for the person.
func (q Required) says() string {
	return cmp.Or(q.Requirements.SessionMessage, q.Requirements.Message)
}

// A demand is something that Globus will ask for. The names in it came from the
// service.
type demand struct {
	kind  string // does not change with what is said
	what  string
	names []string
}

// demands says in words what Globus will ask for.
func (q Required) demands() (all []demand) {
	r := q.Requirements
	add := func(kind, what string, names ...string) { all = append(all, demand{kind, what, names}) }
	for _, name := range leaves(r.Scopes) {
		if id, ok := dataAccess(name); ok {
			add("data_access", "to let this site reach your files in the collection", cmp.Or(q.Names[id], id))
			continue
		}
		for _, a := range asks([]string{name}) {
			add("scope", "to let this site", a.what)
		}
	}
	switch len(r.Domains) {
	case 0:
	case 1:
		add("domain", "to sign in with an identity of", r.Domains...)
	default:
		add("domain", "to sign in with an identity of one of these:", r.Domains...)
	}
	if len(r.Identities) > 0 {
		add("identity", "to sign in with this identity of yours:", r.Identities...)
	}
	if len(r.Policies) > 0 {
		add("policy", "to meet this policy of the owner:", r.Policies...)
	}
	if r.MFA {
		add("mfa", "to sign in with a second factor, such as a code from your telephone")
	}
	if r.Prompt == "login" {
		add("login", "to sign in again")
	}
	return all
}

// dataAccess returns the collection that a scope is about, if it is about the
// files in one.
func dataAccess(scope string) (collection string, ok bool) {
	rest, prefixed := strings.CutPrefix(scope, "https://auth.globus.org/scopes/")
	id, suffixed := strings.CutSuffix(rest, "/data_access")
	return id, prefixed && suffixed && globus.IsUUID(id)
}

// leaves lists the scopes that depend on no other: those are what people have not
// consented to yet.
func leaves(scopes globus.Scopes) (names []string) {
	for _, s := range scopes {
		if len(s.Dependencies) == 0 {
			names = append(names, s.Name)
		}
		names = append(names, leaves(s.Dependencies)...)
	}
	return names
}
