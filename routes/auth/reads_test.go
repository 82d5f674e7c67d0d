package auth_test

import (
	"database/sql/driver"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"modernc.org/sqlite"

	"example.org/portal/globus"
	"example.org/portal/routes/routestest"
)

// reads counts the records that are read of stores whose reads are counted, in
// this process.
var reads = sync.OnceValue(func() *atomic.Int64 {
	var n atomic.Int64
	sqlite.MustRegisterScalarFunction("counted", 0, func(*sqlite.FunctionContext, []driver.Value) (driver.Value, error) {
		n.Add(1)
		return int64(1), nil
	})
	return &n
})

// TestOneRead: a page of someone who is signed in reads their record once, and
// writes nothing.
func TestOneRead(t *testing.T) {
	n := reads() // SQLite knows the function on connections from here on
	s := routestest.StartWithProbes(t, routestest.Options{})
	b := s.Browser()
	home := b.SignIn("rosalind")
	db := s.Database()
	// A view cannot be written to, and its rows can be counted.
	routestest.MustExec(t, db, "ALTER TABLE sessions RENAME TO rows")
	routestest.MustExec(t, db, "CREATE VIEW sessions AS SELECT token, data, expiry FROM rows WHERE counted()")
	for _, path := range []string{"/", "/user", "/probe/tasks", "/probe/folder/" + routestest.Place(t, "Example Light").ID, "/"} {
		before := n.Load()
		if p := b.Get(path); p.Status != http.StatusOK || !strings.Contains(p.Body, "Rosalind") {
			t.Fatalf("%s: got %d:\n%s", path, p.Status, p.Body)
		}
		if got := n.Load() - before; got != 1 {
			t.Errorf("%s reads %d records, want 1", path, got)
		}
	}
	if strings.Contains(s.Log.String(), "session store") {
		t.Errorf("something was to be written:\n%s", s.Log)
	}
	// The proof that writing would have been noticed.
	b.Send(http.MethodPost, "/tokens/refresh", home.Form("server", globus.TransferServer))
	if !strings.Contains(s.Log.String(), "session store") {
		t.Error("a write goes unnoticed")
	}
}
