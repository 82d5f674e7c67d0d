// Package components holds what the browser shows: typed templates, pure
// functions of their arguments. A page takes a Page first; a fragment takes
// plain data, and is the very component that the page embeds.
package components

import (
	"net/url"
	"slices"
	"time"

	"example.org/portal/globus"
)

// What the app calls itself, and where its footer points. Change these first.
// URLs are whole, such as https://…; an empty one leaves its link out.
const (
	AppName     = "Go web app with authentication delegated to Globus Auth"
	ShortName   = "Portal"                                                                            // in the header, where the full name is too long
	Description = "A web app where you sign in with your institution's account, through Globus Auth." // for search engines

	ContactURL = "" // such as "mailto:portal@example.edu"
	PrivacyURL = "" // your privacy policy; Globus asks for it when you register the app
	SourceURL  = "" // where your code is
	GlobusURL  = "https://www.globus.org/"
)

// A link is one of the footer's.
type link struct{ text, url string }

// footerLinks are those that lead somewhere.
func footerLinks() []link {
	all := []link{{"Contact", ContactURL}, {"Privacy", PrivacyURL}, {"Source code", SourceURL}, {"What is Globus?", GlobusURL}}
	return slices.DeleteFunc(all, func(l link) bool { return l.url == "" })
}

// A Site is what does not change while the app runs: where it is, and the
// names of its static files.
type Site struct {
	PublicURL string // where browsers reach the app, without a slash at the end
	BasePath  string // the path of PublicURL; empty at the root of a host

	Scopes  []string // what Globus asks people to consent to
	Version string   // of the app, for the footer; empty leaves it out

	// Globus's own pages: where people sign out of Globus, link identities,
	// and take back what they allowed. Empty leaves the link out.
	GlobusLogoutURL, IdentitiesURL, ConsentsURL string

	Stylesheet, Htmx, Script, Icon string // paths, with a hash of the content in the name
}

// Path returns the path, as a browser sees it, of one of the app's own routes.
func (s Site) Path(route string) string { return s.BasePath + route }

// LoginURL returns where a person signs in, to come back to next, a path as a
// browser sees it; "" stands for the home page. It is absolute, so that
// someone who typed 127.0.0.1 for localhost meets the cookies of PublicURL.
func (s Site) LoginURL(next string) string {
	if next == "" {
		return s.PublicURL + "/login"
	}
	return s.PublicURL + "/login?next=" + url.QueryEscape(next)
}

// OtherLoginURL returns where a person signs in as someone else than Globus
// remembers, to come back to next as with LoginURL.
func (s Site) OtherLoginURL(next string) string {
	if next == "" {
		return s.PublicURL + "/login?prompt=login"
	}
	return s.LoginURL(next) + "&prompt=login"
}

// AskAgainURL returns where a person who was asked for more than a sign-in is
// asked once more, by their own hand, to come back to next.
func (s Site) AskAgainURL(next string) string {
	return s.PublicURL + "/login?again=1&next=" + url.QueryEscape(next)
}

// A Page is what every page has beside its own content.
type Page struct {
	Site
	Title   string  // what the page is, without the app's name; empty on the home page
	Visitor Visitor // who looks at it
}

// A Visitor is who the header says is signed in; the zero value is nobody.
type Visitor struct {
	Site
	SignedIn bool          // somebody is
	Name     string        // or user name; empty if Globus told neither
	Left     time.Duration // until the session ends

	// Ended: somebody was signed in when the page was opened, and is not any
	// more. LoginURL leads back to that page.
	Ended    bool
	LoginURL string
}

func (p Page) title() string {
	if p.Title == "" {
		return AppName
	}
	return p.Title + " · " + AppName
}

// A Card is what the user card shows. Without an Identity it is the card of
// someone who is not signed in, and nothing else in it counts.
type Card struct {
	Site
	CSRFToken    string           // for the card's own forms
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

// A Problem is what an error page says.
type Problem struct {
	Site
	Heading   string // what happened, in a few words
	Message   string // what happened and what to do, in a sentence or two
	Facts     []Fact // that explain it
	Ways      []Way  // out of it, beside the home page
	Reference string // names the line in the log; empty if there is none
	LoginURL  string // where to sign in, if that helps; else empty
	Retry     string // path of what to try again, as a browser sees it; empty if that cannot help
	Form      *Form  // a form to send again, or nil
}

// A Fact is something that an error page says of what came and what was needed.
type Fact struct{ Label, Value string }

// A Way is a link that leads out of a problem.
type Way struct{ Label, URL string }

// A Form repeats a form that was refused because it was too old: the same
// fields, with a fresh token.
type Form struct {
	Action    string  // where it goes, as a browser sees it
	CSRFToken string  // the fresh one
	Fields    []Field // what was typed
	Label     string  // of its button
}

// A Field is one field of a Form.
type Field struct{ Name, Value string }
