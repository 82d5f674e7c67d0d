package components

import (
	"time"

	"example.org/portal/globus"
)

// An Account is what the account page shows of the person who is signed in.
type Account struct {
	Site
	Identity *globus.Identity
	SignedIn time.Time  // when the session began
	Ends     time.Time  // when it will end
	Now      time.Time  // for "47 hours left"
	Tokens   []TokenRow // by resource server
	Lab      Lab
}

// A TokenRow is what the account page shows of the tokens for one resource server.
type TokenRow struct {
	Server    string    // its name
	Scopes    []string  // what the access token is good for
	Expiry    time.Time // of the access token
	Refreshes bool      // there is a refresh token
	Shown     string    // the access token; empty while masked
}
