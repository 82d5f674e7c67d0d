package session

import (
	"bytes"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// What the value of a session cookie looks like: 32 bytes in base64url, whose
// last character has two bits to spare, which are zero.
var cookieValue = regexp.MustCompile(`^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$`)

// FuzzSealed: a cookie is one of ours or none; what is sealed with one opens with
// that one alone, unchanged, and for its own app.
func FuzzSealed(f *testing.F) {
	own := strings.Repeat("A", tokenLen)
	for _, cookie := range []string{
		own, "", strings.Repeat("A", 42), strings.Repeat("A", 44), strings.Repeat("A", 42) + "B", strings.Repeat("A", 42) + "Q", strings.Repeat("A", 42) + "=", strings.Repeat("A", 42) + "\n",
		strings.Repeat("-_", 21) + "8", strings.Repeat("+/", 21) + "8", strings.Repeat("é", 21) + "A", `"` + own + `"`, own + "; c=" + own, strings.Repeat("A", 900<<10), strings.Repeat("\x00", 43),
	} {
		f.Add(cookie, []byte("plain"), uint16(0), byte(0))
	}
	for at := range uint16(40) {
		f.Add(own, []byte("plain"), at, byte(1<<(at%8)))
	}
	f.Add(own, bytes.Repeat([]byte{0}, maxRecord+1), uint16(0), byte(1))
	f.Fuzz(func(t *testing.T, cookie string, plain []byte, at uint16, flip byte) {
		m := &Manager{cookie: http.Cookie{Name: "c"}}
		token := m.token(&http.Request{Header: http.Header{"Cookie": {"c=" + cookie}}})
		// A reader of cookies drops what surrounds a value, and what is behind it.
		value := strings.Trim(strings.TrimSpace(strings.Split(cookie, ";")[0]), `"`)
		if cookieValue.MatchString(value) && len(value) == len(cookie) && token != cookie || token != "" && (token != value || !cookieValue.MatchString(token)) {
			t.Fatalf("the cookie %q is read as %q", cookie, token)
		}
		if token == "" {
			token = own
		}
		s := &sealedStore{audience: "app"}
		sealed, err := s.seal(keysOf(token), plain)
		if (err != nil) != (len(plain) > maxRecord) {
			t.Fatalf("%d bytes: %v", len(plain), err)
		}
		if err != nil {
			return
		}
		if again, err := s.seal(keysOf(token), plain); err != nil || bytes.Equal(sealed, again) || len(plain) > 8 && bytes.Contains(sealed, plain) {
			t.Fatal("the seal is the same twice, or hides nothing")
		}
		if got, err := s.open(keysOf(token), sealed); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%q opens as %q, %v", plain, got, err)
		}
		i := int(at) % len(sealed)
		changed := bytes.Clone(sealed)
		changed[i] ^= flip | 1
		other := []byte(token)
		other[int(at)%42] ^= 1
		for name, opens := range map[string]func() ([]byte, error){
			"changed":       func() ([]byte, error) { return s.open(keysOf(token), changed) },
			"cut short":     func() ([]byte, error) { return s.open(keysOf(token), sealed[:i]) },
			"longer":        func() ([]byte, error) { return s.open(keysOf(token), append(bytes.Clone(sealed), flip)) },
			"another's":     func() ([]byte, error) { return s.open(keysOf(string(other)), sealed) },
			"another app's": func() ([]byte, error) { return (&sealedStore{audience: "ap"}).open(keysOf(token), sealed) },
			"never sealed":  func() ([]byte, error) { return s.open(keysOf(token), plain) },
		} {
			if got, err := opens(); err == nil {
				t.Errorf("%s: it opens as %q", name, got)
			}
		}
	})
}
