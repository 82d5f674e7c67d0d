package globus

// VerifyIDToken is for the benchmark of what a sign-in costs here.
var VerifyIDToken = (*Client).verifyIDToken
