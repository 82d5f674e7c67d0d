package session

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite", in pure Go: no C compiler needed
	sqlite3 "modernc.org/sqlite/lib"
)

const readers = 8 // connections

// A sqliteDriver stores records in one SQLite file, or in memory. Reads have their own
// connections, so that they do not wait for writes. The SQLite store of scs is not used,
// because its calls cannot be cancelled.
type sqliteDriver struct {
	writer, reader           *sql.DB // the same for a store in memory
	find, insert, swap, take *sql.Stmt
	deleteExpired            *sql.Stmt // one batch
	writing, reading         workers

	sweeper *sweeper
	path    string // or "memory"
}

const schema = `
CREATE TABLE IF NOT EXISTS sessions (token TEXT PRIMARY KEY, data BLOB NOT NULL, expiry REAL NOT NULL);
CREATE INDEX IF NOT EXISTS sessions_expiry ON sessions (expiry);`

// openSQLite opens the file at path. If the file or its folder does not exist,
// openSQLite creates it so that no other user can read it.
func openSQLite(ctx context.Context, path string, log *slog.Logger) (driver, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	f.Close()

	uri := url.URL{Scheme: "file", Path: filepath.ToSlash(path)}
	if runtime.GOOS == "windows" {
		uri.Path = "/" + uri.Path
	}
	// synchronous(FULL): a commit survives a crash of the machine. mode=rw: SQLite does
	// not create the file, which others could read then.
	uri.RawQuery = url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(" + strconv.Itoa(int(lockWait/time.Millisecond)) + ")"}, "mode": {"rw"}}.Encode()
	// _txlock: a transaction waits for the lock when it begins, and not in the midst.
	writer, err := sql.Open("sqlite", uri.String()+"&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	writer.SetMaxOpenConns(1)
	reader, err := sql.Open("sqlite", uri.String())
	if err != nil {
		return nil, err
	}
	reader.SetMaxOpenConns(readers)
	reader.SetMaxIdleConns(readers)

	d, err := newSQLite(ctx, path, writer, reader, log)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), writer.Close(), reader.Close())
	}
	return d, nil
}

// openMemory opens a store in memory.
func openMemory(ctx context.Context, log *slog.Logger) (driver, error) {
	db, err := sql.Open("sqlite", "file::memory:")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // each connection would have its own database
	return newSQLite(ctx, "memory", db, db, log)
}

func newSQLite(ctx context.Context, path string, writer, reader *sql.DB, log *slog.Logger) (driver, error) {
	d := &sqliteDriver{path: path, writer: writer, reader: reader}
	if reader == writer { // in memory, where there is no fsync to share
		d.writing = startWorkers(1, nil)
		d.reading = d.writing
	} else {
		d.writing = startWorkers(1, writer)
		d.reading = startWorkers(readers, nil)
	}
	if _, err := runCall(ctx, d.writing, func(within) (any, error) { return nil, d.prepare() }); err != nil {
		d.reading.end()
		d.writing.end()
		return nil, err
	}
	d.sweeper = startSweeper(log, d.sweepBatch)
	return d, nil
}

var errNoWAL = errors.New("SQLite cannot write its write-ahead log: is the folder on a network share, on a full disk, or not writable?")

// createTable creates the table if it does not exist. It returns errNoWAL where the
// file cannot be written safely.
func createTable(db *sql.DB) error {
	var mode string
	err := db.QueryRow("PRAGMA journal_mode").Scan(&mode)
	if err == nil && mode != "wal" && mode != "memory" {
		return errNoWAL
	}
	if err == nil {
		_, err = db.Exec(schema)
	}
	switch sqliteCode(err) {
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_READONLY:
		return fmt.Errorf("%w %w", errNoWAL, err)
	}
	return err
}

// prepare creates the table and the statements.
func (d *sqliteDriver) prepare() error {
	if err := createTable(d.writer); err != nil {
		return err
	}
	for _, s := range []struct {
		to   **sql.Stmt
		db   *sql.DB
		text string
	}{
		// Only the sweep uses expiry; the deadline of a session is in its record.
		{&d.find, d.reader, "SELECT data FROM sessions WHERE token = ?"},
		{&d.insert, d.writer, "INSERT INTO sessions (token, data, expiry) VALUES (?, ?, julianday(?))"},
		{&d.swap, d.writer, "UPDATE sessions SET data = ? WHERE token = ? AND data = ?"},
		{&d.take, d.writer, "DELETE FROM sessions WHERE token = ? RETURNING data"},
		{&d.deleteExpired, d.writer, `DELETE FROM sessions WHERE token IN
			(SELECT token FROM sessions WHERE expiry < julianday('now', ? || ' seconds') LIMIT ?)`},
	} {
		var err error
		if *s.to, err = s.db.Prepare(s.text); err != nil {
			return err
		}
	}
	return openConnections(d.reader, d.reading.size)
}

// openConnections opens n connections of db, so that a process that later runs out of
// file descriptors can still read.
func openConnections(db *sql.DB, n int) error {
	for range n {
		c, err := db.Conn(context.Background())
		if err != nil {
			return err
		}
		defer c.Close()
	}
	return nil
}

// Server returns the path of the file, or "memory".
func (d *sqliteDriver) Server() string { return d.path }

func (d *sqliteDriver) Close() error {
	d.sweeper.stop()
	d.reading.end()
	d.writing.end()
	return errors.Join(d.reader.Close(), d.writer.Close())
}
