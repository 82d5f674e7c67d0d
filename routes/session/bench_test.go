package session

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
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

func openFor(b *testing.B, path string) *Manager {
	b.Helper()
	m, err := Open(Config{
		Store: "sqlite:" + path, Lifetime: 24 * time.Hour, Log: slog.New(slog.DiscardHandler),
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
	m := openFor(b, filepath.Join(b.TempDir(), "sessions.db"))
	s, err := m.SignIn(b.Context(), typical())
	if err != nil {
		b.Fatal(err)
	}
	r, w := requestOf(m, s), httptest.NewRecorder()
	load := func(b *testing.B) {
		if got, err := m.Load(w, r); got == nil || err != nil {
			b.Fatal(got, err)
		}
	}
	b.Run("again", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			load(b)
		}
	})
	b.Run("first", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m.opened.drop(s.token)
			load(b)
		}
	})
}

// BenchmarkGrowth loads, and signs in, beside ever more sessions. The last of
// them takes minutes, and 3 GB of disk, to fill: PORTAL_LONG=1.
func BenchmarkGrowth(b *testing.B) {
	if os.Getenv("PORTAL_LONG") != "1" {
		b.Skip("needs PORTAL_LONG=1")
	}
	path := filepath.Join(b.TempDir(), "sessions.db")
	m := openFor(b, path)
	var some []*http.Request // in the midst of all others
	filled := 0
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		for ; filled < n; filled += 1000 {
			s, err := m.SignIn(b.Context(), typical())
			if err != nil {
				b.Fatal(err)
			}
			some = append(some, requestOf(m, s))
			crowd(b, m, s, 999)
		}
		info, err := os.Stat(path)
		if err != nil {
			b.Fatal(err)
		}
		var count int
		if err := m.store.driver.(*observedDriver).driver.(*sqliteDriver).reader.QueryRow("SELECT count(*) FROM sessions").Scan(&count); err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("load/%d", n), func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for i := mathrand.IntN(len(some)); pb.Next(); i = (i + 1) % len(some) {
					m.opened.drop(m.token(some[i])) // as if it had not been seen for long
					if got, err := m.Load(httptest.NewRecorder(), some[i]); got == nil || err != nil {
						b.Error(got, err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "loads/s")
			b.ReportMetric(float64(info.Size())/1e6, "MB")
			b.ReportMetric(float64(info.Size())/float64(count), "B/session")
		})
		b.Run(fmt.Sprintf("sign-in/%d", n), func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := m.SignIn(b.Context(), typical()); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sign-ins/s")
		})
	}
}

// crowd inserts n records that are like that of s, but open to nobody.
func crowd(b *testing.B, m *Manager, s *Session, n int) {
	b.Helper()
	sealed, _, err := m.store.find(b.Context(), s.token)
	if err != nil {
		b.Fatal(err)
	}
	tx, err := m.store.driver.(*observedDriver).driver.(*sqliteDriver).writer.Begin()
	if err != nil {
		b.Fatal(err)
	}
	insert, err := tx.Prepare("INSERT INTO sessions (token, data, expiry) VALUES (?, ?, julianday('now', ?))")
	if err != nil {
		b.Fatal(err)
	}
	for range n {
		if _, err := insert.Exec(rand.Text()+rand.Text()[:17], sealed, fmt.Sprintf("+%d seconds", 3600+mathrand.IntN(600_000))); err != nil {
			b.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkSeal(b *testing.B) {
	s := &sealedStore{audience: "https://auth.globus.org app"}
	token := strings.Repeat("A", tokenLen)
	plain, err := json.Marshal(typical())
	if err != nil {
		b.Fatal(err)
	}
	sealed, err := s.seal(token, plain)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("seal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = s.seal(token, plain)
		}
	})
	b.Run("open", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = s.open(token, sealed)
		}
	})
}
