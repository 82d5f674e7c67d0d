package session_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // for tests alone
	"github.com/redis/go-redis/v9"

	"example.org/portal/routes/routestest/programs"
)

// overStores runs a test over a new store of each kind, all at once.
func overStores(t *testing.T, test func(t *testing.T, store string)) {
	t.Parallel()
	for _, kind := range []string{"sqlite", "memory", "redis", "sentinel", "cluster", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			test(t, newStore(t, kind))
		})
	}
}

// newStore returns the name of an empty store, which ends with the test.
func newStore(t *testing.T, kind string) string {
	t.Helper()
	switch kind {
	case "memory":
		return "memory:"
	case "redis":
		addr, _ := programs.StartRedis(t)
		return "redis://" + addr
	case "sentinel": // a database of its own
		return sentinels(t).URL(fmt.Sprint(shared.stores.Add(1))) + "&wait=1"
	case "cluster": // which is not said: the server says it
		return "redis://" + cluster(t).Nodes[0].Addr()
	case "postgres": // a schema of its own
		p, schema := postgres(t), fmt.Sprint("test", shared.stores.Add(1))
		db := openSQL(t, p.URL())
		mustExec(t, db, "CREATE SCHEMA "+schema)
		return p.URL() + "&search_path=" + schema
	}
	return "sqlite:" + filepath.Join(t.TempDir(), "sessions.db")
}

// redis returns a client of its own, if the store is Redis.
func (s *site) redis() *redis.Client {
	s.Helper()
	if !strings.HasPrefix(s.store, "redis:") {
		return nil
	}
	var client *redis.Client
	if opt, err := redis.ParseFailoverURL(strings.TrimSuffix(s.store, "&wait=1")); err == nil && opt.MasterName != "" {
		client = redis.NewFailoverClient(opt)
	} else if opt, err := redis.ParseURL(s.store); err == nil {
		client = redis.NewClient(opt)
	} else {
		s.Fatal(err)
	}
	s.Cleanup(func() { client.Close() })
	return client
}

// database opens a second connection to a store in SQLite or PostgreSQL.
func (s *site) database() *sql.DB {
	s.Helper()
	if s.store == "memory:" {
		return s.Database()
	}
	if s.db == nil {
		s.db = openSQL(s.T, s.store)
	}
	return s.db
}

func openSQL(t *testing.T, store string) *sql.DB {
	t.Helper()
	driver, name := "pgx", store
	if path, ok := strings.CutPrefix(store, "sqlite:"); ok {
		driver, name = "sqlite", "file:"+filepath.ToSlash(path)+"?_pragma=busy_timeout(2000)"
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// table is where the records are, in SQL.
func (s *site) table() string {
	if strings.HasPrefix(s.store, "postgres:") {
		return "portal_sessions"
	}
	return "sessions"
}

// records returns the sealed records in the store by their keys.
func (s *site) records() map[string][]byte {
	s.Helper()
	all := map[string][]byte{}
	if client := s.redis(); client != nil {
		keys, err := client.Keys(context.Background(), "*").Result()
		if err != nil {
			s.Fatal(err)
		}
		for _, key := range keys {
			if data, err := client.Get(context.Background(), key).Bytes(); err == nil {
				all[key] = data
			}
		}
		return all
	}
	rows, err := s.database().Query("SELECT token, data FROM " + s.table())
	if err != nil {
		s.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var key string
		var data []byte
		if err := rows.Scan(&key, &data); err != nil {
			s.Fatal(err)
		}
		all[key] = data
	}
	if err := rows.Err(); err != nil {
		s.Fatal(err)
	}
	return all
}

// overwrite puts other data in the place of a record.
func (s *site) overwrite(key string, data []byte) {
	s.Helper()
	if client := s.redis(); client != nil {
		if err := client.Set(s.Context(), key, data, redis.KeepTTL).Err(); err != nil {
			s.Fatal(err)
		}
		return
	}
	mustExec(s.T, s.database(), "UPDATE "+s.table()+" SET data = $1 WHERE token = $2", data, key)
}

// clear deletes all records.
func (s *site) clear() {
	s.Helper()
	if client := s.redis(); client != nil {
		if err := client.FlushDB(s.Context()).Err(); err != nil {
			s.Fatal(err)
		}
		return
	}
	mustExec(s.T, s.database(), "DELETE FROM "+s.table())
}

func mustExec(t *testing.T, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.Exec(query, args...); err != nil {
		t.Fatal(err)
	}
}
