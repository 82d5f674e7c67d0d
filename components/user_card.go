package components

import (
	"time"

	"example.org/portal/globus"
)

// A Card is what the user card shows. Without an Identity it is the card of
// someone who is not signed in, and nothing else in it counts.
type Card struct {
	Site
	Ended        bool             // nobody is signed in, but somebody was
	Identity     *globus.Identity // nil: nobody is signed in
	AccessToken  Secret           // for Globus Auth itself
	RefreshToken Secret           // likewise
	SignedIn     time.Time        // when the session began
	Ends         time.Time        // when it will
	Now          time.Time        // for how long things last

	Tokens     []TokenRow // the token panel; empty leaves it out
	TokensOpen bool       // the panel is unfolded
}

// A Secret is a token that the card masks until it is asked for.
type Secret struct {
	Held  bool   // there is one
	Shown string // the token itself; empty while masked
}

// A TokenRow is what the token panel shows of the tokens for one resource
// server.
type TokenRow struct {
	Server    string    // its name
	Scopes    []string  // what the access token is good for
	Expiry    time.Time // of the access token
	Refreshes bool      // there is a refresh token
	Shown     string    // the access token; empty while masked
}
