package session

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"example.org/portal/globus"
)

// explainPostgres adds to an error of the server what it means for the operator, and
// makes one line of it.
func explainPostgres(err error) error {
	text := "it does not answer"
	switch e, ok := errors.AsType[*pgconn.PgError](err); {
	case errors.Is(err, errFormerPrimary), errors.Is(err, errStandby):
		return oneLine(err)
	case !ok && isConnectError(err):
	case !ok:
		return err
	case e.Code == "28P01" || e.Code == "28000":
		text = "it refuses the user or the password"
	case e.Code == "3D000":
		text = "it has no database of that name"
	case e.Code == "42501" || e.Code == "3F000":
		text = "its user may not create the table portal_sessions: run routes/session/postgres.sql as one who may"
	case e.Code == "53300":
		text = "it has no connection left: raise max_connections, or set pool_max_conns in the URL"
	case strings.HasPrefix(e.Code, "57P"):
		text = "it starts or stops: try again in a moment"
	default:
		text = "it reports an error"
	}
	return fmt.Errorf("%s (%w)", text, oneLine(err))
}

func isConnectError(err error) bool {
	_, ok := errors.AsType[*pgconn.ConnectError](err)
	return ok || errors.Is(err, context.DeadlineExceeded)
}

// oneLine has the errors of several hosts on one line.
func oneLine(err error) error { return lineError{err} }

type lineError struct{ error }

func (e lineError) Error() string { return strings.Join(strings.Fields(e.error.Error()), " ") }
func (e lineError) Unwrap() error { return e.error }

// doubts returns what speaks against a server that works.
func (d *postgresDriver) doubts(ctx context.Context) (all []Doubt) {
	ctx, cancel := context.WithTimeout(ctx, maxCall)
	defer cancel()
	pool := d.pools.get()
	for _, h := range waysToConnect(pool.Config().ConnConfig) {
		if !globus.IsLoopback(h.Host) && !strings.HasPrefix(h.Host, "/") && (h.TLSConfig == nil || h.TLSConfig.InsecureSkipVerify && h.TLSConfig.VerifyPeerCertificate == nil && h.TLSConfig.VerifyConnection == nil) {
			all = append(all, Doubt{
				"the connection to PostgreSQL at " + h.Host + " is not protected from others on the network",
				"Write sslmode=verify-full, or leave sslmode out. The sessions are sealed in any case.",
			})
			break
		}
	}
	var fsync, standbys string
	var replicas int
	var now time.Time
	err := pool.QueryRow(ctx, `SELECT current_setting('fsync'), current_setting('synchronous_standby_names'),
		(SELECT count(*) FROM pg_stat_replication), clock_timestamp()`).Scan(&fsync, &standbys, &replicas, &now)
	if err != nil {
		return all // a database that only speaks PostgreSQL's protocol
	}
	if fsync == "off" {
		all = append(all, Doubt{
			"PostgreSQL does not wait for its disk: after a crash of its machine, sessions are lost, or all data is",
			"Set \"fsync = on\" in its configuration.",
		})
	}
	if standbys == "" && (d.hosts > 1 || replicas > 0) {
		all = append(all, Doubt{
			"no standby of PostgreSQL is synchronous: if the primary's machine fails, the last sign-ins are lost, and the last sign-outs are undone",
			"Set synchronous_standby_names in its configuration.",
		})
	}
	if ahead := time.Since(now); ahead.Abs() > time.Minute {
		all = append(all, Doubt{
			fmt.Sprintf("the clock of PostgreSQL differs by %s from this machine's", ahead.Abs().Round(time.Second)),
			"Run chrony or systemd-timesyncd on both: expired sessions are deleted by the clock of PostgreSQL.",
		})
	}
	return all
}
