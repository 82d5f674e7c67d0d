package deploy_test

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
	"example.org/portal/routes/routestest"
)

const instances = 3

// A several is one site that several instances of the app serve, behind HAProxy
// and on one Redis, set up as deploy/ shows it.
type several struct {
	*routestest.Site // as browsers reach it
	redis            *redisServer
	tls              *tls.Config // trusts HAProxy
	addresses        [instances]string
}

// newSeveral returns one whose instances, and HAProxy, are not started yet.
func newSeveral(t testing.TB, auth *globustest.Server) (s *several, port, tlsPort string) {
	t.Helper()
	port, tlsPort = routestest.FreePort(t), routestest.FreePort(t)
	s = &several{}
	s.Site = &routestest.Site{T: t, URL: "https://localhost:" + tlsPort, Globus: auth, Log: &routestest.Log{}}
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
func startSeveral(t *testing.T, cutOff func(redis string) (store string)) (*several, *routestest.Clock) {
	t.Helper()
	var c routestest.Clock
	auth := globustest.NewServer(globustest.Config{Key: routestest.SigningKey(), Now: c.Now})
	t.Cleanup(auth.Close)
	s, port, tlsPort := newSeveral(t, auth)
	s.redis = startRedis(t)
	for i := range s.addresses {
		store := s.redis.url()
		if i == instances-1 && cutOff != nil {
			store = cutOff(store)
		}
		one := routestest.Start(t, routestest.Options{PublicURL: s.URL, Globus: auth, SessionStore: store, Now: c.Now})
		s.addresses[i] = one.Server.Listener.Addr().String()
	}
	s.startHAProxy(t, port, tlsPort)
	return s, &c
}

// browser returns one whose requests HAProxy hands out.
func (s *several) browser(t testing.TB) *routestest.Browser {
	b := s.Site.Browser()
	b.T = t
	transport := &http.Transport{TLSClientConfig: s.tls, MaxIdleConnsPerHost: 10}
	t.Cleanup(transport.CloseIdleConnections)
	b.Client.Transport = transport
	return b
}

// via has b's requests go to one instance from now on, past HAProxy.
func (s *several) via(b *routestest.Browser, instance int) *routestest.Browser {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true
	transport.DialTLSContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", s.addresses[instance]) // it speaks no TLS itself
	}
	b.Client.Transport = transport
	return b
}

// TestSeveralSignIn: each instance goes on with what another began.
func TestSeveralSignIn(t *testing.T) {
	t.Parallel()
	s, _ := startSeveral(t, nil)
	for first := range instances {
		second, third := (first+1)%instances, (first+2)%instances
		b := s.via(s.browser(t), first)
		callback := b.Callback("rosalind")
		if p := s.via(b, second).Get(callback); p.Status != http.StatusSeeOther {
			t.Fatalf("begun at %d, finished at %d: got %d:\n%s", first, second, p.Status, p.Body)
		}
		home := s.via(b, third).Get("/")
		if !strings.Contains(home.Body, "<bdi>Rosalind") {
			t.Errorf("signed in at %d: not so at %d:\n%s", second, third, home.Body)
		}
		name, old := b.Cookie("session")
		if p := s.via(b, first).Send(http.MethodPost, "/logout", home.Form()); p.Status != http.StatusSeeOther {
			t.Errorf("a form of %d, sent to %d: got %d:\n%s", third, first, p.Status, p.Body)
		}
		s.wantDead(name, old)
	}
	if got := s.Globus.LiveTokens(); got != 0 {
		t.Errorf("%d tokens live on", got)
	}
	if got, want := s.Globus.Requests(globustest.TokenPath), instances; got != want {
		t.Errorf("%d exchanges, want %d", got, want)
	}
}

// wantDead wants no instance to know the session of a cookie.
func (s *several) wantDead(name, old string) {
	s.T.Helper()
	for i := range instances {
		if p := s.via(s.Site.Browser(), i).Get("/user", "Cookie", name+"="+old); p.Has("uuid") {
			s.T.Fatalf("the old cookie opens the session at instance %d", i)
		}
	}
}

// TestSeveralReload: who reloads a callback that took long comes to the instance
// that has the answer, so the code is sent once.
func TestSeveralReload(t *testing.T) {
	t.Parallel()
	s, _ := startSeveral(t, nil)
	for range 2 * instances {
		b := s.browser(t)
		callback := b.Callback("rosalind")
		before := s.Globus.Requests(globustest.TokenPath)
		arrived, wait := make(chan struct{}, 1), make(chan struct{})
		s.Globus.Lie(routestest.BrokenToken(globustest.Fault{Arrived: arrived, Wait: wait}))
		ctx, giveUp := context.WithCancel(t.Context())
		gone := make(chan error)
		go func() {
			_, err := b.Try(ctx, http.MethodGet, callback, nil)
			gone <- err
		}()
		<-arrived
		giveUp()
		if err := <-gone; err == nil {
			t.Fatal("the first request was answered")
		}
		s.Globus.Lie(globustest.Lie{})
		close(wait)
		if p := b.Follow(b.Get(callback)); !strings.Contains(p.Body, "<bdi>Rosalind") {
			t.Errorf("after a reload: got %d:\n%s", p.Status, p.Body)
		}
		if got := s.Globus.Requests(globustest.TokenPath) - before; got != 1 {
			t.Errorf("%d exchanges, want 1", got)
		}
	}
}

// TestSeveralLogout signs out at one instance while another refreshes: the old
// cookie is dead at all of them, and so is what the refresh brings.
func TestSeveralLogout(t *testing.T) {
	t.Parallel()
	s, _ := startSeveral(t, nil)
	for round := range routestest.Rounds() {
		b := s.via(s.browser(t), round%instances)
		form := b.SignIn("rosalind").Form("server", globus.TransferServer)
		name, old := b.Cookie("session")
		csrfName, csrf := b.Cookie("csrf")
		arrived, wait := make(chan struct{}, 1), make(chan struct{})
		s.Globus.Lie(routestest.BrokenToken(globustest.Fault{Arrived: arrived, Wait: wait}))
		var all sync.WaitGroup
		all.Go(func() {
			other := s.via(s.Site.Browser(), (round+1)%instances)
			headers := append([]string{"Cookie", name + "=" + old + "; " + csrfName + "=" + csrf}, routestest.Htmx...)
			p, err := other.Try(t.Context(), http.MethodPost, "/tokens/refresh", form, headers...)
			if late := round%2 == 0; err != nil || p.Status != http.StatusUnauthorized && (late || p.Status != http.StatusOK) {
				t.Errorf("the refresh: got %d, %v, want 401", p.Status, err)
			}
		})
		<-arrived
		if round%2 == 1 {
			close(wait) // they race
		}
		if p := b.Send(http.MethodPost, "/logout", form); p.Status != http.StatusSeeOther {
			t.Errorf("signing out: got %d:\n%s", p.Status, p.Body)
		}
		s.wantDead(name, old)
		if round%2 == 0 {
			close(wait) // Globus answers when the session has ended
		}
		all.Wait()
		s.wantDead(name, old)
		s.Globus.Lie(globustest.Lie{})
		if got := s.Globus.LiveTokens(); got != 0 {
			t.Fatalf("round %d: %d tokens live on", round, got)
		}
	}
}

// TestSeveralRefresh: at the end of the tokens' life, any number of requests over
// all instances make one refresh at each of them at most, and all are answered.
func TestSeveralRefresh(t *testing.T) {
	t.Parallel()
	s, c := startSeveral(t, nil)
	b := s.browser(t)
	b.SignIn("rosalind")
	name, session := b.Cookie("session")
	for round := range 3 {
		c.PassTokens()
		before := s.Globus.Refreshes(globus.AuthServer)
		var all sync.WaitGroup
		for i := range 3 * routestest.Rounds() {
			path := []string{"/", "/user"}[i%2]
			all.Go(func() {
				other := s.via(s.Site.Browser(), i%instances)
				if p, err := other.Try(t.Context(), http.MethodGet, path, nil, "Cookie", name+"="+session); err != nil || p.Status != http.StatusOK || !strings.Contains(p.Body, "<bdi>Rosalind") {
					t.Errorf("%s: got %d, %v:\n%s", path, p.Status, err, p.Body)
				}
			})
		}
		all.Wait()
		if got := s.Globus.Refreshes(globus.AuthServer) - before; got < 1 || got > instances {
			t.Errorf("%d refreshes, want 1 to %d", got, instances)
		}
		// What one instance refreshes is there for the others, too.
		s.via(b, round%instances)
		b.Send(http.MethodPost, "/tokens/refresh", b.Get("/").Form("server", globus.TransferServer))
		for _, form := range [][]string{{"token", "access"}, {"token", "access", "server", globus.TransferServer}} {
			shown := map[string]bool{}
			for i := range instances {
				s.via(b, i)
				p := b.Send(http.MethodPost, "/tokens/show", b.Get("/").Form(form...), routestest.Htmx...)
				if m := routestest.ShownToken.FindStringSubmatch(p.Body); m != nil && s.Globus.Live(m[1]) {
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
	t.Parallel()
	var line *cable
	s, _ := startSeveral(t, func(store string) string {
		line = newCable(t, strings.TrimPrefix(store, "redis://:"+redisPassword+"@"))
		return "redis://:" + redisPassword + "@" + line.addr
	})
	b := s.browser(t)
	b.SignIn("rosalind")
	well := func() (n int) {
		for range 4 * instances {
			if p := b.Get("/"); p.Status == http.StatusOK && strings.Contains(p.Body, "<bdi>Rosalind") {
				n++
			}
		}
		return n
	}
	if got := well(); got != 4*instances {
		t.Fatalf("%d pages are well, want %d", got, 4*instances)
	}
	line.cut()
	routestest.Await(t, "HAProxy leaves the instance out", func() bool { return well() == 4*instances })
	if p := s.via(s.browser(t), instances-1).Get("/readyz"); p.Status != http.StatusServiceUnavailable {
		t.Errorf("the instance says %d, so the rest proves nothing", p.Status)
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
