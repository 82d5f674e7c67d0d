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
	"strings"
	"time"

	"github.com/alexedwards/scs/sqlite3store"
	_ "modernc.org/sqlite" // SQLite in pure Go, no C compiler needed
)

const (
	sweepEvery = 5 * time.Minute
	sweepBatch = 500 // records; a large batch would hold up sign-ins
	readers    = 8   // connections
)

// openDriver opens the store that a SESSION_STORE names.
func openDriver(store string, log *slog.Logger) (driver, error) {
	kind, path, _ := strings.Cut(store, ":")
	switch {
	case kind == "sqlite" && path != "":
		return openSQLite(path, log)
	case store == "memory:":
		return openMemory(log)
	}
	return nil, errors.New(`the session store must be "sqlite:" and a path, or "memory:"`)
}

// A sqliteDriver keeps records in one SQLite file. scs's store inserts; reads
// have connections of their own, so that they do not queue behind writes.
type sqliteDriver struct {
	*sqlite3store.SQLite3Store         // on writer
	writer, reader             *sql.DB // of memory, both the same
	find, swap, take           *sql.Stmt

	// writing holds one token while a statement is on the one writing
	// connection: scs's store takes no context, so the wait for it is here.
	writing chan struct{}

	log     *slog.Logger
	stop    context.CancelFunc
	stopped chan struct{}
}

const schema = `
CREATE TABLE IF NOT EXISTS sessions (token TEXT PRIMARY KEY, data BLOB NOT NULL, expiry REAL NOT NULL);
CREATE INDEX IF NOT EXISTS sessions_expiry ON sessions (expiry);`

// openSQLite opens the file at path, and makes it, and its folder, readable to
// nobody else if it has to make them.
func openSQLite(path string, log *slog.Logger) (driver, error) {
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
	uri.RawQuery = url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(2000)"}, "mode": {"rw"}}.Encode()
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

	d, err := newSQLite(writer, reader, log)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), writer.Close(), reader.Close())
	}
	var mode string
	if err := writer.QueryRow("PRAGMA journal_mode").Scan(&mode); err != nil || mode != "wal" {
		return nil, errors.Join(fmt.Errorf("%s: this file system cannot hold a SQLite write-ahead log (is it a network share?)", path), err, d.Close())
	}
	return d, nil
}

// openMemory opens a store that ends with the process.
func openMemory(log *slog.Logger) (driver, error) {
	db, err := sql.Open("sqlite", "file::memory:")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // each connection would have a memory of its own
	return newSQLite(db, db, log)
}

func newSQLite(writer, reader *sql.DB, log *slog.Logger) (driver, error) {
	if _, err := writer.Exec(schema); err != nil {
		return nil, err
	}
	find, err := reader.Prepare("SELECT data FROM sessions WHERE token = ? AND julianday('now') < expiry")
	if err != nil {
		return nil, err
	}
	swap, err := writer.Prepare("UPDATE sessions SET data = ? WHERE token = ? AND data = ?")
	if err != nil {
		return nil, err
	}
	take, err := writer.Prepare("DELETE FROM sessions WHERE token = ? RETURNING data")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	d := &sqliteDriver{
		SQLite3Store: sqlite3store.NewWithCleanupInterval(writer, 0),
		writer:       writer,
		reader:       reader,
		find:         find,
		swap:         swap,
		take:         take,
		writing:      make(chan struct{}, 1),
		log:          log,
		stop:         cancel,
		stopped:      make(chan struct{}),
	}
	go d.sweep(ctx)
	return d, nil
}

func (d *sqliteDriver) Close() error {
	d.stop()
	<-d.stopped
	return errors.Join(d.find.Close(), d.swap.Close(), d.take.Close(), d.reader.Close(), d.writer.Close())
}

func (d *sqliteDriver) FindCtx(ctx context.Context, key string) ([]byte, bool, error) {
	var data []byte
	err := d.find.QueryRowContext(ctx, key).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	return data, err == nil, err
}

func (d *sqliteDriver) CommitCtx(ctx context.Context, key string, data []byte, expiry time.Time) error {
	return d.write(ctx, func() error { return d.Commit(key, data, expiry) })
}

func (d *sqliteDriver) TakeCtx(ctx context.Context, key string) ([]byte, error) {
	var data []byte
	err := d.write(ctx, func() error {
		err := d.take.QueryRowContext(ctx, key).Scan(&data)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return data, err
}

func (d *sqliteDriver) SwapCtx(ctx context.Context, key string, old, data []byte) (bool, error) {
	var n int64
	err := d.write(ctx, func() error {
		result, err := d.swap.ExecContext(ctx, data, key, old)
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	return n == 1, err
}

// write calls f when nobody else writes.
func (d *sqliteDriver) write(ctx context.Context, f func() error) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case d.writing <- struct{}{}:
	}
	defer func() { <-d.writing }()
	if err := ctx.Err(); err != nil { // it had waited too long already
		return err
	}
	return f()
}

// sweep removes expired records, in batches.
func (d *sqliteDriver) sweep(ctx context.Context) {
	defer close(d.stopped)
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		removed, err := d.sweepBatch(ctx)
		if err != nil && ctx.Err() == nil {
			d.log.Error("expired sessions not removed", "reason", err)
		}
		if removed == sweepBatch {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (d *sqliteDriver) sweepBatch(ctx context.Context) (removed int64, err error) {
	err = d.write(ctx, func() error {
		result, err := d.writer.ExecContext(ctx, `DELETE FROM sessions WHERE token IN
			(SELECT token FROM sessions WHERE expiry < julianday('now') LIMIT ?)`, sweepBatch)
		if err != nil {
			return err
		}
		removed, err = result.RowsAffected()
		return err
	})
	return removed, err
}
