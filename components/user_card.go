package components

import "example.org/portal/globus"

// A Card is what the user card shows. Without an Identity it is the card of someone
// who is not signed in, and has no tokens.
type Card struct {
	Site
	Ended        bool             // nobody is signed in, but somebody was
	Identity     *globus.Identity // nil: nobody is signed in
	AccessToken  Secret           // for Globus Auth itself
	RefreshToken Secret           // likewise
}

// A Secret is a token that the card masks until it is asked for.
type Secret struct {
	Held  bool   // there is one
	Shown string // the token itself; empty while masked
}
