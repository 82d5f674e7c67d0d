package globus_test

import (
	"cmp"
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"example.org/portal/globus"
)

// FuzzKeys: of a key set, keys are used that are RSA, long enough and for
// signatures of this kind; and a token is accepted if its key is among them,
// whatever stands beside it. MODULUS stands for our key's.
func FuzzKeys(f *testing.F) {
	const good = `{"kty":"RSA","use":"sig","alg":"RS512","n":"MODULUS","e":"AQAB"}`
	for _, keys := range []string{
		good, `{"kty":"RSA","n":"MODULUS","e":"AQAB"}`, `{},null,7,"x",[],` + good, good + `,{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}`, `{"kty":"OKP","crv":"Ed25519","x":"AA"},` + good,
		`{"kty":"oct","k":"AAAA"}`, `{"kty":"RSA","use":"enc","n":"MODULUS","e":"AQAB"}`, `{"kty":"RSA","alg":"RS256","n":"MODULUS","e":"AQAB"}`, `{"kty":"RSA","alg":"none","n":"MODULUS","e":"AQAB"}`,
		`{"kty":"RSA","n":"MODULUS","e":"AQ"}`, `{"kty":"RSA","n":"MODULUS","e":"Ag"}`, `{"kty":"RSA","n":"MODULUS","e":"AAAA"}`, `{"kty":"RSA","n":"MODULUS","e":"_____w"}`, `{"kty":"RSA","n":"MODULUS","e":"__________8"}`,
		`{"kty":"RSA","n":"AQAB","e":"AQAB"}`, `{"kty":"RSA","n":"MODULUSMODULUSMODULUSMODULUSMODULUS","e":"AQAB"}`, `{"kty":"RSA","n":"","e":"AQAB"}`, `{"kty":"RSA","n":"MODULUS="}`, `{"kty":"RSA","n":"MODULUS","e":"AQAB","d":"AQAB","x5c":["AA"]}`,
		strings.Repeat(`{"kty":"RSA","n":"MODULUS","e":"Aw"},`, 12) + good,
	} {
		f.Add(`{"keys":[` + keys + `]}`)
	}
	for _, body := range []string{``, `null`, `[]`, `{}`, `{"keys":null}`, `{"keys":{}}`, `{"keys":[` + good + `],"keys":[]}`, "\xef\xbb\xbf{}"} {
		f.Add(body)
	}
	modulus := base64.RawURLEncoding.EncodeToString(signingKey().N.Bytes())
	f.Fuzz(func(t *testing.T, body string) {
		body = strings.ReplaceAll(body, "MODULUS", modulus)
		var set struct{ Keys []json.RawMessage }
		_ = json.Unmarshal([]byte(body), &set)
		keys := globus.UsableKeys(set.Keys)
		if most := fitting(set.Keys); len(keys) > most {
			t.Errorf("%s: %d keys are used, want %d at most", body, len(keys), most)
		}
		hasOurs := false
		for _, k := range keys {
			key, ok := k.(*rsa.PublicKey)
			if !ok || key.N.BitLen() < 2048 {
				t.Fatalf("%s: a key is used with which nothing should be signed: %v", body, k)
			}
			hasOurs = hasOurs || key.N.Cmp(signingKey().N) == 0 && key.E == signingKey().E
		}
		client := cannedClient(t, canned{keys: cmp.Or(body, " ")})
		_, err := globus.VerifyIDToken(client, context.Background(), signAs(ours, plainHeader, goodClaims("")), fuzzAccess, fuzzNonce)
		if (err == nil) != hasOurs {
			t.Errorf("%s: got %v, though the key is there: %t", body, err, hasOurs)
		}
		if err != nil {
			checkQuiet(t, err)
		}
	})
}

// fitting counts the keys that say nothing against their use.
func fitting(keys []json.RawMessage) (n int) {
	for _, raw := range keys {
		var key map[string]any
		if json.Unmarshal(raw, &key) != nil || key["kty"] != "RSA" {
			continue
		}
		use, alg := key["use"], key["alg"]
		if (use == nil || use == "" || use == "sig") && (alg == nil || alg == "" || alg == "RS512") {
			n++
		}
	}
	return n
}
