// Package programs starts the real programs that tests need, each on a free port of
// loopback. It imports nothing of the app, so that tests of any package can use it.
package programs

import (
	"flag"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// Path returns the path of a program that a test needs. It skips the test if none of
// the names is installed.
func Path(t testing.TB, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
		for _, dir := range []string{"/usr/sbin", "/sbin"} {
			if path := filepath.Join(dir, name); IsFile(path) {
				return path
			}
		}
	}
	Skip(t, "needs "+names[0]+", which is not installed")
	return ""
}

// ManyAtOnce has a package run six parallel tests at a time, unless -parallel says
// otherwise: tests that mostly wait leave a machine with fewer cores idle. It is called
// in TestMain.
func ManyAtOnce() {
	flag.Parse()
	if n := flag.Lookup("test.parallel"); n.Value.String() == strconv.Itoa(runtime.GOMAXPROCS(0)) {
		_ = n.Value.Set("6")
	}
}

// Skip skips the test, or fails it where REQUIRE_ALL=1.
func Skip(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("REQUIRE_ALL") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// IsFile reports whether path is a regular file.
func IsFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// FreePort returns a port on loopback that nobody listens on. It is not one that
// the system gives to clients, as it does from 32768 on: those may be taken
// before a server listens, or while it is started again.
func FreePort(t testing.TB) string {
	t.Helper()
	for range 100 {
		port := strconv.Itoa(20_000 + (os.Getpid()+int(portsGiven.Add(1)))%10_000)
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("there is no free port")
	return ""
}

var portsGiven atomic.Int64

// await polls until ok returns true, and fails the test after two minutes.
func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for begin := time.Now(); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Since(begin) > 2*time.Minute {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// user is the user that PostgreSQL and pgbouncer run as if the tests run as root,
// which they refuse.
const user = "postgres"

// unprivileged returns a command that runs as user if the tests run as root.
func unprivileged(name string, args ...string) *exec.Cmd {
	if os.Geteuid() == 0 {
		args = append([]string{"--reuid=" + user, "--regid=" + user, "--clear-groups", name}, args...)
		name = "setpriv"
	}
	return exec.Command(name, args...)
}

// unprivilegedDir returns a new folder that belongs to user. That of t.TempDir is only
// for the user of the tests.
func unprivilegedDir(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", name)
	if err == nil && os.Geteuid() == 0 {
		err = exec.Command("chown", user+":", dir).Run()
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
