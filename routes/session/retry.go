package session

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"example.org/portal/globus"
)

const (
	maxRetries = 1000            // deletions that may wait for the store at once
	retryFor   = time.Hour       // how long each is tried
	retryFirst = 1 * time.Second // pause, doubled after each try
	retryMost  = 1 * time.Minute
)

// retries ends sessions, again and again if the store is down: a person who
// signed out is out for good, as soon as the store is back.
type retries struct {
	end    func(ctx context.Context, token string) (globus.Tokens, error)
	revoke func(ctx context.Context, tokens globus.Tokens) // those of a session that ended late
	log    *slog.Logger
	slots  chan struct{}
	ctx    context.Context // ends with stop
	stop   context.CancelFunc
	busy   *sync.WaitGroup
}

func newRetries(m *Manager, cfg Config) retries {
	ctx, cancel := context.WithCancel(context.Background())
	busy := new(sync.WaitGroup)
	return retries{
		end:    m.end,
		revoke: cfg.Revoke,
		log:    cfg.Log,
		slots:  make(chan struct{}, maxRetries),
		ctx:    ctx,
		stop:   func() { cancel(); busy.Wait() },
		busy:   busy,
	}
}

// delete ends a session and returns the tokens that it held, to be revoked. It
// tries once, and on failure returns the error and goes on in the background. A
// request that is cancelled does not cancel it.
func (r retries) delete(ctx context.Context, token string) (globus.Tokens, error) {
	tokens, err := r.end(context.WithoutCancel(ctx), token)
	if err == nil {
		return tokens, nil
	}
	select {
	case r.slots <- struct{}{}:
		r.busy.Go(func() {
			defer func() { <-r.slots }()
			r.again(token, tokens)
		})
	default:
		r.log.ErrorContext(ctx, "session not deleted", "reason", "too many deletions wait for the store")
	}
	return nil, err
}

// again goes on with a session that had these tokens when it was last seen.
func (r retries) again(token string, seen globus.Tokens) {
	ctx, cancel := context.WithTimeout(r.ctx, retryFor)
	defer cancel()
	for pause := retryFirst; ; pause = min(2*pause, retryMost) {
		select {
		case <-ctx.Done(): // time is up, or the app stops: once more, then no more
		case <-time.After(pause):
		}
		tokens, err := r.end(context.WithoutCancel(ctx), token)
		if tokens != nil {
			seen = tokens
		}
		switch {
		case err == nil:
			r.log.Info("session deleted late")
			r.revoke(ctx, seen)
			return
		case ctx.Err() != nil:
			r.log.Error("session not deleted", "reason", err)
			return
		}
	}
}
