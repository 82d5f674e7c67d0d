package session

import (
	"context"
	"time"

	sqlite3 "modernc.org/sqlite/lib"
)

// lockWait is how long SQLite waits for a lock of another process. That cannot be
// cancelled, so it is short, and runCall repeats it.
const lockWait = 100 * time.Millisecond

// A semaphore limits the calls at a time to the number of connections.
type semaphore chan struct{}

// runCall calls f when a connection is free, and again as long as another process has
// the database locked. f itself cannot be cancelled, because a disk that hangs cannot:
// if ctx ends first, runCall returns, and f goes on with its connection. To keep that
// rare, runCall does not call f if ctx ends so soon that a lock could outlast it.
func runCall[T any](ctx context.Context, slots semaphore, f func() (T, error)) (T, error) {
	var none T
	select {
	case <-ctx.Done():
		return none, ctx.Err()
	case slots <- struct{}{}:
	}
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		defer func() { <-slots }()
		r := result{err: context.DeadlineExceeded}
		for hasTime(ctx, 2*lockWait) {
			if r.value, r.err = f(); sqliteCode(r.err) != sqlite3.SQLITE_BUSY {
				break
			}
		}
		done <- r
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// hasTime reports whether ctx lasts for another d.
func hasTime(ctx context.Context, d time.Duration) bool {
	end, ok := ctx.Deadline()
	return ctx.Err() == nil && (!ok || time.Until(end) > d)
}
