package globustest

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.org/portal/globus"
)

const (
	sessionCookie = "globustest_sso" // the port is appended, because browsers send a host's cookies to all of its ports

	// A browser drops the cookie when it closes. The lifetime limits how long sessions of
	// closed browsers are kept.
	sessionLifetime = 7 * 24 * time.Hour
)

func (e *Emulator) sessionCookie() string {
	u, err := url.Parse(e.issuer)
	if err != nil || u.Port() == "" {
		return sessionCookie
	}
	return sessionCookie + "_" + u.Port()
}

// session returns the browser's single sign-on session, if it has one and its person still
// exists.
func (e *Emulator) session(r *http.Request) (session, bool) {
	cookie, err := r.Cookie(e.sessionCookie())
	if err != nil {
		return session{}, false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	s, ok := e.state.Sessions[fingerprint(cookie.Value)]
	if !ok || !s.live(e.now()) {
		return session{}, false
	}
	_, ok = e.person(s.Person)
	return s, ok
}

// beginSession replaces the browser's session by one of this person and identity. If the
// person stays the same, earlier authentications still count for the app that they were
// made for.
func (e *Emulator) beginSession(w http.ResponseWriter, r *http.Request, q authRequest, p Person, identity string, mfa bool) (session, error) {
	old, _ := e.session(r)
	id := randomText(43)
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.now()
	s := session{Person: p.Key, Began: now, Used: map[string]map[string]authentication{}}
	if old.Person == p.Key {
		maps.Copy(s.Used, old.Used)
	}
	used := map[string]authentication{}
	maps.Copy(used, s.Used[q.client.ID])
	used[identity] = authentication{At: now, MFA: mfa}
	s.Used[q.client.ID] = used
	e.state.sweep(now)
	e.dropSession(r)
	e.state.Sessions[fingerprint(id)] = s
	if err := e.state.save(); err != nil {
		return session{}, err
	}
	e.setSessionCookie(w, id, 0)
	return s, nil
}

// endSession deletes the browser's session and its cookie.
func (e *Emulator) endSession(w http.ResponseWriter, r *http.Request) error {
	e.setSessionCookie(w, "", -1)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.dropSession(r)
	return e.state.save()
}

// dropSession needs e.mu, and a save after it.
func (e *Emulator) dropSession(r *http.Request) {
	if cookie, err := r.Cookie(e.sessionCookie()); err == nil {
		delete(e.state.Sessions, fingerprint(cookie.Value))
	}
}

func (e *Emulator) setSessionCookie(w http.ResponseWriter, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name:     e.sessionCookie(),
		Value:    value,
		Path:     "/",
		MaxAge:   maxAge,
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	})
}

// An authentication is one act of signing in, with one of a person's identities.
type authentication struct {
	At  time.Time `json:"at"`
	MFA bool      `json:"mfa,omitempty"`
}

// A requirement is what an app or a collection requires of a session.
type requirement struct {
	Identities []string // all of these
	Policies   []string // the emulator has no policies: a sign-in meets them
	Domains    []string // one of these
	MFA        bool     // each identity above, or any identity, needs a second factor
	Message    string   // shown to the person
}

var domainForm = regexp.MustCompile(`^[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)+$`)

// readRequirement reads the session_ parameters of an authorization request. It returns the
// name of a malformed one, or "". Services name identities by UUID, by user name, or by a URN
// with the UUID; strict accepts only UUIDs.
func readRequirement(params url.Values, strict bool) (req requirement, malformed string) {
	list := func(name string, valid func(string) bool) (all []string) {
		for s := range strings.SplitSeq(params.Get(name), ",") {
			s = strings.TrimSpace(s)
			if s == "" {
				continue
			}
			if strict && !valid(s) {
				malformed = name
			}
			all = append(all, strings.TrimPrefix(s, "urn:globus:auth:identity:"))
		}
		return all
	}
	req.Identities = list("session_required_identities", globus.IsUUID)
	req.Policies = list("session_required_policies", globus.IsUUID)
	req.Domains = list("session_required_single_domain", domainForm.MatchString)
	req.Message = params.Get("session_message")
	if mfa := params.Get("session_required_mfa"); mfa != "" {
		var err error
		if req.MFA, err = strconv.ParseBool(strings.ToLower(mfa)); err != nil {
			malformed = "session_required_mfa" // false would let people in without a second factor
		}
	}
	return req, malformed
}

// metBy reports whether a person's authentications, by identity, meet the requirement.
func (req requirement) metBy(p Person, used map[string]authentication) bool {
	if len(req.Policies) > 0 {
		return false
	}
	enough := func(sub string) bool {
		auth, ok := used[sub]
		return ok && (auth.MFA || !req.MFA)
	}
	for _, wanted := range req.Identities {
		if !slices.ContainsFunc(p.identities(), func(l LinkedIdentity) bool {
			return (l.Sub == wanted || strings.EqualFold(l.Username, wanted)) && enough(l.Sub)
		}) {
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

// in reports whether the domain of l's user name is one of domains.
func (l LinkedIdentity) in(domains []string) bool {
	_, domain, _ := strings.Cut(l.Username, "@")
	return slices.ContainsFunc(domains, func(d string) bool { return strings.EqualFold(d, domain) })
}

// identities lists the person's identities. The first is the one that apps see.
func (p Person) identities() []LinkedIdentity {
	return append([]LinkedIdentity{{
		Sub:                         p.Claims.Sub,
		Name:                        p.Claims.Name,
		Username:                    deref(p.Claims.PreferredUsername),
		Email:                       p.Claims.Email,
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
