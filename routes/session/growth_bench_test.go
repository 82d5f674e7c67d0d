package session

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"example.org/portal/routes/routestest/programs"
)

// A benched is a store that can be filled, and measured.
type benched interface {
	driver
	crowd(ctx context.Context, data []byte, n int) error // inserts n records that nobody can open
	size(ctx context.Context) (bytes, records int64, err error)
}

// BenchmarkGrowth loads, and signs in, beside ever more sessions. The last of
// them takes minutes, and 3 GB of disk or memory, to fill: PORTAL_LONG=1.
func BenchmarkGrowth(b *testing.B) {
	if os.Getenv("PORTAL_LONG") != "1" {
		b.Skip("needs PORTAL_LONG=1")
	}
	b.Run("sqlite", func(b *testing.B) { grow(b, "sqlite:"+filepath.Join(b.TempDir(), "sessions.db")) })
	b.Run("redis", func(b *testing.B) {
		addr, _ := programs.StartRedis(b, "--appendfsync", "everysec") // as it is deployed
		grow(b, "redis://"+addr)
	})
	b.Run("postgres", func(b *testing.B) {
		p := programs.StartPostgres(b)
		b.Cleanup(p.Remove)
		grow(b, p.URL())
	})
}

// BenchmarkUpdates replaces each of 100,000 records in PostgreSQL again and again, as when
// everybody's tokens are refreshed several times a day, with autovacuum at its defaults,
// and tells how much of the table's size is of no use afterwards.
func BenchmarkUpdates(b *testing.B) {
	if os.Getenv("PORTAL_LONG") != "1" {
		b.Skip("needs PORTAL_LONG=1")
	}
	const sessions = 100_000
	p := programs.StartPostgres(b)
	b.Cleanup(p.Remove)
	m := openFor(b, p.URL())
	s, err := m.SignIn(b.Context(), typical())
	if err != nil {
		b.Fatal(err)
	}
	d := benchedPostgres{m.store.driver.(*observedDriver).driver.(*postgresDriver)}
	sealed, _, err := d.Find(b.Context(), storeKey(s.token))
	if err == nil {
		err = d.crowd(b.Context(), sealed, sessions)
	}
	before, _, sizeErr := d.size(b.Context())
	if err = errors.Join(err, sizeErr); err != nil {
		b.Fatal(err)
	}
	rows, err := d.pools.get().Query(b.Context(), "SELECT token FROM portal_sessions")
	if err != nil {
		b.Fatal(err)
	}
	keys, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		b.Fatal(err)
	}
	updates := 0
	for b.Loop() {
		mathrand.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		todo := make(chan string)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for key := range todo {
					if swapped, err := d.Swap(b.Context(), key, sealed, sealed); !swapped || err != nil {
						b.Error(swapped, err)
					}
				}
			})
		}
		for _, key := range keys {
			todo <- key
		}
		close(todo)
		all.Wait()
		updates += len(keys)
	}
	after, _, err := d.size(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(updates)/b.Elapsed().Seconds(), "updates/s")
	b.ReportMetric(float64(after)/float64(before), "size-ratio")
}

func grow(b *testing.B, store string) {
	m := openFor(b, store)
	var d benched
	switch inner := m.store.driver.(*observedDriver).driver.(type) {
	case *sqliteDriver:
		d = benchedSQLite{inner}
	case *redisDriver:
		d = benchedRedis{inner}
	case *postgresDriver:
		d = benchedPostgres{inner}
	}
	var some []*http.Request // in the midst of all others
	filled := 0
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		for ; filled < n; filled += 1000 {
			s, err := m.SignIn(b.Context(), typical())
			if err != nil {
				b.Fatal(err)
			}
			some = append(some, requestOf(m, s))
			sealed, _, err := m.store.driver.Find(b.Context(), storeKey(s.token))
			if err == nil {
				err = d.crowd(b.Context(), sealed, 999)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		size, records, err := d.size(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("load/%d", n), func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for i := mathrand.IntN(len(some)); pb.Next(); i = (i + 1) % len(some) {
					if got, err := m.Load(httptest.NewRecorder(), some[i]); got == nil || err != nil {
						b.Error(got, err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "loads/s")
			b.ReportMetric(float64(size)/1e6, "MB")
			b.ReportMetric(float64(size)/float64(records), "B/session")
		})
		b.Run(fmt.Sprintf("sign-in/%d", n), func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := m.SignIn(b.Context(), typical()); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sign-ins/s")
		})
	}
}

// foreignKey is like those in the store.
func foreignKey() string { return rand.Text() + rand.Text()[:17] }

type benchedSQLite struct{ *sqliteDriver }

func (d benchedSQLite) crowd(ctx context.Context, data []byte, n int) error {
	tx, err := d.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	insert, err := tx.PrepareContext(ctx, "INSERT INTO sessions (token, data, expiry) VALUES (?, ?, julianday('now', ?))")
	if err != nil {
		return err
	}
	for range n {
		if _, err := insert.ExecContext(ctx, foreignKey(), data, fmt.Sprintf("+%d seconds", 3600+mathrand.IntN(600_000))); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (d benchedSQLite) size(ctx context.Context) (bytes, records int64, err error) {
	if err := d.reader.QueryRowContext(ctx, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").Scan(&bytes); err != nil {
		return 0, 0, err
	}
	return bytes, records, d.reader.QueryRowContext(ctx, "SELECT count(*) FROM sessions").Scan(&records)
}

type benchedRedis struct{ *redisDriver }

func (d benchedRedis) crowd(ctx context.Context, data []byte, n int) error {
	_, err := d.clients.get().Pipelined(ctx, func(p redis.Pipeliner) error {
		for range n {
			p.Set(ctx, redisPrefix+foreignKey(), data, time.Duration(3600+mathrand.IntN(600_000))*time.Second)
		}
		return nil
	})
	return err
}

// size returns how much memory Redis takes.
func (d benchedRedis) size(ctx context.Context) (bytes, records int64, err error) {
	info, err := d.clients.get().Info(ctx, "memory").Result()
	if err != nil {
		return 0, 0, err
	}
	_, used, _ := strings.Cut(info, "used_memory:")
	used, _, _ = strings.Cut(used, "\r")
	if bytes, err = strconv.ParseInt(used, 10, 64); err != nil {
		return 0, 0, err
	}
	records, err = d.clients.get().DBSize(ctx).Result()
	return bytes, records, err
}

type benchedPostgres struct{ *postgresDriver }

func (d benchedPostgres) crowd(ctx context.Context, data []byte, n int) error {
	now := time.Now()
	_, err := d.pools.get().CopyFrom(ctx, pgx.Identifier{"portal_sessions"}, []string{"token", "data", "expiry"}, pgx.CopyFromSlice(n, func(int) ([]any, error) {
		return []any{foreignKey(), data, now.Add(time.Duration(3600+mathrand.IntN(600_000)) * time.Second)}, nil
	}))
	return err
}

// size returns how much of the disk the table and its indexes take.
func (d benchedPostgres) size(ctx context.Context) (bytes, records int64, err error) {
	err = d.pools.get().QueryRow(ctx, "SELECT pg_total_relation_size('portal_sessions'), count(*) FROM portal_sessions").Scan(&bytes, &records)
	return bytes, records, err
}
