package deploy_test

import (
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"example.org/portal/routes/routestest"
)

// TestOutOfFiles takes all file descriptors of the app by connections that say
// nothing. Who has a connection is served meanwhile, and all others afterwards.
func TestOutOfFiles(t *testing.T) {
	t.Parallel()
	const limit, connected = 64, 8
	if runtime.GOOS == "windows" {
		routestest.Skip(t, "needs ulimit, which Windows has not")
	}
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	s, env := settings(t)
	cmd := exec.Command(routestest.Program(t, "sh"), "-c", fmt.Sprintf("ulimit -n %d && exec %s", limit, path))
	cmd.Dir, cmd.Env = s.Dir, env
	app := runCommand(t, cmd)
	var people []*routestest.Browser
	for range connected {
		b := s.Browser()
		b.SignIn("rosalind")
		b.Client.Transport = &http.Transport{} // a connection of its own, which stays open
		people = append(people, b)
	}
	refused := func() int { return strings.Count(app.log.String(), "too many open files") }
	for range routestest.Rounds() {
		for _, b := range people {
			b.Get("/user")
		}
		before := refused()
		var idle []net.Conn
		for refused() == before && len(idle) < 2*limit {
			c, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			idle = append(idle, c)
		}
		routestest.Await(t, "it cannot accept any more", func() bool { return refused() > before })
		var all sync.WaitGroup
		for _, b := range people {
			all.Go(func() {
				if p, err := b.Try(t.Context(), http.MethodGet, "/user", nil); err != nil || !strings.Contains(p.Body, "Rosalind") {
					t.Errorf("someone who is connected: got %d, %v", p.Status, err)
				}
			})
		}
		all.Wait()
		for _, c := range idle {
			c.Close()
		}
		if b := s.Browser(); !strings.Contains(b.SignIn("ada").Body, "Ada") {
			t.Error("nobody can sign in any more")
		}
	}
	for _, b := range people {
		if b.Client.Transport = nil; !b.SignedIn() {
			t.Error("a session was lost")
		}
	}
	app.kill()
	run(t, s.Dir, env)
	for _, b := range people {
		if !b.SignedIn() {
			t.Error("a session was lost on disk")
		}
	}
	routestest.WantSound(t, filepath.Join(s.Dir, "data", "sessions.db"))
}
