package session

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"example.org/portal/globus"
)

// fuzzNow is when all of this happens.
var fuzzNow = time.Unix(1_800_000_000, 0).UTC()

func fuzzManager(t testing.TB, log *strings.Builder) *Manager {
	t.Helper()
	m, err := Open(Config{
		Store: "memory:", Lifetime: time.Hour, Audience: "app", Now: func() time.Time { return fuzzNow },
		Cookie: http.Cookie{Name: "c", Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode},
		Log:    slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	m.revoke = ignore
	m.refresh.refresh = func(context.Context, string, globus.Token, string) (globus.Token, error) {
		return globus.Token{}, globus.ErrNoToken
	}
	return m
}

// FuzzRecord: whatever is found rightly sealed, it is a session that can be kept
// and ended, or one that has ended and goes, or none, which is left alone.
func FuzzRecord(f *testing.F) {
	full, err := codec{}.Encode(fuzzNow.Add(time.Hour), map[string]any{recordKey: &Record{
		Identity: globus.Identity{Subject: "s", Linked: []globus.LinkedIdentity{{Subject: "t"}}},
		Tokens:   globus.Tokens{globus.AuthServer: {AccessToken: "a", RefreshToken: "r", Expiry: fuzzNow.Add(time.Hour)}},
		Began:    fuzzNow,
	}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(full)
	f.Add(encodeFull(f))
	const later = `"deadline":"2027-01-15T09:00:00Z"`
	for _, plain := range []string{
		`{"version":1,` + later + `,"record":{}}`, `{"version":1,` + later + `,"record":{"tokens":null,"facts":{"groups":{"x":"active"}}}}`, `{"version":1,` + later + `,"record":{"wanted":{"scopes":"a["},"met":[{}]}}`, `{"version":1,` + later + `,"record":null}`,
		`{"version":1,"deadline":"2027-01-15T08:00:00Z","record":{}}`, `{"version":1,"deadline":"9999-12-31T23:59:59.999999999+23:59","record":{}}`, `{"version":1,"deadline":"0000-01-01T00:00:00Z","record":{}}`, `{"version":1,` + later + `,"record":{"began":"0001-01-01T00:00:00Z","tokens":{"":{}}}}`,
		`{"version":2,` + later + `,"record":{}}`, `{"version":1.0,` + later + `,"record":{}}`, `{"Version":1,` + later + `,"record":{},"record":{"x":1}}`, `{"version":1,"record":{}}`, `{}`, `[]`, `null`, ``, `1`, "\x0d\x7f\x04", strings.Repeat(`{"record":`, 20000),
	} {
		f.Add([]byte(plain))
	}
	var log strings.Builder
	m := fuzzManager(f, &log)
	token := strings.Repeat("A", tokenLen)
	f.Fuzz(func(t *testing.T, plain []byte) {
		if deadline, rec, ok := readRecord(plain); ok {
			wantDeadline, want, err := decodeJSON(plain)
			if err != nil || !deadline.Equal(wantDeadline) || !reflect.DeepEqual(rec, want) {
				t.Fatalf("%q is read as %+v until %s, want %+v until %s, %v", plain, rec, deadline, want, wantDeadline, err)
			}
		}
		log.Reset()
		defer m.store.Delete(token)
		if err := m.store.Commit(token, plain, fuzzNow.Add(time.Hour)); err != nil {
			if len(plain) <= maxRecord {
				t.Fatal(err)
			}
			return
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.AddCookie(&http.Cookie{Name: "c", Value: token})
		w := httptest.NewRecorder()
		s, err := m.Load(w, r)
		if err != nil {
			t.Fatal(err)
		}
		var e struct {
			Version  int
			Deadline time.Time
		}
		readable := json.Unmarshal(plain, &e) == nil && e.Version == 1 && fuzzNow.Before(e.Deadline)
		if s == nil {
			if _, _, err := (codec{}).Decode(plain); err != nil {
				checkStays(t, m, w, token)
			} else {
				checkGone(t, m, w, token)
			}
			if strings.Count(log.String(), "\n") != 1 {
				t.Errorf("got the log %q, want one line", log.String())
			}
			return
		}
		if !readable || !s.Deadline.Equal(e.Deadline) || len(w.Result().Cookies()) > 0 {
			t.Fatalf("%q is a session until %s", plain, s.Deadline)
		}
		checkKept(t, m, s)
		if _, err := m.SignOut(r); err != nil {
			t.Fatal(err)
		}
		if s, err := m.Load(httptest.NewRecorder(), r); s != nil || err != nil {
			t.Errorf("after signing out there is %v, %v", s, err)
		}
	})
}

// checkGone wants neither a record nor a cookie that leads to it.
func checkGone(t *testing.T, m *Manager, w *httptest.ResponseRecorder, token string) {
	t.Helper()
	if _, found, err := m.store.driver.Find(t.Context(), storeKey(token)); found || err != nil {
		t.Errorf("the record is still there (%v)", err)
	}
	if c := w.Result().Cookies(); len(c) != 1 || c[0].MaxAge >= 0 {
		t.Errorf("got the cookies %v, want it cleared", c)
	}
}

// checkStays wants what cannot be read to be left alone: another version of the
// app may know how.
func checkStays(t *testing.T, m *Manager, w *httptest.ResponseRecorder, token string) {
	t.Helper()
	if _, found, err := m.store.driver.Find(t.Context(), storeKey(token)); !found || err != nil {
		t.Errorf("the record is gone (%v)", err)
	}
	if c := w.Result().Cookies(); len(c) != 0 {
		t.Errorf("got the cookies %v, want the browser's left alone", c)
	}
}

// checkKept writes a session as it is, and wants to read the same.
func checkKept(t *testing.T, m *Manager, s *Session) {
	t.Helper()
	if err := m.Update(t.Context(), s, func(*Record) {}); err != nil {
		t.Fatalf("it cannot be written: %v", err)
	}
	was := s.Record
	if err := m.Update(t.Context(), s, func(*Record) {}); err != nil || !reflect.DeepEqual(s.Record, was) {
		t.Errorf("%+v becomes %+v, %v", was, s.Record, err)
	}
}

func ignore(context.Context, globus.Tokens) {}
