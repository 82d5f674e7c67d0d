package globustest

import "github.com/go-jose/go-jose/v4"

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

// mustSave is for the switches of a test, which have nobody to report to.
func (e *Emulator) mustSave() {
	if err := e.state.save(); err != nil {
		panic(err)
	}
}
