package globus

import (
	"regexp"
	"strings"
)

var (
	uuidForm     = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	usernameForm = regexp.MustCompile(`^[!-+\--?A-~]+@[!-+\--~]+$`) // with no comma, which separates them
	domainForm   = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$`)
)

// IsUUID reports whether s is a UUID, in upper or lower case. Globus identifies
// collections, among other things, by UUIDs.
func IsUUID(s string) bool { return lowerUUID(s) != "" }

// lowerUUID returns s in lower case if it is a UUID, else "".
func lowerUUID(s string) string {
	if len(s) != 36 || !uuidForm.MatchString(asciiLower(s)) {
		return ""
	}
	return asciiLower(s)
}

// identityName does the same for an identity, which may also be a URN or a user name.
func identityName(s string) string {
	if id := lowerUUID(strings.TrimPrefix(s, "urn:globus:auth:identity:")); id != "" {
		return id
	}
	if len(s) > 254 || !usernameForm.MatchString(s) {
		return ""
	}
	return s
}

// lowerDomain does the same for a domain name.
func lowerDomain(s string) string {
	if len(s) > 253 || !domainForm.MatchString(asciiLower(s)) {
		return ""
	}
	return asciiLower(s)
}

// asciiLower lowers only the letters A to Z: strings.ToLower turns the Kelvin sign into
// a k, and so one name into another.
func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
