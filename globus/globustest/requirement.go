package globustest

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// An authentication is one act of signing in, with one of a person's identities.
type authentication struct {
	At  time.Time `json:"at"`
	MFA bool      `json:"mfa,omitempty"`
}

// A requirement is what an app, or a collection, wants of a session.
type requirement struct {
	Identities []string // all of them
	Policies   []string // the emulator knows none, and takes the person's word
	Domains    []string // any of them
	MFA        bool     // of those above, or of whichever
	Message    string   // for the person
}

var (
	uuidForm   = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	domainForm = regexp.MustCompile(`^[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)+$`)
)

// readRequirement reads the parameters of an authorization request that begin
// with session_. It returns the name of one that is malformed, or "".
func readRequirement(params url.Values) (req requirement, malformed string) {
	list := func(name string, form *regexp.Regexp) (all []string) {
		if !params.Has(name) {
			return nil
		}
		all = strings.Split(params.Get(name), ",")
		if slices.ContainsFunc(all, func(s string) bool { return !form.MatchString(s) }) {
			malformed = name
		}
		return all
	}
	req.Identities = list("session_required_identities", uuidForm)
	req.Policies = list("session_required_policies", uuidForm)
	req.Domains = list("session_required_single_domain", domainForm)
	req.Message = params.Get("session_message")
	mfa := params.Get("session_required_mfa")
	if params.Has("session_required_mfa") && mfa != "true" && mfa != "false" {
		malformed = "session_required_mfa"
	}
	req.MFA = mfa == "true"
	return req, malformed
}

// metBy reports whether what a person signed in with, by identity, is enough.
func (req requirement) metBy(p Person, used map[string]authentication) bool {
	if len(req.Policies) > 0 {
		return false
	}
	enough := func(sub string) bool {
		auth, ok := used[sub]
		return ok && (auth.MFA || !req.MFA)
	}
	for _, sub := range req.Identities {
		if !enough(sub) {
			return false
		}
	}
	if len(req.Domains) == 0 && (len(req.Identities) > 0 || !req.MFA) {
		return true
	}
	return slices.ContainsFunc(p.identities(), func(l LinkedIdentity) bool {
		return enough(l.Sub) && (len(req.Domains) == 0 || l.in(req.Domains))
	})
}

// in reports whether the user name of l is one of a domain of domains.
func (l LinkedIdentity) in(domains []string) bool {
	_, domain, _ := strings.Cut(l.Username, "@")
	return slices.ContainsFunc(domains, func(d string) bool { return strings.EqualFold(d, domain) })
}

// identities lists all that the person can sign in with, the one that apps see
// first.
func (p Person) identities() []LinkedIdentity {
	return append([]LinkedIdentity{{
		Sub:                         p.Claims.Sub,
		Username:                    deref(p.Claims.PreferredUsername),
		IdentityProvider:            deref(p.Claims.IdentityProvider),
		IdentityProviderDisplayName: deref(p.Claims.IdentityProviderDisplayName),
	}}, p.Claims.Linked...)
}

// owner finds the person who has an identity.
func (e *Emulator) owner(sub string) (Person, bool) {
	i := slices.IndexFunc(e.people, func(p Person) bool {
		return slices.ContainsFunc(p.identities(), func(l LinkedIdentity) bool { return l.Sub == sub })
	})
	if i < 0 {
		return Person{}, false
	}
	return e.people[i], true
}
