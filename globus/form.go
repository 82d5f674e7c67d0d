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

// IsUUID reports whether s is a UUID, by which Globus names collections among
// other things, in either case.
func IsUUID(s string) bool { return lowerUUID(s) != "" }

// lowerUUID returns s in lower case if it is a UUID, else "".
func lowerUUID(s string) string {
	if len(s) != 36 || !uuidForm.MatchString(asciiLower(s)) {
		return ""
	}
	return asciiLower(s)
}

// identityName does the same for an identity, which some services name by a URN,
// or by its user name: Globus knows both.
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

// asciiLower changes the letters A to Z alone: strings.ToLower makes a k of the
// Kelvin sign, and with it one name of another.
func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
