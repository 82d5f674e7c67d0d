package session

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"log/slog"
	"time"
)

// Check opens a store as Open does, and inserts, reads and deletes a test record. The
// app may have the store open at the same time. If all of that succeeds, Check returns
// doubts about how the store is set up.
func Check(ctx context.Context, store string) (doubts []Doubt, err error) {
	d, err := openDriver(ctx, store, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	doubts = doubtsOf(ctx, d)
	return doubts, checkRecord(ctx, d)
}

// A Doubt is a problem with the setup of a store that works, and its remedy.
type Doubt struct{ Found, Remedy string }

// doubtsOf returns the doubts about how the server of a driver is set up.
func doubtsOf(ctx context.Context, d driver) []Doubt {
	if s, ok := d.(interface {
		doubts(ctx context.Context) []Doubt
	}); ok {
		return s.doubts(ctx)
	}
	return nil
}

// checkRecord inserts, reads and deletes a record.
func checkRecord(ctx context.Context, d driver) error {
	sealed := &sealedStore{driver: d, audience: "a check"}
	secret := make([]byte, 32)
	rand.Read(secret)
	token := base64.RawURLEncoding.EncodeToString(secret)
	// If it cannot be deleted, the record expires.
	if err := sealed.CommitCtx(ctx, token, []byte("written by a check"), time.Now().Add(time.Minute)); err != nil {
		return err
	}
	_, found, err := sealed.FindCtx(ctx, token) // a damaged record does not open
	if err != nil {
		return err
	}
	if !found {
		return errors.New("a record that was written is not found")
	}
	return sealed.DeleteCtx(ctx, token)
}
