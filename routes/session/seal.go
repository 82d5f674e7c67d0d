package session

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"
)

const (
	maxRecord = 64 << 10 // bytes, before sealing

	sealVersion = "1"
)

// A sealedStore is the scs.CtxStore between scs and a driver. scs calls it
// with the cookie's token. The driver sees a hash of the token as the key, and
// as the data AES-256-GCM under another: who has the store's files, but no
// cookie, can neither read nor forge a record, nor move one to another key.
type sealedStore struct {
	driver   driver
	audience string
}

// derive returns 32 bytes that tell nothing about the token, nor about what is
// derived from it for another purpose.
func derive(token, purpose string) []byte {
	b, err := hkdf.Key(sha256.New, tokenSecret(token), nil, "portal session "+purpose, 32)
	if err != nil {
		panic(err) // only if 32 bytes were more than HKDF can give
	}
	return b
}

func storeKey(token string) string {
	return base64.RawURLEncoding.EncodeToString(derive(token, "id"))
}

// sealer returns the cipher of a token's record, and the data that the record
// is bound to.
func (s *sealedStore) sealer(token string) (cipher.AEAD, []byte) {
	block, err := aes.NewCipher(derive(token, "seal"))
	if err != nil {
		panic(err) // only for a key that is not 32 bytes
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // only for a cipher that is not AES
	}
	return aead, fmt.Appendf(nil, "%s\x00%s\x00%s", sealVersion, s.audience, storeKey(token))
}

func (s *sealedStore) seal(token string, plain []byte) ([]byte, error) {
	if len(plain) > maxRecord {
		return nil, ErrTooLarge
	}
	aead, bound := s.sealer(token)
	return aead.Seal(nil, nil, plain, bound), nil
}

func (s *sealedStore) open(token string, sealed []byte) ([]byte, error) {
	aead, bound := s.sealer(token)
	plain, err := aead.Open(nil, nil, sealed, bound)
	if err != nil {
		return nil, fmt.Errorf("%w: it was sealed otherwise, or damaged", errUnreadable)
	}
	return plain, nil
}

// find returns the sealed record of a token.
func (s *sealedStore) find(ctx context.Context, token string) ([]byte, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, maxCall)
	defer cancel()
	data, found, err := s.driver.FindCtx(ctx, storeKey(token))
	if err != nil {
		return nil, false, &StoreError{err}
	}
	return data, found, nil
}

// swap seals plain and puts it in the place of the sealed record old, if that
// is still there.
func (s *sealedStore) swap(ctx context.Context, token string, old, plain []byte) (bool, error) {
	sealed, err := s.seal(token, plain)
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, maxCall)
	defer cancel()
	swapped, err := s.driver.SwapCtx(ctx, storeKey(token), old, sealed)
	if err != nil {
		return false, &StoreError{err}
	}
	return swapped, nil
}

// take deletes the record of a token and returns it, still sealed.
func (s *sealedStore) take(ctx context.Context, token string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, maxCall)
	defer cancel()
	sealed, err := s.driver.TakeCtx(ctx, storeKey(token))
	if err != nil {
		return nil, &StoreError{err}
	}
	return sealed, nil
}

// FindCtx implements scs.CtxStore, as do the methods below. Of them all, scs is
// led to call only CommitCtx.
func (s *sealedStore) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	sealed, found, err := s.find(ctx, token)
	if err != nil || !found {
		return nil, false, err
	}
	plain, err := s.open(token, sealed)
	if err != nil {
		return nil, false, err
	}
	return plain, true, nil
}

func (s *sealedStore) CommitCtx(ctx context.Context, token string, plain []byte, expiry time.Time) error {
	sealed, err := s.seal(token, plain)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, maxCall)
	defer cancel()
	if err := s.driver.CommitCtx(ctx, storeKey(token), sealed, expiry); err != nil {
		return &StoreError{err}
	}
	return nil
}

func (s *sealedStore) DeleteCtx(ctx context.Context, token string) error {
	_, err := s.take(ctx, token)
	return err
}

// scs asks for these three, and calls those above.

func (s *sealedStore) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

func (s *sealedStore) Commit(token string, plain []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, plain, expiry)
}

func (s *sealedStore) Delete(token string) error {
	return s.DeleteCtx(context.Background(), token)
}
