package globus

import (
	"context"
	"crypto"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"
)

const (
	// keysInterval is the least time between two fetches of the keys. Globus's
	// keys have no id, so a forged token cannot be told from a rotated key but
	// by fetching them again; this bounds what forgeries can make us do.
	keysInterval = 30 * time.Second

	maxKeys          = 10
	minBits, maxBits = 2048, 4096 // of an RSA modulus; go-jose reads no larger one either
	maxExponent      = 1<<31 - 1
)

// A keySet holds the public keys that Globus Auth signs ID tokens with. It
// fetches them when they are first needed, and again when a signature fits
// none of them; those that it has serve on while the endpoint is down.
type keySet struct {
	url    string
	client *Client
	flight singleflight.Group // one fetch serves all who wait for it

	mu sync.Mutex // guards what follows
	fetched
}

// fetched is what the last fetch left behind.
type fetched struct {
	keys []crypto.PublicKey // of the last fetch that succeeded
	at   time.Time          // when the last fetch began
	err  error              // what came of it
}

// verify returns the payload of a token whose signature fits one of the keys.
// Only the caller knows which algorithms are allowed.
func (s *keySet) verify(ctx context.Context, jwt string) ([]byte, error) {
	last := s.last()
	if len(last.keys) > 0 {
		if payload, err := verifyWith(ctx, last.keys, jwt); err == nil {
			return payload, nil
		}
		// A forgery, or the keys were rotated.
	}
	last = s.renew(ctx)
	if len(last.keys) == 0 {
		return nil, last.err
	}
	payload, err := verifyWith(ctx, last.keys, jwt)
	if err != nil {
		return nil, idTokenError("its signature fits none of Globus's keys")
	}
	return payload, nil
}

func verifyWith(ctx context.Context, keys []crypto.PublicKey, jwt string) ([]byte, error) {
	return (&oidc.StaticKeySet{PublicKeys: keys}).VerifySignature(ctx, jwt)
}

func (s *keySet) last() fetched {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fetched
}

// renew fetches the keys, unless that was tried just now, and returns what is
// there then. The fetch does not end with the request that happens to need it.
func (s *keySet) renew(ctx context.Context) fetched {
	done := s.flight.DoChan("", func() (any, error) {
		last, now := s.last(), s.client.now()
		if !last.at.IsZero() && now.Sub(last.at).Abs() < keysInterval {
			return last, nil
		}
		last.at = now
		keys, err := s.fetch(context.WithoutCancel(ctx))
		if last.err = err; err == nil {
			last.keys = keys
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.fetched = last
		return last, nil
	})
	select {
	case <-ctx.Done():
		return fetched{err: callError("keys", ctx.Err())}
	case result := <-done:
		return result.Val.(fetched)
	}
}

func (s *keySet) fetch(ctx context.Context) (keys []crypto.PublicKey, err error) {
	defer func() { // in singleflight's goroutine nobody else would recover, and the process would end
		if p := recover(); p != nil {
			err = &Error{Call: "keys", Reason: Malformed, Detail: fmt.Sprintf("panic: %T\n%s", p, debug.Stack())}
		}
	}()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, callError("keys", err)
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := getJSON(s.client.http, "keys", req, &set); err != nil {
		return nil, err
	}
	keys = usableKeys(set.Keys)
	if len(keys) == 0 {
		return nil, &Error{Call: "keys", Reason: Malformed, Detail: "there is no usable RSA key"}
	}
	return keys, nil
}

// usableKeys picks the keys that can verify RS512. Each is read alone, so that
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
		key, ok := jwk.Key.(*rsa.PublicKey)
		if !ok || key.N.BitLen() < minBits || key.N.BitLen() > maxBits || key.E < 3 || key.E%2 == 0 || key.E > maxExponent {
			continue
		}
		if keys = append(keys, key); len(keys) == maxKeys {
			break
		}
	}
	return keys
}

// A keyring is the oidc.KeySet of one verification. It keeps the reason of a
// failure, which go-oidc would turn into text.
type keyring struct {
	keys *keySet
	err  error
}

func (k *keyring) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	var payload []byte
	payload, k.err = k.keys.verify(ctx, jwt)
	return payload, k.err
}
