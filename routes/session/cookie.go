package session

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"time"
)

// The cookie's value is scs's token: 32 random bytes in unpadded base64url.
const tokenLen = 43

// token returns the session token that r brings, or "" if what it brings is
// not of a token's form; then there is nothing to ask the store about.
func (m *Manager) token(r *http.Request) string {
	c, err := r.Cookie(m.cookie.Name)
	if err != nil || tokenSecret(c.Value) == nil {
		return ""
	}
	return c.Value
}

// Brought reports whether r brings a session cookie, of a session that may have
// ended.
func (m *Manager) Brought(r *http.Request) bool { return m.token(r) != "" }

// Tag returns what stands in the log for the session whose cookie r brings, of
// a session that may have ended; "" if it brings none.
func (m *Manager) Tag(r *http.Request) string { return tag(m.token(r)) }

// ID names the session, as the store does. It opens nothing.
func (s *Session) ID() string { return storeKey(s.token) }

// Tag returns what stands for s in the log. Nothing can be opened with it.
func (s *Session) Tag() string { return tag(s.token) }

func tag(token string) string {
	if token == "" {
		return ""
	}
	hash := sha256.Sum256([]byte("portal log " + token))
	return hex.EncodeToString(hash[:4])
}

// tokenSecret returns the random bytes in a token, or nil if it is none.
func tokenSecret(token string) []byte {
	if len(token) != tokenLen {
		return nil
	}
	secret, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil {
		return nil
	}
	return secret
}

// SetCookie gives the browser the key of s.
func (m *Manager) SetCookie(w http.ResponseWriter, s *Session) {
	m.setCookie(w, s.token, max(1, int(s.Deadline.Sub(m.now())/time.Second)))
}

// ClearCookie takes the session cookie from the browser.
func (m *Manager) ClearCookie(w http.ResponseWriter) { m.setCookie(w, "", -1) }

// setCookie takes maxAge in seconds; a negative one expires the cookie.
func (m *Manager) setCookie(w http.ResponseWriter, value string, maxAge int) {
	c := m.cookie
	c.Value, c.MaxAge = value, maxAge
	http.SetCookie(w, &c)
}
