package routes_test

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
)

// TestOutOfFiles takes all file descriptors of the app by connections that say
// nothing. Who has a connection is served meanwhile, and all others afterwards.
func TestOutOfFiles(t *testing.T) {
	const limit, connected = 64, 8
	if runtime.GOOS == "windows" {
		skip(t, "needs ulimit, which Windows has not")
	}
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	s, env := settings(t)
	cmd := exec.Command(program(t, "sh"), "-c", fmt.Sprintf("ulimit -n %d && exec %s", limit, path))
	cmd.Dir, cmd.Env = s.dir, env
	app := runCommand(t, cmd)
	var people []*browser
	for range connected {
		b := s.browser()
		b.signIn("rosalind")
		b.http.Transport = &http.Transport{} // a connection of its own, which stays open
		people = append(people, b)
	}
	refused := func() int { return strings.Count(app.log.String(), "too many open files") }
	for range rounds() {
		for _, b := range people {
			b.get("/user")
		}
		before := refused()
		var idle []net.Conn
		for refused() == before && len(idle) < 2*limit {
			c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			idle = append(idle, c)
		}
		await(t, "it cannot accept any more", func() bool { return refused() > before })
		var all sync.WaitGroup
		for _, b := range people {
			all.Go(func() {
				if p, err := b.try(t.Context(), http.MethodGet, "/user", nil); err != nil || !strings.Contains(p.body, "Rosalind") {
					t.Errorf("someone who is connected: got %d, %v", p.status, err)
				}
			})
		}
		all.Wait()
		for _, c := range idle {
			c.Close()
		}
		if b := s.browser(); !strings.Contains(b.signIn("ada").body, "Ada") {
			t.Error("nobody can sign in any more")
		}
	}
	for _, b := range people {
		if b.http.Transport = nil; !b.signedIn() {
			t.Error("a session was lost")
		}
	}
	app.kill()
	run(t, s.dir, env)
	for _, b := range people {
		if !b.signedIn() {
			t.Error("a session was lost on disk")
		}
	}
	wantSound(t, filepath.Join(s.dir, "data", "sessions.db"))
}
