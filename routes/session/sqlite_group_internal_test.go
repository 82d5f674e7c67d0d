package session

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Writes that wait at the same moment share one commit, and its fsync. Each has an outcome
// of its own.
func TestWritesShareCommit(t *testing.T) {
	const inserts = 16
	newKey := func(i int) string { return fmt.Sprint("new-", i) }
	future := time.Now().Add(time.Hour)
	tests := []struct {
		name        string
		writes      func(t *testing.T, d *sqliteDriver) []func(context.Context) // beside the inserts
		refuse      bool                                                        // the commit fails
		wantCommits int
		want        int // records beside the three of before
	}{
		{"all succeed", func(t *testing.T, d *sqliteDriver) []func(context.Context) {
			return []func(context.Context){
				func(ctx context.Context) {
					if got, err := d.Take(ctx, "a"); string(got) != "1" || err != nil {
						t.Errorf("Take: got %q, %v", got, err)
					}
				},
				func(ctx context.Context) {
					if swapped, err := d.Swap(ctx, "b", []byte("1"), []byte("2")); !swapped || err != nil {
						t.Errorf("Swap: got %v, %v", swapped, err)
					}
				},
				func(ctx context.Context) {
					if swapped, err := d.Swap(ctx, "c", []byte("other"), []byte("2")); swapped || err != nil {
						t.Errorf("Swap of what has changed: got %v, %v", swapped, err)
					}
				},
			}
		}, false, 1, inserts - 1},
		{"one fails", func(t *testing.T, d *sqliteDriver) []func(context.Context) {
			return []func(context.Context){func(ctx context.Context) {
				if err := d.Insert(ctx, "a", []byte("2"), future); sqliteCode(err) != sqlite3.SQLITE_CONSTRAINT {
					t.Errorf("Insert under a key that exists: got %v", err)
				}
			}}
		}, false, inserts, inserts},
		{"one has no time left", func(t *testing.T, d *sqliteDriver) []func(context.Context) {
			return []func(context.Context){func(ctx context.Context) {
				ctx, cancel := context.WithTimeout(ctx, lockWait)
				defer cancel()
				if _, err := d.Take(ctx, "a"); err != context.DeadlineExceeded {
					t.Errorf("Take: got %v", err)
				}
			}}
		}, false, 1, inserts},
		{"the commit fails", func(*testing.T, *sqliteDriver) []func(context.Context) { return nil }, true, 1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "sessions.db")
			synctest.Test(t, func(t *testing.T) { // which knows when all writes wait
				opened, err := openSQLite(t.Context(), path, slog.New(slog.DiscardHandler))
				if err != nil {
					t.Fatal(err)
				}
				defer opened.Close()
				d := opened.(*sqliteDriver)
				for _, key := range []string{"a", "b", "c"} {
					if err := d.Insert(t.Context(), key, []byte("1"), future); err != nil {
						t.Fatal(err)
					}
				}
				synctest.Wait() // the first sweep is done
				commits := countCommits(t, d, tt.refuse)

				release := make(chan struct{})
				var all sync.WaitGroup
				all.Go(func() {
					_, _ = runCall(t.Context(), d.writing, func(within) (any, error) { <-release; return nil, nil })
				})
				synctest.Wait() // the worker is busy
				for i := range inserts {
					all.Go(func() {
						err := d.Insert(t.Context(), newKey(i), []byte("1"), future)
						if (err != nil) != tt.refuse {
							t.Errorf("Insert: got %v", err)
						}
					})
				}
				for _, write := range tt.writes(t, d) {
					all.Go(func() { write(t.Context()) })
				}
				synctest.Wait()
				close(release)
				all.Wait()

				if *commits != tt.wantCommits {
					t.Errorf("got %d commits, want %d", *commits, tt.wantCommits)
				}
				if got := count(t, d.reader, "true"); got != 3+tt.want {
					t.Errorf("got %d records, want %d", got, 3+tt.want)
				}
				for i := range inserts {
					data, found, err := d.Find(t.Context(), newKey(i))
					if err != nil || found == tt.refuse || found && !bytes.Equal(data, []byte("1")) {
						t.Errorf("%s: got %q, %v, %v", newKey(i), data, found, err)
					}
				}
			})
		})
	}
}

// countCommits counts the commits from now on that write. If refuse is true, each fails.
func countCommits(t testing.TB, d *sqliteDriver, refuse bool) *int {
	t.Helper()
	conn, err := d.writer.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	n := new(int)
	if err := conn.Raw(func(c any) error {
		c.(sqlite.HookRegisterer).RegisterCommitHook(func() int32 {
			*n++
			if refuse {
				return 1
			}
			return 0
		})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return n
}
