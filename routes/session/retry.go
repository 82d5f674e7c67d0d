package session

import (
	"context"
	"sync"
	"time"

	"example.org/portal/globus"
)

const (
	maxRetries   = 1000 // sign-outs that are retried at once
	retryFor     = time.Hour
	retryPause   = 1 * time.Second // doubled after each try
	maxRetryWait = 1 * time.Minute
)

// retries is the background work of a Manager: sign-outs that the store failed at,
// which are retried until it works again, and revocations.
type retries struct {
	ctx     context.Context // cancelled when the app stops
	cancel  context.CancelFunc
	slots   chan struct{} // one per sign-out, so that a flood of them cannot pile up
	running sync.WaitGroup
}

func (r *retries) stop() {
	r.cancel()
	r.running.Wait()
}

// retryDestroy destroys a session in the background and revokes its tokens; tokens
// are those that it had when it was last read.
func (m *Manager) retryDestroy(ctx context.Context, token string, tokens globus.Tokens) {
	select {
	case m.retries.slots <- struct{}{}:
		m.retries.running.Go(func() {
			defer func() { <-m.retries.slots }()
			m.destroyLate(token, tokens)
		})
	default:
		m.log.ErrorContext(ctx, "session not deleted", "reason", "too many sign-outs are being retried")
	}
}

// destroyLate tries once more when the app stops, or when retryFor has passed.
func (m *Manager) destroyLate(token string, tokens globus.Tokens) {
	ctx, cancel := context.WithTimeout(m.retries.ctx, retryFor)
	defer cancel()
	for pause := retryPause; ; pause = min(2*pause, maxRetryWait) {
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		found, err := m.destroy(context.WithoutCancel(ctx), token)
		if found != nil {
			tokens = found
		}
		switch {
		case err == nil:
			m.log.Info("session deleted late")
			m.revoke(ctx, tokens)
			return
		case ctx.Err() != nil:
			m.log.Error("session not deleted", "reason", err)
			return
		}
	}
}
