package globus_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"example.org/portal/globus"
)

// FuzzForgedIDToken: no text is taken for an ID token but one whose signature is
// our key's. An input that begins with GENUINE is a genuine token with one byte
// changed and the rest of the input behind it.
func FuzzForgedIDToken(f *testing.F) {
	f.Add("GENUINE", uint16(0), byte(0))
	f.Add("GENUINE", uint16(20), byte(1))
	f.Add("GENUINE", uint16(700), byte(4))
	for _, more := range []string{"\n", "=", ".", ".x", " ", "A"} {
		f.Add("GENUINE"+more, uint16(0), byte(0))
	}
	for how := range byte(signings) {
		if how != ours {
			f.Add(signAs(how, plainHeader, goodClaims("")), uint16(0), byte(0))
			f.Add(signAs(how, `{"alg":"none"}`, goodClaims("")), uint16(0), byte(0))
		}
	}
	jwk, err := json.Marshal(jose.JSONWebKey{Key: foreignKey().Public()})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signAs(foreign, `{"alg":"RS512","jwk":`+string(jwk)+`}`, goodClaims("")), uint16(0), byte(0))
	for _, text := range []string{
		"", ".", "..", "...", "a.b.c", "a.b.c.d.e", `{"payload":"","protected":"","signature":""}`, strings.Repeat(".", 70<<10), strings.Repeat("a", 70<<10) + "..",
		"e30.e30.", "eyJhbGciOiJSUzUxMiJ9..", "eyJhbGciOiJSUzUxMiJ9.e30.AA",
	} {
		f.Add(text, uint16(0), byte(0))
	}
	f.Fuzz(func(t *testing.T, text string, at uint16, flip byte) {
		if rest, ok := strings.CutPrefix(text, "GENUINE"); ok {
			token := []byte(signAs(ours, plainHeader, goodClaims("")))
			token[int(at)%len(token)] ^= flip
			text = string(token) + rest
		}
		client := cannedClient(t, canned{})
		_, err := globus.VerifyIDToken(client, context.Background(), text, fuzzAccess, fuzzNonce)
		if err == nil && !isSigned(text) {
			t.Fatalf("%q is accepted", text)
		}
		if err != nil {
			checkQuiet(t, err)
		}
	})
}

// isSigned checks a signature with crypto/rsa alone. White space, which go-jose
// leaves out, changes nothing about what is signed.
func isSigned(token string) bool {
	token = strings.Join(strings.Fields(token), "")
	end := strings.LastIndex(token, ".")
	if end < 0 || strings.Count(token, ".") != 2 {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(token[end+1:])
	hash := sha512.Sum512([]byte(token[:end]))
	return err == nil && rsa.VerifyPKCS1v15(&signingKey().PublicKey, crypto.SHA512, hash[:], signature) == nil
}
