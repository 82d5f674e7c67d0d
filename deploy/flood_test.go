package deploy_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// floodOf returns how many requests make a flood.
func floodOf() int {
	if os.Getenv("PORTAL_LONG") == "1" {
		return 20_000
	}
	return 4_000
}

// flood sends many requests that keep no cookie, and checks their status.
func flood(s *routestest.Site, path string, want int) {
	s.T.Helper()
	const workers = 16
	transport := &http.Transport{MaxIdleConnsPerHost: workers}
	defer transport.CloseIdleConnections()
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for range floodOf() / workers {
				req, err := http.NewRequestWithContext(s.T.Context(), http.MethodGet, s.URL+path, nil)
				if err != nil {
					s.T.Error(err)
					return
				}
				resp, err := transport.RoundTrip(req)
				if err != nil {
					s.T.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if resp.StatusCode != want {
					s.T.Errorf("%s: got %d, want %d", path, resp.StatusCode, want)
					return
				}
			}
		})
	}
	all.Wait()
}

// heap returns what is in use after a collection, in bytes.
func heap() uint64 {
	runtime.GC()
	runtime.GC() // what the first one finalized
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestFlood: strangers who begin to sign in, or make up answers of Globus, cost
// neither memory, nor records, nor a call to Globus.
func TestFlood(t *testing.T) {
	s := routestest.Start(t, routestest.Options{})
	flood(s, "/login", http.StatusSeeOther) // once, for what is made at first use
	s.Server.CloseClientConnections()
	s.Log.Forget()
	before, size := heap(), sizeOf(t, s.Dir)

	flood(s, "/login", http.StatusSeeOther)
	flood(s, "/login?code=made-up&state=made-up", http.StatusBadRequest)
	s.Server.CloseClientConnections()
	room := uint64(2 * floodOf() * 128) // less than anything that would be kept of each
	routestest.Await(t, "the heap is as it was before", func() bool { s.Log.Forget(); return heap() < before+room })
	if got := sizeOf(t, s.Dir); got != size {
		t.Errorf("the store has grown from %d to %d bytes", size, got)
	}
	for _, path := range []string{globustest.TokenPath, globustest.KeysPath, globustest.UserInfoPath, globustest.AuthorizePath} {
		if n := s.Globus.Requests(path); n != 0 {
			t.Errorf("%d calls of %s", n, path)
		}
	}
}

// sizeOf returns how many bytes the files in a folder have.
func sizeOf(t *testing.T, dir string) (bytes int64) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		bytes += info.Size()
	}
	return bytes
}

// TestSlowClients: a thousand clients that send or read as slowly as they can
// are shed, while others are served as ever, with little memory. Slow readers
// are shed when they have been idle for a minute: only a long round waits for it.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	slow := routestest.Program(t, "slowhttptest")
	reading, shed := "20", false
	if os.Getenv("PORTAL_LONG") == "1" {
		reading, shed = "80", true
	}
	tests := []struct {
		name string
		path string
		args []string
		shed bool
	}{
		{"headers", "/", []string{"-H", "-i", "3", "-l", "90"}, true},
		{"body", "/logout", []string{"-B", "-i", "3", "-s", "4096", "-l", "90"}, true},
		{"reading", "/static/htmx.min.js", []string{"-X", "-w", "1", "-y", "2", "-n", "4", "-z", "1", "-k", "3", "-l", reading}, shed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir, port := t.TempDir(), routestest.FreePort(t)
			s := &routestest.Site{T: t, URL: "http://localhost:" + port, Dir: dir, Log: &routestest.Log{}}
			app := run(t, dir, []string{"GLOBUS_CLIENT_ID=" + routestest.ClientID, "GLOBUS_CLIENT_SECRET=x", "LISTEN=127.0.0.1:" + port, "GOMEMLIMIT=64MiB"})
			path := test.path
			if test.name == "reading" {
				path = regexp.MustCompile(`/static/htmx[^"]*`).FindString(s.Browser().Get("/").Body)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			served := make(chan int)
			go func() { served <- servesOn(s, ctx) }()

			args := test.args
			if test.name == "body" { // without a session it would not be read
				args = append(args, "-j", "portal-"+port+"-session="+strings.Repeat("A", 43))
			}
			cmd := exec.Command(slow, append(args, "-c", "1000", "-r", "500", "-p", "2", "-u", "http://127.0.0.1:"+port+path)...)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			most, shed := 0, false
			var err error
			routestest.Await(t, "all have had their time", func() bool {
				n := openFiles(t, app)
				most = max(most, n)
				if shed = shed || most >= 200 && n < 100; shed && test.shed {
					_ = cmd.Process.Signal(syscall.SIGTERM) // it would go on for 90 s
				}
				select {
				case err = <-ended:
					return true
				default:
					return false
				}
			})
			if most < 200 { // a thousand, but for those that are shed before the last are there
				t.Errorf("only %d were connected at once", most)
			}
			if test.shed && !shed {
				t.Error("they were not shed")
			}
			cancel()
			if n := <-served; n < 10 {
				t.Errorf("only %d requests of others were served meanwhile", n)
			}
			if kB := residentKB(t, app.Process.Pid); kB > 200<<10 {
				t.Errorf("the app has %d kB in memory", kB)
			}
			routestest.Await(t, "no connection is left", func() bool { return openFiles(t, app) < 100 })
			t.Log(err) // its exit status says how it thinks it fared
		})
	}
}

// openFiles returns how many files a process has open: a dozen, and its connections.
func openFiles(t *testing.T, p *process) int {
	t.Helper()
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.Process.Pid))
	if err != nil {
		routestest.Skip(t, "needs /proc")
	}
	return len(files)
}

// servesOn asks for pages until ctx ends, and returns how many it got. It fails
// the test if one does not come within a minute.
func servesOn(s *routestest.Site, ctx context.Context) (served int) {
	b := s.Browser()
	for ; ctx.Err() == nil; served++ {
		one, cancel := context.WithTimeout(ctx, time.Minute)
		p, err := b.Try(one, http.MethodGet, "/user", nil)
		cancel()
		if ctx.Err() == nil && (err != nil || p.Status != http.StatusOK) {
			s.T.Errorf("meanwhile another got %d, %v", p.Status, err)
			return served
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond): // a person's pace, not a wait
		}
	}
	return served
}

// residentKB returns how much memory a process holds.
func residentKB(t testing.TB, pid int) int {
	t.Helper()
	status, err := exec.Command("ps", "-o", "rss=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		t.Fatal(err)
	}
	kB, err := strconv.Atoi(strings.TrimSpace(string(status)))
	if err != nil {
		t.Fatal(err)
	}
	return kB
}
