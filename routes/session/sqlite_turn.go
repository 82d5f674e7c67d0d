package session

import (
	"context"
	"time"

	sqlite3 "modernc.org/sqlite/lib"
)

// lockWait is how long SQLite itself waits for a lock of another process. That
// cannot be called off, so it is short, and repeated while there is time.
const lockWait = 100 * time.Millisecond

// turns holds as many values as there are calls of the store under way, and no
// more than its connections are.
type turns chan struct{}

// turn calls f when there is a connection for it, and again while another
// process has the store locked. Once begun, f cannot be called off, for a disk
// that hangs cannot be: when ctx ends, turn leaves it behind, with its
// connection, and nobody learns what came of it. It is not begun so late that a
// lock alone could lead to that.
func turn[T any](ctx context.Context, slots turns, f func() (T, error)) (T, error) {
	var none T
	select {
	case <-ctx.Done():
		return none, ctx.Err()
	case slots <- struct{}{}:
	}
	type outcome struct {
		value T
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		defer func() { <-slots }()
		o := outcome{err: context.DeadlineExceeded}
		for hasTime(ctx, 2*lockWait) {
			if o.value, o.err = f(); code(o.err) != sqlite3.SQLITE_BUSY {
				break
			}
		}
		done <- o
	}()
	select {
	case o := <-done:
		return o.value, o.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// hasTime reports whether ctx lasts for d more.
func hasTime(ctx context.Context, d time.Duration) bool {
	end, ok := ctx.Deadline()
	return ctx.Err() == nil && (!ok || time.Until(end) > d)
}
