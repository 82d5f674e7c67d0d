package session

import (
	"context"
	"time"
)

const (
	sweepEvery = 5 * time.Minute
	sweepBatch = 500 // records; sign-ins wait for a batch
)

// sweep deletes records that expired more than gracePeriod ago, in batches.
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
	return runCall(ctx, d.writing, func() (int64, error) { return affected(d.deleteExpired.Exec(-gracePeriod.Seconds(), sweepBatch)) })
}
