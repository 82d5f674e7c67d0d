package session

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"example.org/portal/routes/routestest/programs"
)

// By default, the certificate of another machine is verified.
func TestPostgresTLS(t *testing.T) {
	const none, any, verified = "none", "any", "verified"
	tests := []struct{ store, env, want string }{
		{"postgres://h/db", "", verified},
		{"postgres://h/db?application_name=x", "", verified},
		{"postgres://127.0.0.1,h/db", "", verified},
		{"postgres:///db?host=h", "", verified},
		{"postgres://h/db?sslmode=require", "", any},
		{"postgres://h/db?sslmode=prefer", "", any},
		{"postgres://h/db?sslmode=disable", "", none},
		{"postgres://h/db", "require", any},
		{"postgres://h/db", "disable", none},
		{"postgres://127.0.0.1/db", "", any},
		{"postgres:///db?host=/run/postgresql", "", none},
	}
	for _, tt := range tests {
		t.Setenv("PGSSLMODE", tt.env)
		cfg, err := parsePostgres(tt.store)
		if err != nil {
			t.Errorf("%s: %v", tt.store, err)
			continue
		}
		ways, got := waysToConnect(cfg.ConnConfig), none
		if c := ways[len(ways)-1].TLSConfig; c != nil && !c.InsecureSkipVerify {
			got = verified
		} else if ways[0].TLSConfig != nil {
			got = any
		}
		if got != tt.want {
			t.Errorf("%s, PGSSLMODE=%s: got %s, want %s", tt.store, tt.env, got, tt.want)
		}
	}
}

// Instances that sweep at once share the work, and wait neither for each other nor for
// who else has locked a row.
func TestPostgresSweep(t *testing.T) {
	t.Parallel()
	p := programs.StartPostgres(t)
	t.Cleanup(p.Remove)
	var all [3]*postgresDriver
	for i := range all {
		d, err := openDriver(t.Context(), p.URL(), slog.New(slog.DiscardHandler), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		all[i] = d.(*postgresDriver)
		all[i].sweeper.stop() // the test sweeps
	}
	const expired = 3*sweepBatch + 1
	p.Exec(t, fmt.Sprintf(`INSERT INTO portal_sessions SELECT 'expired-' || n, ''::bytea, now() - interval '61 minutes' FROM generate_series(1, %d) n`, expired))
	p.Exec(t, `INSERT INTO portal_sessions SELECT 'live-' || minutes, ''::bytea, now() + minutes * interval '1 minute' FROM unnest(ARRAY[60, 0, -59]) minutes`)
	tx, err := all[0].pools.get().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.Background())
	if _, err := tx.Exec(t.Context(), "SELECT FROM portal_sessions WHERE token = 'expired-7' FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	deleted := make(chan int64, 100)
	done := make(chan error, len(all))
	for _, d := range all {
		go func() {
			for {
				n, err := d.sweepBatch(t.Context())
				deleted <- n
				if n == 0 || err != nil {
					done <- err
					return
				}
			}
		}()
	}
	for range all {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	close(deleted)
	total := int64(0)
	for n := range deleted {
		if total += n; n > sweepBatch {
			t.Errorf("%d in one batch, want %d at most", n, sweepBatch)
		}
	}
	if total != expired-1 {
		t.Errorf("%d deleted, want %d", total, expired-1)
	}
	if got := p.Exec(t, "SELECT string_agg(token, ' ' ORDER BY token) FROM portal_sessions"); got != "expired-7 live--59 live-0 live-60" {
		t.Errorf("got %s left, want the one that is locked, and the 3 that live", got)
	}
}
