package programs

import (
	"net"
	"os"
	"os/exec"
	"testing"
)

// StartRedis starts a Redis with a few settings of its own, and returns its address and
// process. It stops with the test, and skips it where there is none.
func StartRedis(t testing.TB, settings ...string) (addr string, process *os.Process) {
	t.Helper()
	path := Path(t, "redis-server")
	port := FreePort(t)
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
	await(t, "Redis listens", func() bool {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return false
		}
		return c.Close() == nil
	})
	return addr, cmd.Process
}
