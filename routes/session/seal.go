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

// derive returns a key of 32 bytes for one purpose, by HKDF (RFC 5869). It reveals
// neither the token nor the keys for other purposes.
func derive(token, purpose string) []byte {
	b, err := hkdf.Key(sha256.New, tokenSecret(token), nil, "portal session "+purpose, 32)
	if err != nil {
		panic(err) // HKDF can give 32 bytes
	}
	return b
}

// storeKey returns the key of a token's record in the store.
func storeKey(token string) string {
	return base64.RawURLEncoding.EncodeToString(derive(token, "id"))
}

// sealer returns the cipher of a token's record, AES-256-GCM, and the additional
// data that it authenticates. Someone who has the store's files, but no cookie,
// can neither read nor forge a record, nor move one to another key.
func (s *sealedStore) sealer(token string) (aead cipher.AEAD, additional []byte) {
	block, err := aes.NewCipher(derive(token, "seal"))
	if err != nil {
		panic(err) // the key has 32 bytes
	}
	aead, err = cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // the cipher is AES
	}
	return aead, fmt.Appendf(nil, "%s\x00%s\x00%s", sealVersion, s.audience, storeKey(token))
}

func (s *sealedStore) seal(token string, plain []byte) ([]byte, error) {
	if len(plain) > maxRecord {
		return nil, ErrTooLarge
	}
	aead, additional := s.sealer(token)
	return aead.Seal(nil, nil, plain, additional), nil
}

func (s *sealedStore) open(token string, sealed []byte) ([]byte, error) {
	aead, additional := s.sealer(token)
	plain, err := aead.Open(nil, nil, sealed, additional)
	if err != nil {
		return nil, fmt.Errorf("%w: it was sealed for another app or version, or it is damaged", errUnreadable)
	}
	return plain, nil
}
