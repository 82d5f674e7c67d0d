package session_test

import (
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"example.org/portal/routes/routestest/programs"
)

// sharedPostgres is a PostgreSQL for all tests that do not harm it.
var sharedPostgres struct {
	sync.Mutex
	*programs.Postgres
	schemas atomic.Int64
}

func TestMain(m *testing.M) {
	code := m.Run()
	if p := sharedPostgres.Postgres; p != nil {
		p.Remove()
	}
	os.Exit(code)
}

// postgres returns the server for all tests.
func postgres(t testing.TB) *programs.Postgres {
	t.Helper()
	sharedPostgres.Lock()
	defer sharedPostgres.Unlock()
	if sharedPostgres.Postgres == nil {
		sharedPostgres.Postgres = programs.StartPostgres(t)
	}
	return sharedPostgres.Postgres
}
