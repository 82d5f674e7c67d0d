package routestest

import (
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// WantNoneDamaged fails the test if a record could not be read.
func WantNoneDamaged(t *testing.T, log *Log) {
	t.Helper()
	if strings.Contains(log.String(), "cannot be read") {
		t.Errorf("a record is damaged:\n%s", log)
	}
}

// FilesWith returns the files below dir that contain text.
func FilesWith(t *testing.T, dir, text string) []string {
	t.Helper()
	var found []string
	n := 0
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		n++
		content, err := os.ReadFile(path)
		if strings.Contains(string(content), text) {
			found = append(found, path)
		}
		return err
	})
	if err != nil || n == 0 {
		t.Fatalf("%d files below %s: %v", n, dir, err)
	}
	return found
}

// Database opens the session store of s beside the app, as another process would.
func (s *Site) Database() *sql.DB {
	s.T.Helper()
	return OpenDatabase(s.T, filepath.Join(s.Dir, "sessions.db"))
}

// OpenDatabase opens a file of SQLite beside whoever else has it open.
func OpenDatabase(t testing.TB, path string) *sql.DB {
	t.Helper()
	uri := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: "mode=rw&_pragma=busy_timeout(2000)"}
	db, err := sql.Open("sqlite", uri.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// MustExec runs a statement.
func MustExec(t testing.TB, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.Exec(query, args...); err != nil {
		t.Fatal(err)
	}
}

// WantSound has SQLite look for damage in its file.
func WantSound(t testing.TB, path string) {
	t.Helper()
	var got string
	if err := OpenDatabase(t, path).QueryRow("PRAGMA integrity_check").Scan(&got); err != nil || got != "ok" {
		t.Errorf("the store is damaged: %s, %v", got, err)
	}
}

// BreakStore makes every call of the store fail until it is mended.
func (s *Site) BreakStore() (mend func()) {
	s.T.Helper()
	db := s.Database()
	MustExec(s.T, db, "ALTER TABLE sessions RENAME TO elsewhere")
	return func() {
		s.T.Helper()
		MustExec(s.T, db, "ALTER TABLE elsewhere RENAME TO sessions")
	}
}
