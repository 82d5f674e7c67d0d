package session

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"log/slog"
	"time"
)

// Check opens a store as Open does, beside an app that may have it open too,
// and writes, reads and deletes a record of its own. It returns what speaks
// against the store although that went well.
func Check(ctx context.Context, store string) (doubts []Doubt, err error) {
	d, err := openDriver(ctx, store, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if r, ok := d.(*redisDriver); ok {
		doubts = r.doubts(ctx)
	}
	return doubts, tryRecord(ctx, d)
}

func tryRecord(ctx context.Context, d driver) error {
	sealed := &sealedStore{driver: d, audience: "a check"}
	secret := make([]byte, 32)
	rand.Read(secret)
	token := base64.RawURLEncoding.EncodeToString(secret)
	// Should it not come to the deletion, the record expires.
	if err := sealed.CommitCtx(ctx, token, []byte("written by a check"), time.Now().Add(time.Minute)); err != nil {
		return err
	}
	_, found, err := sealed.FindCtx(ctx, token) // the seal tells if it was damaged
	if err != nil {
		return err
	}
	if !found {
		return errors.New("it does not give back what was written")
	}
	return sealed.DeleteCtx(ctx, token)
}
