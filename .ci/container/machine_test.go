package container

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// A machine runs an image as an engine would, with volumes for /data and /tmp, but in
// this machine's network, where the emulated Globus is.
type machine struct {
	*testing.T
	auth      globusServer
	site      *routestest.Site
	root      string
	config    config
	data, tmp string
	env       []string
}

func newMachine(t *testing.T, auth globusServer, root string, c config) *machine {
	t.Helper()
	port := routestest.FreePort(t)
	m := &machine{T: t, auth: auth, root: root, config: c, data: filepath.Join(t.TempDir(), "data"), tmp: filepath.Join(t.TempDir(), "tmp")}
	m.site = &routestest.Site{T: t, URL: "http://localhost:" + port, Globus: auth.Server, Log: &routestest.Log{}}
	auth.Register(globustest.Client{ID: routestest.ClientID, Secret: routestest.ClientSecret, RedirectURIs: []string{m.site.URL + "/login"}})
	if _, ok := c.Volumes["/data"]; !ok {
		t.Error("/data is no volume: what is in it is lost with the container")
	}
	// As engines do when a volume is new: it has what the image has there, owner included.
	for name, volume := range map[string]string{"data": m.data, "tmp": m.tmp} {
		if out, err := exec.Command("cp", "-a", filepath.Join(root, name), volume).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	m.env = append(c.Env, "GOMEMLIMIT=64MiB", "GLOBUS_CLIENT_ID="+routestest.ClientID, "GLOBUS_CLIENT_SECRET="+routestest.ClientSecret, "GLOBUS_ISSUER="+auth.URL,
		"LISTEN=127.0.0.1:"+port, "PUBLIC_URL="+m.site.URL) // the last one counts; the image's is for a network of its own
	return m
}

func (m *machine) browser() *routestest.Browser {
	b := m.site.Browser()
	b.Client.Transport = m.auth.transport
	return b
}

// enter makes the image's root read-only but for the volumes, and becomes the image's
// program there, as the first process and as the image's user.
const enter = `set -e
root=$1 data=$2 tmp=$3 user=$4
shift 4
mount --make-rprivate /
mount --bind "$root" "$root"
mount --bind "$data" "$root/data"
mount --bind "$tmp" "$root/tmp"
mount -o remount,bind,ro "$root"
exec chroot --userspec="$user" --groups= "$root" "$@"`

// A running is the image's program under way.
type running struct {
	*exec.Cmd
	t     *testing.T
	log   *routestest.Log
	ended chan struct{}
}

// start starts the image's program, and waits until it serves.
func (m *machine) start() *running {
	m.Helper()
	shell := append([]string{"-c", enter, "sh", m.root, m.data, m.tmp, m.config.User}, m.config.Entrypoint...)
	r := &running{Cmd: exec.Command("/bin/sh", shell...), t: m.T, log: &routestest.Log{}, ended: make(chan struct{})}
	r.Env, r.Stderr = m.env, r.log
	r.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID}
	out, err := r.StdoutPipe()
	if err != nil {
		m.Fatal(err)
	}
	if err := r.Start(); err != nil {
		m.Fatal(err)
	}
	m.Cleanup(func() {
		_ = r.Process.Kill()
		<-r.ended
	})
	serves := make(chan bool, 1)
	go func() {
		defer close(r.ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if strings.HasPrefix(lines.Text(), "Portal is at ") {
				serves <- true
				break
			}
		}
		_, _ = io.Copy(io.Discard, out)
		_ = r.Wait()
		close(serves)
	}()
	if !<-serves {
		m.Fatalf("it did not start:\n%s", r.log)
	}
	return r
}

// stop sends SIGTERM, as engines do, and wants the program to end in their ten seconds
// of patience on any machine, and so in a minute on this one, with status 0.
func (r *running) stop() {
	r.t.Helper()
	if err := r.Process.Signal(syscall.SIGTERM); err != nil {
		r.t.Fatal(err)
	}
	select {
	case <-r.ended:
	case <-time.After(time.Minute):
		r.t.Fatalf("it does not stop:\n%s", r.log)
	}
	if code := r.ProcessState.ExitCode(); code != 0 || !strings.Contains(r.log.String(), `"msg":"stopped"`) {
		r.t.Errorf("it ended with %d, want 0 after it has said that it stopped:\n%s", code, r.log)
	}
}

// proc reads what the kernel knows of the program.
func (r *running) proc(file string) string {
	r.t.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(r.Process.Pid), file))
	if err != nil {
		r.t.Fatal(err)
	}
	return string(text)
}

// status returns the first word of a line of the program's status.
func (r *running) status(key string) string {
	r.t.Helper()
	found := regexp.MustCompile(`(?m)^` + key + `:\s+(\S+)`).FindStringSubmatch(r.proc("status"))
	if found == nil {
		r.t.Fatalf("the kernel does not tell %s", key)
	}
	return found[1]
}

// peakMemory is the most that the program has had in memory, in bytes.
func (r *running) peakMemory() int {
	r.t.Helper()
	kilobytes, err := strconv.Atoi(r.status("VmHWM"))
	if err != nil {
		r.t.Fatal(err)
	}
	return kilobytes << 10
}

func (r *running) readOnly() bool {
	r.t.Helper()
	return regexp.MustCompile(`(?m)^\S+ / \S+ ro\b`).MatchString(r.proc("mounts"))
}
