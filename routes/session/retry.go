package session

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	maxRetries = 1000            // deletions that may wait for the store at once
	retryFor   = time.Hour       // how long each is tried
	retryFirst = 1 * time.Second // pause, doubled after each try
	retryMost  = 1 * time.Minute
)

// retries deletes records, again and again if the store is down: a person who
// signed out is out for good, as soon as the store is back.
type retries struct {
	store *sealedStore
	log   *slog.Logger
	slots chan struct{}
	ctx   context.Context // ends with stop
	stop  context.CancelFunc
	busy  *sync.WaitGroup
}

func newRetries(store *sealedStore, log *slog.Logger) retries {
	ctx, cancel := context.WithCancel(context.Background())
	busy := new(sync.WaitGroup)
	return retries{
		store: store,
		log:   log,
		slots: make(chan struct{}, maxRetries),
		ctx:   ctx,
		stop:  func() { cancel(); busy.Wait() },
		busy:  busy,
	}
}

// delete tries once, and on failure returns the error and goes on in the
// background. A request that is cancelled does not cancel it.
func (r retries) delete(ctx context.Context, token string) error {
	err := r.store.DeleteCtx(context.WithoutCancel(ctx), token)
	if err == nil {
		return nil
	}
	select {
	case r.slots <- struct{}{}:
		r.busy.Go(func() {
			defer func() { <-r.slots }()
			r.again(token)
		})
	default:
		r.log.ErrorContext(ctx, "session not deleted", "reason", "too many deletions wait for the store")
	}
	return err
}

func (r retries) again(token string) {
	ctx, cancel := context.WithTimeout(r.ctx, retryFor)
	defer cancel()
	for pause := retryFirst; ; pause = min(2*pause, retryMost) {
		select {
		case <-ctx.Done(): // time is up, or the app stops: once more, then no more
		case <-time.After(pause):
		}
		err := r.store.DeleteCtx(context.WithoutCancel(ctx), token)
		switch {
		case err == nil:
			r.log.Info("session deleted late")
			return
		case ctx.Err() != nil:
			r.log.Error("session not deleted", "reason", err)
			return
		}
	}
}
