package session

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/portal/globus"
)

// typical is a record of the size that Globus's answers make.
func typical() Record {
	token := func(server string) globus.Token {
		return globus.Token{
			AccessToken: strings.Repeat("a", 180), RefreshToken: strings.Repeat("r", 100),
			Scopes: []string{"urn:globus:auth:scope:" + server + ":all"}, Expiry: time.Now().Add(48 * time.Hour),
		}
	}
	return Record{
		Identity: globus.Identity{
			Subject: "5d9ba3c4-0000-4000-8000-00000000beef", Username: "rosalind@example.edu", Name: "Rosalind Franklin",
			Email: "rosalind@example.edu", Organization: "Example University",
			Linked: []globus.LinkedIdentity{{Subject: "5d9ba3c4-0000-4000-8000-00000000cafe", Username: "rosalind@orcid.org"}},
		},
		Tokens: globus.Tokens{globus.AuthServer: token(globus.AuthServer), globus.TransferServer: token(globus.TransferServer)},
		Began:  time.Now(),
	}
}

func openFor(b *testing.B, store string) *Manager {
	b.Helper()
	m, err := Open(Config{
		Store: store, Lifetime: 24 * time.Hour, Log: slog.New(slog.DiscardHandler),
		Cookie: http.Cookie{Name: "c", Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { m.Close() })
	return m
}

func requestOf(m *Manager, s *Session) *http.Request {
	w := httptest.NewRecorder()
	m.SetCookie(w, s)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(w.Result().Cookies()[0])
	return r
}

// BenchmarkLoad loads one session, as each page of someone signed in does.
func BenchmarkLoad(b *testing.B) {
	m := openFor(b, "sqlite:"+filepath.Join(b.TempDir(), "sessions.db"))
	s, err := m.SignIn(b.Context(), typical())
	if err != nil {
		b.Fatal(err)
	}
	r, w := requestOf(m, s), httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		if got, err := m.Load(w, r); got == nil || err != nil {
			b.Fatal(got, err)
		}
	}
}

// BenchmarkSignIn stores new sessions in SQLite, one and sixteen at once. Each commit has
// an fsync.
func BenchmarkSignIn(b *testing.B) {
	for _, atOnce := range []int{1, 16} {
		b.Run(strconv.Itoa(atOnce), func(b *testing.B) {
			m := openFor(b, "sqlite:"+filepath.Join(b.TempDir(), "sessions.db"))
			commits := countCommits(b, m.store.driver.(*observedDriver).driver.(*sqliteDriver), false)
			var all sync.WaitGroup
			b.ResetTimer()
			for first := range atOnce {
				all.Go(func() {
					for i := first; i < b.N; i += atOnce {
						if _, err := m.SignIn(b.Context(), typical()); err != nil {
							b.Error(err)
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sign-ins/s")
			b.ReportMetric(float64(*commits)/float64(b.N), "commits/sign-in")
		})
	}
}

func BenchmarkSeal(b *testing.B) {
	s := &sealedStore{audience: "https://auth.globus.org app"}
	token := strings.Repeat("A", tokenLen)
	plain, err := json.Marshal(typical())
	if err != nil {
		b.Fatal(err)
	}
	sealed, err := s.seal(keysOf(token), plain)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("seal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = s.seal(keysOf(token), plain)
		}
	})
	b.Run("open", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = s.open(keysOf(token), sealed)
		}
	})
}
