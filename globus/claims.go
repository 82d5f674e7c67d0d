package globus

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// readClaims returns the names of the claims of an ID token that are read, here
// and in go-oidc.
func readClaims() []string {
	return []string{
		"iss", "sub", "aud", "azp", "exp", "iat", "nbf", "nonce", "at_hash", "_claim_names", "_claim_sources", "preferred_username", "name",
		"email", "organization", "identity_provider", "identity_provider_display_name", "identity_set",
	}
}

// plainNames reports whether every reader takes the claims in payload, a JSON
// object, for the same. To encoding/json Sub is sub too, and of two it is the
// last that counts, unless that is null; others see it otherwise (RFC 7519,
// section 4).
func plainNames(payload []byte) bool {
	read := readClaims()
	seen := map[string]bool{}
	dec := json.NewDecoder(bytes.NewReader(payload))
	_, err := dec.Token() // the brace
	for err == nil && dec.More() {
		var token json.Token
		var value json.RawMessage
		if token, err = dec.Token(); err == nil {
			err = dec.Decode(&value)
		}
		name, _ := token.(string)
		folded := strings.ToLower(strings.ToUpper(name)) // ToLower alone leaves the long s
		if seen[folded] || name != folded && slices.Contains(read, folded) {
			return false
		}
		seen[folded] = true
	}
	return err == nil
}
