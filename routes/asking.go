package routes

import (
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	askAnewAfter = 10 * time.Second // a Globus that did not answer about a session
	maxRemember  = 1000             // sessions
)

// asking is what goes on between policies and Globus: one question for all
// requests of a session that have it, and none for a while after one failed.
type asking struct {
	flight singleflight.Group

	mu       sync.Mutex
	failedAt map[string]time.Time // when a question last failed, by session
}

func (q *asking) failed(session string, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.failedAt == nil || len(q.failedAt) >= maxRemember {
		q.failedAt = map[string]time.Time{}
	}
	q.failedAt[session] = now
}

func (q *asking) failedLately(session string, now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	at, ok := q.failedAt[session]
	return ok && now.Sub(at).Abs() < askAnewAfter
}
