// Package database opens the database of an app's own pages, and brings its tables
// up to date.
//
// The tables are made by numbered files of SQL in routes/migrations, such as
// 0001_samples.sql. Once there is one, the app opens the database that the setting
// DATABASE names, and handlers have it as App.DB, an ordinary *sql.DB. Sessions are
// kept elsewhere, by package session.
//
// Both databases take $1, $2 as the places of values, and INSERT … ON CONFLICT,
// RETURNING and the types TEXT, INTEGER and REAL: statements that keep to these run
// on SQLite and on PostgreSQL.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // PostgreSQL
	_ "modernc.org/sqlite"             // SQLite in pure Go, no C compiler needed
)

const (
	maxConnections = 20              // to PostgreSQL, which has 100 for everybody
	maxIdle        = 5 * time.Minute // after which a connection is closed
)

// Check returns what is wrong with the name of a database, as it follows the name
// of the setting; it opens nothing. It quotes nothing of a URL, which may hold a
// password.
func Check(name string) error {
	kind, rest, _ := strings.Cut(name, ":")
	switch {
	case kind == "sqlite" && rest != "":
		return nil
	case kind == "postgres" || kind == "postgresql":
		if _, err := url.Parse(name); err != nil || !strings.HasPrefix(rest, "//") {
			return errors.New("must be a URL such as postgres://user:password@host:5432/name; in the password, %40 stands for @, %2F for /, %23 for #")
		}
		return nil
	}
	return errors.New(`must be "sqlite:" and a path, or "postgres://" and the rest of a URL`)
}

// Open opens the database called name, and applies the migrations that it does not have
// yet: the files in migrations that end in .sql, in the order of the numbers that their
// names begin with. All are applied or, if one fails, none; when several instances
// start at once, only one applies them. Each is logged.
//
// If there is no SQLite file, Open creates it and its folder, readable to nobody else.
// Close the database in the end.
func Open(ctx context.Context, name string, migrations fs.FS, log *slog.Logger) (*sql.DB, error) {
	if err := Check(name); err != nil {
		return nil, fmt.Errorf("its name %w", err)
	}
	open, lock := openPostgres, "SELECT pg_advisory_xact_lock(7402919)" // until the transaction ends
	path, isSQLite := strings.CutPrefix(name, "sqlite:")
	if isSQLite {
		name, open, lock = path, openSQLite, ""
	}
	db, err := open(name)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, db, lock, migrations, log); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func openPostgres(name string) (*sql.DB, error) {
	db, err := sql.Open("pgx", name)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(maxConnections)
	db.SetConnMaxIdleTime(maxIdle)
	return db, nil
}

func openSQLite(path string) (*sql.DB, error) {
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
	// Readers do not wait for a writer (WAL), a commit survives a crash of the machine
	// (FULL), and writers queue up from their first statement on (immediate): one that
	// began by reading could not wait for another, and would fail.
	uri.RawQuery = url.Values{
		"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"},
		"_txlock": {"immediate"}, "mode": {"rw"},
	}.Encode()
	return sql.Open("sqlite", uri.String())
}
