package session

import (
	"maps"
	"slices"
	"strconv"

	"example.org/portal/globus"
)

const (
	maxReplaced      = 20      // tokens that one record holds beside those in use
	maxReplacedBytes = 8 << 10 // of them together
)

// Replace notes tokens that others took the place of. They are revoked when the
// session ends, and not before: to revoke a token may end its grant, and so those
// in its place (RFC 7009, section 2.1). Of many the oldest are forgotten, and end
// by themselves.
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

// ending returns all tokens that end with the session: those in use by their
// resource servers, those that were replaced by names that no server has.
func (rec *Record) ending() globus.Tokens {
	all := maps.Clone(rec.Tokens)
	for i, secret := range rec.Replaced {
		all["replaced "+strconv.Itoa(i)] = globus.Token{AccessToken: secret}
	}
	return all
}
