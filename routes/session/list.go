package session

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
)

const listBatch = 500 // records that are read at once

// listInOrder reads batches of records after a key, until there are none.
func listInOrder(f func(storedRecord) error, read func(after string) ([]storedRecord, error)) error {
	for after := ""; ; {
		batch, err := read(after)
		if err != nil || len(batch) == 0 {
			return err
		}
		for _, rec := range batch {
			if err := f(rec); err != nil {
				return err
			}
		}
		after = batch[len(batch)-1].key
	}
}

// List reads by pages, so that no writer waits for it.
func (d *sqliteDriver) List(ctx context.Context, f func(storedRecord) error) error {
	return listInOrder(f, func(after string) (batch []storedRecord, err error) {
		return runCall(ctx, d.reading, func(within) ([]storedRecord, error) { return readPage(d.reader, after) })
	})
}

func readPage(db *sql.DB, after string) (batch []storedRecord, err error) {
	rows, err := db.Query("SELECT token, data, (expiry - julianday('1970-01-01')) * 86400 FROM sessions WHERE token > ? ORDER BY token LIMIT ?", after, listBatch)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var rec storedRecord
		var seconds float64
		if err := rows.Scan(&rec.key, &rec.data, &seconds); err != nil {
			return nil, err
		}
		rec.expiry = time.UnixMilli(int64(seconds * 1000))
		batch = append(batch, rec)
	}
	return batch, rows.Err()
}

// List reads by pages.
func (d *postgresDriver) List(ctx context.Context, f func(storedRecord) error) error {
	return listInOrder(f, func(after string) (batch []storedRecord, err error) {
		err = d.call(ctx, true, func(conn *pgx.Conn) error {
			rows, err := conn.Query(ctx, "SELECT token, data, expiry FROM portal_sessions WHERE token > $1 ORDER BY token LIMIT $2", after, listBatch)
			if err != nil {
				return err
			}
			batch, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (rec storedRecord, err error) {
				return rec, row.Scan(&rec.key, &rec.data, &rec.expiry)
			})
			return err
		})
		return batch, err
	})
}

// List scans the keys. It needs the rights +scan and +pttl, which the app does not.
func (d *redisDriver) List(ctx context.Context, f func(storedRecord) error) error {
	client := d.clients.get()
	if cluster, ok := client.(*redis.ClusterClient); ok {
		var one sync.Mutex // f is called by one at a time
		return cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
			one.Lock()
			defer one.Unlock()
			return listNode(ctx, node, f)
		})
	}
	return listNode(ctx, client, f)
}

func listNode(ctx context.Context, client redis.UniversalClient, f func(storedRecord) error) error {
	for cursor := uint64(0); ; {
		keys, next, err := client.Scan(ctx, cursor, redisPrefix+"*", listBatch).Result()
		if err != nil {
			return explain(err)
		}
		for _, key := range keys {
			var data *redis.StringCmd
			var left *redis.DurationCmd
			_, err := client.Pipelined(ctx, func(p redis.Pipeliner) error {
				data, left = p.Get(ctx, key), p.PTTL(ctx, key)
				return nil
			})
			if errors.Is(err, redis.Nil) {
				continue
			}
			if err != nil {
				return explain(err)
			}
			value, _ := data.Bytes()
			rec := storedRecord{strings.TrimPrefix(key, redisPrefix), value, time.Now().Add(left.Val() - gracePeriod)}
			if err := f(rec); err != nil {
				return err
			}
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}
