package session

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// What is rightly sealed, but not a record of this version, is no session.
func TestOtherContent(t *testing.T) {
	deadline := time.Now().Add(time.Hour).Format(time.RFC3339)
	tests := []struct {
		name, plain string
		want        bool
	}{
		{"this version", `{"version":1,"deadline":"` + deadline + `","record":{}}`, true},
		{"more than is known", `{"version":1,"deadline":"` + deadline + `","record":{"later":1}}`, true},
		{"next version", `{"version":2,"deadline":"` + deadline + `","record":{}}`, false},
		{"no version", `{"deadline":"` + deadline + `","record":{}}`, false},
		{"no deadline", `{"version":1,"record":{}}`, false},
		{"no record", `{"version":1,"deadline":"` + deadline + `"}`, false},
		{"record null", `{"version":1,"deadline":"` + deadline + `","record":null}`, false},
		{"record a list", `{"version":1,"deadline":"` + deadline + `","record":[]}`, false},
		{"null", `null`, false},
		{"empty", ``, false},
		{"gob", "\x0d\x7f\x04\x01\x02\xff\x80", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var log strings.Builder
			m, err := Open(Config{Store: "memory:", Lifetime: time.Hour, Cookie: http.Cookie{Name: "c", Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}, Log: slog.New(slog.NewTextHandler(&log, nil))})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			token := strings.Repeat("A", tokenLen)
			if err := m.store.Commit(token, []byte(tt.plain), time.Now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.AddCookie(&http.Cookie{Name: "c", Value: token})
			w := httptest.NewRecorder()
			s, err := m.Load(w, r)
			if got := s != nil; err != nil || got != tt.want {
				t.Fatalf("got %v, %v, want a session: %t", s, err, tt.want)
			}
			if tt.want {
				return
			}
			if _, _, err := (codec{}).Decode([]byte(tt.plain)); err != nil {
				checkStays(t, m, w, token)
			} else {
				checkGone(t, m, w, token)
			}
			if strings.Count(log.String(), "\n") != 1 {
				t.Errorf("got log %q, want one line", log.String())
			}
		})
	}
}

func TestTooLarge(t *testing.T) {
	m, err := Open(Config{Store: "memory:", Lifetime: time.Hour, Cookie: http.Cookie{Name: "c", Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	small := Record{Began: time.Now()}
	s, err := m.SignIn(t.Context(), small)
	if err != nil {
		t.Fatal(err)
	}
	grow := func(rec *Record) { rec.Identity.Name = strings.Repeat("x", maxRecord) }
	if err := m.Update(t.Context(), s, grow); !errors.Is(err, ErrTooLarge) {
		t.Errorf("Update: got %v, want %v", err, ErrTooLarge)
	}
	if s.Identity.Name != "" {
		t.Error("Update changed the session though it failed")
	}
	grow(&small)
	s, err = m.SignIn(t.Context(), small)
	if _, isStore := errors.AsType[*StoreError](err); s != nil || isStore || !errors.Is(err, ErrTooLarge) {
		t.Errorf("SignIn: got %v, want %v, which is no fault of the store", err, ErrTooLarge)
	}
}

// No two purposes share a key, and no two tokens.
func TestDerive(t *testing.T) {
	seen := map[string]bool{}
	for _, token := range []string{strings.Repeat("A", tokenLen), strings.Repeat("B", tokenLen-1) + "A"} {
		for _, purpose := range []string{"id", "seal"} {
			key := string(derive(extract(token), purpose))
			if len(key) != 32 || seen[key] || string(tokenSecret(token)) == key {
				t.Errorf("%s: got a key that is known already", purpose)
			}
			seen[key] = true
		}
	}
}

// A record opens with nothing that lies beside it in the store.
func TestSealKey(t *testing.T) {
	s := &sealedStore{audience: "app"}
	token := strings.Repeat("A", tokenLen-1) + "Q"
	sealed, err := s.seal(keysOf(token), []byte("plain"))
	if err != nil {
		t.Fatal(err)
	}
	_, bound := s.sealer(keysOf(token))
	tests := []struct {
		name string
		key  []byte
		want bool
	}{
		{"the seal's own key", derive(extract(token), "seal"), true},
		{"zeros", make([]byte, 32), false},
		{"the record's key in the store", derive(extract(token), "id"), false},
		{"the cookie undigested", tokenSecret(token), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			block, err := aes.NewCipher(tt.key)
			if err != nil {
				t.Fatal(err)
			}
			aead, err := cipher.NewGCMWithRandomNonce(block)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := aead.Open(nil, nil, sealed, bound); (err == nil) != tt.want {
				t.Errorf("got %v, want it opened: %t", err, tt.want)
			}
		})
	}
}
