package session

import (
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// StartRedis starts a Redis with a few settings of its own, and returns its
// address and process. Both packages of tests here use it.
func StartRedis(t testing.TB, settings ...string) (addr string, process *os.Process) {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		if os.Getenv("REQUIRE_ALL") == "1" {
			t.Fatal("needs redis-server, which is not installed")
		}
		t.Skip("needs redis-server, which is not installed")
	}
	port := freePort(t)
	addr = "127.0.0.1:" + port
	cmd := exec.Command(path, append([]string{
		"--bind", "127.0.0.1", "--port", port, "--dir", t.TempDir(), "--save", "", "--appendonly", "yes", "--appendfsync", "no",
	}, settings...)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for deadline := time.After(2 * time.Minute); ; {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return addr, cmd.Process
		}
		select {
		case <-deadline:
			t.Fatal("Redis does not listen")
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// freePort is that of the tests of routes, with other ports: both run at once.
func freePort(t testing.TB) string {
	t.Helper()
	for range 100 {
		port := strconv.Itoa(10_000 + (os.Getpid()+int(portsGiven.Add(1)))%10_000)
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("there is no free port")
	return ""
}

var portsGiven atomic.Int64
