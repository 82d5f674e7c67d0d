package session

import (
	"log/slog"
	"path/filepath"
	"testing"
)

// A check leaves a store that is in use as it was.
func TestCheck(t *testing.T) {
	store := "sqlite:" + filepath.Join(t.TempDir(), "sessions.db")
	d, err := openDriver(t.Context(), store, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	db := d.(*sqliteDriver).writer
	fill(t, db, 0)
	if doubts, err := Check(t.Context(), store); err != nil || len(doubts) > 0 {
		t.Error(doubts, err)
	}
	if got := count(t, db, "true"); got != 3 {
		t.Errorf("got %d records, want the 3 that were there", got)
	}
	for name, amiss := range map[string]string{
		"damages": "UPDATE sessions SET data = x'00' WHERE token = new.token",
		"loses":   "DELETE FROM sessions WHERE token = new.token",
	} {
		if _, err := db.Exec("CREATE TRIGGER amiss AFTER INSERT ON sessions BEGIN " + amiss + "; END"); err != nil {
			t.Fatal(err)
		}
		if _, err := Check(t.Context(), store); err == nil {
			t.Errorf("a store that %s what it is given passed", name)
		}
		if _, err := db.Exec("DROP TRIGGER amiss"); err != nil {
			t.Fatal(err)
		}
	}
}
