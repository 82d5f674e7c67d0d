package session

import (
	"bytes"
	"maps"
	"sync"
	"time"
)

const (
	openedFor  = time.Minute // the longest that a record stays open in memory
	maxOpened  = 1000        // records
	openedSize = 4 << 20     // bytes of them, sealed
)

// opened remembers records that were opened a moment ago, for opening one costs
// more than reading it. The store is asked all the same, and what it holds
// decides: a record serves only while it is sealed as it was.
type opened struct {
	mu         sync.Mutex
	kept       map[string]*openRecord // by the cookie's token
	size       int
	forgetting bool // it is due: all at once, for a timer each would hold the record
}

type openRecord struct {
	sealed   []byte
	record   Record
	deadline time.Time
}

// get returns a copy of the record of a token, if it was sealed like this. Lists
// in it are shared; nobody changes those in place.
func (o *opened) get(token string, sealed []byte) (*Record, time.Time, bool) {
	o.mu.Lock()
	e := o.kept[token]
	o.mu.Unlock()
	if e == nil || !bytes.Equal(e.sealed, sealed) {
		return nil, time.Time{}, false
	}
	rec := e.record
	rec.Tokens = maps.Clone(rec.Tokens) // whose request it is may put a fresher one in
	return &rec, e.deadline, true
}

// put takes sealed and a copy of rec, in the place of others if there are many.
func (o *opened) put(token string, sealed []byte, rec Record, deadline time.Time) {
	rec.Tokens = maps.Clone(rec.Tokens)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.remove(token)
	for other := range o.kept {
		if len(o.kept) < maxOpened && o.size+len(sealed) <= openedSize {
			break
		}
		o.remove(other)
	}
	o.kept[token] = &openRecord{sealed, rec, deadline}
	o.size += len(sealed)
	if !o.forgetting {
		o.forgetting = true
		time.AfterFunc(openedFor, o.forget)
	}
}

// forget drops all records.
func (o *opened) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	clear(o.kept)
	o.size, o.forgetting = 0, false
}

// drop forgets the record of a token.
func (o *opened) drop(token string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.remove(token)
}

// remove is drop, for who holds the lock.
func (o *opened) remove(token string) {
	if e := o.kept[token]; e != nil {
		o.size -= len(e.sealed)
		delete(o.kept, token)
	}
}
