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
	answerFor     = 60 * time.Second // how long the outcome of a callback is remembered
	maxSignIns    = 256              // under way at once; each holds a connection to Globus
	maxFromClient = 32               // of those, from one address, or behind one proxy on another machine
)

// outcomes remembers how sign-ins ended, so that a callback that comes twice,
// at once or because the browser hung up on the first, redeems its code once
// and ends signed in both times. Only who holds all secrets of the attempt may
// ask: a state alone is in logs and histories, and a cookie that has it can be
// made up.
type outcomes struct {
	mu       sync.Mutex
	kept     map[string]*outcome // by a hash of the attempt
	underWay int                 // of those, how many are not done
	from     map[string]int      // likewise, by client
}

// busy reports whether so many wait for Globus, of all or of one client's, that
// no more should: anybody can begin an attempt, and finish it with a made-up code.
func (as *outcomes) busy(client string) bool {
	as.mu.Lock()
	defer as.mu.Unlock()
	return as.underWay >= maxSignIns || as.from[network(client)] >= maxFromClient
}

// network returns what one client has at its disposal: an IPv4 address, or the
// first 64 bits of an IPv6 one.
func network(client string) string {
	ip, err := netip.ParseAddr(client)
	if err != nil || ip.Is4() {
		return client
	}
	prefix, _ := ip.Prefix(64)
	return prefix.String()
}

var errPanicked = errors.New("the sign-in panicked")

// An outcome is the outcome of one callback. Read it when done is closed.
type outcome struct {
	done    chan struct{}
	session *session.Session
	err     error
}

// once calls f for the first who come with this attempt; all get what came of it.
// It returns early, with an error, for those who hang up while they wait.
func (as *outcomes) once(ctx context.Context, client string, t globus.Attempt, f func() (*session.Session, error)) *outcome {
	hash := sha256.Sum256([]byte(t.State + "\x00" + t.Nonce + "\x00" + t.Verifier))
	key := hex.EncodeToString(hash[:])

	as.mu.Lock()
	a, found := as.kept[key]
	if !found {
		a = &outcome{done: make(chan struct{})}
		as.kept[key] = a
		as.underWay++
		as.from[network(client)]++
	}
	as.mu.Unlock()

	if found {
		select {
		case <-a.done:
			return a
		case <-ctx.Done():
			return &outcome{err: ctx.Err()}
		}
	}
	defer func() {
		close(a.done)
		as.mu.Lock()
		defer as.mu.Unlock()
		as.underWay--
		if as.from[network(client)]--; as.from[network(client)] == 0 {
			delete(as.from, network(client))
		}
		time.AfterFunc(answerFor, func() {
			as.mu.Lock()
			defer as.mu.Unlock()
			delete(as.kept, key)
		})
	}()
	a.err = errPanicked // until f returns
	a.session, a.err = f()
	return a
}
