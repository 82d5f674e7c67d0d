package routes_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

const instances = 3

// A several is one site that several instances of the app serve, behind HAProxy
// and on one Redis, set up as deploy/ shows it.
type several struct {
	*site     // as browsers reach it
	redis     *redisServer
	tls       *tls.Config // trusts HAProxy
	addresses [instances]string
}

// newSeveral returns one whose instances, and HAProxy, are not started yet.
func newSeveral(t testing.TB, auth *globustest.Server) (s *several, port, tlsPort string) {
	t.Helper()
	port, tlsPort = freePort(t), freePort(t)
	s = &several{redis: startRedis(t)}
	s.site = &site{t: t, url: "https://localhost:" + tlsPort, auth: auth, log: &logBuffer{}}
	return s, port, tlsPort
}

func (s *several) startHAProxy(t testing.TB, port, tlsPort string) {
	t.Helper()
	trusted := startProxy(t, deployment{program: "haproxy", file: "haproxy.conf", host: "portal.example.edu", several: true},
		port, tlsPort, s.addresses[:]...)
	s.tls = &tls.Config{RootCAs: trusted}
}

// startSeveral runs the instances in this process, by a clock of the test's. The
// last has the store that cutOff names, if it does.
func startSeveral(t *testing.T, cutOff func(redis string) (store string)) (*several, *clock) {
	t.Helper()
	var c clock
	auth := globustest.NewServer(globustest.Config{Key: signingKey(), Now: c.now})
	t.Cleanup(auth.Close)
	s, port, tlsPort := newSeveral(t, auth)
	for i := range s.addresses {
		store := s.redis.url()
		if i == instances-1 && cutOff != nil {
			store = cutOff(store)
		}
		one := start(t, options{publicURL: s.url, auth: auth, store: store, now: c.now})
		s.addresses[i] = one.http.Listener.Addr().String()
	}
	s.startHAProxy(t, port, tlsPort)
	return s, &c
}

// browser returns one whose requests HAProxy hands out.
func (s *several) browser(t testing.TB) *browser {
	b := s.site.browser()
	b.t = t
	transport := &http.Transport{TLSClientConfig: s.tls, MaxIdleConnsPerHost: 10}
	t.Cleanup(transport.CloseIdleConnections)
	b.http.Transport = transport
	return b
}

// via has b's requests go to one instance from now on, past HAProxy.
func (s *several) via(b *browser, instance int) *browser {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true
	transport.DialTLSContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", s.addresses[instance]) // it speaks no TLS itself
	}
	b.http.Transport = transport
	return b
}

// TestSeveralSignIn: each instance goes on with what another began.
func TestSeveralSignIn(t *testing.T) {
	s, _ := startSeveral(t, nil)
	for first := range instances {
		second, third := (first+1)%instances, (first+2)%instances
		b := s.via(s.browser(t), first)
		callback := b.callback("rosalind")
		if p := s.via(b, second).get(callback); p.status != http.StatusSeeOther {
			t.Fatalf("begun at %d, finished at %d: got %d:\n%s", first, second, p.status, p.body)
		}
		home := s.via(b, third).get("/")
		if !strings.Contains(home.body, "Hello <bdi>Rosalind") {
			t.Errorf("signed in at %d: not so at %d:\n%s", second, third, home.body)
		}
		name, old := b.cookie("session")
		if p := s.via(b, first).send(http.MethodPost, "/logout", home.form()); p.status != http.StatusSeeOther {
			t.Errorf("a form of %d, sent to %d: got %d:\n%s", third, first, p.status, p.body)
		}
		s.wantDead(name, old)
	}
	if got := s.auth.LiveTokens(); got != 0 {
		t.Errorf("%d tokens live on", got)
	}
	if got, want := s.auth.Requests(globustest.TokenPath), instances; got != want {
		t.Errorf("%d exchanges, want %d", got, want)
	}
}

// wantDead wants no instance to know the session of a cookie.
func (s *several) wantDead(name, old string) {
	s.t.Helper()
	for i := range instances {
		if p := s.via(s.site.browser(), i).get("/user", "Cookie", name+"="+old); strings.Contains(p.body, "Log out") {
			s.t.Fatalf("the old cookie opens the session at instance %d", i)
		}
	}
}

// TestSeveralReload: who reloads a callback that took long comes to the instance
// that has the answer, so the code is sent once.
func TestSeveralReload(t *testing.T) {
	s, _ := startSeveral(t, nil)
	for range 2 * instances {
		b := s.browser(t)
		callback := b.callback("rosalind")
		before := s.auth.Requests(globustest.TokenPath)
		arrived, wait := make(chan struct{}, 1), make(chan struct{})
		s.auth.Lie(brokenToken(globustest.Fault{Arrived: arrived, Wait: wait}))
		ctx, giveUp := context.WithCancel(t.Context())
		gone := make(chan error)
		go func() {
			_, err := b.try(ctx, http.MethodGet, callback, nil)
			gone <- err
		}()
		<-arrived
		giveUp()
		if err := <-gone; err == nil {
			t.Fatal("the first request was answered")
		}
		s.auth.Lie(globustest.Lie{})
		close(wait)
		if p := b.follow(b.get(callback)); !strings.Contains(p.body, "Hello <bdi>Rosalind") {
			t.Errorf("after a reload: got %d:\n%s", p.status, p.body)
		}
		if got := s.auth.Requests(globustest.TokenPath) - before; got != 1 {
			t.Errorf("%d exchanges, want 1", got)
		}
	}
}

// TestSeveralLogout signs out at one instance while another refreshes: the old
// cookie is dead at all of them, and so is what the refresh brings.
func TestSeveralLogout(t *testing.T) {
	s, _ := startSeveral(t, nil)
	for round := range rounds() {
		b := s.via(s.browser(t), round%instances)
		form := b.signIn("rosalind").form("server", globus.TransferServer)
		name, old := b.cookie("session")
		csrfName, csrf := b.cookie("csrf")
		arrived, wait := make(chan struct{}, 1), make(chan struct{})
		s.auth.Lie(brokenToken(globustest.Fault{Arrived: arrived, Wait: wait}))
		var all sync.WaitGroup
		all.Go(func() {
			other := s.via(s.site.browser(), (round+1)%instances)
			headers := append([]string{"Cookie", name + "=" + old + "; " + csrfName + "=" + csrf}, htmx...)
			p, err := other.try(t.Context(), http.MethodPost, "/tokens/refresh", form, headers...)
			if late := round%2 == 0; err != nil || p.status != http.StatusUnauthorized && (late || p.status != http.StatusOK) {
				t.Errorf("the refresh: got %d, %v, want 401", p.status, err)
			}
		})
		<-arrived
		if round%2 == 1 {
			close(wait) // they race
		}
		if p := b.send(http.MethodPost, "/logout", form); p.status != http.StatusSeeOther {
			t.Errorf("signing out: got %d:\n%s", p.status, p.body)
		}
		s.wantDead(name, old)
		if round%2 == 0 {
			close(wait) // Globus answers when the session has ended
		}
		all.Wait()
		s.wantDead(name, old)
		s.auth.Lie(globustest.Lie{})
		if got := s.auth.LiveTokens(); got != 0 {
			t.Fatalf("round %d: %d tokens live on", round, got)
		}
	}
}

// TestSeveralRefresh: at the end of the tokens' life, a hundred requests over
// all instances make one refresh at each of them at most, and all are answered.
func TestSeveralRefresh(t *testing.T) {
	s, c := startSeveral(t, nil)
	b := s.browser(t)
	b.signIn("rosalind")
	name, session := b.cookie("session")
	servers := []string{globus.AuthServer, globus.TransferServer}
	for range 3 {
		c.passTokens()
		before := map[string]int{}
		for _, server := range servers {
			before[server] = s.auth.Refreshes(server)
		}
		var all sync.WaitGroup
		for i := range 100 {
			path, want := "/", "Hello <bdi>Rosalind"
			if i%3 == 2 {
				path, want = "/transfers", "Photo 51"
			}
			all.Go(func() {
				other := s.via(s.site.browser(), i%instances)
				if p, err := other.try(t.Context(), http.MethodGet, path, nil, "Cookie", name+"="+session); err != nil || p.status != http.StatusOK || !strings.Contains(p.body, want) {
					t.Errorf("%s: got %d, %v:\n%s", path, p.status, err, p.body)
				}
			})
		}
		all.Wait()
		for _, server := range servers {
			if got := s.auth.Refreshes(server) - before[server]; got < 1 || got > instances {
				t.Errorf("%s was refreshed %d times, want 1 to %d", server, got, instances)
			}
		}
		for _, form := range [][]string{{"token", "access"}, {"token", "access", "server", globus.TransferServer}} {
			shown := map[string]bool{}
			for i := range instances {
				s.via(b, i)
				p := b.send(http.MethodPost, "/tokens/show", b.get("/").form(form...), htmx...)
				if m := shownToken.FindStringSubmatch(p.body); m != nil && s.auth.Live(m[1]) {
					shown[m[1]] = true
				}
			}
			if len(shown) != 1 {
				t.Errorf("the instances show %d live tokens for %v, want the same one", len(shown), form)
			}
		}
	}
}

// TestSeveralCutOff: an instance that alone cannot reach Redis is left out.
func TestSeveralCutOff(t *testing.T) {
	var line *cable
	s, _ := startSeveral(t, func(store string) string {
		line = newCable(t, strings.TrimPrefix(store, "redis://:"+redisPassword+"@"))
		return "redis://:" + redisPassword + "@" + line.addr
	})
	b := s.browser(t)
	b.signIn("rosalind")
	well := func() (n int) {
		for range 4 * instances {
			if p := b.get("/"); p.status == http.StatusOK && strings.Contains(p.body, "Hello <bdi>Rosalind") {
				n++
			}
		}
		return n
	}
	if got := well(); got != 4*instances {
		t.Fatalf("%d pages are well, want %d", got, 4*instances)
	}
	line.cut()
	await(t, "HAProxy leaves the instance out", func() bool { return well() == 4*instances })
	if p := s.via(s.browser(t), instances-1).get("/readyz"); p.status != http.StatusServiceUnavailable {
		t.Errorf("the instance says %d, so the rest proves nothing", p.status)
	}
}

// A cable carries connections to Redis until it is cut.
type cable struct {
	addr     string
	listener net.Listener
	mu       sync.Mutex
	ends     []net.Conn
}

func newCable(t *testing.T, to string) *cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{addr: l.Addr().String(), listener: l}
	t.Cleanup(c.cut)
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				near.Close()
				continue
			}
			c.mu.Lock()
			c.ends = append(c.ends, near, far)
			c.mu.Unlock()
			go io.Copy(near, far)
			go io.Copy(far, near)
		}
	}()
	return c
}

func (c *cable) cut() {
	c.listener.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, end := range c.ends {
		end.Close()
	}
}
