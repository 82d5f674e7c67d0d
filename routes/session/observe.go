package session

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// An observedDriver calls Config.Observe after each call of a driver, and logs when
// the store goes down and when it is up again.
type observedDriver struct {
	driver
	observe func(operation, outcome string, took time.Duration) // may be nil
	log     *slog.Logger

	mu sync.Mutex
	// downSince has the time since which "read" or "write" fails. They differ: a full
	// disk can still be read.
	downSince map[string]time.Time
}

func newObservedDriver(d driver, cfg Config) *observedDriver {
	return &observedDriver{driver: d, observe: cfg.Observe, log: cfg.Log, downSince: map[string]time.Time{}}
}

func (o *observedDriver) Find(ctx context.Context, key string) ([]byte, bool, error) {
	begun := time.Now()
	data, found, err := o.driver.Find(ctx, key)
	o.report(ctx, "find", begun, err)
	o.logOutage(ctx, "read", true, err)
	return data, found, err
}

func (o *observedDriver) Insert(ctx context.Context, key string, data []byte, expiry time.Time) error {
	begun := time.Now()
	err := o.driver.Insert(ctx, key, data, expiry)
	o.report(ctx, "insert", begun, err)
	o.logOutage(ctx, "write", true, err)
	return err
}

func (o *observedDriver) Swap(ctx context.Context, key string, old, data []byte) (bool, error) {
	begun := time.Now()
	swapped, err := o.driver.Swap(ctx, key, old, data)
	o.report(ctx, "swap", begun, err)
	o.logOutage(ctx, "write", swapped, err)
	return swapped, err
}

func (o *observedDriver) Take(ctx context.Context, key string) ([]byte, error) {
	begun := time.Now()
	data, err := o.driver.Take(ctx, key)
	o.report(ctx, "take", begun, err)
	o.logOutage(ctx, "write", data != nil, err)
	return data, err
}

// report calls Config.Observe.
func (o *observedDriver) report(ctx context.Context, operation string, begun time.Time, err error) {
	if o.observe == nil {
		return
	}
	outcome := "ok"
	switch {
	case err != nil && cancelled(ctx):
		outcome = "cancelled"
	case err != nil:
		outcome = "failed"
	}
	o.observe(operation, outcome, time.Since(begun))
}

// logOutage logs once that reads or writes (kind) have begun to fail, and once that
// they work again. A call without error is proof of that only if it did something:
// a write that found nothing to change might still have failed.
func (o *observedDriver) logOutage(ctx context.Context, kind string, proof bool, err error) {
	if err != nil && cancelled(ctx) || err == nil && !proof {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	since, down := o.downSince[kind]
	switch {
	case err != nil && !down:
		o.downSince[kind] = time.Now()
		o.log.ErrorContext(ctx, "session store down", "operation", kind, "server", o.Server(), "reason", err)
	case err == nil && down:
		delete(o.downSince, kind)
		o.log.InfoContext(ctx, "session store up again", "operation", kind, "server", o.Server(), "after", time.Since(since).Round(time.Millisecond).String())
	}
}

// cancelled reports whether the request was cancelled, which is no failure of the
// store.
func cancelled(ctx context.Context) bool { return ctx.Err() == context.Canceled }
