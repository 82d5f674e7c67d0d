package session

import (
	"context"
	"errors"
	"time"

	sqlite3 "modernc.org/sqlite/lib"
)

// lockWait is how long SQLite waits for a lock of another process. That cannot be
// cancelled, so it is short, and runCall repeats it.
const lockWait = 100 * time.Millisecond

// workers are as many goroutines as there are connections; each makes one call at a
// time. They stay, because SQLite needs a deep stack: a new goroutine would have to grow
// its own in each call, which takes longer than the call itself.
type workers struct {
	size  int
	calls chan func()
	ended <-chan struct{}
	end   func() // once their calls are done; it may be called again
}

func startWorkers(n int) workers {
	ctx, end := context.WithCancel(context.Background())
	w := workers{n, make(chan func()), ctx.Done(), end}
	for range n {
		go func() {
			for {
				select {
				case call := <-w.calls:
					call()
				case <-w.ended:
					return
				}
			}
		}()
	}
	return w
}

var errClosed = errors.New("the session store is closed")

// runCall calls f when a connection is free, and again as long as another process has
// the database locked. f itself cannot be cancelled, because a disk that hangs cannot:
// if ctx ends first, runCall returns, and f goes on with its connection. To keep that
// rare, runCall does not call f if ctx ends so soon that a lock could outlast it.
func runCall[T any](ctx context.Context, w workers, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var none T
	done := make(chan result, 1)
	call := func() {
		r := result{err: context.DeadlineExceeded}
		for hasTime(ctx, 2*lockWait) {
			if r.value, r.err = f(); sqliteCode(r.err) != sqlite3.SQLITE_BUSY {
				break
			}
		}
		done <- r
	}
	select {
	case <-ctx.Done():
		return none, ctx.Err()
	case <-w.ended:
		return none, errClosed
	case w.calls <- call:
	}
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
