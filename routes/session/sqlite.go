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

	"modernc.org/sqlite" // SQLite in pure Go, no C compiler needed
	sqlite3 "modernc.org/sqlite/lib"
)

const readers = 8 // connections

// A sqliteDriver keeps records in one SQLite file. Reads have connections of
// their own, so that they do not queue behind writes.
type sqliteDriver struct {
	writer, reader           *sql.DB // of memory, both the same
	find, insert, swap, take *sql.Stmt
	expired                  *sql.Stmt // deletes a batch
	writing, reading         turns

	log     *slog.Logger
	stop    context.CancelFunc
	stopped chan struct{}
}

const schema = `
CREATE TABLE IF NOT EXISTS sessions (token TEXT PRIMARY KEY, data BLOB NOT NULL, expiry REAL NOT NULL);
CREATE INDEX IF NOT EXISTS sessions_expiry ON sessions (expiry);`

// openSQLite opens the file at path, and makes it, and its folder, readable to
// nobody else if it has to make them.
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
	// A commit that was acknowledged survives a crash of the machine (FULL). A
	// file that somebody deletes is not made anew, open to all (rw).
	uri.RawQuery = url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(" + strconv.Itoa(int(lockWait/time.Millisecond)) + ")"}, "mode": {"rw"}}.Encode()
	writer, err := sql.Open("sqlite", uri.String())
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

	d, err := newSQLite(ctx, writer, reader, log)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), writer.Close(), reader.Close())
	}
	return d, nil
}

// openMemory opens a store that ends with the process.
func openMemory(ctx context.Context, log *slog.Logger) (driver, error) {
	db, err := sql.Open("sqlite", "file::memory:")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // each connection would have a memory of its own
	return newSQLite(ctx, db, db, log)
}

func newSQLite(ctx context.Context, writer, reader *sql.DB, log *slog.Logger) (driver, error) {
	d := &sqliteDriver{writer: writer, reader: reader, log: log, stopped: make(chan struct{})}
	d.writing = make(turns, 1)
	d.reading = d.writing
	if reader != writer {
		d.reading = make(turns, readers)
	}
	if _, err := turn(ctx, d.writing, func() (any, error) { return nil, d.prepare() }); err != nil {
		return nil, err
	}
	sweeping, stop := context.WithCancel(context.Background())
	d.stop = stop
	go d.sweep(sweeping)
	return d, nil
}

var errNoWAL = errors.New("SQLite cannot keep its write-ahead log beside it: is it on a network share, or a full disk, or not ours to write?")

// makeTable makes the table, if there is none, where it can be written safely.
func makeTable(db *sql.DB) error {
	var mode string
	err := db.QueryRow("PRAGMA journal_mode").Scan(&mode)
	if err == nil && mode != "wal" && mode != "memory" {
		return errNoWAL
	}
	if err == nil {
		_, err = db.Exec(schema)
	}
	switch code(err) {
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_READONLY:
		return fmt.Errorf("%w %w", errNoWAL, err)
	}
	return err
}

// prepare makes the table and the statements.
func (d *sqliteDriver) prepare() error {
	if err := makeTable(d.writer); err != nil {
		return err
	}
	for _, s := range []struct {
		to   **sql.Stmt
		db   *sql.DB
		text string
	}{
		// The end of a session is inside its record; expiry is for the sweep alone.
		{&d.find, d.reader, "SELECT data FROM sessions WHERE token = ?"},
		{&d.insert, d.writer, "INSERT INTO sessions (token, data, expiry) VALUES (?, ?, julianday(?))"},
		{&d.swap, d.writer, "UPDATE sessions SET data = ? WHERE token = ? AND data = ?"},
		{&d.take, d.writer, "DELETE FROM sessions WHERE token = ? RETURNING data"},
		{&d.expired, d.writer, `DELETE FROM sessions WHERE token IN
			(SELECT token FROM sessions WHERE expiry < julianday('now', ? || ' seconds') LIMIT ?)`},
	} {
		var err error
		if *s.to, err = s.db.Prepare(s.text); err != nil {
			return err
		}
	}
	return warm(d.reader, cap(d.reading))
}

// warm opens the n connections of db, so that a process that runs out of file
// descriptors later can still read.
func warm(db *sql.DB, n int) error {
	for range n {
		c, err := db.Conn(context.Background())
		if err != nil {
			return err
		}
		defer c.Close()
	}
	return nil
}

func (d *sqliteDriver) Close() error {
	d.stop()
	<-d.stopped
	return errors.Join(d.reader.Close(), d.writer.Close())
}

func (d *sqliteDriver) FindCtx(ctx context.Context, key string) ([]byte, bool, error) {
	data, err := turn(ctx, d.reading, func() ([]byte, error) { return queryBytes(d.find, key) })
	return data, data != nil, err
}

func (d *sqliteDriver) CommitCtx(ctx context.Context, key string, data []byte, expiry time.Time) error {
	_, err := turn(ctx, d.writing, func() (int64, error) {
		return affected(d.insert.Exec(key, data, expiry.UTC().Format("2006-01-02T15:04:05.999")))
	})
	return err
}

func (d *sqliteDriver) TakeCtx(ctx context.Context, key string) ([]byte, error) {
	return turn(ctx, d.writing, func() ([]byte, error) { return queryBytes(d.take, key) })
}

func (d *sqliteDriver) SwapCtx(ctx context.Context, key string, old, data []byte) (bool, error) {
	n, err := turn(ctx, d.writing, func() (int64, error) { return affected(d.swap.Exec(data, key, old)) })
	return n == 1, err
}

// queryBytes returns the data that a statement yields for a key, nil if none.
func queryBytes(stmt *sql.Stmt, key string) ([]byte, error) {
	var data []byte
	err := stmt.QueryRow(key).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err == nil && data == nil {
		data = []byte{} // an empty record is not a missing one
	}
	return data, err
}

func affected(result sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// code returns what kind of error SQLite means, 0 if err is none of its errors.
func code(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() & 0xff
	}
	return 0
}
