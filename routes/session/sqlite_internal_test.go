package session

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

func count(t *testing.T, db *sql.DB, where string) int {
	t.Helper()
	var n int
	if err := db.QueryRow("SELECT count(*) FROM sessions WHERE " + where).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// fill inserts records that expired a while ago, and three that are not old enough.
func fill(t *testing.T, db *sql.DB, expired int) {
	t.Helper()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	insert := func(key, when string) {
		if _, err := tx.Exec("INSERT INTO sessions VALUES (?, x'00', julianday('now', ?))", key, when); err != nil {
			t.Fatal(err)
		}
	}
	for i := range expired {
		insert(fmt.Sprint("expired-", i), "-61 minutes")
	}
	for i, when := range []string{"+1 hour", "-1 second", "-59 minutes"} {
		insert(fmt.Sprint("live-", i), when)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// A sweep is done in batches, between which others can write.
func TestSweepBatch(t *testing.T) {
	db, err := sql.Open("sqlite", "file::memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	d := &sqliteDriver{writer: db, reader: db, writing: startWorkers(1, nil)}
	defer d.writing.end()
	if err := d.prepare(); err != nil {
		t.Fatal(err)
	}
	fill(t, db, 2*sweepBatch+1)
	for _, want := range []int64{sweepBatch, sweepBatch, 1, 0} {
		if got, err := d.sweepBatch(t.Context()); got != want || err != nil {
			t.Errorf("got %d, %v, want %d", got, err, want)
		}
	}
	if got := count(t, db, "true"); got != 3 {
		t.Errorf("%d records are left, want the 3 that live", got)
	}
}

// What expired while the app did not run is removed when it starts, all of it.
func TestSweepAtStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	log := slog.New(slog.DiscardHandler)
	d, err := openSQLite(t.Context(), path, log)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, d.(*sqliteDriver).writer, sweepBatch+1)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}

	d, err = openSQLite(t.Context(), path, log)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	reader := d.(*sqliteDriver).reader
	for deadline := time.After(2 * time.Minute); count(t, reader, "token LIKE 'expired-%'") > 0; {
		select {
		case <-deadline:
			t.Fatal("expired records are still there")
		case <-time.After(5 * time.Millisecond):
		}
	}
	if got := count(t, reader, "true"); got != 3 {
		t.Errorf("%d records are left, want the 3 that live", got)
	}
}

// A start is no request: it outlasts what would be too slow for one, here another
// process that has the file locked.
func TestOpenTakesLong(t *testing.T) {
	t.Parallel() // it waits
	path := filepath.Join(t.TempDir(), "sessions.db")
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	opened := make(chan error, 1)
	go func() {
		m, err := Open(Config{Store: "sqlite:" + path, Log: slog.New(slog.DiscardHandler)})
		if err == nil {
			err = m.Close()
		}
		opened <- err
	}()
	select {
	case err := <-opened:
		t.Fatalf("got %v, want it to wait for the lock", err)
	case <-time.After(maxCall + lockWait): // what a request would wait
	}
	if _, err := db.Exec("COMMIT"); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err != nil {
		t.Errorf("got %v, want it opened when it can be", err)
	}
}

// A commit that was acknowledged survives a crash, and readers do not wait.
func TestPragmas(t *testing.T) {
	d, err := openSQLite(t.Context(), filepath.Join(t.TempDir(), "sessions.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, db := range []*sql.DB{d.(*sqliteDriver).writer, d.(*sqliteDriver).reader} {
		for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "busy_timeout": "100"} {
			var got string
			if err := db.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s: got %s, %v, want %s", pragma, got, err, want)
			}
		}
	}
}

// A file system that has no shared memory, or no locks, is refused.
func TestNoWriteAheadLog(t *testing.T) {
	path := filepath.ToSlash(filepath.Join(t.TempDir(), "sessions.db"))
	tests := []struct {
		name, uri string
		want      error
	}{
		{"as usual", "file:" + path + "?_pragma=journal_mode(WAL)", nil},
		{"without locks", "file:" + path + "-2?_pragma=journal_mode(WAL)&vfs=unix-none", errNoWAL},
		{"not asked for", "file:" + path + "-3", errNoWAL},
		{"no such folder", "file:" + path + "/none/sessions.db?_pragma=journal_mode(WAL)", errNoWAL},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			db, err := sql.Open("sqlite", tt.uri)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if err := createTable(db); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// What was found stays as it is, whatever is found later on the same connection.
func TestFoundStays(t *testing.T) {
	d, err := openMemory(t.Context(), slog.New(slog.DiscardHandler)) // it has one connection
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var found [3][]byte
	for i := range found {
		key, data := strconv.Itoa(i), bytes.Repeat([]byte{byte(i)}, 1000)
		if err := d.Insert(t.Context(), key, data, time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if found[i], _, err = d.Find(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Take(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	for i, data := range found {
		if !bytes.Equal(data, bytes.Repeat([]byte{byte(i)}, 1000)) {
			t.Errorf("record %d has become %x", i, data)
		}
	}
}
