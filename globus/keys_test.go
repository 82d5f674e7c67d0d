package globus_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

// wantSignIn signs rosalind in and wants it to end so, after so many fetches of
// the keys from the beginning of the test.
func (f *flow) wantSignIn(name string, want globus.Reason, wantFetches int) {
	f.Helper()
	_, err := f.signIn("rosalind")
	var got globus.Reason
	if err != nil {
		got = asError(f.T, err).Reason
	}
	if got != want {
		f.Errorf("%s: got %v, want %q", name, err, want)
	}
	if got := f.auth.Requests(globustest.KeysPath); got != wantFetches {
		f.Errorf("%s: got %d fetches, want %d", name, got, wantFetches)
	}
}

// The keys that were fetched once serve on.
func TestKeysServeOn(t *testing.T) {
	f := newFlow(t)
	f.wantSignIn("first", "", 1)
	f.auth.Lie(fault(globustest.KeysPath, globustest.Fault{Status: 503}))
	f.wantSignIn("endpoint down", "", 1)
	f.clock.add(24 * time.Hour)
	f.wantSignIn("a day later", "", 1)
}

// What panics while the keys are fetched fails one sign-in, and not the process.
func TestKeysPanic(t *testing.T) {
	f := newFlow(t)
	f.client = f.newClient(globus.Config{Transport: panicking{f.wire}})
	_, err := f.signIn("rosalind")
	if err == nil || !strings.Contains(err.Error(), "panicking.RoundTrip") || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v, want an error that says where, and not what", err)
	}
}

// panicking is a transport that cannot fetch keys.
type panicking struct{ http.RoundTripper }

func (p panicking) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, globustest.KeysPath) {
		panic("canary")
	}
	return p.RoundTripper.RoundTrip(r)
}

// A token that fits no key makes the client ask, and what it had is still there
// when that comes to nothing.
func TestKeysServeOnAfterFailedFetch(t *testing.T) {
	f := newFlow(t)
	f.wantSignIn("first", "", 1)
	f.clock.add(time.Minute)
	lie := fault(globustest.KeysPath, globustest.Fault{Status: 503})
	lie.Signing = globustest.BrokenSignature
	f.auth.Lie(lie)
	f.wantSignIn("fits none, endpoint down", globus.BadStatus, 3)
	f.auth.Lie(globustest.Lie{})
	f.wantSignIn("honest", "", 3)
}

func TestKeysRotated(t *testing.T) {
	t.Run("before the first sign-in", func(t *testing.T) {
		f := newFlow(t)
		f.auth.RotateKey()
		f.wantSignIn("first", "", 1)
	})
	t.Run("between two", func(t *testing.T) {
		f := newFlow(t)
		f.wantSignIn("old key", "", 1)
		f.auth.RotateKey()
		f.clock.add(time.Second)
		f.wantSignIn("a second later", "", 2)
		f.wantSignIn("again", "", 2)
	})
	t.Run("clock set back", func(t *testing.T) {
		f := newFlow(t)
		f.wantSignIn("old key", "", 1)
		f.auth.RotateKey()
		f.clock.add(-time.Hour)
		f.wantSignIn("rotated", "", 2)
	})
}

// A fetch that fails is tried again within the same sign-in, and does not hold up
// the next one.
func TestKeysFetchFails(t *testing.T) {
	f := newFlow(t)
	f.auth.Lie(fault(globustest.KeysPath, globustest.Fault{Status: 503, Times: 1}))
	f.wantSignIn("fails once", "", 2)

	f = newFlow(t)
	f.auth.Lie(fault(globustest.KeysPath, globustest.Fault{Status: 503}))
	f.wantSignIn("fails twice", globus.BadStatus, 2)
	f.auth.Lie(globustest.Lie{})
	f.wantSignIn("the next, at once", "", 3)
}

// Tokens that fit no key make the client ask once a second at most.
func TestKeysAskedSparingly(t *testing.T) {
	f := newFlow(t)
	f.wantSignIn("honest", "", 1)
	f.auth.Lie(signed(globustest.BrokenSignature))
	f.clock.add(time.Minute)
	for i := range 20 {
		f.wantSignIn("fits none", globus.BadIDToken, 2+i/2)
		f.clock.add(500 * time.Millisecond)
	}
}

// Many who sign in at once wait for one fetch, and one who gives up does not
// take it from the others.
func TestKeysFetchedOnce(t *testing.T) {
	f := newFlow(t)
	arrived, wait := make(chan struct{}, 1), make(chan struct{})
	f.auth.Lie(fault(globustest.KeysPath, globustest.Fault{Arrived: arrived, Wait: wait}))

	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	go func() {
		_, err := f.exchange(ctx, f.client, "rosalind")
		first <- err
	}()
	<-arrived
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := f.signIn("rosalind"); err != nil {
				t.Error(err)
			}
		})
	}
	cancel()
	if e := asError(t, <-first); e.Call != "keys" || e.Reason != globus.Unreachable {
		t.Errorf("gave up: got %v, want keys unreachable", e)
	}
	close(wait)
	all.Wait()
	if got := f.auth.Requests(globustest.KeysPath); got != 1 {
		t.Errorf("got %d fetches, want 1", got)
	}
}

// rsaJWK is a public key of an odd size, as the key set would have it.
func rsaJWK(bits int, exponent *big.Int) json.RawMessage {
	n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
	n.SetBit(n, 0, 1)
	b64 := base64.RawURLEncoding.EncodeToString
	b, err := json.Marshal(map[string]string{"kty": "RSA", "alg": "RS512", "use": "sig", "n": b64(n.Bytes()), "e": b64(exponent.Bytes())})
	if err != nil {
		panic(err)
	}
	return b
}

// Keys of other kinds beside the right one do not matter, whatever they are.
func TestKeysIgnored(t *testing.T) {
	public := signingKey().Public()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ed, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	e := big.NewInt(65537)
	foreign := &newKey(2048).PublicKey
	few := make([]json.Marshaler, 9)
	for i := range few {
		few[i] = jose.JSONWebKey{Key: foreign, Use: "sig", Algorithm: "RS512"}
	}
	junk := make([]json.Marshaler, 1000)
	for i := range junk {
		junk[i] = raw(`{"kty":"EC","crv":"P-999"}`)
	}
	tests := []struct {
		name string
		keys []json.Marshaler
		want globus.Reason
	}{
		{"of other kinds", []json.Marshaler{
			jose.JSONWebKey{Key: ec.Public()}, jose.JSONWebKey{Key: ed},
			raw(`{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}`),
		}, ""},
		{"of others, nine", few, ""},
		{"unknown kind", []json.Marshaler{raw(`{"kty":"canary"}`)}, ""},
		{"no kind", []json.Marshaler{raw(`{}`)}, ""},
		{"null", []json.Marshaler{raw(`null`)}, ""},
		{"text", []json.Marshaler{raw(`"canary"`)}, ""},
		{"nested", []json.Marshaler{raw(`[[{}]]`)}, ""},
		{"a secret", []json.Marshaler{raw(`{"kty":"oct","k":"Y2FuYXJ5"}`)}, ""},
		{"a private key", []json.Marshaler{jose.JSONWebKey{Key: newKey(2048)}}, ""},
		{"RSA of 1024 bits", []json.Marshaler{jose.JSONWebKey{Key: newKey(1024).Public()}}, ""},
		{"RSA of 4097 bits", []json.Marshaler{rsaJWK(4097, e)}, ""},
		{"RSA of 100,000 bits", []json.Marshaler{rsaJWK(100_000, e)}, ""},
		{"a huge exponent", []json.Marshaler{rsaJWK(2048, new(big.Int).Lsh(e, 100))}, ""},
		{"an exponent of 1", []json.Marshaler{rsaJWK(2048, big.NewInt(1))}, ""},
		{"a thousand of no use", junk, ""},
		{"with a kid", []json.Marshaler{jose.JSONWebKey{Key: public, KeyID: "canary"}}, ""},
		{"many of others", append(few[:9:9], few...), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFlow(t)
			f.auth.Lie(globustest.Lie{ExtraKeys: tt.keys})
			f.wantSignIn("beside the real key", tt.want, 1)
		})
	}
}

// A key may say what it is for, or not.
func TestKeysForUse(t *testing.T) {
	public := signingKey().Public()
	tests := []struct {
		name string
		key  json.Marshaler
	}{
		{"sig, RS512", jose.JSONWebKey{Key: public, Use: "sig", Algorithm: "RS512"}},
		{"neither", jose.JSONWebKey{Key: public}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFlow(t)
			f.serveKeys(tt.key)
			f.wantSignIn("alone", "", 1)
		})
	}
}

// Keys have a media type of their own (RFC 7517, section 8.5.1), which may be written
// in other letters, and with parameters that nobody can read.
func TestKeysMediaType(t *testing.T) {
	for _, mediaType := range []string{"application/jwk-set+json", "Application/JWK-Set+JSON; charset=utf-8", "application/json;charset=UTF-8", "application/json; charset=utf-8; charset=x; =", " application/json ;"} {
		t.Run(mediaType, func(t *testing.T) {
			f := newFlow(t)
			f.auth.Lie(fault(globustest.KeysPath, globustest.Fault{Header: http.Header{"Content-Type": {mediaType}}, Body: keySetJSON()}))
			f.wantSignIn("of that type", "", 1)
		})
	}
}

// One that is too short does not verify what it has signed.
func TestKeysTooShort(t *testing.T) {
	small := newKey(1024)
	f := newFlow(t)
	f.auth.Close()
	f.auth = globustest.NewServer(globustest.Config{
		Key: small, Now: f.clock.Now,
		Clients: []globustest.Client{{ID: clientID, Secret: clientSecret, RedirectURIs: []string{redirectURI}}},
	})
	t.Cleanup(f.auth.Close)
	f.client = f.newClient(globus.Config{})
	f.wantSignIn("alone", globus.Malformed, 2)
}

// serveKeys serves keys in place of the emulator's own.
func (f *flow) serveKeys(keys ...json.Marshaler) {
	f.Helper()
	b, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		f.Fatal(err)
	}
	f.auth.Lie(fault(globustest.KeysPath, globustest.Fault{Body: string(b)}))
}
