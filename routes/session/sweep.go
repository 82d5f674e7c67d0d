package session

import (
	"context"
	"log/slog"
	"time"
)

const (
	sweepEvery = 5 * time.Minute
	sweepBatch = 500 // records; sign-ins wait for a batch
)

// A sweeper deletes records that expired more than gracePeriod ago, in batches, until
// it is stopped.
type sweeper struct {
	cancel  context.CancelFunc
	stopped chan struct{}
}

// startSweeper starts one. deleteBatch deletes at most sweepBatch records.
func startSweeper(log *slog.Logger, deleteBatch func(context.Context) (deleted int64, err error)) *sweeper {
	ctx, cancel := context.WithCancel(context.Background())
	s := &sweeper{cancel: cancel, stopped: make(chan struct{})}
	go func() {
		defer close(s.stopped)
		tick := time.NewTicker(sweepEvery)
		defer tick.Stop()
		for {
			deleted, err := deleteBatch(ctx)
			if err != nil && ctx.Err() == nil {
				log.Error("expired sessions not removed", "reason", err)
			}
			if deleted == sweepBatch {
				continue
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return s
}

func (s *sweeper) stop() {
	s.cancel()
	<-s.stopped
}
