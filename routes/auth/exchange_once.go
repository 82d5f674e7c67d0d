package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/netip"
	"sync"
	"time"

	"example.org/portal/globus"
	"example.org/portal/routes/session"
)

const (
	outcomeTTL     = 60 * time.Second // how long the outcome of a callback is kept
	maxPending     = 256              // callbacks that wait for Globus; each holds a connection
	maxPendingEach = 32               // of those, from one network; a proxy on another machine counts as one
)

// outcomes keeps the outcomes of recent callbacks, so that a callback that comes
// twice, at once or because the browser hung up on the first, exchanges its code
// once and is answered the same both times. The key is made of all secrets of the
// attempt: the state alone is in logs and histories.
type outcomes struct {
	mu        sync.Mutex
	recent    map[string]*outcome // by attemptKey
	pending   int                 // how many callbacks wait for Globus
	pendingOf map[string]int      // likewise, by network
}

// An outcome is the outcome of one callback. session and err may be read once done
// is closed.
type outcome struct {
	done    chan struct{}
	session *session.Session
	err     error
}

var errPanicked = errors.New("the sign-in panicked")

// once calls f for the first callback of an attempt, and returns its outcome to all
// of them. A callback that waits for another returns early when ctx is cancelled.
// The error is errBusy if too many callbacks wait for Globus: anybody can begin an
// attempt and finish it with an invented code.
func (o *outcomes) once(ctx context.Context, client string, t globus.Attempt, f func() (*session.Session, error)) (*session.Session, error) {
	key, from := attemptKey(t), network(client)
	first, found, err := o.enter(key, from)
	if err != nil {
		return nil, err
	}
	if found {
		select {
		case <-first.done:
			return first.session, first.err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	defer o.leave(key, from, first)
	first.err = errPanicked // until f returns
	first.session, first.err = f()
	return first.session, first.err
}

// enter returns the outcome with this key, or adds one that is pending.
func (o *outcomes) enter(key, from string) (out *outcome, found bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if out, found = o.recent[key]; found {
		return out, true, nil
	}
	if o.pending >= maxPending || o.pendingOf[from] >= maxPendingEach {
		return nil, false, errBusy
	}
	out = &outcome{done: make(chan struct{})}
	o.recent[key] = out
	o.pending++
	o.pendingOf[from]++
	return out, false, nil
}

// leave marks an outcome as done, and forgets it after outcomeTTL.
func (o *outcomes) leave(key, from string, out *outcome) {
	close(out.done)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pending--
	if o.pendingOf[from]--; o.pendingOf[from] == 0 {
		delete(o.pendingOf, from)
	}
	time.AfterFunc(outcomeTTL, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.recent, key)
	})
}

// attemptKey returns a hash of an attempt's secrets.
func attemptKey(t globus.Attempt) string {
	hash := sha256.Sum256([]byte(t.State + "\x00" + t.Nonce + "\x00" + t.Verifier))
	return hex.EncodeToString(hash[:])
}

// network returns the addresses that one client can have: an IPv4 address, or the
// first 64 bits of an IPv6 one.
func network(client string) string {
	ip, err := netip.ParseAddr(client)
	if err != nil || ip.Is4() {
		return client
	}
	prefix, _ := ip.Prefix(64)
	return prefix.String()
}
