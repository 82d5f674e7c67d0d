package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// A driver keeps sealed records under opaque keys. Its methods return only
// faults of the store.
type driver interface {
	FindCtx(ctx context.Context, key string) (data []byte, found bool, err error)
	CommitCtx(ctx context.Context, key string, data []byte, expiry time.Time) error

	// TakeCtx deletes the data and returns what it was, nil if there was none.
	TakeCtx(ctx context.Context, key string) ([]byte, error)

	// SwapCtx replaces old by data if old is still what is there.
	SwapCtx(ctx context.Context, key string, old, data []byte) (swapped bool, err error)
	Close() error
}

const (
	maxCall = 2 * time.Second // one call of the store, all waiting included
	maxOpen = time.Minute     // opening it: nobody waits for a page then, and a busy machine's disk is slow

	// keptAfter is how long a record is kept beyond its end: till then a
	// browser that comes late has its tokens revoked.
	keptAfter = time.Hour
)

// CheckStore returns what is wrong with the name of a store, as it follows the
// name of the setting; it opens nothing. It quotes nothing of a URL, which may
// hold a password.
func CheckStore(store string) error {
	kind, rest, _ := strings.Cut(store, ":")
	switch {
	case kind == "redis" || kind == "rediss":
		return checkRedisURL(store)
	case kind == "sqlite" && rest != "" || store == "memory:":
		return nil
	}
	return errors.New(`must be "sqlite:" and a path, "redis://" or "rediss://" and a host, or "memory:"`)
}

var databasePath = regexp.MustCompile(`^(/[0-9]{0,6})?$`)

func checkRedisURL(store string) error {
	u, err := url.Parse(store)
	switch {
	case err != nil:
		return errors.New("cannot be read as a URL, such as redis://user:password@host:6379/0; in the password, %40 stands for @, %2F for /, %23 for #")
	case u.Hostname() == "":
		return errors.New("must name a host, as in redis://host:6379")
	case !databasePath.MatchString(u.Path):
		return errors.New("must end in the number of a database, or in none, as in redis://host:6379/0")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return errors.New("must end after the number of the database; in a password, %3F stands for ?, and %23 for #")
	}
	return nil
}

// openDriver opens the store of a name that CheckStore finds nothing wrong with,
// unless ctx ends first.
func openDriver(ctx context.Context, store string, log *slog.Logger) (driver, error) {
	if err := CheckStore(store); err != nil {
		return nil, fmt.Errorf("its name %w", err)
	}
	kind, path, _ := strings.Cut(store, ":")
	switch kind {
	case "sqlite":
		return openSQLite(ctx, path, log)
	case "memory":
		return openMemory(ctx, log)
	}
	return openRedis(ctx, store)
}
