package session_test

import (
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"example.org/portal/routes/routestest/programs"
)

// shared are servers for all tests that do not harm them.
var shared struct {
	sync.Mutex
	*programs.Postgres
	*programs.Sentinels
	*programs.Cluster
	stores      atomic.Int64
	clusterUsed sync.Mutex // by a test: it has only one database
}

func TestMain(m *testing.M) {
	programs.ManyAtOnce() // they wait
	code := m.Run()
	if shared.Postgres != nil {
		shared.Postgres.Remove()
	}
	if shared.Sentinels != nil {
		shared.Sentinels.Remove()
	}
	if shared.Cluster != nil {
		shared.Cluster.Remove()
	}
	os.Exit(code)
}

// postgres returns the PostgreSQL for all tests.
func postgres(t testing.TB) *programs.Postgres {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.Postgres == nil {
		shared.Postgres = programs.StartPostgres(t)
	}
	return shared.Postgres
}

// sentinels returns a primary with one replica and one sentinel, for all tests.
func sentinels(t testing.TB) *programs.Sentinels {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.Sentinels == nil {
		shared.Sentinels = programs.StartSentinels(t, 2, 1, "--databases", "1000")
	}
	return shared.Sentinels
}

// cluster returns an empty cluster of one node, for this test alone.
func cluster(t testing.TB) *programs.Cluster {
	t.Helper()
	shared.clusterUsed.Lock()
	t.Cleanup(shared.clusterUsed.Unlock)
	if shared.Cluster == nil {
		shared.Cluster = programs.StartCluster(t, 1, false)
	}
	shared.Cluster.Nodes[0].Do(t, "flushall")
	return shared.Cluster
}
