package session

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/singleflight"

	"example.org/portal/globus"
)

const (
	postgresConnections = 10        // unless the URL has pool_max_conns; PostgreSQL has 100 for everybody
	postgresLock        = "7402920" // who creates the table; that of package database is another
)

//go:embed postgres.sql
var postgresTable string

// A postgresDriver stores records in a table of PostgreSQL, for any number of
// instances. It reads and writes on the primary alone.
type postgresDriver struct {
	pools    *renewable[*pgxpool.Pool]
	hosts    int                // in the URL
	timeline atomic.Uint64      // the newest one seen
	choosing singleflight.Group // see choosePrimary
	*serverName
	sweeper *sweeper
	log     *slog.Logger
}

// parsePostgres reads a URL as libpq does, with what the environment adds (PGHOST and
// so on). Where the URL and the environment do not say sslmode, it is verify-full if a
// host is another machine. The error does not quote the URL.
func parsePostgres(store string) (*pgxpool.Config, error) {
	cfg, err := pgxpool.ParseConfig(store)
	if err == nil && !strings.Contains(store, "sslmode=") && os.Getenv("PGSSLMODE") == "" && prefersTLS(cfg) {
		separator := "?"
		if strings.Contains(store, "?") {
			separator = "&"
		}
		cfg, err = pgxpool.ParseConfig(store + separator + "sslmode=verify-full")
	}
	if err != nil {
		if file, ok := errors.AsType[*os.PathError](err); ok {
			return nil, file
		}
		return nil, errors.New("cannot be read as a URL, such as postgres://user:password@host:5432/name; in the password, %40 stands for @, %2F for /, %23 for #")
	}
	return cfg, nil
}

// prefersTLS reports whether a host that is another machine would be reached by TLS
// without verification, or even without TLS: sslmode=prefer, the default of libpq.
func prefersTLS(cfg *pgxpool.Config) bool {
	withTLS := map[string]bool{}
	for _, h := range waysToConnect(cfg.ConnConfig) {
		if h.TLSConfig != nil {
			withTLS[h.Host] = true
		} else if withTLS[h.Host] && !globus.IsLoopback(h.Host) {
			return true
		}
	}
	return false
}

// postgresName returns a URL with what is not secret in another: its user, hosts and
// database.
func postgresName(store string) string {
	cfg, err := parsePostgres(store)
	if err != nil {
		return err.Error()
	}
	var hosts []string
	for _, ways := range eachHost(cfg.ConnConfig) {
		hosts = append(hosts, net.JoinHostPort(ways[0].Host, strconv.Itoa(int(ways[0].Port))))
	}
	return "postgres://" + cfg.ConnConfig.User + "@" + strings.Join(hosts, ",") + "/" + cfg.ConnConfig.Database
}

// openPostgres connects to the primary, and creates the table if it does not exist.
func openPostgres(ctx context.Context, store string, server *serverName, log *slog.Logger) (driver, error) {
	cfg, err := parsePostgres(store)
	if err != nil {
		return nil, fmt.Errorf("its setting %w", err)
	}
	d := &postgresDriver{hosts: len(eachHost(cfg.ConnConfig)), serverName: server, log: log}
	if !strings.Contains(store, "pool_max_conns=") {
		cfg.MaxConns = postgresConnections
	}
	if d.hosts > 1 && cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = maxCall / 2 // a host that hangs leaves time for the next
	}
	if cfg.ConnConfig.RuntimeParams["application_name"] == "" {
		cfg.ConnConfig.RuntimeParams["application_name"] = "portal"
	}
	// Statements without names, because pgbouncer runs each on another connection.
	cfg.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	cfg.ConnConfig.ValidateConnect = d.checkPrimary
	cfg.PrepareConn = func(_ context.Context, conn *pgx.Conn) (bool, error) {
		timeline, _ := conn.PgConn().CustomData()["timeline"].(uint64)
		return timeline >= d.timeline.Load(), nil
	}
	cfg.AfterConnect = func(_ context.Context, conn *pgx.Conn) error {
		d.set(conn.PgConn().Conn().RemoteAddr().String())
		return nil
	}
	if d.hosts > 1 {
		cfg.BeforeConnect = d.choosePrimary
	}
	open := func() *pgxpool.Pool {
		pool, err := pgxpool.NewWithConfig(context.Background(), cfg.Copy())
		if err != nil {
			panic(err) // it connects later; the settings have been parsed
		}
		return pool
	}
	d.pools = newRenewable(open, (*pgxpool.Pool).Close)
	if err := d.prepare(ctx); err != nil {
		_ = d.Close()
		return nil, explainPostgres(err)
	}
	return d, nil
}

// eachHost returns the ways to reach a host (with TLS, say, or else without), for each.
func eachHost(cfg *pgx.ConnConfig) (all [][]*pgconn.FallbackConfig) {
	same := func(a, b *pgconn.FallbackConfig) bool { return a.Host == b.Host && a.Port == b.Port }
	for _, way := range waysToConnect(cfg) {
		if n := len(all); n > 0 && same(all[n-1][0], way) {
			all[n-1] = append(all[n-1], way)
			continue
		}
		all = append(all, []*pgconn.FallbackConfig{way})
	}
	return all
}

func waysToConnect(cfg *pgx.ConnConfig) []*pgconn.FallbackConfig {
	return append([]*pgconn.FallbackConfig{{Host: cfg.Host, Port: cfg.Port, TLSConfig: cfg.TLSConfig}}, cfg.Fallbacks...)
}

// prepare creates the table if there is none, checks the user's rights, and starts to
// sweep.
func (d *postgresDriver) prepare(ctx context.Context) error {
	var exists, rights bool
	pool := d.pools.get()
	err := pool.QueryRow(ctx, "SELECT to_regclass('portal_sessions') IS NOT NULL").Scan(&exists)
	if err == nil && !exists {
		// Without arguments all of it is one transaction. Instances that start at the
		// same time wait for each other.
		_, err = pool.Exec(ctx, "SELECT pg_advisory_xact_lock("+postgresLock+");\n"+postgresTable, pgx.QueryExecModeSimpleProtocol)
	}
	if err == nil {
		err = pool.QueryRow(ctx, `SELECT has_table_privilege('portal_sessions', 'SELECT') AND has_table_privilege('portal_sessions', 'INSERT')
			AND has_table_privilege('portal_sessions', 'UPDATE') AND has_table_privilege('portal_sessions', 'DELETE')`).Scan(&rights)
	}
	if err == nil && !rights {
		err = errors.New("its user needs more rights: GRANT SELECT, INSERT, UPDATE, DELETE ON portal_sessions")
	}
	if err != nil {
		return err
	}
	d.sweeper = startSweeper(d.log, d.sweepBatch)
	return nil
}

// Close waits no longer for the server than a call does.
func (d *postgresDriver) Close() error {
	if d.sweeper != nil {
		d.sweeper.stop()
	}
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		d.pools.end()
	}()
	select {
	case <-closed:
	case <-time.After(maxCall):
	}
	return nil
}
