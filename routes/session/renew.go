package session

import (
	"sync"
	"time"
)

// A renewable is a client of a server, with all its connections. If the server hangs,
// or is not the primary any more, the client is replaced as a whole, because its other
// connections lead to the same server: otherwise each of them would fail once.
type renewable[C comparable] struct {
	open  func() C
	close func(C) // may take long, because connections under way are not cut off

	mu      sync.Mutex
	current C
	closed  bool
}

func newRenewable[C comparable](open func() C, close func(C)) *renewable[C] {
	return &renewable[C]{open: open, close: close, current: open()}
}

func (r *renewable[C]) get() C {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.current
}

// renew replaces the client, unless another call has done that already.
func (r *renewable[C]) renew(old C) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.current != old {
		return
	}
	r.current = r.open()
	time.AfterFunc(maxCall, func() { r.close(old) }) // calls under way end by themselves
}

// end closes the client for good.
func (r *renewable[C]) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.closed = true
		r.close(r.current)
	}
}
