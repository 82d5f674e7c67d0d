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

// newKey makes a signing key of the size that Globus uses. It cannot fail.
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

// discovery answers with every key that Globus's own document has. What that
// lacks (PKCE, introspection, logout) is lacking here too.
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

// idTokenLifetime is that of Globus, however long the access token is good.
const idTokenLifetime = 48 * time.Hour

// idToken returns the signed ID token that goes with an access token, with all
// the wrongs of l. It is put together by hand, not by a JOSE library: no good
// library would write most of what a Lie asks for, and the app's own is thus not
// checked against itself. It needs e.mu.
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

// atHash is the claim of that name (OpenID Connect Core 1.0, section 3.1.3.6),
// under the hash of the alg in the header: a token that lies about its algorithm
// is to be refused for that, and not for this.
func atHash(alg any, accessToken string) string {
	h := sha512.New()
	if name, _ := alg.(string); strings.HasSuffix(name, "256") {
		h = sha256.New()
	}
	h.Write([]byte(accessToken))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:h.Size()/2])
}

// signer returns the alg of a way to sign, and what signs. It needs e.mu.
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

// publicPEM is the public key as people save it to a file: the secret of those
// who let a token choose its own algorithm.
func publicPEM(key *rsa.PrivateKey) []byte {
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}
