package session

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

var (
	errStandby       = errors.New("it is a standby, or read-only: name the primary too")
	errFormerPrimary = errors.New("it was the primary before another server was promoted: stop it, or make it a standby")
)

// checkPrimary accepts only a connection to a server that can be written (as
// target_session_attrs=read-write does), and whose timeline is not older than one seen
// before: a primary that was cut off and replaced does not know that by itself.
func (d *postgresDriver) checkPrimary(ctx context.Context, conn *pgconn.PgConn) error {
	row, err := queryRow(ctx, conn, "SELECT current_setting('transaction_read_only'), "+
		"CASE WHEN pg_is_in_recovery() THEN '0' ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END")
	if isPostgresError(err) { // some databases that speak its protocol have no timeline
		row, err = queryRow(ctx, conn, "SELECT current_setting('transaction_read_only'), '0'")
	}
	if err != nil {
		return err
	}
	if row[0] == "on" {
		return errStandby
	}
	timeline, _ := strconv.ParseUint(row[1], 16, 64)
	for newest := d.timeline.Load(); newest != timeline; newest = d.timeline.Load() {
		if timeline < newest {
			return errFormerPrimary
		}
		d.timeline.CompareAndSwap(newest, timeline)
	}
	conn.CustomData()["timeline"] = timeline
	return nil
}

// queryRow returns the only row of a query, of two columns.
func queryRow(ctx context.Context, conn *pgconn.PgConn, query string) (row [2]string, err error) {
	result := conn.ExecParams(ctx, query, nil, nil, nil, nil).Read()
	if result.Err != nil {
		return row, result.Err
	}
	if len(result.Rows) != 1 || len(result.Rows[0]) != len(row) {
		return row, errors.New("it does not answer as PostgreSQL does")
	}
	for i, value := range result.Rows[0] {
		row[i] = string(value)
	}
	return row, nil
}

// slowerHosts is how long choosePrimary waits for other hosts after one was found.
const slowerHosts = 250 * time.Millisecond

// choosePrimary connects to all hosts of the URL, and moves the primary to the front. Two
// may say that they are the primary, if one was cut off and replaced; it is the one with
// the newest timeline then.
func (d *postgresDriver) choosePrimary(ctx context.Context, cfg *pgx.ConnConfig) error {
	hosts := eachHost(cfg)
	best, err, _ := d.choosing.Do("", func() (any, error) { return d.newestHost(ctx, cfg, hosts) })
	if err != nil {
		return err
	}
	ways := hosts[best.(int)]
	for i, other := range hosts {
		if i != best {
			ways = append(ways, other...)
		}
	}
	cfg.Host, cfg.Port, cfg.TLSConfig, cfg.Fallbacks = ways[0].Host, ways[0].Port, ways[0].TLSConfig, ways[1:]
	return nil
}

// newestHost returns the index of the host that is the primary.
func (d *postgresDriver) newestHost(ctx context.Context, cfg *pgx.ConnConfig, hosts [][]*pgconn.FallbackConfig) (best int, err error) {
	type answer struct {
		host     int
		timeline uint64
		err      error
	}
	answers := make(chan answer, len(hosts))
	ctx = context.WithoutCancel(ctx) // others wait for the outcome too; cfg has a timeout
	for i, ways := range hosts {
		one := cfg.Copy()
		one.Host, one.Port, one.TLSConfig, one.Fallbacks = ways[0].Host, ways[0].Port, ways[0].TLSConfig, ways[1:]
		go func() {
			conn, err := pgconn.ConnectConfig(ctx, &one.Config)
			if err != nil {
				answers <- answer{err: err}
				return
			}
			timeline, _ := conn.CustomData()["timeline"].(uint64)
			answers <- answer{host: i, timeline: timeline}
			_ = conn.Close(ctx)
		}()
	}
	var newest *answer
	var errs []error
	var late <-chan time.Time
	for range hosts {
		select {
		case a := <-answers:
			if a.err != nil {
				errs = append(errs, a.err)
				continue
			}
			if newest == nil || a.timeline > newest.timeline {
				newest = &a
			}
			late = time.After(slowerHosts)
		case <-late:
			return newest.host, nil
		}
	}
	if newest == nil {
		return 0, errors.Join(errs...)
	}
	return newest.host, nil
}
