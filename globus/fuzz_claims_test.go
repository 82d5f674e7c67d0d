package globus_test

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
)

// okHeader says what the header of a token must be.
func okHeader(header string) bool {
	var h struct{ Alg string }
	return json.Unmarshal([]byte(header), &h) == nil && h.Alg == "RS512" && !strings.Contains(header, `"crit"`)
}

// okClaims says what a payload must be, claim by claim.
func okClaims(payload string) bool {
	var claims map[string]json.RawMessage
	if json.Unmarshal([]byte(payload), &claims) != nil {
		return false
	}
	is := func(name, want string) bool {
		var s string
		return json.Unmarshal(claims[name], &s) == nil && s == want
	}
	at := func(name string) (float64, bool) {
		var n *float64
		ok := json.Unmarshal(claims[name], &n) == nil && n != nil && *n >= 0 && *n <= 253402300799
		if !ok {
			return 0, false
		}
		return float64(int64(*n)), true
	}
	hash := sha512.Sum512([]byte(fuzzAccess))
	exp, hasExp := at("exp")
	iat, hasIat := at("iat")
	absent := func(name string) bool { return claims[name] == nil || string(claims[name]) == "null" }
	var sub string
	var aud []string
	switch {
	case !is("iss", "https://auth.globus.org"), !is("nonce", fuzzNonce):
	case !absent("at_hash") && !is("at_hash", "") && !is("at_hash", base64.RawURLEncoding.EncodeToString(hash[:32])):
	case !is("aud", clientID) && (json.Unmarshal(claims["aud"], &aud) != nil || !slices.Equal(aud, []string{clientID})):
	case !absent("azp") && !is("azp", clientID):
	case !hasExp || fuzzNow > exp+300, !hasIat || iat < fuzzNow-300 || iat > fuzzNow+300:
	case json.Unmarshal(claims["sub"], &sub) != nil || sub == "" || len(sub) > 255 || strings.ContainsFunc(sub, func(r rune) bool { return r < '!' || r > '~' }):
	default:
		return true
	}
	return false
}

// plainNames reports whether no claim is there twice, and none of those that are
// read is written in other letters. Of others one reader may take one value, and
// the next another: they can only come from Globus itself, so that is its business.
func plainNames(payload string) bool {
	dec := json.NewDecoder(strings.NewReader(payload))
	_, _ = dec.Token()
	seen := map[string]bool{}
	for dec.More() {
		token, err := dec.Token()
		var value json.RawMessage
		if err != nil || dec.Decode(&value) != nil {
			return false
		}
		name, _ := token.(string)
		for other := range seen {
			if strings.EqualFold(other, name) {
				return false
			}
		}
		seen[name] = true
		if !seen[strings.ToLower(name)] && slices.ContainsFunc(readClaims, func(read string) bool { return strings.EqualFold(read, name) }) {
			return false
		}
	}
	return true
}

var readClaims = []string{
	"iss", "sub", "aud", "azp", "exp", "iat", "nbf", "nonce", "at_hash", "_claim_names", "_claim_sources",
}
