package session

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// Sign returns text with a signature that only this session can make (HMAC-SHA256).
// It is for links: Verify tells whether the app made one for this session. Anybody can
// read the text.
func (s *Session) Sign(text string) string {
	mac := hmac.New(sha256.New, derive(extract(s.token), "sign"))
	mac.Write([]byte(text))
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(text)) + "." + encode(mac.Sum(nil))
}

// Verify returns the text that Sign signed, or false if this session did not sign it.
func (s *Session) Verify(signed string) (text string, ok bool) {
	encoded, _, _ := strings.Cut(signed, ".")
	b, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil || !hmac.Equal([]byte(s.Sign(string(b))), []byte(signed)) {
		return "", false
	}
	return string(b), true
}
