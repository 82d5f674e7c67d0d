package routestest

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
)

// Program returns the path of a program that a test needs. It skips the test if
// there is none.
func Program(t testing.TB, names ...string) string {
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
