package session

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// Sign returns text in a form that Verify reads, of this session alone: to put
// something into a link that nobody else can have written. It does not hide text.
func (s *Session) Sign(text string) string {
	mac := hmac.New(sha256.New, derive(s.token, "sign"))
	mac.Write([]byte(text))
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(text)) + "." + encode(mac.Sum(nil))
}

// Verify returns what Sign was given, and false for what this session did not sign.
func (s *Session) Verify(signed string) (text string, ok bool) {
	encoded, _, _ := strings.Cut(signed, ".")
	b, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil || !hmac.Equal([]byte(s.Sign(string(b))), []byte(signed)) {
		return "", false
	}
	return string(b), true
}
