package globustest

import (
	"maps"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// Register adds an app, or replaces the one with its ID. Like NewServer it
// panics when the caller is wrong: if c has no ID or Secret, or a redirect URI
// that Globus would not accept.
func (e *Emulator) Register(c Client) {
	if err := c.check(); err != nil {
		panic(err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.clients[c.ID] = c
}

// Lie makes the emulator answer wrongly from now on, in just the way that l
// says. Lie{} makes it honest again. The maps of l are not copied: change them
// no more. It panics if l names an endpoint that does not exist.
func (e *Emulator) Lie(l Lie) {
	for path := range l.Endpoints {
		if _, ok := e.endpoints[path]; !ok {
			panic("globustest: a lie about " + path + ", which is no endpoint")
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lie = l
	clear(e.faulted)
}

// RotateKey signs with a new key from now on and no longer serves the old one.
// It panics if the StateFile cannot be written.
func (e *Emulator) RotateKey() {
	key := newKey()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state.Key = jose.JSONWebKey{Key: key}
	e.mustSave()
}

// ForgetPeople ends every single sign-on session, as if all browsers had been
// to the logout page. It panics if the StateFile cannot be written.
func (e *Emulator) ForgetPeople() {
	e.mu.Lock()
	defer e.mu.Unlock()
	clear(e.state.Sessions)
	e.mustSave()
}

// ExpireAccessTokens ends all access tokens for a resource server, such as
// transfer.api.globus.org, or for all if it is empty. Refresh tokens live on. It
// panics if there is no such server, or the StateFile cannot be written.
func (e *Emulator) ExpireAccessTokens(server string) {
	e.expire(server, false)
}

// ExpireRefreshTokens ends all refresh tokens for a resource server, or for all
// if it is empty: a refresh gets invalid_grant. Access tokens live on; where a
// person rescinds a consent, they end too. It panics as ExpireAccessTokens does.
func (e *Emulator) ExpireRefreshTokens(server string) {
	e.expire(server, true)
}

func (e *Emulator) expire(server string, refresh bool) {
	mustKnow(server)
	e.mu.Lock()
	defer e.mu.Unlock()
	maps.DeleteFunc(e.state.Tokens, func(_ string, t token) bool {
		return t.Refresh == refresh && (server == "" || t.ResourceServer == server)
	})
	e.mustSave()
}

// Refreshes returns how many new access tokens for a resource server, or for all
// if it is empty, were given for a refresh token, those included that a Fault or
// a Lie kept from the app. It panics if there is no such server.
func (e *Emulator) Refreshes(server string) int {
	mustKnow(server)
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for name, count := range e.refreshes {
		if server == "" || name == server {
			n += count
		}
	}
	return n
}

// Requests returns how many requests the endpoint at path has had, those that
// were refused or met with a Fault included. It is 0 for a path that is none of
// the emulator's.
func (e *Emulator) Requests(path string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.requests[path]
}

// Live reports whether token is an access or refresh token that would still be
// accepted.
func (e *Emulator) Live(token string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, ok := e.liveToken(token)
	return ok
}

// LiveTokens returns how many access and refresh tokens would still be accepted.
func (e *Emulator) LiveTokens() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, t := range e.state.Tokens {
		if e.alive(t) {
			n++
		}
	}
	return n
}

// mustKnow keeps a test from counting on a server that it misspelt.
func mustKnow(server string) {
	if !slices.Contains([]string{"", authServer, transferServer, groupsServer}, server) {
		panic("globustest: no resource server " + server)
	}
}

// mustSave is for the switches of a test, which have nobody to report to.
func (e *Emulator) mustSave() {
	if err := e.state.save(); err != nil {
		panic(err)
	}
}
