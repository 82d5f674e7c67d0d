package database

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A migration is a file of SQL that changes the tables once.
type migration struct {
	number uint64 // that its name begins with
	name   string
	text   string
}

func (m migration) hash() string {
	sum := sha256.Sum256([]byte(m.text))
	return hex.EncodeToString(sum[:])
}

// Names returns the migrations in a folder, in their order.
func Names(migrations fs.FS) ([]string, error) {
	all, err := read(migrations)
	var names []string
	for _, m := range all {
		names = append(names, m.name)
	}
	return names, err
}

// read returns the migrations in a folder, in their order.
func read(migrations fs.FS) ([]migration, error) {
	entries, err := fs.ReadDir(migrations, ".")
	if err != nil {
		return nil, err
	}
	var all []migration
	for _, e := range entries {
		if path.Ext(e.Name()) != ".sql" {
			continue
		}
		digits := e.Name()[:len(e.Name())-len(strings.TrimLeft(e.Name(), "0123456789"))]
		number, err := strconv.ParseUint(digits, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("the migration %s must have a name that begins with a number, such as 0001_%[1]s: migrations are applied in the order of their numbers", e.Name())
		}
		text, err := fs.ReadFile(migrations, e.Name())
		if err != nil {
			return nil, err
		}
		all = append(all, migration{number, e.Name(), string(text)})
	}
	slices.SortFunc(all, func(x, y migration) int {
		return cmp.Or(cmp.Compare(x.number, y.number), cmp.Compare(x.name, y.name))
	})
	return all, nil
}

// migrate applies the migrations that db does not have yet, in one transaction. lock is
// a statement that makes other instances wait; it is "" for SQLite, where they wait to
// begin their transactions.
func migrate(ctx context.Context, db *sql.DB, lock string, migrations fs.FS, log *slog.Logger) error {
	all, err := read(migrations)
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after Commit it does nothing
	if lock != "" {
		if _, err := tx.ExecContext(ctx, lock); err != nil {
			return err
		}
	}
	applied, err := appliedBefore(ctx, tx)
	if err != nil {
		return err
	}
	for _, m := range all {
		if hash, ok := applied[m.name]; ok {
			if hash != m.hash() {
				log.Warn("migration changed after it was applied", "file", m.name, "remedy", "the tables are still those of the old text: undo the change, and put it into a new file")
			}
			continue
		}
		if _, err := tx.ExecContext(ctx, m.text); err != nil {
			return fmt.Errorf("the migration %s: %w", m.name, err)
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO migrations (name, hash) VALUES ($1, $2)", m.name, m.hash()); err != nil {
			return err
		}
		log.Info("migration applied", "file", m.name)
	}
	return tx.Commit()
}

// appliedBefore returns the hash of each migration that was applied to the database,
// by file name. If an older version of the app runs, a newer one may have applied more.
func appliedBefore(ctx context.Context, tx *sql.Tx) (map[string]string, error) {
	_, err := tx.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, hash TEXT NOT NULL, applied TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)")
	if err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, "SELECT name, hash FROM migrations")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	applied := map[string]string{}
	for rows.Next() {
		var name, hash string
		if err := rows.Scan(&name, &hash); err != nil {
			return nil, err
		}
		applied[name] = hash
	}
	return applied, rows.Err()
}
