package routes_test

import (
	"net"
	"os/exec"
	"testing"
)

const redisPassword = "canary-redis"

// A redisServer is a real Redis with an append-only file.
type redisServer struct {
	t         testing.TB
	dir, port string
	cmd       *exec.Cmd
}

func startRedis(t *testing.T) *redisServer {
	t.Helper()
	program(t, "redis-server")
	r := &redisServer{t: t, dir: t.TempDir(), port: freePort(t)}
	r.start()
	t.Cleanup(r.kill)
	return r
}

// url is the SESSION_STORE of the app.
func (r *redisServer) url() string { return "redis://:" + redisPassword + "@127.0.0.1:" + r.port }

func (r *redisServer) start() {
	r.t.Helper()
	r.cmd = exec.Command("redis-server", "--bind", "127.0.0.1", "--port", r.port, "--dir", r.dir,
		"--requirepass", redisPassword, "--appendonly", "yes", "--save", "")
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	await(r.t, "Redis answers", func() bool {
		conn, err := net.Dial("tcp", "127.0.0.1:"+r.port)
		if err != nil {
			return false
		}
		defer conn.Close()
		answer := make([]byte, 64)
		if _, err := conn.Write([]byte("AUTH " + redisPassword + "\r\n")); err != nil {
			return false
		}
		n, err := conn.Read(answer)
		return err == nil && string(answer[:n]) == "+OK\r\n" // and not: LOADING
	})
}

// kill ends it as a crash would.
func (r *redisServer) kill() {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
}
