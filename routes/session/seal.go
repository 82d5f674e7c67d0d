package session

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

const (
	maxRecord = 64 << 10 // bytes, before sealing

	sealVersion = "1"
)

// extract and derive are the two steps of HKDF (RFC 5869): derive returns a key of 32
// bytes for one purpose. It reveals neither the token nor the keys for other purposes.
func extract(token string) []byte {
	b, err := hkdf.Extract(sha256.New, tokenSecret(token), nil)
	if err != nil {
		panic(err) // any secret will do
	}
	return b
}

func derive(extracted []byte, purpose string) []byte {
	b, err := hkdf.Expand(sha256.New, extracted, "portal session "+purpose, 32)
	if err != nil {
		panic(err) // HKDF can give 32 bytes
	}
	return b
}

// keys are those of a token's record: its own in the store, and that of its seal.
type keys struct {
	store string
	seal  []byte
}

func keysOf(token string) keys {
	extracted := extract(token)
	return keys{base64.RawURLEncoding.EncodeToString(derive(extracted, "id")), derive(extracted, "seal")}
}

// storeKey returns the key of a token's record in the store.
func storeKey(token string) string { return keysOf(token).store }

// sealer returns the cipher of a record, AES-256-GCM, and the additional
// data that it authenticates. Someone who has the store's files, but no cookie,
// can neither read nor forge a record, nor move one to another key.
func (s *sealedStore) sealer(k keys) (aead cipher.AEAD, additional []byte) {
	block, err := aes.NewCipher(k.seal)
	if err != nil {
		panic(err) // the key has 32 bytes
	}
	aead, err = cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // the cipher is AES
	}
	return aead, fmt.Appendf(nil, "%s\x00%s\x00%s", sealVersion, s.audience, k.store)
}

func (s *sealedStore) seal(k keys, plain []byte) ([]byte, error) {
	if len(plain) > maxRecord {
		return nil, ErrTooLarge
	}
	aead, additional := s.sealer(k)
	return aead.Seal(nil, nil, plain, additional), nil
}

func (s *sealedStore) open(k keys, sealed []byte) ([]byte, error) {
	aead, additional := s.sealer(k)
	plain, err := aead.Open(nil, nil, sealed, additional)
	if err != nil {
		return nil, fmt.Errorf("%w: it was sealed for another app or version, or it is damaged", errUnreadable)
	}
	return plain, nil
}
