package session

import (
	"context"
	"database/sql"
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
