package components

import "time"

// A Visitor is who the header says is signed in; the zero value is nobody.
type Visitor struct {
	Site
	SignedIn bool          // somebody is
	Name     string        // or user name; empty if Globus told neither
	Left     time.Duration // until the session ends
	Unknown  bool          // nobody knows whether somebody is: the header says nothing

	// Ended: somebody was signed in when the page was opened, and is not any
	// more. LoginURL leads back to that page, as it does for nobody.
	Ended    bool
	LoginURL string

	OnAccount bool // the page is that of their account
}
