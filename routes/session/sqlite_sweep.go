package session

import (
	"context"
	"time"
)

const (
	sweepEvery = 5 * time.Minute
	sweepBatch = 500 // records; a large batch would hold up sign-ins
)

// sweep removes records that expired a while ago, in batches.
func (d *sqliteDriver) sweep(ctx context.Context) {
	defer close(d.stopped)
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		removed, err := d.sweepBatch(ctx)
		if err != nil && ctx.Err() == nil {
			d.log.Error("expired sessions not removed", "reason", err)
		}
		if removed == sweepBatch {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (d *sqliteDriver) sweepBatch(ctx context.Context) (removed int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, maxCall)
	defer cancel()
	return turn(ctx, d.writing, func() (int64, error) { return affected(d.expired.Exec(-keptAfter.Seconds(), sweepBatch)) })
}
