package globus

import (
	"context"
	"crypto"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"
)

const (
	// keysInterval is the least time between two successful fetches of the keys.
	// Globus's keys have no id, so only a fetch shows whether they were rotated.
	keysInterval = time.Second

	// keysRetry is the time between a failed fetch and its retry.
	keysRetry = 100 * time.Millisecond
)

// A keySet holds the public keys that Globus Auth signs ID tokens with. It
// fetches them when they are first needed, and again when a signature fits none of
// them. While the endpoint is down, it uses those that it has.
type keySet struct {
	url    string
	client *Client
	flight singleflight.Group // one fetch for all callers that wait

	mu   sync.Mutex         // guards what follows
	keys []crypto.PublicKey // of the last fetch that succeeded
	at   time.Time          // when that was
}

// verify returns the payload of a token whose signature fits one of the keys.
// Only the caller knows which algorithms are allowed.
func (s *keySet) verify(ctx context.Context, jwt string) ([]byte, error) {
	keys, _ := s.last()
	if payload, err := verifyWith(ctx, keys, jwt); err == nil {
		return payload, nil
	}
	fresh, err := s.renew(ctx)
	if err != nil {
		return nil, err // and not a fault of the token: the keys may have been rotated
	}
	payload, err := verifyWith(ctx, fresh, jwt)
	if err != nil {
		return nil, idTokenError(faultSignature)
	}
	return payload, nil
}

func verifyWith(ctx context.Context, keys []crypto.PublicKey, jwt string) ([]byte, error) {
	return (&oidc.StaticKeySet{PublicKeys: keys}).VerifySignature(ctx, jwt)
}

func (s *keySet) last() ([]crypto.PublicKey, time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys, s.at
}

// renew returns keys that are at most one second old. It retries a failed fetch once.
// The fetch goes on if the request that started it is cancelled.
func (s *keySet) renew(ctx context.Context) ([]crypto.PublicKey, error) {
	done := s.flight.DoChan("", func() (any, error) {
		keys, at := s.last()
		if !at.IsZero() && s.client.now().Sub(at).Abs() < keysInterval {
			return keys, nil
		}
		ctx := context.WithoutCancel(ctx)
		keys, err := s.fetch(ctx)
		if err != nil {
			time.Sleep(keysRetry)
			keys, err = s.fetch(ctx)
		}
		if err != nil {
			return nil, err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.keys, s.at = keys, s.client.now()
		return keys, nil
	})
	select {
	case <-ctx.Done():
		return nil, callError("keys", ctx.Err())
	case result := <-done:
		keys, _ := result.Val.([]crypto.PublicKey)
		return keys, result.Err
	}
}

func (s *keySet) fetch(ctx context.Context) (keys []crypto.PublicKey, err error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	err = guarded(func() error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
		if err != nil {
			return callError("keys", err)
		}
		return getJSON(s.client.http, "keys", req, &set)
	})
	if err != nil {
		return nil, err
	}
	keys = usableKeys(set.Keys)
	if len(keys) == 0 {
		return nil, &Error{Call: "keys", Reason: Malformed, Detail: "there is no usable RSA key"}
	}
	return keys, nil
}

// usableKeys returns the keys that can verify RS512. It parses each by itself, so that
// one of an unknown kind does not hide the others.
func usableKeys(raw []json.RawMessage) []crypto.PublicKey {
	var keys []crypto.PublicKey
	for _, r := range raw {
		var jwk jose.JSONWebKey
		if err := json.Unmarshal(r, &jwk); err != nil {
			continue
		}
		if jwk.Use != "sig" && jwk.Use != "" || jwk.Algorithm != oidc.RS512 && jwk.Algorithm != "" {
			continue
		}
		// RFC 7518, section 3.3, wants 2048 bits; the libraries check the rest.
		if key, ok := jwk.Key.(*rsa.PublicKey); ok && key.N.BitLen() >= 2048 {
			keys = append(keys, key)
		}
	}
	return keys
}

// A keyring is the oidc.KeySet of one verification. It keeps the error of a failure,
// which go-oidc would turn into text.
type keyring struct {
	keys *keySet
	err  error
}

func (k *keyring) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	var payload []byte
	payload, k.err = k.keys.verify(ctx, jwt)
	return payload, k.err
}
