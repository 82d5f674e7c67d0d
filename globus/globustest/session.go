package globustest

import (
	"maps"
	"net/http"
	"time"
)

const (
	sessionCookie = "globustest_sso"

	// The browser drops the cookie when it closes. This bounds what is kept of
	// browsers that never come back.
	sessionLifetime = 7 * 24 * time.Hour
)

// session returns the single sign-on session of the browser, if it has one, of a
// person who still exists.
func (e *Emulator) session(r *http.Request) (session, bool) {
	cookie, err := r.Cookie(sessionCookie)
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

// beginSession remembers who was chosen, and with which identity, in place of
// whoever was before. What the same person did before in the same browser still
// counts, for the app that they did it for.
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
	setSessionCookie(w, id, 0)
	return s, nil
}

// endSession forgets who was chosen, on both sides.
func (e *Emulator) endSession(w http.ResponseWriter, r *http.Request) error {
	setSessionCookie(w, "", -1)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.dropSession(r)
	return e.state.save()
}

// dropSession needs e.mu, and a save after it.
func (e *Emulator) dropSession(r *http.Request) {
	if cookie, err := r.Cookie(sessionCookie); err == nil {
		delete(e.state.Sessions, fingerprint(cookie.Value))
	}
}

func setSessionCookie(w http.ResponseWriter, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name:     sessionCookie,
		Value:    value,
		Path:     "/",
		MaxAge:   maxAge,
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	})
}
