package session

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
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
	m.refresh.revoke, m.retries.revoke = ignore, ignore
	m.refresh.refresh = func(context.Context, string, globus.Token) (globus.Token, error) {
		return globus.Token{}, globus.ErrNoToken
	}
	return m
}

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
		sealed, err := s.seal(token, plain)
		if (err != nil) != (len(plain) > maxRecord) {
			t.Fatalf("%d bytes: %v", len(plain), err)
		}
		if err != nil {
			return
		}
		if again, err := s.seal(token, plain); err != nil || bytes.Equal(sealed, again) || len(plain) > 8 && bytes.Contains(sealed, plain) {
			t.Fatal("the seal is the same twice, or hides nothing")
		}
		if got, err := s.open(token, sealed); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%q opens as %q, %v", plain, got, err)
		}
		i := int(at) % len(sealed)
		changed := bytes.Clone(sealed)
		changed[i] ^= flip | 1
		other := []byte(token)
		other[int(at)%42] ^= 1
		for name, opens := range map[string]func() ([]byte, error){
			"changed":       func() ([]byte, error) { return s.open(token, changed) },
			"cut short":     func() ([]byte, error) { return s.open(token, sealed[:i]) },
			"longer":        func() ([]byte, error) { return s.open(token, append(bytes.Clone(sealed), flip)) },
			"another's":     func() ([]byte, error) { return s.open(string(other), sealed) },
			"another app's": func() ([]byte, error) { return (&sealedStore{audience: "ap"}).open(token, sealed) },
			"never sealed":  func() ([]byte, error) { return s.open(token, plain) },
		} {
			if got, err := opens(); err == nil {
				t.Errorf("%s: it opens as %q", name, got)
			}
		}
	})
}

// FuzzRecord: whatever is found rightly sealed, it is a session that can be kept
// and ended, or none, whose record and cookie then go.
func FuzzRecord(f *testing.F) {
	full, err := codec{}.Encode(fuzzNow.Add(time.Hour), map[string]any{recordKey: &Record{
		Identity: globus.Identity{Subject: "s", Linked: []globus.LinkedIdentity{{Subject: "t"}}},
		Tokens:   globus.Tokens{globus.AuthServer: {AccessToken: "a", RefreshToken: "r", Expiry: fuzzNow.Add(time.Hour)}},
		Began:    fuzzNow, Met: []Met{{globus.Requirements{Code: "c", Scopes: globus.Scopes{{Name: "x"}}}, fuzzNow}}, Wanted: &globus.Requirements{MFA: true},
	}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(full)
	const later = `"deadline":"2027-01-15T09:00:00Z"`
	for _, plain := range []string{
		`{"version":1,` + later + `,"record":{}}`, `{"version":1,` + later + `,"record":{"tokens":null,"met":[{}],"wanted":{}}}`, `{"version":1,` + later + `,"record":{"wanted":{"scopes":"a["}}}`, `{"version":1,` + later + `,"record":null}`,
		`{"version":1,"deadline":"2027-01-15T08:00:00Z","record":{}}`, `{"version":1,"deadline":"9999-12-31T23:59:59.999999999+23:59","record":{}}`, `{"version":1,"deadline":"0000-01-01T00:00:00Z","record":{}}`, `{"version":1,` + later + `,"record":{"began":"0001-01-01T00:00:00Z","tokens":{"":{}}}}`,
		`{"version":2,` + later + `,"record":{}}`, `{"version":1.0,` + later + `,"record":{}}`, `{"Version":1,` + later + `,"record":{},"record":{"x":1}}`, `{"version":1,"record":{}}`, `{}`, `[]`, `null`, ``, `1`, "\x0d\x7f\x04", strings.Repeat(`{"record":`, 20000),
	} {
		f.Add([]byte(plain))
	}
	var log strings.Builder
	m := fuzzManager(f, &log)
	token := strings.Repeat("A", tokenLen)
	f.Fuzz(func(t *testing.T, plain []byte) {
		log.Reset()
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
			checkGone(t, m, w, token)
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
	if _, found, err := m.store.find(t.Context(), token); found || err != nil {
		t.Errorf("the record is still there (%v)", err)
	}
	if c := w.Result().Cookies(); len(c) != 1 || c[0].MaxAge >= 0 {
		t.Errorf("got the cookies %v, want it cleared", c)
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
