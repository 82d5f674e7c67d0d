package session

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// An observedDriver tells Config.Observe of each call of a driver, and the log
// when the store goes down and when it is up again.
type observedDriver struct {
	driver
	tell func(operation, outcome string, took time.Duration) // may be nil
	log  *slog.Logger

	mu sync.Mutex
	// down holds since when reads fail, and since when writes do: a full disk
	// can still be read.
	down map[string]time.Time
}

func newObservedDriver(d driver, cfg Config) *observedDriver {
	return &observedDriver{driver: d, tell: cfg.Observe, log: cfg.Log, down: map[string]time.Time{}}
}

func (o *observedDriver) FindCtx(ctx context.Context, key string) ([]byte, bool, error) {
	begun := time.Now()
	data, found, err := o.driver.FindCtx(ctx, key)
	o.over(ctx, "find", begun, err)
	o.note(ctx, "read", true, err)
	return data, found, err
}

func (o *observedDriver) CommitCtx(ctx context.Context, key string, data []byte, expiry time.Time) error {
	begun := time.Now()
	err := o.driver.CommitCtx(ctx, key, data, expiry)
	o.over(ctx, "insert", begun, err)
	o.note(ctx, "write", true, err)
	return err
}

func (o *observedDriver) SwapCtx(ctx context.Context, key string, old, data []byte) (bool, error) {
	begun := time.Now()
	swapped, err := o.driver.SwapCtx(ctx, key, old, data)
	o.over(ctx, "swap", begun, err)
	o.note(ctx, "write", swapped, err)
	return swapped, err
}

func (o *observedDriver) TakeCtx(ctx context.Context, key string) ([]byte, error) {
	begun := time.Now()
	data, err := o.driver.TakeCtx(ctx, key)
	o.over(ctx, "take", begun, err)
	o.note(ctx, "write", data != nil, err)
	return data, err
}

// over tells of a call that is over.
func (o *observedDriver) over(ctx context.Context, operation string, begun time.Time, err error) {
	if o.tell == nil {
		return
	}
	outcome := "ok"
	switch {
	case err != nil && givenUp(ctx):
		outcome = "cancelled"
	case err != nil:
		outcome = "failed"
	}
	o.tell(operation, outcome, time.Since(begun))
}

// note logs that reads, or writes, have begun to fail, or to work again: once,
// however many want them meanwhile. A write that found nothing to change is no
// proof that it would have worked.
func (o *observedDriver) note(ctx context.Context, what string, proof bool, err error) {
	if err != nil && givenUp(ctx) || err == nil && !proof {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	since, down := o.down[what]
	switch {
	case err != nil && !down:
		o.down[what] = time.Now()
		o.log.ErrorContext(ctx, "session store down", "operation", what, "reason", err)
	case err == nil && down:
		delete(o.down, what)
		o.log.InfoContext(ctx, "session store up again", "operation", what, "after", time.Since(since).Round(time.Millisecond).String())
	}
}

// givenUp reports whether whoever asked has gone, which is no fault of the
// store's.
func givenUp(ctx context.Context) bool { return ctx.Err() == context.Canceled }
