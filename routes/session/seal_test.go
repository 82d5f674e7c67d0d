package session_test

import (
	"bytes"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"example.org/portal/routes/session"
)

// What is not of a token's form is nobody's cookie, and not worth a question
// to the store: it is closed here, and would answer with an error.
func TestCookieForm(t *testing.T) {
	m, err := session.Open(session.Config{Store: "memory:", Lifetime: 1, Cookie: http.Cookie{Name: cookieName, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}, Log: discard()})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	good := strings.Repeat("A", 43)
	tests := []struct {
		name  string
		value string
		want  bool // it is a token's form
	}{
		{"a token's form", good, true},
		{"in quotes", `"` + good + `"`, true}, // net/http takes them off
		{"none", "", false},
		{"one character", "A", false},
		{"42", good[1:], false},
		{"44", good + "A", false},
		{"padded", good + "=", false},
		{"43 with padding", good[1:] + "=", false},
		{"bits beyond the last byte", good[1:] + "B", false},
		{"the other alphabet", good[1:] + "/", false},
		{"the other alphabet's plus", "+" + good[1:], false},
		{"blank in it", "A A" + good[3:], false},
		{"dot", good[1:] + ".", false},
		{"percent", "%41" + good[3:], false},
		{"not ASCII", "é" + good[2:], false},
		{"SQL", "' OR 1=1 --" + good[11:], false},
		{"200 KB", strings.Repeat("A", 200_000), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("Cookie", cookieName+"="+tt.value)
			w := httptest.NewRecorder()
			s, err := m.Load(w, r)
			if _, asked := errors.AsType[*session.StoreError](err); asked != tt.want || s != nil {
				t.Errorf("got %v, %v, want the store asked: %t", s, err, tt.want)
			}
			if _, err := m.SignOut(r); (err != nil) != tt.want {
				t.Errorf("SignOut: got %v, want the store asked: %t", err, tt.want)
			}
			if len(w.Result().Cookies()) != 0 {
				t.Error("the cookie is touched")
			}
		})
	}
}

// TestUnreadable goes through what may have become of a record. None of it is a
// session, and all of it stays: another version of the app may know how to open it.
func TestUnreadable(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(mine, others []byte) []byte
	}{
		{"another session's", func(_, others []byte) []byte { return others }},
		{"empty", func(_, _ []byte) []byte { return []byte{} }},
		{"nonce alone", func(mine, _ []byte) []byte { return mine[:12] }},
		{"truncated", func(mine, _ []byte) []byte { return mine[:len(mine)-1] }},
		{"longer", func(mine, _ []byte) []byte { return append(mine, 0) }},
		{"first bit", func(mine, _ []byte) []byte { mine[0] ^= 0x80; return mine }},
		{"a bit in the middle", func(mine, _ []byte) []byte { mine[len(mine)/2] ^= 1; return mine }},
		{"last bit", func(mine, _ []byte) []byte { mine[len(mine)-1] ^= 1; return mine }},
		{"not sealed", func(_, _ []byte) []byte { return []byte(`{"version":1,"record":{}}`) }},
	}
	overStores(t, func(t *testing.T, store string) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				s := open(t, session.Config{Store: store})
				b := s.signedIn()
				key, mine := only(t, s.records())
				other := s.signedIn()
				all := s.records()
				delete(all, key)
				_, others := only(t, all)

				spoiled := tt.spoil(bytes.Clone(mine), others)
				s.overwrite(key, spoiled)
				s.wantUnreadable(b)
				if left := s.records(); !bytes.Equal(left[key], spoiled) || len(left) != 2 {
					t.Errorf("%d records are left, want both as they were", len(left))
				}
				other.get("/me", http.StatusOK)

				// Where it is not at its own place, the record is no use to anybody.
				for otherKey := range all {
					s.overwrite(otherKey, mine)
				}
				s.wantUnreadable(other)
				s.overwrite(key, mine)
				b.get("/me", http.StatusOK)
				s.clear() // for the next, which has the same store
			})
		}
	})
}

// Signing out deletes a record that does not open, too: another version of the app
// could open it.
func TestSignOutUnreadable(t *testing.T) {
	overStores(t, func(t *testing.T, store string) {
		s := open(t, session.Config{Store: store})
		b := s.signedIn()
		key, _ := only(t, s.records())
		s.overwrite(key, []byte("sealed by another version"))
		b.get("/out", http.StatusOK)
		if n := len(s.records()); n != 0 {
			t.Errorf("%d records are left, want 0", n)
		}
	})
}

// wantUnreadable visits with a browser whose record cannot be read.
func (s *site) wantUnreadable(b *browser) {
	s.Helper()
	s.log.b.Reset()
	if resp := b.get("/me", http.StatusUnauthorized); len(resp.Cookies()) != 0 || b.cookie() == "" {
		s.Errorf("got Set-Cookie %q, want the cookie left alone", resp.Header.Values("Set-Cookie"))
	}
	if got := s.log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "session record not opened") {
		s.Errorf("got log %q, want one line", got)
	}
}

func only(t *testing.T, all map[string][]byte) (key string, data []byte) {
	t.Helper()
	if len(all) != 1 {
		t.Fatalf("got %d records, want 1", len(all))
	}
	key = slices.Collect(maps.Keys(all))[0]
	return key, all[key]
}

// A session of the demo means nothing to the real app.
func TestAudience(t *testing.T) {
	for _, kind := range []string{"sqlite", "redis"} {
		t.Run(kind, func(t *testing.T) {
			store := newStore(t, kind)
			demo := open(t, session.Config{Store: store, Audience: "http://127.0.0.1:8890 demo"})
			real := open(t, session.Config{Store: store, Audience: "https://auth.globus.org app"})
			same := open(t, session.Config{Store: store, Audience: "http://127.0.0.1:8890 demo"})
			cookie := demo.signedIn().cookie()

			b := same.browser()
			b.setCookie(cookie)
			b.get("/me", http.StatusOK)

			b = real.browser()
			b.setCookie(cookie)
			real.wantUnreadable(b)
		})
	}
}

// The store's keys and records tell nothing, and not even two seals of one
// record look alike.
func TestSealedAnew(t *testing.T) {
	overStores(t, func(t *testing.T, store string) {
		s := open(t, session.Config{Store: store})
		signedIn, err := s.SignIn(t.Context(), record(s.clock.Now()))
		if err != nil {
			t.Fatal(err)
		}
		key, first := only(t, s.records())
		if value := s.request(signedIn).Cookies()[0].Value; key == value || len(strings.TrimPrefix(key, "portal:")) != 43 {
			t.Errorf("the key %q is, or is like, the cookie %q", key, value)
		}
		if err := s.Update(t.Context(), signedIn, func(*session.Record) {}); err != nil {
			t.Fatal(err)
		}
		if again, second := only(t, s.records()); again != key || bytes.Equal(first, second) || bytes.Equal(first[:12], second[:12]) {
			t.Error("the same record was sealed with the same nonce")
		}
	})
}
