package database_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"example.org/portal/routes/database"
	"example.org/portal/routes/routestest"
)

func TestMain(m *testing.M) { routestest.Main(m) }

// onEach runs the test on an empty database of each kind.
func onEach(t *testing.T, f func(t *testing.T, name string)) {
	t.Run("SQLite", func(t *testing.T) { f(t, "sqlite:"+filepath.Join(t.TempDir(), "sub", "app.db")) })
	t.Run("PostgreSQL", func(t *testing.T) { f(t, routestest.Postgres(t)) })
}

// sqlFiles is a folder of migrations, given as name, text, name, text …
func sqlFiles(pairs ...string) fs.FS {
	files := fstest.MapFS{"README.md": {Data: []byte("no SQL")}}
	for i := 0; i < len(pairs); i += 2 {
		files[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return files
}

func open(t *testing.T, name string, migrations fs.FS) (*sql.DB, string, error) {
	t.Helper()
	var log bytes.Buffer
	db, err := database.Open(t.Context(), name, migrations, slog.New(slog.NewJSONHandler(&log, nil)))
	if err == nil {
		t.Cleanup(func() { db.Close() })
	}
	return db, log.String(), err
}

func mustOpen(t *testing.T, name string, migrations fs.FS) *sql.DB {
	t.Helper()
	db, _, err := open(t, name, migrations)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func scan[T any](t *testing.T, db *sql.DB, query string, args ...any) (value T) {
	t.Helper()
	if err := db.QueryRow(query, args...).Scan(&value); err != nil {
		t.Errorf("%s: %v", query, err)
	}
	return value
}

// TestMigrations: each is applied once, in the order of the numbers, or none at all;
// and what they made serves statements that are the same for both databases.
func TestMigrations(t *testing.T) {
	onEach(t, func(t *testing.T, name string) {
		const first = "CREATE TABLE samples (id INTEGER PRIMARY KEY, owner TEXT NOT NULL);\nCREATE TABLE log (line TEXT); INSERT INTO log VALUES ('first');"
		files := []string{
			"10_tenth.sql", "INSERT INTO log VALUES ('tenth')",
			"9_ninth.sql", "INSERT INTO log VALUES ('ninth'); -- it is the order of numbers",
			"0001_first.sql", first,
		}
		db := mustOpen(t, name, sqlFiles(files...))
		lines := func() string {
			var all []string
			rows, err := db.Query("SELECT line FROM log")
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			for rows.Next() {
				var line string
				if err := rows.Scan(&line); err != nil {
					t.Fatal(err)
				}
				all = append(all, line)
			}
			return strings.Join(all, " ")
		}
		if got, want := lines(), "first ninth tenth"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if _, err := db.Exec("INSERT INTO samples (id, owner) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING", 7, "rosalind"); err != nil {
			t.Error(err)
		}
		if got := scan[string](t, db, "SELECT owner FROM samples WHERE owner = $2 AND id = $1", 7, "rosalind"); got != "rosalind" {
			t.Errorf("got %q", got)
		}

		// A later version of the app, one that fails, and the earlier one again.
		later := append(files, "11_later.sql", "INSERT INTO log VALUES ('later')")
		broken := append(later, "12_more.sql", "INSERT INTO log VALUES ('more'); CREATE TABLE more (x TEXT)", "13_broken.sql", "INSERT INTO nowhere VALUES (1)")
		if _, log, err := open(t, name, sqlFiles(later...)); err != nil || !strings.Contains(log, "11_later.sql") || strings.Contains(log, "0001_first.sql") {
			t.Errorf("later: %v, %s", err, log)
		}
		if _, _, err := open(t, name, sqlFiles(broken...)); err == nil || !strings.Contains(err.Error(), "13_broken.sql") {
			t.Errorf("broken: %v", err)
		}
		mustOpen(t, name, sqlFiles(files...))
		if got, want := lines(), "first ninth tenth later"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}

		// What changed afterwards changes nothing, and the log says so.
		files[5] = first + " INSERT INTO log VALUES ('changed');"
		if _, log, err := open(t, name, sqlFiles(files...)); err != nil || !strings.Contains(log, "migration changed after it was applied") || !strings.Contains(log, "0001_first.sql") {
			t.Errorf("changed: %v, %s", err, log)
		}
		if got, want := lines(), "first ninth tenth later"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// TestInspect: it says how far the migrations are, and changes nothing.
func TestInspect(t *testing.T) {
	onEach(t, func(t *testing.T, name string) {
		inspect := func(files ...string) string {
			t.Helper()
			s, err := database.Inspect(t.Context(), name, sqlFiles(files...))
			if err != nil {
				return err.Error()
			}
			return fmt.Sprint(s.New, s.Applied, s.Pending, s.Changed, s.Unknown)
		}
		want := func(want, got string) {
			t.Helper()
			if got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
		const a, b = "CREATE TABLE a (x TEXT)", "CREATE TABLE b (x TEXT)"
		path, isFile := strings.CutPrefix(name, "sqlite:")
		for range 2 {
			want(fmt.Sprint(isFile, " [] [1_a.sql] [] []"), inspect("1_a.sql", a))
		}
		if isFile {
			if left, err := os.ReadDir(filepath.Dir(filepath.Dir(path))); err != nil || len(left) > 0 {
				t.Errorf("it left %v behind, %v", left, err)
			}
			if got := inspect("1_broken.sql", "CREATE"); !strings.Contains(got, "1_broken.sql") {
				t.Errorf("a migration that cannot be applied: %s", got)
			}
		}
		db := mustOpen(t, name, sqlFiles("1_a.sql", a, "2_b.sql", b))
		want("false [1_a.sql] [3_c.sql] [2_b.sql] []", inspect("1_a.sql", a, "2_b.sql", b+";", "3_c.sql", "CREATE TABLE c (x TEXT)"))
		want("false [1_a.sql] [] [] [2_b.sql]", inspect("1_a.sql", a))
		if _, err := db.Exec("CREATE TABLE portal_check (x TEXT); CREATE TABLE c (x TEXT)"); err != nil {
			t.Errorf("something is left: %v", err)
		}
		if isFile {
			return
		}
		// An app that may make no tables learns so before it starts.
		if _, err := db.Exec("CREATE ROLE guest LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC"); err != nil {
			t.Fatal(err)
		}
		var refused interface{ SQLState() string }
		for _, test := range []struct{ from, to, state string }{{"portal@", "guest@", "42501"}, {"/postgres?", "/nowhere?", "3D000"}, {"portal@", "stranger@", "28000"}} {
			_, err := database.Inspect(t.Context(), strings.Replace(name, test.from, test.to, 1), sqlFiles("1_a.sql", a))
			if !errors.As(err, &refused) || refused.SQLState() != test.state {
				t.Errorf("%s: got %v, want %s", test.to, err, test.state)
			}
		}
	})
}

// TestStartedTogether: several instances start at once, and each migration is
// applied once.
func TestStartedTogether(t *testing.T) {
	onEach(t, func(t *testing.T, name string) {
		files := sqlFiles("1_log.sql", "CREATE TABLE log (line TEXT)", "2_line.sql", "INSERT INTO log VALUES ('x')")
		var starting sync.WaitGroup
		for range 5 {
			starting.Go(func() {
				db, err := database.Open(t.Context(), name, files, slog.New(slog.DiscardHandler))
				if err != nil {
					t.Error(err)
					return
				}
				db.Close()
			})
		}
		starting.Wait()
		if n := scan[int](t, mustOpen(t, name, files), "SELECT count(*) FROM log"); n != 1 {
			t.Errorf("applied %d times", n)
		}
	})
}

// TestWriters: many write at once, in transactions that read first, and none fails.
func TestWriters(t *testing.T) {
	name := "sqlite:" + filepath.Join(t.TempDir(), "app.db")
	db := mustOpen(t, name, sqlFiles("1_n.sql", "CREATE TABLE n (n INTEGER NOT NULL); INSERT INTO n VALUES (0)"))
	var writing sync.WaitGroup
	for range 20 {
		writing.Go(func() {
			tx, err := db.BeginTx(context.Background(), nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer tx.Rollback()
			var n int
			if err := tx.QueryRow("SELECT n FROM n").Scan(&n); err != nil {
				t.Error(err)
				return
			}
			if _, err := tx.Exec("UPDATE n SET n = $1", n+1); err != nil {
				t.Error(err)
				return
			}
			if err := tx.Commit(); err != nil {
				t.Error(err)
			}
		})
	}
	writing.Wait()
	if n := scan[int](t, db, "SELECT n FROM n"); n != 20 {
		t.Errorf("got %d, want 20", n)
	}
}

// TestSQLite: references hold, a commit survives a crash of the machine, and nobody
// else on it can read the file.
func TestSQLite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "app.db")
	db := mustOpen(t, "sqlite:"+path, sqlFiles("1_a.sql", "CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (a INTEGER REFERENCES a (id))"))
	if _, err := db.Exec("INSERT INTO b VALUES (1)"); err == nil {
		t.Error("a reference to nothing was accepted")
	}
	if mode := scan[string](t, db, "PRAGMA journal_mode"); mode != "wal" {
		t.Errorf("the journal mode is %s", mode)
	}
	if synchronous := scan[int](t, db, "PRAGMA synchronous"); synchronous != 2 {
		t.Errorf("synchronous is %d", synchronous)
	}
	for name, want := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v (%v), want %v", name, info.Mode(), err, want)
		}
	}
}

// TestNames: what is no migration is not taken for one, and what looks like one says
// what it lacks.
func TestNames(t *testing.T) {
	tests := []struct {
		files []string
		want  string
		fault string
	}{
		{nil, "", ""},
		{[]string{"2_b.sql", "", "0001_a.sql", "", "0001_b.sql", "", "notes.txt", ""}, "0001_a.sql 0001_b.sql 2_b.sql", ""},
		{[]string{"20261128_first.sql", ""}, "20261128_first.sql", ""},
		{[]string{"samples.sql", ""}, "", "0001_samples.sql"},
		{[]string{"99999999999999999999999_x.sql", ""}, "", "begins with a number"},
	}
	for _, test := range tests {
		got, err := database.Names(sqlFiles(test.files...))
		if strings.Join(got, " ") != test.want {
			t.Errorf("%v: got %v, want %s", test.files, got, test.want)
		}
		if test.fault == "" && err != nil || test.fault != "" && (err == nil || !strings.Contains(err.Error(), test.fault)) {
			t.Errorf("%v: got %v, want %q", test.files, err, test.fault)
		}
	}
}

// TestCheck: a name is checked without a secret in the answer.
func TestCheck(t *testing.T) {
	for _, name := range []string{"sqlite:data/app.db", "sqlite:/var/lib/x.db", "postgres://u:p@h/db", "postgresql://h:5433/db?sslmode=verify-full", "postgres:///db?host=/run/postgresql", "postgres://u:canary@h"} {
		if err := database.Check(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", "app.db", "sqlite:", "mysql://u:canary@h/db", "postgres:canary", "postgres://u:canary%@h/db", "host=h password=canary"} {
		if err := database.Check(name); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", name, err)
		}
		if _, _, err := open(t, name, sqlFiles()); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("opening %s: %v", name, err)
		}
	}
	// Nobody answers there, and nobody reads the password.
	if _, _, err := open(t, "postgres://u:canary@127.0.0.1:1/db", sqlFiles()); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("nobody there: %v", err)
	}
}
