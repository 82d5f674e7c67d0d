package session

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"modernc.org/sqlite"
)

func (d *sqliteDriver) Find(ctx context.Context, key string) ([]byte, bool, error) {
	data, err := runCall(ctx, d.reading, func(in within) ([]byte, error) { return queryBytes(in(d.find), key) })
	return data, data != nil, err
}

func (d *sqliteDriver) Insert(ctx context.Context, key string, data []byte, expiry time.Time) error {
	_, err := runCall(ctx, d.writing, func(in within) (int64, error) {
		return affected(in(d.insert).Exec(key, data, expiry.UTC().Format("2006-01-02T15:04:05.999")))
	})
	return err
}

func (d *sqliteDriver) Take(ctx context.Context, key string) ([]byte, error) {
	return runCall(ctx, d.writing, func(in within) ([]byte, error) { return queryBytes(in(d.take), key) })
}

func (d *sqliteDriver) Swap(ctx context.Context, key string, old, data []byte) (bool, error) {
	n, err := runCall(ctx, d.writing, func(in within) (int64, error) { return affected(in(d.swap).Exec(data, key, old)) })
	return n == 1, err
}

// sweepBatch deletes a batch of records that expired more than gracePeriod ago.
func (d *sqliteDriver) sweepBatch(ctx context.Context) (deleted int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, maxCall)
	defer cancel()
	return runCall(ctx, d.writing, func(in within) (int64, error) {
		return affected(in(d.deleteExpired).Exec(-gracePeriod.Seconds(), sweepBatch))
	})
}

// queryBytes returns the data that a statement returns for a key, nil if none.
func queryBytes(stmt *sql.Stmt, key string) ([]byte, error) {
	var data ownBytes
	err := stmt.QueryRow(key).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err == nil && data == nil {
		data = []byte{} // an empty record is no missing one
	}
	return data, err
}

// ownBytes scans a column without copying it once more: modernc.org/sqlite returns a copy
// to each caller.
type ownBytes []byte

// Scan implements sql.Scanner.
func (b *ownBytes) Scan(column any) error {
	*b, _ = column.([]byte) // nil if it is empty
	return nil
}

func affected(result sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// sqliteCode returns the primary result code of an error of SQLite, 0 for others.
func sqliteCode(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() & 0xff
	}
	return 0
}
