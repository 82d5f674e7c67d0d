package globus_test

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"example.org/portal/globus"
)

const (
	plainHeader = `{"typ":"JWT","alg":"RS512"}`
	fuzzAccess  = "access-token"
	fuzzNonce   = "nonce"
	fuzzNow     = 1_800_000_000
)

// foreignKey is one that Globus never had.
var foreignKey = sync.OnceValue(func() *rsa.PrivateKey { return newKey(2048) })

// The ways in which a token is signed for a fuzz target.
const (
	ours = iota
	foreign
	hmacWithModulus
	withRS256
	unsigned
	signings
)

// signAs makes a token of a header and a payload, whatever they are.
func signAs(how byte, header, payload string) string {
	signed := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	hash := sha512.Sum512([]byte(signed))
	var signature []byte
	switch how % signings {
	case ours:
		signature, _ = rsa.SignPKCS1v15(rand.Reader, signingKey(), crypto.SHA512, hash[:])
	case foreign:
		signature, _ = rsa.SignPKCS1v15(rand.Reader, foreignKey(), crypto.SHA512, hash[:])
	case withRS256:
		hash := sha256.Sum256([]byte(signed))
		signature, _ = rsa.SignPKCS1v15(rand.Reader, signingKey(), crypto.SHA256, hash[:])
	case hmacWithModulus:
		mac := hmac.New(sha512.New, signingKey().N.Bytes())
		mac.Write([]byte(signed))
		signature = mac.Sum(nil)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// goodClaims are those of a token that is to be accepted, but for the changes.
func goodClaims(changes string) string {
	hash := sha512.Sum512([]byte(fuzzAccess))
	claims := map[string]any{
		"iss": globus.Issuer, "aud": clientID, "sub": "7a1c2e40-3b5d-4f6e-8a90-0123456789ab", "exp": fuzzNow + 3600, "iat": fuzzNow,
		"nonce": fuzzNonce, "at_hash": base64.RawURLEncoding.EncodeToString(hash[:32]),
	}
	var changed map[string]json.RawMessage
	if err := json.Unmarshal([]byte("{"+changes+"}"), &changed); err != nil {
		panic(err)
	}
	for name, value := range changed {
		claims[name] = value
	}
	text, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// FuzzIDToken: of what our own key signs, exactly that is accepted which okClaims
// calls good; and of what it does not sign, nothing.
func FuzzIDToken(f *testing.F) {
	for _, more := range []string{
		"", `"azp":"` + clientID + `"`, `"azp":null`, `"azp":"another"`, `"nbf":1800000300`, `"nbf":1800000301`, `"nbf":1e300`, `"exp":1799999700`, `"exp":1799999699`,
		`"exp":-1`, `"exp":"1800003600"`, `"exp":1.8e9`, `"iat":1799999700`, `"iat":1799999699.5`, `"iat":null`, `"aud":["` + clientID + `"]`, `"aud":["` + clientID + `","x"]`,
		`"aud":[]`, `"sub":""`, `"sub":"a b"`, `"sub":7`, `"sub":null`, `"Sub":"other"`, `"SUB":null`, `"nonce":"other"`, `"Nonce":"nonce"`, `"iss":"https://auth.globus.org/"`,
		`"name":null,"preferred_username":"r@example.edu"`, `"name":7`, `"identity_set":[{"sub":"x","username":"y"},null]`, `"identity_set":{}`, `"identity_set":["x"]`,
		`"at_hash":""`, `"at_hash":"x"`, `"name":"` + strings.Repeat("n", 300) + `"`, `"last_authentication":null,"x":{"y":[1,{}]}`,
	} {
		f.Add(byte(ours), plainHeader, goodClaims(more))
	}
	for how := range byte(signings) {
		for _, header := range []string{
			plainHeader, `{"alg":"none"}`, `{"alg":"HS512"}`, `{"alg":"RS256"}`, `{"alg":"PS512"}`, `{"alg":"rs512"}`, `{"alg":"RS512","kid":"x"}`, `{"alg":"RS512","kid":7}`,
			`{"alg":"RS512","crit":["b64"],"b64":false}`, `{"alg":"RS512","crit":["exp"],"exp":1}`, `{"alg":"RS512","jku":"https://evil.example/"}`, `{}`, `[]`, `null`, ``,
		} {
			f.Add(how, header, goodClaims(""))
		}
	}
	short := sha256.Sum256([]byte(fuzzAccess))
	f.Add(byte(withRS256), `{"alg":"RS256"}`, goodClaims(`"at_hash":"`+base64.RawURLEncoding.EncodeToString(short[:16])+`"`))
	for _, claim := range []string{`"sub":"other"`, `"sub":null`, `"SUB":"other"`, `"x":1,"X":2`, `"\u017fub":"other"`} {
		f.Add(byte(ours), plainHeader, strings.TrimSuffix(goodClaims(""), "}")+","+claim+"}")
	}
	for _, payload := range []string{``, `null`, `[]`, `"x"`, `{}`, `{"a":`, "\xff", strings.Repeat(`[`, 20000)} {
		f.Add(byte(ours), plainHeader, payload)
	}
	f.Fuzz(func(t *testing.T, how byte, header, payload string) {
		client := cannedClient(t, canned{})
		id, err := globus.VerifyIDToken(client, context.Background(), signAs(how, header, payload), fuzzAccess, fuzzNonce)
		want := how%signings == ours && okHeader(header) && okClaims(payload)
		if err == nil && !want && (how%signings != ours || plainNames(payload)) {
			t.Fatalf("%s %s signed as %d is accepted: %+v", header, payload, how%signings, id)
		}
		if err != nil && want && plainNames(payload) && header == plainHeader && len(payload) < 40<<10 && !strings.Contains(payload, "identity") && !strings.Contains(payload, `\u`) && !strings.Contains(payload, "_claim") && !strings.Contains(payload, "nbf") {
			t.Fatalf("%s is refused: %v", payload, err)
		}
		if err != nil {
			checkQuiet(t, err)
			return
		}
		checkPlainIdentity(t, id.Identity)
	})
}
