package deploy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// A fleet is several instances, each in a process of its own.
type fleet struct {
	*several
	env  [instances][]string
	apps [instances]*process
}

// startFleet starts n instances, behind a HAProxy that may know one by several
// names.
func startFleet(t testing.TB, n int) *fleet {
	t.Helper()
	redis := startRedis(t)
	f := startFleetOn(t, n, redis.url())
	f.redis = redis
	return f
}

// startFleetOn starts n instances with a session store.
func startFleetOn(t testing.TB, n int, store string) *fleet {
	t.Helper()
	auth := globustest.NewServer(globustest.Config{Key: routestest.SigningKey()})
	t.Cleanup(auth.Close)
	s, port, tlsPort := newSeveral(t, auth)
	auth.Register(globustest.Client{ID: routestest.ClientID, Secret: routestest.ClientSecret, RedirectURIs: []string{s.URL + "/login"}})
	f := &fleet{several: s}
	for i := range f.apps {
		if i >= n {
			f.addresses[i] = f.addresses[i%n]
			continue
		}
		f.addresses[i] = "127.0.0.1:" + routestest.FreePort(t)
		f.env[i] = []string{
			"GLOBUS_CLIENT_ID=" + routestest.ClientID, "GLOBUS_CLIENT_SECRET=" + routestest.ClientSecret, "GLOBUS_ISSUER=" + auth.URL,
			"PUBLIC_URL=" + s.URL, "SESSION_STORE=" + store, "LISTEN=" + f.addresses[i],
		}
		f.start(t, i)
	}
	f.startHAProxy(t, port, tlsPort)
	return f
}

func (f *fleet) start(t testing.TB, i int) {
	t.Helper()
	f.apps[i] = run(t, t.TempDir(), f.env[i])
}

// ready waits until HAProxy sends people to an instance.
func (f *fleet) ready(t *testing.T, i int) {
	t.Helper()
	probe := f.browser(t)
	routestest.Await(t, "HAProxy uses the instance", func() bool {
		probe.Get("/")
		return strings.Contains(f.apps[i].log.String(), `"route":"/{$}"`)
	})
}

// A crowd is signed-in people who look at pages all the time.
type crowd struct {
	people []*routestest.Browser
	stop   func()
	all    sync.WaitGroup

	mu     sync.Mutex
	seen   int
	amiss  map[*routestest.Browser][]string // what went wrong
	waited sync.Cond
}

// newCrowd has people sign in, and begin to look. What is no answer that they
// may get is amiss.
func (f *fleet) newCrowd(t *testing.T, n int) *crowd {
	t.Helper()
	c := &crowd{amiss: map[*routestest.Browser][]string{}}
	c.waited.L = &c.mu
	for i := range n {
		b := f.browser(t)
		// Where a connection that was used before breaks, Go asks again by itself.
		b.Client.Transport.(*http.Transport).DisableKeepAlives = i%2 == 0
		if p := b.SignIn("rosalind"); !strings.Contains(p.Body, "<bdi>Rosalind") {
			t.Fatalf("signing in: got %d:\n%s", p.Status, p.Body)
		}
		c.people = append(c.people, b)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c.stop = func() { cancel(); c.all.Wait() }
	t.Cleanup(c.stop)
	for _, b := range c.people {
		c.all.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				path := []string{"/", "/user", "/login?prompt=login"}[i%3]
				p, err := b.Try(ctx, http.MethodGet, path, nil)
				if ctx.Err() == nil {
					c.note(b, path, p, err)
				}
			}
		})
	}
	c.look(10 * n)
	return c
}

func (c *crowd) note(b *routestest.Browser, path string, p routestest.Page, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen++
	c.waited.Broadcast()
	switch {
	case err != nil:
		c.amiss[b] = append(c.amiss[b], fmt.Sprintf("%s: %v", path, err))
	case p.Status == http.StatusServiceUnavailable && p.Header.Get("Retry-After") == "",
		p.Status != http.StatusOK && p.Status != http.StatusSeeOther,
		p.Status == http.StatusOK && !p.Has("uuid"):
		c.amiss[b] = append(c.amiss[b], fmt.Sprintf("%s: %d, Set-Cookie %q", path, p.Status, p.Header.Values("Set-Cookie")))
	}
}

// look waits until the crowd has looked at so many pages more.
func (c *crowd) look(pages int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for until := c.seen + pages; c.seen < until; {
		c.waited.Wait()
	}
}

// wantSignedIn wants everybody to be signed in still, and says nothing else of
// the logs than what is theirs: go-redis must not write into them.
func (f *fleet) wantSignedIn(t *testing.T, people []*routestest.Browser) {
	t.Helper()
	for i, b := range people {
		if !b.SignedIn() {
			t.Errorf("person %d of %d was signed out", i, len(people))
		}
	}
	for i, app := range f.apps {
		if app == nil {
			continue
		}
		for line := range strings.Lines(app.log.String()) {
			if whole := strings.HasSuffix(line, "\n"); whole && !json.Valid([]byte(line)) || strings.Contains(line, "canary") {
				t.Errorf("instance %d logs %q", i, line)
			}
		}
	}
}

// TestSeveralKill kills one of the instances under load. Nobody is signed out,
// and nothing fails but what was in flight to it.
func TestSeveralKill(t *testing.T) {
	t.Parallel()
	f := startFleet(t, instances)
	c := f.newCrowd(t, 12)
	f.apps[1].kill()
	c.look(500)
	c.stop()
	for _, amiss := range c.amiss {
		if len(amiss) > 1 {
			t.Errorf("more than the request in flight failed: %q", amiss)
		}
	}
	f.wantSignedIn(t, c.people)
	f.start(t, 1)
	f.ready(t, 1)
}

// TestSeveralRollingRestart restarts all instances, one after the other. No
// request fails, and no sign-in that Globus keeps waiting meanwhile.
func TestSeveralRollingRestart(t *testing.T) {
	t.Parallel()
	f := startFleet(t, instances)
	c := f.newCrowd(t, 12)
	for i := range instances {
		goOn := f.signInSlowly(t, i)
		if err := f.apps[i].Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		routestest.Await(t, "the instance is not ready any more", func() bool {
			resp, err := http.Get("http://" + f.addresses[i] + "/readyz")
			if err != nil {
				return true
			}
			resp.Body.Close()
			return resp.StatusCode != http.StatusOK
		})
		goOn()
		if err := f.apps[i].Wait(); err != nil {
			t.Errorf("instance %d ended with %v", i, err)
		}
		f.start(t, i)
		f.ready(t, i)
		c.look(100)
	}
	c.stop()
	for _, amiss := range c.amiss {
		t.Errorf("%q", amiss)
	}
	f.wantSignedIn(t, c.people)
}

// signInSlowly begins a sign-in at an instance, and returns when Globus has the
// code. It answers, and the sign-in must come to its end, when goOn is called.
func (f *fleet) signInSlowly(t *testing.T, i int) (goOn func()) {
	t.Helper()
	b, wait := f.via(f.browser(t), i), make(chan struct{})
	callback, before := b.Callback("ada"), f.Globus.Requests(globustest.TokenPath)
	f.Globus.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.TokenPath: {Wait: wait}}})
	var signIn sync.WaitGroup
	signIn.Go(func() {
		if p, err := b.Try(t.Context(), http.MethodGet, callback, nil); err != nil || p.Status != http.StatusSeeOther {
			t.Errorf("instance %d: the sign-in under way got %d, %v", i, p.Status, err)
		}
	})
	routestest.Await(t, "Globus has the code", func() bool { return f.Globus.Requests(globustest.TokenPath) > before })
	return func() {
		f.Globus.Lie(globustest.Lie{})
		close(wait)
		signIn.Wait()
	}
}

// TestSeveralRedisRestart kills Redis under load, and starts it again. Meanwhile
// people read when to come again; they keep their cookies, and are signed in
// when it is back.
func TestSeveralRedisRestart(t *testing.T) {
	t.Parallel()
	f := startFleet(t, instances)
	c := f.newCrowd(t, 12)
	c.stop()
	f.redis.kill()
	for range 30 {
		for _, path := range []string{"/", "/user"} {
			p := c.people[0].Get(path)
			if p.Status != http.StatusServiceUnavailable || p.Header.Get("Retry-After") == "" || len(p.Header.Values("Set-Cookie")) > 0 {
				t.Fatalf("without Redis, %s: got %d, Retry-After %q, Set-Cookie %q, want 503, a time, and cookies left alone",
					path, p.Status, p.Header.Get("Retry-After"), p.Header.Values("Set-Cookie"))
			}
			if path == "/" && !strings.Contains(p.Body, "<main") {
				t.Fatalf("without Redis: not the app's page:\n%s", p.Body)
			}
		}
	}
	stranger := f.browser(t)
	if p := stranger.Get("/"); p.Status != http.StatusOK {
		t.Errorf("who is not signed in needs no Redis: got %d", p.Status)
	}
	f.redis.start()
	for i, app := range f.apps {
		routestest.Await(t, "the instance finds Redis again", func() bool { return f.via(stranger, i).Get("/readyz").Status == http.StatusOK })
		routestest.Await(t, "it says so", func() bool { return strings.Contains(app.log.String(), `"session store up again"`) })
		if n := strings.Count(app.log.String(), `"session store down"`); n != 1 {
			t.Errorf("instance %d says that the store is down %d times, want once", i, n)
		}
	}
	f.wantSignedIn(t, c.people)

	secrets := routestest.Personal()
	for i, b := range c.people {
		_, cookie := b.Cookie("session")
		secrets[fmt.Sprint("cookie ", i)] = cookie
	}
	for name, secret := range secrets {
		for _, file := range routestest.FilesWith(t, f.redis.dir, secret) {
			t.Errorf("%s has the %s", file, name)
		}
	}
	if kept, _ := filepath.Glob(filepath.Join(f.redis.dir, "appendonlydir", "*.aof")); len(kept) == 0 {
		t.Error("Redis keeps no append-only file, so the rest proves nothing")
	}
}
