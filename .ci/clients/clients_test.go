// Package clients runs other people's programs against the emulator's command:
// each signs somebody in and uses what it got. The library and the emulator agree
// with one another in every test, right or wrong; these programs know Globus.
package clients

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

const (
	clientID = "c11e0000-0000-4000-8000-00000000c1c1"
	// Globus's secrets are base64, so they may have these characters.
	clientSecret = "s3cret+of/the/client="
)

var programs string // where the command is built to

func TestMain(m *testing.M) {
	var err error
	if programs, err = os.MkdirTemp("", "clients"); err != nil {
		panic(err)
	}
	routestest.Main(m, func() { os.RemoveAll(programs) })
}

// command builds the emulator's command, once for all tests.
var command = sync.OnceValues(func() (string, error) {
	path := filepath.Join(programs, "globustest")
	cmd := exec.Command("go", "build", "-o", path, "example.org/portal/globus/globustest/cmd/globustest")
	cmd.Stderr = os.Stderr
	return path, cmd.Run()
})

// A process is a program that a test runs. Its output is kept.
type process struct {
	*exec.Cmd
	t      *testing.T
	output *routestest.Log
	ended  chan struct{}
}

// start starts a program in a process group of its own, because some have
// children, and ends it with the test.
func start(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{Cmd: cmd, t: t, output: &routestest.Log{}, ended: make(chan struct{})}
	if cmd.Stdout == nil {
		cmd.Stdout = p.output
	}
	cmd.Stderr = p.output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.signal(syscall.SIGKILL)
		<-p.ended
		if t.Failed() {
			t.Logf("%s:\n%s", cmd.Path, p.output)
		}
	})
	return p
}

func (p *process) signal(s syscall.Signal) { _ = syscall.Kill(-p.Process.Pid, s) }

// stop ends the program as a service manager would, and waits until it has ended.
func (p *process) stop() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(time.Minute): // no machine is that slow
		p.t.Errorf("%s does not end", p.Path)
	}
}

func (p *process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// listens waits until the program accepts connections.
func (p *process) listens(address string) {
	p.t.Helper()
	routestest.Await(p.t, p.Path+" listens", func() bool {
		if p.hasEnded() {
			p.t.Fatalf("%s ended: %v", p.Path, p.ProcessState)
		}
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// An emulator is the command, under way.
type emulator struct {
	*process
	url string // the issuer
}

// startEmulator runs the command on a free port. The test fails if it does not stop
// cleanly in the end.
func startEmulator(t *testing.T, args ...string) *emulator {
	t.Helper()
	path, err := command()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, append([]string{"-listen", "127.0.0.1:0"}, args...)...)
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	t.Cleanup(func() { out.Close() })
	cmd.Stdout = in
	e := &emulator{process: start(t, cmd)}
	in.Close()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "Globus is emulated at "); ok {
			e.url, _, _ = strings.Cut(rest, "/ ")
			break
		}
	}
	if e.url == "" {
		t.Fatal("the emulator did not start")
	}
	go io.Copy(e.output, out)
	t.Cleanup(func() {
		e.stop()
		if code := e.ProcessState.ExitCode(); code != 0 {
			t.Errorf("the emulator ended with %d, want 0", code)
		}
	})
	return e
}

// browser returns somebody's browser, which is at a client's site.
func (e *emulator) browser(t *testing.T, siteURL string) *routestest.Browser {
	return (&routestest.Site{T: t, URL: siteURL, Globus: &globustest.Server{URL: e.url}}).Browser()
}

// get asks Globus for something, with an access token.
func (e *emulator) get(path, accessToken string) (status int, answer map[string]any) {
	e.t.Helper()
	req, err := http.NewRequestWithContext(e.t.Context(), http.MethodGet, e.url+path, nil)
	if err != nil {
		e.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+accessToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		e.t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		e.t.Fatal(err)
	}
	return resp.StatusCode, answer
}

// good reports whether an access token is good for userinfo.
func (e *emulator) good(accessToken string) bool {
	e.t.Helper()
	status, _ := e.get(globustest.UserInfoPath, accessToken)
	return status == http.StatusOK
}

// decode reads the JSON that a page is.
func decode[T any](t *testing.T, p routestest.Page) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(p.Body), &v); err != nil || p.Status != http.StatusOK {
		t.Fatalf("%s: %d, %v:\n%s", p.URL, p.Status, err, p.Body)
	}
	return v
}

// python returns Debian's Python, which has the modules that Debian's packages
// install, and which needs not be the first in PATH.
func python(t *testing.T, modules ...string) string {
	t.Helper()
	const path = "/usr/bin/python3"
	if !routestest.IsFile(path) {
		routestest.Skip(t, "needs "+path+", which is not installed")
	}
	for _, module := range modules {
		if out, err := exec.Command(path, "-c", "import "+module).CombinedOutput(); err != nil {
			routestest.Skip(t, "needs Debian's Python module "+module+": "+string(out))
		}
	}
	return path
}
