package session

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Moved is what Move did, in sessions.
type Moved struct {
	Copied    int64 // were not in the new store
	Updated   int64 // had changed in the old store after an earlier Move
	Ended     int64 // had ended in the old store after an earlier Move, and so end in the new one
	Unchanged int64 // nothing to do: copied before
	Diverged  int64 // changed or ended in the new store after an earlier Move: left alone
}

// markPrefix begins the keys of marks. Move leaves one in the new store for each record
// that it copies: a hash of what it copied, by which a later Move knows which of the two
// stores has changed since. A mark expires with its session.
const markPrefix = "moved "

const moveWorkers = 8

// Move copies the sealed records of one store to another, as Config.Store names them, so
// that nobody has to sign in again. It needs no key. It may run again, and while either
// store is in use: what happens in the old store after a record was read is left to the
// next Move.
func Move(ctx context.Context, from, to string) (Moved, error) {
	if from == to {
		return Moved{}, errors.New("both are the same store")
	}
	var drivers [2]driver
	for i, store := range []string{from, to} {
		d, err := openForMove(ctx, store, i == 0)
		if err != nil {
			return Moved{}, fmt.Errorf("%s: %w", StoreName(store), err)
		}
		defer d.Close()
		drivers[i] = d
	}
	m := mover{from: drivers[0], to: drivers[1]}
	err := m.eachRecord(ctx, m.from, m.copy)
	if err == nil && m.seen.Load() > 0 { // an old store that is empty is a mistake
		err = m.eachRecord(ctx, m.to, m.end)
	}
	return Moved{m.copied.Load(), m.updated.Load(), m.ended.Load(), m.unchanged.Load(), m.diverged.Load()}, err
}

func openForMove(ctx context.Context, store string, exists bool) (driver, error) {
	if store == "memory:" {
		return nil, errors.New("a store in memory cannot be moved, because only the app that made it can read it")
	}
	if path, ok := strings.CutPrefix(store, "sqlite:"); ok && exists {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, err // opening it would create it
		}
	}
	return openDriver(ctx, store, slog.New(slog.DiscardHandler), nil)
}

type mover struct {
	from, to                                          driver
	seen, copied, updated, ended, unchanged, diverged atomic.Int64
}

// A storedRecord is a record as a driver lists it.
type storedRecord struct {
	key    string
	data   []byte
	expiry time.Time
}

// eachRecord calls do for each record of a store, for several at once.
func (m *mover) eachRecord(ctx context.Context, d driver, do func(context.Context, storedRecord) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	records := make(chan storedRecord)
	var workers sync.WaitGroup
	for range moveWorkers {
		workers.Go(func() {
			for rec := range records {
				if err := do(ctx, rec); err != nil {
					cancel(err)
				}
			}
		})
	}
	err := d.List(ctx, func(rec storedRecord) error {
		select {
		case records <- rec:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	close(records)
	workers.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// copy brings a record of the old store to the new one.
func (m *mover) copy(ctx context.Context, rec storedRecord) error {
	if strings.HasPrefix(rec.key, markPrefix) || !time.Now().Before(rec.expiry) {
		return nil
	}
	m.seen.Add(1)
	mark, marked, err := m.to.Find(ctx, markPrefix+rec.key)
	if err != nil {
		return err
	}
	there, found, err := m.to.Find(ctx, rec.key)
	if err != nil {
		return err
	}
	switch hash := hashOf(rec.data); {
	case !marked && !found:
		m.copied.Add(1)
		if err := m.to.Insert(ctx, rec.key, rec.data, rec.expiry); err != nil {
			return err
		}
		return m.to.Insert(ctx, markPrefix+rec.key, hash, rec.expiry)
	case !marked && bytes.Equal(there, rec.data): // a Move was interrupted
		m.copied.Add(1)
		return m.to.Insert(ctx, markPrefix+rec.key, hash, rec.expiry)
	case marked && bytes.Equal(mark, hash):
		m.unchanged.Add(1)
		return nil
	case marked && found && bytes.Equal(mark, hashOf(there)):
		m.updated.Add(1)
		swapped, err := m.to.Swap(ctx, rec.key, there, rec.data)
		if err == nil && swapped {
			_, err = m.to.Swap(ctx, markPrefix+rec.key, mark, hash)
		}
		return err
	}
	m.diverged.Add(1)
	return nil
}

// end deletes the record that a mark of the new store is about, if the old store has it
// no more.
func (m *mover) end(ctx context.Context, mark storedRecord) error {
	key, isMark := strings.CutPrefix(mark.key, markPrefix)
	if !isMark {
		return nil
	}
	if _, found, err := m.from.Find(ctx, key); found || err != nil {
		return err
	}
	m.ended.Add(1)
	if _, err := m.to.Take(ctx, key); err != nil {
		return err
	}
	_, err := m.to.Take(ctx, mark.key)
	return err
}

func hashOf(data []byte) []byte {
	sum := sha256.Sum256(data)
	return sum[:]
}
