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

// token returns the session token in r's cookie, or "" if there is none or it does
// not have a token's form. The store is not asked then.
func (m *Manager) token(r *http.Request) string {
	c, err := r.Cookie(m.cookie.Name)
	if err != nil || tokenSecret(c.Value) == nil {
		return ""
	}
	return c.Value
}

// Brought reports whether r has a session cookie. Its session may have ended.
func (m *Manager) Brought(r *http.Request) bool { return m.token(r) != "" }

// Tag returns Session.Tag for the session whose cookie r has, even if that session
// has ended; "" if there is no cookie.
func (m *Manager) Tag(r *http.Request) string { return tag(m.token(r)) }

// ID returns the key of the session's record in the store. It opens nothing.
func (s *Session) ID() string { return storeKey(s.token) }

// Tag returns a short hash that identifies s in the log. It opens nothing.
func (s *Session) Tag() string { return tag(s.token) }

func tag(token string) string {
	if token == "" {
		return ""
	}
	hash := sha256.Sum256([]byte("portal log " + token))
	return hex.EncodeToString(hash[:4])
}

// tokenSecret returns the random bytes in a token, or nil if it is not a token.
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

// SetCookie sets the session cookie of s, which expires with s.
func (m *Manager) SetCookie(w http.ResponseWriter, s *Session) {
	m.setCookie(w, s.token, max(1, int(s.Deadline.Sub(m.now())/time.Second)))
}

// ClearCookie expires the session cookie.
func (m *Manager) ClearCookie(w http.ResponseWriter) { m.setCookie(w, "", -1) }

// setCookie sets the cookie for maxAge seconds; a negative maxAge expires it.
func (m *Manager) setCookie(w http.ResponseWriter, value string, maxAge int) {
	c := m.cookie
	c.Value, c.MaxAge = value, maxAge
	http.SetCookie(w, &c)
}
