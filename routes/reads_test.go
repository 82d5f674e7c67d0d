package routes_test

import (
	"database/sql/driver"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"modernc.org/sqlite"

	"example.org/portal/globus"
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
	s := start(t, options{})
	b := s.browser()
	home := b.signIn("rosalind")
	db := s.database()
	// A view cannot be written to, and its rows can be counted.
	mustExec(t, db, "ALTER TABLE sessions RENAME TO rows")
	mustExec(t, db, "CREATE VIEW sessions AS SELECT token, data, expiry FROM rows WHERE counted()")
	for _, path := range []string{"/", "/user", "/transfers", "/browse/" + place(t, "Example Light").ID, "/"} {
		before := n.Load()
		if p := b.get(path); p.status != http.StatusOK || !strings.Contains(p.body, "Rosalind") {
			t.Fatalf("%s: got %d:\n%s", path, p.status, p.body)
		}
		if got := n.Load() - before; got != 1 {
			t.Errorf("%s reads %d records, want 1", path, got)
		}
	}
	if strings.Contains(s.log.String(), "session store") {
		t.Errorf("something was to be written:\n%s", s.log)
	}
	// The proof that writing would have been noticed.
	b.send(http.MethodPost, "/tokens/refresh", home.form("server", globus.TransferServer))
	if !strings.Contains(s.log.String(), "session store") {
		t.Error("a write goes unnoticed")
	}
}
