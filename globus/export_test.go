package globus

import "net/netip"

// VerifyIDToken is for the benchmark of what a sign-in costs here, and for fuzzing.
var VerifyIDToken = (*Client).verifyIDToken

// UsableKeys is for what is asserted of keys one by one.
var UsableKeys = usableKeys

// IsPublic is for the ranges of addresses one by one.
func IsPublic(address string) bool { return isPublic(netip.MustParseAddr(address)) }
