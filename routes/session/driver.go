package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// A driver stores sealed records under opaque keys. An error means that the store
// failed; a record that does not exist is no error.
type driver interface {
	Find(ctx context.Context, key string) (data []byte, found bool, err error)

	// Insert stores a record under a new key.
	Insert(ctx context.Context, key string, data []byte, expiry time.Time) error

	// Swap replaces old by data, if the record still is old. The expiry stays.
	Swap(ctx context.Context, key string, old, data []byte) (swapped bool, err error)

	// Take deletes a record and returns it, or nil if there is none. Without an error it
	// stays deleted, even if an earlier call deleted it and failed.
	Take(ctx context.Context, key string) ([]byte, error)

	// List calls f for each record, until f returns an error. Records that come, change
	// or go meanwhile may be missed.
	List(ctx context.Context, f func(storedRecord) error) error

	// Server returns where the records are: the address of a server that was connected
	// to last, the path of a file, or "memory".
	Server() string

	Close() error
}

const (
	maxCall = 2 * time.Second // one call of the store, with all waiting
	maxOpen = time.Minute     // opening the store: nobody waits for a page, and the disk of a busy machine is slow

	// gracePeriod is how long the store keeps the record of an expired session. If the
	// browser returns in that time, the tokens are revoked.
	gracePeriod = time.Hour
)

// CheckStore checks the syntax of Config.Store. The error continues a sentence that
// begins with the name of the setting. It quotes nothing of the URL, which may contain
// a password.
func CheckStore(store string) error {
	kind, rest, _ := strings.Cut(store, ":")
	switch {
	case kind == "redis" || kind == "rediss":
		_, err := parseRedis(store)
		return err
	case isPostgres(store):
		_, err := parsePostgres(store)
		return err
	case kind == "sqlite" && rest != "" || store == "memory:":
		return nil
	}
	return errors.New(`must be "sqlite:" and a path, the URL of a server (postgres://, redis:// or rediss://), or "memory:"`)
}

func isPostgres(store string) bool {
	return strings.HasPrefix(store, "postgres://") || strings.HasPrefix(store, "postgresql://")
}

// openDriver opens the store that Config.Store names. connected is called with the name
// of each server that it connects to, if that is another than before; nil is allowed.
func openDriver(ctx context.Context, store string, log *slog.Logger, connected func(server string)) (driver, error) {
	if err := CheckStore(store); err != nil {
		return nil, fmt.Errorf("its setting %w", err)
	}
	kind, path, _ := strings.Cut(store, ":")
	switch kind {
	case "sqlite":
		return openSQLite(ctx, path, log)
	case "memory":
		return openMemory(ctx, log)
	}
	server := &serverName{changed: connected}
	if isPostgres(store) {
		return openPostgres(ctx, store, server, log)
	}
	return openRedis(ctx, store, server)
}

// A serverName is the name of the server that was connected to last.
type serverName struct {
	changed func(string) // may be nil

	mu   sync.Mutex
	name string
}

func (s *serverName) set(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.name != name && s.changed != nil {
		s.changed(name)
	}
	s.name = name
}

// Server returns the name.
func (s *serverName) Server() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.name
}

// StoreName returns Config.Store without what is secret in it.
func StoreName(store string) string {
	if CheckStore(store) != nil {
		return "a store that cannot be used"
	}
	if isPostgres(store) {
		return postgresName(store)
	}
	return redisName(store)
}
