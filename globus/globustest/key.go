package globustest

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"

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

// keys answers with the key set. As at Globus, the key has no kid.
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
