package session

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// durable is the part of a statement that has its commit wait for the disk, and for the
// synchronous standby if there is one, whatever the server's default is. SET would need
// a transaction, and so two more round trips.
const durable = `set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, true)`

// Only the sweep uses expiry; the deadline of a session is in its record.
const (
	postgresFind   = `SELECT current_setting('transaction_read_only'), (SELECT data FROM portal_sessions WHERE token = $1)`
	postgresInsert = `INSERT INTO portal_sessions (token, data, expiry) SELECT $1::text, $2::bytea, $3::timestamptz FROM ` + durable
	postgresSwap   = `UPDATE portal_sessions SET data = $3 FROM ` + durable + ` WHERE token = $1 AND data = $2`

	// The message makes the commit wait even if there is nothing to delete: an earlier
	// call may have deleted the record, and not have heard that the standby has that too.
	postgresTake = `WITH taken AS (DELETE FROM portal_sessions WHERE token = $1 RETURNING data)
		SELECT ` + durable + `, pg_logical_emit_message(true, 'portal', ''::text), (SELECT data FROM taken)`

	// Instances that sweep at the same time skip each other's rows.
	postgresSweep = `DELETE FROM portal_sessions WHERE token = ANY (ARRAY (
		SELECT token FROM portal_sessions WHERE expiry < now() - make_interval(secs => $1) LIMIT $2 FOR UPDATE SKIP LOCKED))`
)

func (d *postgresDriver) Find(ctx context.Context, key string) (data []byte, found bool, err error) {
	err = d.call(ctx, true, func(conn *pgx.Conn) error {
		var readOnly string
		err := conn.QueryRow(ctx, postgresFind, key).Scan(&readOnly, &data)
		if err == nil && readOnly == "on" { // a pooler leads elsewhere now
			return errStandby
		}
		return err
	})
	return data, data != nil, err
}

func (d *postgresDriver) Insert(ctx context.Context, key string, data []byte, expiry time.Time) error {
	_, err := d.exec(ctx, postgresInsert, key, data, expiry)
	return err
}

func (d *postgresDriver) Swap(ctx context.Context, key string, old, data []byte) (bool, error) {
	n, err := d.exec(ctx, postgresSwap, key, old, data)
	return n == 1, err
}

func (d *postgresDriver) Take(ctx context.Context, key string) (data []byte, err error) {
	err = d.call(ctx, false, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, postgresTake, key).Scan(nil, nil, &data)
	})
	return data, err
}

func (d *postgresDriver) sweepBatch(ctx context.Context) (deleted int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, maxCall)
	defer cancel()
	return d.exec(ctx, postgresSweep, gracePeriod.Seconds(), sweepBatch)
}

// exec runs a statement that writes, and returns the number of rows.
func (d *postgresDriver) exec(ctx context.Context, statement string, args ...any) (rows int64, err error) {
	err = d.call(ctx, false, func(conn *pgx.Conn) error {
		tag, err := conn.Exec(ctx, statement, args...)
		rows = tag.RowsAffected()
		return err
	})
	return rows, err
}

// call calls f with a connection, and once more with a new one if the first is of no
// use any more and nothing was done: f only reads, or its statement was not sent, or the
// server cannot be written.
func (d *postgresDriver) call(ctx context.Context, reads bool, f func(*pgx.Conn) error) error {
	for first := true; ; first = false {
		pool, repeat := d.pools.get(), true
		conn, err := pool.Acquire(ctx)
		if err == nil {
			err = f(conn.Conn())
			conn.Release()
			repeat = reads || pgconn.SafeToRetry(err) || notPrimary(err)
		}
		if err == nil || cancelled(ctx) || isPostgresError(err) && !notPrimary(err) {
			return err
		}
		d.pools.renew(pool)
		if !first || !repeat || ctx.Err() != nil {
			return err
		}
	}
}

// notPrimary reports whether a server has refused because it is a standby, or stops.
func notPrimary(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return errors.Is(err, errStandby) || ok && (e.Code == "25006" || strings.HasPrefix(e.Code, "57P"))
}

// isPostgresError reports whether the server itself has returned the error.
func isPostgresError(err error) bool {
	_, ok := errors.AsType[*pgconn.PgError](err)
	return ok
}
