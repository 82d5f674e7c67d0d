package programs

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A Redis is a server, or a sentinel.
type Redis struct {
	Port string
	dir  string
	args []string
	cmd  *exec.Cmd
}

// StartRedis starts a Redis with a few settings of its own, and returns its address and
// process. It stops with the test, and skips it where there is none.
func StartRedis(t testing.TB, settings ...string) (addr string, process *os.Process) {
	t.Helper()
	r := NewRedis(t, settings...)
	t.Cleanup(r.Remove)
	return r.Addr(), r.cmd.Process
}

// NewRedis starts a Redis as StartRedis does. The caller calls Remove in the end.
func NewRedis(t testing.TB, settings ...string) *Redis {
	t.Helper()
	r := newRedis(t)
	r.args = append([]string{
		"--bind", "127.0.0.1", "--port", r.Port, "--dir", r.dir, "--save", "", "--appendonly", "yes", "--appendfsync", "no",
	}, settings...)
	r.Start(t)
	return r
}

func newRedis(t testing.TB) *Redis {
	t.Helper()
	Path(t, "redis-server")
	dir, err := os.MkdirTemp("", "redis")
	if err != nil {
		t.Fatal(err)
	}
	return &Redis{Port: FreePort(t), dir: dir}
}

// Addr is where it listens.
func (r *Redis) Addr() string { return "127.0.0.1:" + r.Port }

// Start starts it again after Kill.
func (r *Redis) Start(t testing.TB) {
	t.Helper()
	r.cmd = exec.Command(Path(t, "redis-server"), r.args...)
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, "Redis listens", func() bool {
		c, err := net.Dial("tcp", r.Addr())
		if err != nil {
			return false
		}
		return c.Close() == nil
	})
}

// Signal sends a signal to it.
func (r *Redis) Signal(signal syscall.Signal) { _ = r.cmd.Process.Signal(signal) }

// Kill ends it as a crash would.
func (r *Redis) Kill() {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
}

// Remove ends it and deletes its files.
func (r *Redis) Remove() {
	r.Kill()
	os.RemoveAll(r.dir)
}

// Do runs a command by redis-cli, and returns what that prints.
func (r *Redis) Do(t testing.TB, args ...string) string {
	t.Helper()
	out, err := r.Try(t, args...)
	if err != nil {
		t.Fatalf("%q: %v: %s", args, err, out)
	}
	return out
}

// Try is Do of a server that may fail: one that is demoted closes its connections.
func (r *Redis) Try(t testing.TB, args ...string) (string, error) {
	t.Helper()
	out, err := exec.Command(Path(t, "redis-cli"), append([]string{"-p", r.Port}, args...)...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// A Sentinels is a primary, with replicas, that sentinels watch.
type Sentinels struct {
	Servers   []*Redis // the first is the primary at the start
	Sentinels []*Redis
}

// StartSentinels starts a number of servers, and as many sentinels. The caller calls
// Remove in the end.
func StartSentinels(t testing.TB, servers, sentinels int, settings ...string) *Sentinels {
	t.Helper()
	s := &Sentinels{}
	for i := range servers {
		mine := settings
		if i > 0 {
			mine = append([]string{"--replicaof", "127.0.0.1 " + s.Servers[0].Port}, settings...)
		}
		s.Servers = append(s.Servers, NewRedis(t, mine...))
	}
	quorum := string(rune('1' + sentinels/2))
	for range sentinels {
		r := newRedis(t)
		file := filepath.Join(r.dir, "sentinel.conf")
		text := "port " + r.Port + "\nbind 127.0.0.1\ndir " + r.dir + "\nsentinel monitor portal 127.0.0.1 " + s.Servers[0].Port + " " + quorum +
			"\nsentinel down-after-milliseconds portal 1000\nsentinel failover-timeout portal 3000\nsentinel parallel-syncs portal 2\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		r.args = []string{file, "--sentinel"}
		r.Start(t)
		s.Sentinels = append(s.Sentinels, r)
	}
	s.AwaitReplicas(t)
	for _, r := range s.Sentinels {
		await(t, "the sentinel knows the others", func() bool {
			told := r.Do(t, "sentinel", "master", "portal")
			return field(told, "num-slaves") == string(rune('0'+servers-1)) && field(told, "num-other-sentinels") == string(rune('0'+sentinels-1))
		})
	}
	return s
}

// field returns the line after the one that has a name.
func field(text, name string) string {
	_, rest, _ := strings.Cut("\n"+text, "\n"+name+"\n")
	value, _, _ := strings.Cut(rest, "\n")
	return value
}

// Primary returns the server that the sentinels agree on.
func (s *Sentinels) Primary(t testing.TB) (primary *Redis) {
	t.Helper()
	await(t, "the sentinels agree", func() bool {
		told := map[string]bool{}
		for _, r := range s.Sentinels {
			told[field("addr\n"+strings.ReplaceAll(r.Do(t, "sentinel", "get-master-addr-by-name", "portal"), "127.0.0.1\n", ""), "addr")] = true
		}
		primary = nil
		for _, r := range s.Servers {
			if told[r.Port] && len(told) == 1 {
				primary = r
			}
		}
		return primary != nil
	})
	return primary
}

// AwaitReplicas waits until all other servers replicate the primary.
func (s *Sentinels) AwaitReplicas(t testing.TB) {
	t.Helper()
	await(t, "the replicas are connected", func() bool {
		for _, r := range s.Servers {
			info, _ := r.Try(t, "info", "replication")
			if strings.Contains(info, "connected_slaves:"+string(rune('0'+len(s.Servers)-1))) && strings.Count(info, "state=online") == len(s.Servers)-1 {
				return true
			}
		}
		return false
	})
}

// URL is the SESSION_STORE, with a database.
func (s *Sentinels) URL(database string) string {
	url := "redis://" + s.Sentinels[0].Addr() + "/" + database + "?master_name=portal"
	for _, r := range s.Sentinels[1:] {
		url += "&addr=" + r.Addr()
	}
	return url
}

// Remove ends all of them.
func (s *Sentinels) Remove() {
	for _, r := range append(s.Sentinels, s.Servers...) {
		r.Remove()
	}
}

// A Cluster is a Redis Cluster.
type Cluster struct {
	Nodes []*Redis // primaries first, and then a replica of each if there are any
}

// StartCluster starts a cluster of some primaries, with a replica each if replicas is
// set. The caller calls Remove in the end.
func StartCluster(t testing.TB, primaries int, replicas bool, settings ...string) *Cluster {
	t.Helper()
	c := &Cluster{}
	n := primaries
	if replicas {
		n *= 2
	}
	for range n {
		// The bus has a port of its own, because the usual one (10000 more) may be taken.
		c.Nodes = append(c.Nodes, NewRedis(t, append([]string{"--cluster-enabled", "yes", "--cluster-node-timeout", "1500", "--cluster-port", FreePort(t)}, settings...)...))
	}
	args := []string{"--cluster", "create"}
	for _, r := range c.Nodes {
		args = append(args, r.Addr())
	}
	if n < 3 {
		c.Nodes[0].Do(t, "cluster", "addslotsrange", "0", "16383")
	} else {
		if replicas {
			args = append(args, "--cluster-replicas", "1")
		}
		c.Nodes[0].Do(t, append(args, "--cluster-yes")...)
	}
	for _, r := range c.Nodes {
		await(t, "the cluster is complete", func() bool {
			return strings.Contains(r.Do(t, "cluster", "info"), "cluster_state:ok") && len(strings.Split(r.Do(t, "cluster", "nodes"), "\n")) == n
		})
	}
	if replicas {
		for _, r := range c.Nodes {
			await(t, "replicas are connected", func() bool {
				info := r.Do(t, "info", "replication")
				return strings.Contains(info, "state=online") || strings.Contains(info, "master_link_status:up")
			})
		}
	}
	return c
}

// URL is the SESSION_STORE.
func (c *Cluster) URL() string {
	url := "redis://" + c.Nodes[0].Addr() + "?addr=" + c.Nodes[0].Addr()
	for _, r := range c.Nodes[1:] {
		url += "&addr=" + r.Addr()
	}
	return url
}

// Remove ends all of them.
func (c *Cluster) Remove() {
	for _, r := range c.Nodes {
		r.Remove()
	}
}
