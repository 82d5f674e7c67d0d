package session

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	sqlite3 "modernc.org/sqlite/lib"
)

// lockWait is how long SQLite waits for a lock of another process. That cannot be
// cancelled, so it is short, and runCall repeats it.
const lockWait = 100 * time.Millisecond

// maxGroup is how many writes share a commit at most, so that the first of them does not
// wait long for the last.
const maxGroup = 100

// workers are as many goroutines as there are connections; each makes one call at a
// time. They stay, because SQLite needs a deep stack: a new goroutine would have to grow
// its own in each call, which takes longer than the call itself.
type workers struct {
	size   int
	calls  chan call
	writer *sql.DB // nil: each call is made by itself
	ended  <-chan struct{}
	end    func() // once their calls are done; it may be called again
}

// A call waits for a worker.
type call struct {
	ctx  context.Context
	run  func(within) error // may run again, if what it did was rolled back
	done chan error         // has room for its error
}

// A within returns a statement as a part of the transaction that a call is made in.
type within func(*sql.Stmt) *sql.Stmt

// alone is the within of a call that is made in no other's transaction.
func alone(s *sql.Stmt) *sql.Stmt { return s }

// startWorkers starts n workers. If writer is not nil, n must be 1, and all calls that
// wait at the same moment are made in one transaction of writer.
func startWorkers(n int, writer *sql.DB) workers {
	ctx, end := context.WithCancel(context.Background())
	w := workers{n, make(chan call), writer, ctx.Done(), end}
	for range n {
		go func() {
			for {
				select {
				case c := <-w.calls:
					w.answer(w.group(c))
				case <-w.ended:
					return
				}
			}
		}()
	}
	return w
}

// group returns first, and the calls that wait beside it.
func (w workers) group(first call) []call {
	group := []call{first}
	for w.writer != nil && len(group) < maxGroup {
		select {
		case c := <-w.calls:
			group = append(group, c)
		default:
			return group
		}
	}
	return group
}

// answer makes calls, in one transaction if it can.
func (w workers) answer(group []call) {
	// Who is late must not keep the others from sharing.
	group = slices.DeleteFunc(group, func(c call) bool {
		late := !c.hasTime()
		if late {
			c.done <- context.DeadlineExceeded
		}
		return late
	})
	if len(group) > 1 && runTogether(w.writer, group) {
		return
	}
	for _, c := range group {
		c.done <- c.runAlone()
	}
}

// runTogether makes calls in one transaction, so that they share its fsync, and answers
// them when it is committed, or could not be. If one of them fails, or the database is
// locked, runTogether changes nothing, answers nobody and returns false: each call is to
// be made by itself then, so that none can harm another.
func runTogether(writer *sql.DB, group []call) (answered bool) {
	tx, err := writer.Begin()
	if err != nil {
		return false
	}
	for _, c := range group {
		// After an error, SQLite may have rolled back by itself: nothing may follow.
		if c.run(tx.Stmt) != nil {
			_ = tx.Rollback()
			return false
		}
	}
	if err = tx.Commit(); err != nil {
		// SQLite has rolled back, or holds the transaction open: what comes next must not
		// be made in it.
		_, _ = writer.Exec("ROLLBACK")
	}
	for _, c := range group {
		c.done <- err
	}
	return true
}

// runAlone makes a call again as long as another process has the database locked, and
// its caller has time.
func (c call) runAlone() error {
	err := context.DeadlineExceeded
	for c.hasTime() {
		if err = c.run(alone); sqliteCode(err) != sqlite3.SQLITE_BUSY {
			break
		}
	}
	return err
}

var errClosed = errors.New("the session store is closed")

// runCall calls f when a connection is free, and again as long as another process has
// the database locked. f itself cannot be cancelled, because a disk that hangs cannot:
// if ctx ends first, runCall returns, and f goes on with its connection. To keep that
// rare, runCall does not call f if ctx ends so soon that a lock could outlast it.
func runCall[T any](ctx context.Context, w workers, f func(within) (T, error)) (T, error) {
	var value, none T
	c := call{ctx: ctx, done: make(chan error, 1)}
	c.run = func(in within) (err error) {
		value, err = f(in)
		return err
	}
	select {
	case <-ctx.Done():
		return none, ctx.Err()
	case <-w.ended:
		return none, errClosed
	case w.calls <- c:
	}
	select {
	case err := <-c.done:
		if err != nil {
			return none, err
		}
		return value, nil
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// hasTime reports whether a call's caller waits for longer than a lock of another process
// could take.
func (c call) hasTime() bool {
	end, ok := c.ctx.Deadline()
	return c.ctx.Err() == nil && (!ok || time.Until(end) > 2*lockWait)
}
