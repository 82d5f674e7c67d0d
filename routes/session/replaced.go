package session

import (
	"maps"
	"slices"
	"strconv"

	"example.org/portal/globus"
)

const (
	maxReplaced      = 20      // replaced tokens in one record
	maxReplacedBytes = 8 << 10 // their total size
)

// Replace records tokens that are no longer in use because newer ones replaced them.
// They are revoked when the session ends, and not before, because the revocation of a
// token may end its grant and so the newer tokens too (RFC 7009, section 2.1). If there
// are too many, Replace drops the oldest, which expire by themselves.
func (rec *Record) Replace(old globus.Tokens) {
	for _, t := range old.Without(rec.Tokens) {
		for _, secret := range []string{t.AccessToken, t.RefreshToken} {
			if secret != "" && !slices.Contains(rec.Replaced, secret) {
				rec.Replaced = append(rec.Replaced, secret)
			}
		}
	}
	size := 0
	for i, secret := range slices.Backward(rec.Replaced) {
		size += len(secret)
		if size > maxReplacedBytes || len(rec.Replaced)-i > maxReplaced {
			rec.Replaced = rec.Replaced[i+1:]
			return
		}
	}
}

// allTokens returns the tokens to revoke when the session ends: those in use under
// their resource servers, replaced ones under names that no resource server has.
func (rec *Record) allTokens() globus.Tokens {
	all := globus.Tokens{}
	maps.Copy(all, rec.Tokens)
	for i, secret := range rec.Replaced {
		all["replaced "+strconv.Itoa(i)] = globus.Token{AccessToken: secret}
	}
	return all
}
