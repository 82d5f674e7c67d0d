package session_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.org/portal/routes/routestest/programs"
	"example.org/portal/routes/session"
)

// Redis forgets a record by itself an hour after its end, also when it was
// changed meanwhile. What has expired already is not stored: it would stay.
func TestRedisExpiry(t *testing.T) {
	t.Parallel()
	s := open(t, session.Config{Store: newStore(t, "redis"), Lifetime: 24 * time.Hour})
	signedIn, err := s.SignIn(t.Context(), record(s.clock.Now()))
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"inserted", "changed"} {
		key, _ := only(t, s.records())
		got, err := s.redis().TTL(t.Context(), key).Result()
		if err != nil || got > 25*time.Hour || got < 25*time.Hour-time.Minute {
			t.Errorf("%s: got %s to live, %v, want 25 hours", what, got, err)
		}
		if err := s.Update(t.Context(), signedIn, note(0, 0)); err != nil {
			t.Fatal(err)
		}
	}
	s.clear()
	for _, ago := range []time.Duration{0, time.Second, 2 * time.Hour} {
		if err := s.Insert(t.Context(), "expired", []byte("x"), time.Now().Add(-ago)); err != nil {
			t.Error(err)
		}
	}
	if got := s.records(); len(got) != 0 {
		t.Errorf("got %v, want nothing stored", got)
	}
}

// A lossy is a proxy before Redis that can lose the answer to a command.
type lossy struct {
	addr string
	lose atomic.Pointer[loss]
}

// A loss is what a lossy does once, in place of answering.
type loss struct {
	command string
	silent  bool // the connection stays open
}

func newLossy(t *testing.T, redis string) *lossy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p := &lossy{addr: l.Addr().String()}
	go func() {
		for {
			browser, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(browser, redis)
		}
	}()
	return p
}

// serve passes on a question and its answer at a time: go-redis waits for each.
func (p *lossy) serve(browser net.Conn, redis string) {
	defer browser.Close()
	server, err := net.Dial("tcp", redis)
	if err != nil {
		return
	}
	defer server.Close()
	question, answer := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, err := browser.Read(question)
		if err != nil {
			return
		}
		if _, err := server.Write(question[:n]); err != nil {
			return
		}
		l := p.lose.Load()
		meant := l != nil && bytes.Contains(question[:n], []byte(l.command))
		if n, err = server.Read(answer); err != nil {
			return
		}
		if meant && p.lose.CompareAndSwap(l, nil) {
			if l.silent {
				continue
			}
			return
		}
		if _, err := browser.Write(answer[:n]); err != nil {
			return
		}
	}
}

// Where an answer is lost on its way, a swap that was done counts as done.
func TestRedisLosesAnswers(t *testing.T) {
	t.Parallel()
	addr, _ := programs.StartRedis(t)
	proxy := newLossy(t, addr)
	s := open(t, session.Config{Store: "redis://" + proxy.addr})
	if err := s.Insert(t.Context(), "key", []byte("old"), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	proxy.lose.Store(&loss{command: "eval"})
	if swapped, err := s.Swap(t.Context(), "key", []byte("old"), []byte("new")); !swapped || err != nil {
		t.Errorf("swap: got %t, %v, want it done", swapped, err)
	}
	if swapped, err := s.Swap(t.Context(), "key", []byte("old"), []byte("other")); swapped || err != nil {
		t.Errorf("a swap of what is no longer there: got %t, %v, want it refused", swapped, err)
	}
	if proxy.lose.Load() != nil {
		t.Error("no answer was lost")
	}
}

// A sign-out whose answer is lost has deleted the record all the same. When it is
// tried again, there is nothing left; its tokens are revoked nevertheless.
func TestRedisLosesSignOut(t *testing.T) {
	for _, silent := range []bool{false, true} {
		t.Run(fmt.Sprintf("silent %t", silent), func(t *testing.T) {
			t.Parallel() // they wait
			addr, _ := programs.StartRedis(t)
			proxy := newLossy(t, addr)
			s := open(t, session.Config{Store: "redis://" + proxy.addr})
			signedIn, err := s.SignIn(t.Context(), record(s.clock.Now()))
			if err != nil {
				t.Fatal(err)
			}
			proxy.lose.Store(&loss{"getdel", silent})
			wantStoreError(t, "SignOut", signOut(s, s.request(signedIn)))
			if got := len(s.records()); got != 0 {
				t.Errorf("%d records, want none", got)
			}
			await(t, "its tokens are revoked", func() bool { return s.revoked.has("canary-refresh-1") })
		})
	}
}

// A URL says where, as whom, and which database; what else it might mean is
// refused, and never quoted.
func TestRedisURL(t *testing.T) {
	for _, good := range []string{
		"redis://host", "rediss://host:6379", "redis://host:6379/", "redis://host/15", "redis://[::1]:6379/0",
		"redis://:canary@host", "redis://user:canary%23%2F%3F%40@host:1/0", "redis://user@host",
		"redis://:canary@host?wait=1", "redis://:canary@host:1?addr=h2:2&addr=h3:3&wait=1", "rediss://user:canary@host:1?master_name=m&username=u&password=canary&addr=h2:2",
	} {
		if err := session.CheckStore(good); err != nil {
			t.Errorf("%s: got %v, want it taken", good, err)
		}
		if name := session.StoreName(good); strings.Contains(name, "canary") {
			t.Errorf("the name is %s", name)
		}
	}
	for _, bad := range []string{
		"redis", "redis:", "redis://", "redis://:6379", "redis:host:6379", "redis:///0", "REDIS://host", "redis+tls://host",
		"redis://user:canary#x@host", "redis://user:canary/x@host", "redis://user:canary?x@host", "redis://user:canary%zz@host",
		"redis://host/canary", "redis://host/0/1", "redis://host/-1", "redis://host?skip_verify=canary", "redis://host?canary=1", "redis://host?wait=canary", "redis://host?addr=canary", "redis://host:1?master_name=m&addr=canary", "rediss://host/0?", "redis://host#canary",
	} {
		if err := session.CheckStore(bad); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: got %v, want it refused, and not quoted", bad, err)
		}
	}
}

// TestRedisRefuses opens servers that will not do, and says why in words of
// our own, without the password.
func TestRedisRefuses(t *testing.T) {
	open, _ := programs.StartRedis(t)
	locked, _ := programs.StartRedis(t, "--requirepass", "canary-right")
	replica, _ := programs.StartRedis(t, "--replicaof", "127.0.0.1 1")
	limited, _ := programs.StartRedis(t,
		"--user", "weak", "on", ">canary-weak", "~portal:*", "+get", "+set", "+eval", "+evalsha", "+@connection",
		"--user", "good", "on", ">canary-good", "~portal:*", "+get", "+getex", "+set", "+getdel", "+eval", "+wait", "+info", "+cluster|slots", "+@connection")
	old, _ := programs.StartRedis(t, "--rename-command", "GETDEL", "")
	tests := []struct{ name, store, want string }{
		{"nobody there", "redis://127.0.0.1:1", "does not answer"},
		{"no such host", "redis://none.invalid:6379", "does not answer"},
		{"no password", "redis://" + locked, "requires a password"},
		{"a wrong password", "redis://:canary@" + locked, "refuses the user or the password"},
		{"the right password", "redis://:canary-right@" + locked, ""},
		{"no such user", "redis://canary:canary@" + open, "refuses the user or the password"},
		{"a user with too few rights", "redis://weak:canary-weak@" + limited, "needs more rights: +get +getex +set +getdel"},
		{"a user with just the rights", "redis://good:canary-good@" + limited, ""},
		{"a replica", "redis://" + replica, "name the primary"},
		{"before 6.2", "redis://" + old, "too old"},
		{"no such database", "redis://" + open + "/99", "out of range"},
		{"another database", "redis://" + open + "/3", ""},
		{"no TLS there", "rediss://" + open, "redis:// one without"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel() // one waits
			m, err := session.Open(session.Config{Store: tt.store, Lifetime: time.Hour, Log: discard(), Cookie: http.Cookie{Name: cookieName, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}})
			if err == nil {
				defer m.Close()
				err = m.Ready(t.Context())
			}
			if tt.want == "" {
				if err != nil {
					t.Errorf("got %v, want it opened", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %q in one line, and no password", err, tt.want)
			}
		})
	}
}

// What speaks against a server that works is said when the app starts.
func TestRedisDoubts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		settings []string
		at       string // what stands before the port; 0.0.0.0 is this machine, but might be another
		want     string // in the log; "" for nothing said
	}{
		{"as it should be", []string{"--maxmemory", "100mb", "--maxmemory-policy", "noeviction"}, "127.0.0.1", ""},
		{"no limit", []string{"--maxmemory-policy", "allkeys-lru"}, "127.0.0.1", ""},
		{"nothing kept", []string{"--appendonly", "no"}, "127.0.0.1", "appendonly yes"},
		{"sessions deleted", []string{"--maxmemory", "100mb", "--maxmemory-policy", "volatile-lru"}, "127.0.0.1", "maxmemory-policy noeviction"},
		{"not to be asked", []string{"--rename-command", "INFO", ""}, "127.0.0.1", ""},
		{"a password in the clear", []string{"--requirepass", "canary"}, ":canary@0.0.0.0", "write rediss://"},
		{"open to all", nil, "0.0.0.0", "requires no password"},
		{"open to all, and not to be asked", []string{"--rename-command", "INFO", ""}, "0.0.0.0", "requires no password"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			addr, _ := programs.StartRedis(t, tt.settings...)
			s := open(t, session.Config{Store: "redis://" + strings.Replace(addr, "127.0.0.1", tt.at, 1)})
			doubts, err := session.Check(t.Context(), s.store)
			if err != nil || (len(doubts) > 0) != (tt.want != "") {
				t.Errorf("Check: got %q, %v, want %q", doubts, err, tt.want)
			}
			if told := s.log.String(); !strings.Contains(told, tt.want) || tt.want == "" && strings.Contains(told, "level=WARN") {
				t.Errorf("got log %q, want %q", told, tt.want)
			}
			if len(s.records()) != 0 {
				t.Error("the check left something behind")
			}
		})
	}
}

// Two managers on one store are two instances of the app.
func TestRedisTwoInstances(t *testing.T) {
	t.Parallel()
	store := newStore(t, "redis")
	one, two := open(t, session.Config{Store: store}), open(t, session.Config{Store: store})
	signedIn, err := one.SignIn(t.Context(), record(one.clock.Now()))
	if err != nil {
		t.Fatal(err)
	}
	r := one.request(signedIn)
	got, err := two.Load(httptest.NewRecorder(), r)
	if err != nil || got == nil {
		t.Fatalf("got %v, %v, want the session of the other instance", got, err)
	}
	if err := two.Update(t.Context(), got, note(2, 1)); err != nil {
		t.Fatal(err)
	}
	if got, err := one.Load(httptest.NewRecorder(), r); err != nil || len(notes(got.Record)) != 1 {
		t.Errorf("got %v, %v, want what the other instance wrote", got, err)
	}
	if err := signOut(two, r); err != nil {
		t.Fatal(err)
	}
	if got, err := one.Load(httptest.NewRecorder(), r); err != nil || got != nil {
		t.Errorf("got %v, %v, want the session ended", got, err)
	}
}
