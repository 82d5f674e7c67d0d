//go:build unix

package deploy_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/routes/routestest"
	"example.org/portal/routes/routestest/programs"
)

// A member is one person of a populace, with a record of what was acknowledged.
type member struct {
	*routestest.Browser
	signedIn bool
	home     routestest.Page // with the forms, if signedIn
	ended    []string        // cookies of sessions that were signed out
}

// A populace is people who sign in, read, refresh and sign out all the time. Whoever is
// told that something was done, or is answered 503 with Retry-After, is content; anything
// else is amiss.
type populace struct {
	f       *fleet
	members []*member
	cancel  context.CancelFunc
	all     sync.WaitGroup

	pages, signIns, signOuts, refreshes, unavailable atomic.Int64
	lastPage                                         atomic.Int64 // when a page showed somebody signed in

	mu    sync.Mutex
	amiss []string
}

const atOnce = 16 // members

// newPopulace returns n people, who rest for a while after each thing that they do.
func newPopulace(t *testing.T, f *fleet, n int, rest time.Duration) *populace {
	t.Helper()
	p := &populace{f: f}
	for range n {
		p.members = append(p.members, &member{Browser: f.browser(t)})
	}
	ctx, cancel := context.WithCancel(t.Context())
	p.cancel = cancel
	waiting := make(chan *member, n)
	for _, m := range p.members {
		waiting <- m
	}
	for range atOnce {
		p.all.Go(func() {
			for ctx.Err() == nil {
				m := <-waiting
				p.act(ctx, m)
				waiting <- m
				select {
				case <-ctx.Done():
				case <-time.After(rest): // a person's pace, not a wait
				}
			}
		})
	}
	t.Cleanup(p.stop)
	routestest.Await(t, "everybody has been there", func() bool { return p.signIns.Load() >= int64(n) })
	return p
}

func (p *populace) stop() {
	p.cancel()
	p.all.Wait()
}

// act has a member do one thing.
func (p *populace) act(ctx context.Context, m *member) {
	switch dice := rand.IntN(10); {
	case !m.signedIn:
		callback := m.Callback("rosalind")
		if p.ask(m, "sign in", http.MethodGet, callback, nil) {
			m.signedIn = true
			p.signIns.Add(1)
		}
	case m.home.Body == "" || dice < 6:
		page, err := m.Try(context.WithoutCancel(ctx), http.MethodGet, "/", nil)
		switch {
		case err != nil || page.Status != http.StatusOK && !p.isUnavailable(page):
			p.wrong("a page: %d, %v", page.Status, err)
		case page.Status == http.StatusOK && !page.Has("uuid"):
			p.wrong("signed in, and now no more")
		case page.Status == http.StatusOK:
			m.home = page
			p.pages.Add(1)
			p.lastPage.Store(time.Now().UnixNano())
		}
	case dice < 8:
		if p.ask(m, "refresh", http.MethodPost, "/tokens/refresh", m.home.Form("server", globus.TransferServer)) {
			p.refreshes.Add(1)
		}
	default:
		_, cookie := m.Cookie("session")
		if p.ask(m, "sign out", http.MethodPost, "/logout", m.home.Form()) {
			m.ended = append(m.ended, cookie)
			p.signOuts.Add(1)
		}
		// If that was answered 503, the browser has forgotten the session all the same.
		if _, cookie := m.Cookie("session"); cookie == "" {
			m.signedIn, m.home = false, routestest.Page{}
		}
	}
}

// ask sends a request, and reports whether it was acknowledged.
func (p *populace) ask(m *member, what, method, target string, form map[string][]string) bool {
	page, err := m.Try(context.Background(), method, target, form)
	switch {
	case err != nil:
		p.wrong("%s: %v", what, err)
	case page.Status == http.StatusSeeOther, page.Status == http.StatusOK:
		return true
	case !p.isUnavailable(page):
		p.wrong("%s: %d, %s", what, page.Status, page.Reason())
	}
	return false
}

func (p *populace) isUnavailable(page routestest.Page) bool {
	if page.Status != http.StatusServiceUnavailable {
		return false
	}
	p.unavailable.Add(1)
	return true
}

func (p *populace) wrong(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.amiss = append(p.amiss, fmt.Sprintf(format, args...))
}

// recover waits until everything is done again that people do, and returns how long
// pages were away since a moment.
func (p *populace) recover(t *testing.T, since time.Time) time.Duration {
	t.Helper()
	pages, signIns, signOuts := p.pages.Load(), p.signIns.Load(), p.signOuts.Load()
	var first time.Time
	routestest.Await(t, "people go on", func() bool {
		if now := p.pages.Load(); first.IsZero() && now > pages {
			first = time.Now()
		}
		return p.pages.Load() > pages+50 && p.signIns.Load() > signIns+5 && p.signOuts.Load() > signOuts+5
	})
	return first.Sub(since).Round(10 * time.Millisecond)
}

// check stops everybody, and compares what they were told with what holds at each
// instance.
func (p *populace) check(t *testing.T) {
	t.Helper()
	p.stop()
	for _, what := range slices.Compact(slices.Sorted(slices.Values(p.amiss))) {
		t.Error(what)
	}
	stays, ended := 0, 0
	for _, m := range p.members {
		name, _ := m.Cookie("session")
		for _, old := range m.ended {
			ended++
			for i, app := range p.f.apps {
				if app == nil {
					continue
				}
				if name == "" {
					name = "__Host-portal-session"
				}
				b := p.f.via(p.f.Site.Browser(), i)
				if page := b.Get("/user", "Cookie", name+"="+old); page.Status != http.StatusOK || page.Has("uuid") {
					t.Errorf("a session that was signed out is back at instance %d: %d", i, page.Status)
				}
			}
		}
		if m.signedIn {
			stays++
			if !m.SignedIn() {
				t.Error("a sign-in that was acknowledged is lost")
			}
		}
	}
	t.Logf("%d pages, %d sign-ins, %d refreshes, %d sign-outs, and %d times 503; in the end %d were signed in, and %d sessions ended, as they had been told",
		p.pages.Load(), p.signIns.Load(), p.refreshes.Load(), p.signOuts.Load(), p.unavailable.Load(), stays, ended)
}

// A failing is a store that is made to fail over.
type failing struct {
	url    string
	faults []fault
}

// A fault begins when it is called, and returns when another server is the primary, and
// how to bring the first back.
type fault struct {
	name string
	do   func(t *testing.T) (promoted time.Time, mend func())
}

// TestFailover: while the store fails over, nobody loses a sign-in that was acknowledged,
// and no sign-out is undone. PORTAL_LONG=1 has a thousand people, and all faults.
func TestFailover(t *testing.T) {
	t.Parallel()
	long := os.Getenv("PORTAL_LONG") == "1"
	people, rest := 24, 40*time.Millisecond
	if long {
		people, rest = 1000, 0
	}
	stores := map[string]func(*testing.T) failing{"postgres": failingPostgres, "sentinel": failingSentinel, "cluster": failingCluster}
	if long {
		stores["sentinel by order"] = demotedBySentinel
	}
	for name, start := range stores {
		t.Run(name, func(t *testing.T) {
			if !long {
				t.Parallel()
			}
			store := start(t)
			f := startFleetOn(t, 2, store.url)
			p := newPopulace(t, f, people, rest)
			for i, fault := range store.faults {
				if i > 0 && !long {
					break
				}
				begun := time.Now()
				promoted, mend := fault.do(t)
				away := p.recover(t, promoted)
				t.Logf("%s: another primary after %s, pages %s later", fault.name, promoted.Sub(begun).Round(10*time.Millisecond), away)
				if long {
					mend()
					p.recover(t, time.Now())
				}
			}
			p.check(t)
			for i, app := range f.apps {
				if app != nil && strings.Contains(app.log.String(), "canary") {
					t.Errorf("instance %d logs a secret", i)
				}
			}
		})
	}
}

func failingPostgres(t *testing.T) failing {
	first := startPostgres(t)
	second := first.Standby(t, "second")
	t.Cleanup(second.Remove)
	first.Set(t, "synchronous_standby_names", "*")
	primary, standby := first, second
	promote := func(t *testing.T) time.Time {
		standby.Promote(t)
		routestest.Await(t, "the standby is promoted", func() bool { return standby.Exec(t, "SELECT pg_is_in_recovery()") == "f" })
		standby.Set(t, "synchronous_standby_names", "") // there is none now
		primary, standby = standby, primary
		return time.Now()
	}
	follow := func(t *testing.T) func() {
		return func() { // the former primary becomes the standby
			standby.Kill()
			standby.Follow(t, primary, "standby")
			routestest.Await(t, "it streams", func() bool {
				return primary.Exec(t, "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == "1"
			})
			primary.Set(t, "synchronous_standby_names", "*")
		}
	}
	return failing{"postgres://portal@127.0.0.1:" + first.Port + ",127.0.0.1:" + second.Port + "/postgres?sslmode=disable", []fault{
		{"killed", func(t *testing.T) (time.Time, func()) {
			primary.Kill()
			return promote(t), follow(t)
		}},
		{"hangs, and goes on when it was replaced", func(t *testing.T) (time.Time, func()) {
			primary.Signal(syscall.SIGSTOP)
			promoted := promote(t)
			return promoted, func() {
				standby.Signal(syscall.SIGCONT)
				follow(t)()
			}
		}},
		{"demoted", func(t *testing.T) (time.Time, func()) {
			primary.Stop()
			promoted := promote(t)
			return promoted, follow(t)
		}},
		{"killed while sign-outs wait for the standby", func(t *testing.T) (time.Time, func()) {
			standby.Signal(syscall.SIGSTOP)
			routestest.Await(t, "a write waits for the standby", func() bool {
				return primary.Exec(t, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") != "0"
			})
			primary.Kill()
			standby.Signal(syscall.SIGCONT)
			return promote(t), follow(t)
		}},
	}}
}

func failingSentinel(t *testing.T) failing {
	s, promoted := startSentinels(t)
	return failing{s.URL("0") + "&wait=1", []fault{
		{"killed", func(t *testing.T) (time.Time, func()) {
			former := s.Primary(t)
			former.Kill()
			return promoted(t, former), func() { former.Start(t); s.AwaitReplicas(t) }
		}},
		{"hangs, and goes on when it was replaced", func(t *testing.T) (time.Time, func()) {
			former := s.Primary(t)
			former.Signal(syscall.SIGSTOP)
			return promoted(t, former), func() { former.Signal(syscall.SIGCONT); s.AwaitReplicas(t) }
		}},
	}}
}

// demotedBySentinel waits for all replicas: the primary goes on until Sentinel has told
// it, and with wait=1 it would go on with the replica that is not promoted.
func demotedBySentinel(t *testing.T) failing {
	s, promoted := startSentinels(t)
	return failing{s.URL("0") + "&wait=2", []fault{
		{"demoted", func(t *testing.T) (time.Time, func()) {
			former := s.Primary(t)
			s.Sentinels[0].Do(t, "sentinel", "failover", "portal")
			return promoted(t, former), func() { s.AwaitReplicas(t) }
		}},
	}}
}

// startSentinels also returns a function that waits until another server than the former
// is the primary.
func startSentinels(t *testing.T) (*programs.Sentinels, func(t *testing.T, former *programs.Redis) time.Time) {
	s := programs.StartSentinels(t, 3, 3, "--min-replicas-to-write", "1")
	t.Cleanup(s.Remove)
	return s, func(t *testing.T, former *programs.Redis) time.Time {
		routestest.Await(t, "the sentinels have another", func() bool {
			now := s.Primary(t)
			if now == former { // which may hang
				return false
			}
			role, _ := now.Try(t, "role")
			return strings.Contains(role, "master")
		})
		return time.Now()
	}
}

func failingCluster(t *testing.T) failing {
	c := programs.StartCluster(t, 3, true)
	t.Cleanup(c.Remove)
	replication := func(t *testing.T, r *programs.Redis) string {
		info, _ := r.Try(t, "info", "replication")
		return info
	}
	// A primary, and the replica that takes its place. It has no replica then, so that
	// wait=1 fails for a third of the people until the former is back.
	fail := func(t *testing.T, how func(*programs.Redis), back func(*programs.Redis)) (time.Time, func()) {
		var former *programs.Redis
		var replica *programs.Redis
		for _, r := range c.Nodes {
			if strings.Contains(r.Do(t, "info", "replication"), "role:master") {
				former = r
				break
			}
		}
		for _, r := range c.Nodes {
			if info := r.Do(t, "info", "replication"); strings.Contains(info, "role:slave") && strings.Contains(info, "master_port:"+former.Port+"\r") {
				replica = r
			}
		}
		how(former)
		routestest.Await(t, "the replica is the primary", func() bool { return strings.Contains(replication(t, replica), "role:master") })
		promoted := time.Now()
		back(former)
		routestest.Await(t, "the former is its replica", func() bool { return strings.Contains(replication(t, former), "master_link_status:up") })
		return promoted, func() {}
	}
	return failing{c.URL() + "&wait=1", []fault{
		{"killed", func(t *testing.T) (time.Time, func()) {
			return fail(t, (*programs.Redis).Kill, func(r *programs.Redis) { r.Start(t) })
		}},
		{"hangs, and goes on when it was replaced", func(t *testing.T) (time.Time, func()) {
			return fail(t, func(r *programs.Redis) { r.Signal(syscall.SIGSTOP) }, func(r *programs.Redis) { r.Signal(syscall.SIGCONT) })
		}},
	}}
}
