package globustest

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"hash"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// newKey generates a signing key of the size that Globus uses.
func newKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

// foreignKey is the key of Signing ForeignKey, which no emulator serves.
var foreignKey = sync.OnceValue(newKey)

// keys responds with the key set. As at Globus, the key has no kid.
func (e *Emulator) keys(*http.Request) (any, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	set := append([]json.Marshaler{}, e.lie.ExtraKeys...)
	set = append(set, jose.JSONWebKey{
		Key:       e.state.signingKey().Public(),
		Algorithm: "RS512",
		Use:       "sig",
	})
	return map[string]any{"keys": set}, nil
}

// discovery responds with the members of Globus's own document, which lacks PKCE,
// introspection and logout.
func (e *Emulator) discovery(*http.Request) (any, error) {
	return map[string]any{
		"issuer":                                e.issuer,
		"authorization_endpoint":                e.issuer + AuthorizePath,
		"userinfo_endpoint":                     e.issuer + UserInfoPath,
		"token_endpoint":                        e.issuer + TokenPath,
		"revocation_endpoint":                   e.issuer + RevokePath,
		"jwks_uri":                              e.issuer + KeysPath,
		"response_types_supported":              []string{"code", "token", "token id_token", "id_token"},
		"id_token_signing_alg_values_supported": []string{"RS512"},
		"scopes_supported":                      []string{"openid", "email", "profile"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic"},
		"claims_supported":                      []string{"at_hash", "aud", "email", "exp", "name", "nonce", "preferred_username", "iat", "iss", "sub"},
		"subject_types_supported":               []string{"public"},
	}, nil
}

// idTokenLifetime is Globus's, whatever the lifetime of the access token.
const idTokenLifetime = 48 * time.Hour

// idToken returns the signed ID token for an access token, changed as l says. It does not use
// a JOSE library: a library would refuse to write most of a Lie's tokens, and would test the
// app's library against itself. It needs e.mu.
func (e *Emulator) idToken(l Lie, client Client, c code, claims map[string]any, accessToken string) (string, error) {
	now := e.now()
	claims["iss"] = e.issuer
	claims["aud"] = client.ID
	claims["iat"] = now.Unix()
	claims["exp"] = now.Add(idTokenLifetime).Unix()
	alg, sign := e.signer(l.Signing, client)
	header := l.Header.apply(map[string]any{"typ": "JWT", "alg": alg})
	claims["at_hash"] = atHash(header["alg"], accessToken)
	if c.nonce != "" {
		claims["nonce"] = c.nonce
	}
	payload, err := json.Marshal(l.Claims.apply(claims))
	if err != nil {
		return "", fmt.Errorf("lie about claims: %w", err)
	}
	if l.Payload != "" {
		payload = []byte(l.Payload)
	}
	protected, err := json.Marshal(header)
	if err != nil {
		return "", fmt.Errorf("lie about header: %w", err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	input := b64(protected) + "." + b64(payload)
	return input + "." + b64(sign([]byte(input))), nil
}

// atHash is the claim at_hash (OpenID Connect Core 1.0, section 3.1.3.6) for the alg in the
// header, so that a client rejects a token with a wrong alg because of the alg.
func atHash(alg any, accessToken string) string {
	h := sha512.New()
	if name, _ := alg.(string); strings.HasSuffix(name, "256") {
		h = sha256.New()
	}
	h.Write([]byte(accessToken))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:h.Size()/2])
}

// signer returns the alg of a Signing, and its function. It needs e.mu.
func (e *Emulator) signer(how Signing, client Client) (alg string, sign func([]byte) []byte) {
	key := e.state.signingKey()
	switch how {
	case RS256:
		return "RS256", rsaSigner(key, crypto.SHA256)
	case Unsigned:
		return "none", func([]byte) []byte { return nil }
	case HS256WithSecret:
		return "HS256", hmacSigner(sha256.New, []byte(client.Secret))
	case HS512WithSecret:
		return "HS512", hmacSigner(sha512.New, []byte(client.Secret))
	case HS512WithPublicKey:
		return "HS512", hmacSigner(sha512.New, publicPEM(key))
	case BrokenSignature:
		honest := rsaSigner(key, crypto.SHA512)
		return "RS512", func(input []byte) []byte {
			signature := honest(input)
			signature[len(signature)/2] ^= 1
			return signature
		}
	case ForeignKey:
		return "RS512", rsaSigner(foreignKey(), crypto.SHA512)
	}
	return "RS512", rsaSigner(key, crypto.SHA512)
}

func rsaSigner(key *rsa.PrivateKey, h crypto.Hash) func([]byte) []byte {
	return func(input []byte) []byte {
		digest := h.New()
		digest.Write(input)
		signature, err := rsa.SignPKCS1v15(nil, key, h, digest.Sum(nil))
		if err != nil {
			panic(err) // a key that is too small for the hash
		}
		return signature
	}
}

func hmacSigner(h func() hash.Hash, key []byte) func([]byte) []byte {
	return func(input []byte) []byte {
		mac := hmac.New(h, key)
		mac.Write(input)
		return mac.Sum(nil)
	}
}

// publicPEM is the public key in PEM form. A client that lets the token choose its algorithm
// would use it as an HMAC key.
func publicPEM(key *rsa.PrivateKey) []byte {
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}
