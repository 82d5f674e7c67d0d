package session

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"time"
)

// Database returns what the records are in, of a store in SQLite.
func (m *Manager) Database() *sql.DB {
	return m.store.driver.(*observedDriver).driver.(*sqliteDriver).writer
}

// Insert puts data under a key, as it is.
func (m *Manager) Insert(ctx context.Context, key string, data []byte, expiry time.Time) error {
	return m.store.driver.Insert(ctx, key, data, expiry)
}

// Swap replaces data under a key.
func (m *Manager) Swap(ctx context.Context, key string, old, data []byte) (bool, error) {
	return m.store.driver.Swap(ctx, key, old, data)
}

// Peek reads the session whose cookie r brings, as it is in the store: one that has
// ended too.
func (m *Manager) Peek(r *http.Request) (*Session, error) {
	token := m.token(r)
	if token == "" {
		return nil, nil
	}
	_, s, err := m.load(r.Context(), token)
	if errors.Is(err, ErrGone) {
		return nil, nil
	}
	return s, err
}

// Expiries returns when the records expire, by their keys.
func (m *Manager) Expiries(ctx context.Context) (map[string]time.Time, error) {
	all := map[string]time.Time{}
	return all, m.store.driver.List(ctx, func(rec storedRecord) error {
		all[rec.key] = rec.expiry
		return nil
	})
}
