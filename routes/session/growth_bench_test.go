package session

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

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
}

func grow(b *testing.B, store string) {
	m := openFor(b, store)
	var d benched
	switch inner := m.store.driver.(*observedDriver).driver.(type) {
	case *sqliteDriver:
		d = benchedSQLite{inner}
	case *redisDriver:
		d = benchedRedis{inner}
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
