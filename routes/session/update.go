package session

import (
	"context"
	"errors"
)

// Update changes the record of s by compare-and-swap, and then s itself. It calls
// change with the record as it is in the store, and once more after each conflict
// with another writer; change must only change the record. The errors are ErrGone
// if the session has ended, ErrTooLarge, or a *StoreError; nothing is changed then.
func (m *Manager) Update(ctx context.Context, s *Session, change func(*Record)) error {
	for {
		loaded, now, err := m.current(ctx, s.token)
		if err != nil {
			return err
		}
		change(&now.Record)
		m.scs.Put(loaded, recordKey, &now.Record)
		_, _, err = m.scs.Commit(loaded)
		if errors.Is(err, errConflict) {
			continue
		}
		if err == nil {
			s.Record = now.Record
		}
		return err
	}
}
