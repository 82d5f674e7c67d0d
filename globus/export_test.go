package globus

// VerifyIDToken is for the benchmark of what a sign-in costs here, and for fuzzing.
var VerifyIDToken = (*Client).verifyIDToken

// UsableKeys is for what is asserted of keys one by one.
var UsableKeys = usableKeys
