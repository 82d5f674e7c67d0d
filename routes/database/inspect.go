package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A State is how far the migrations of a database are. All lists are of file names.
type State struct {
	New     bool     // there is no SQLite file yet: Open will create it
	Applied []string // in the folder, and in the database as they are there
	Pending []string // in the folder alone: Open will apply them
	Changed []string // in the folder with another text than the one that was applied
	Unknown []string // in the database alone: another version of the app applied them
}

// Inspect opens the database called name, as Open does, tries whether tables can be made
// in it, and changes nothing. If there is no SQLite file yet, it tries another one in the
// same place, with the migrations, and deletes it.
func Inspect(ctx context.Context, name string, migrations fs.FS) (State, error) {
	if err := Check(name); err != nil {
		return State{}, fmt.Errorf("its name %w", err)
	}
	all, err := read(migrations)
	if err != nil {
		return State{}, err
	}
	open := openPostgres
	if path, isSQLite := strings.CutPrefix(name, "sqlite:"); isSQLite {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return inspectNew(ctx, path, all, migrations)
		} else if err != nil {
			return State{}, err
		}
		name, open = path, openSQLite
	}
	db, err := open(name)
	if err != nil {
		return State{}, err
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return State{}, err
	}
	defer tx.Rollback()
	applied, err := appliedBefore(ctx, tx)
	if err != nil {
		return State{}, err
	}
	if _, err := tx.ExecContext(ctx, "CREATE TABLE portal_check (x TEXT)"); err != nil {
		return State{}, err
	}
	return compare(all, applied), nil
}

func compare(all []migration, applied map[string]string) State {
	var s State
	for _, m := range all {
		switch hash, ok := applied[m.name]; {
		case !ok:
			s.Pending = append(s.Pending, m.name)
		case hash != m.hash():
			s.Changed = append(s.Changed, m.name)
		default:
			s.Applied = append(s.Applied, m.name)
		}
		delete(applied, m.name)
	}
	for name := range applied {
		s.Unknown = append(s.Unknown, name)
	}
	slices.Sort(s.Unknown)
	return s
}

// inspectNew is Inspect where there is no file at path.
func inspectNew(ctx context.Context, path string, all []migration, migrations fs.FS) (State, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return State{}, err
	}
	folder := filepath.Dir(path)
	for { // Open creates the folders that lack
		if _, err := os.Stat(folder); err == nil || folder == filepath.Dir(folder) {
			break
		}
		folder = filepath.Dir(folder)
	}
	dir, err := os.MkdirTemp(folder, ".portal-check-")
	if err != nil {
		return State{}, err
	}
	defer os.RemoveAll(dir)
	var db *sql.DB
	if db, err = Open(ctx, "sqlite:"+filepath.Join(dir, "app.db"), migrations, slog.New(slog.DiscardHandler)); err != nil {
		return State{}, err
	}
	s := compare(all, nil)
	s.New = true
	return s, db.Close()
}
