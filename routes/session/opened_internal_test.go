package session

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"example.org/portal/globus"
)

func ignore(context.Context, globus.Tokens) {}

func (o *opened) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.kept)
}

// What is kept open is bounded, by number and by size.
func TestOpenedBounds(t *testing.T) {
	for size, many := range map[int]int{1: maxOpened + 100, maxRecord: openedSize/maxRecord + 10} {
		o := opened{kept: map[string]*openRecord{}}
		for i := range many {
			token := fmt.Sprint(i)
			o.put(token, make([]byte, size), Record{}, time.Now())
			if o.count() > maxOpened || o.size > openedSize || o.size != o.count()*size {
				t.Fatalf("%d of %d bytes are open, %d in all", o.count(), size, o.size)
			}
			if _, _, ok := o.get(token, make([]byte, size)); !ok {
				t.Fatalf("the newest of %d bytes is not open", size)
			}
		}
		if o.count() == many {
			t.Errorf("all %d of %d bytes are open", many, size)
		}
	}
}

// A record serves only as it was sealed, and not for long.
func TestOpenedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := opened{kept: map[string]*openRecord{}}
		o.put("token", []byte("old"), Record{}, time.Now())
		o.put("token", []byte("sealed"), Record{}, time.Now())
		tests := []struct {
			token, sealed string
			want          bool
		}{{"token", "sealed", true}, {"token", "old", false}, {"token", "", false}, {"other", "sealed", false}}
		for _, tt := range tests {
			if _, _, ok := o.get(tt.token, []byte(tt.sealed)); ok != tt.want {
				t.Errorf("%s, sealed as %q: got %v, want %v", tt.token, tt.sealed, ok, tt.want)
			}
		}
		for range 3 {
			time.Sleep(openedFor / 2)
			o.put("later", []byte("sealed"), Record{}, time.Now())
			if o.count() == 0 {
				t.Error("nothing is open")
			}
			time.Sleep(openedFor/2 + time.Second)
			if o.count() != 0 || o.size != 0 {
				t.Errorf("%d are still open", o.count())
			}
			o.put("token", []byte("sealed"), Record{}, time.Now())
		}
	})
}

// What is dropped is not held by anything any more.
func TestOpenedDropped(t *testing.T) {
	o := opened{kept: map[string]*openRecord{}}
	o.put("token", []byte("sealed"), typical(), time.Now())
	held := weak.Make(o.kept["token"])
	runtime.GC()
	if held.Value() == nil {
		t.Error("it was not even held before")
	}
	o.drop("token")
	runtime.GC()
	if held.Value() != nil {
		t.Error("it is still in memory")
	}
}

// Requests share nothing that one of them might change, and a session that has
// ended leaves nothing in memory.
func TestOpenedInUse(t *testing.T) {
	ends := map[string]func(m *Manager, r *http.Request) error{
		"signed out": func(m *Manager, r *http.Request) error {
			_, err := m.SignOut(r)
			return err
		},
		"gone": func(m *Manager, r *http.Request) error {
			if _, err := m.store.take(r.Context(), m.token(r)); err != nil {
				return err
			}
			_, err := m.Load(httptest.NewRecorder(), r)
			return err
		},
		"over": func(m *Manager, r *http.Request) error {
			m.now = func() time.Time { return time.Now().Add(8 * 24 * time.Hour) }
			_, err := m.Load(httptest.NewRecorder(), r)
			return err
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			m, err := Open(Config{Store: "memory:", Lifetime: 24 * time.Hour, Cookie: http.Cookie{Name: "c", Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			m.refresh.revoke, m.retries.revoke = ignore, ignore
			defer m.Close()
			s, err := m.SignIn(t.Context(), typical())
			if err != nil {
				t.Fatal(err)
			}
			r := requestOf(m, s)
			for range 3 {
				got, err := m.Load(httptest.NewRecorder(), r)
				if err != nil || got == nil || len(got.Tokens) != 2 || got.Identity.Name != "Rosalind Franklin" {
					t.Fatalf("got %v, %v, want the session as it is", got, err)
				}
				delete(got.Tokens, globus.AuthServer)
				got.Identity.Name = "another"
			}
			if m.opened.count() != 1 {
				t.Fatal("nothing is kept open, so the rest proves nothing")
			}
			if err := end(m, r); err != nil {
				t.Fatal(err)
			}
			if m.opened.count() != 0 {
				t.Error("its record is still in memory")
			}
		})
	}
}
