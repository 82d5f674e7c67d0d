// Package components holds what the browser shows: typed templates, pure
// functions of their arguments. A page takes a Page first; a fragment takes
// plain data, and is the very component that the page embeds.
package components

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
)

// What the app calls itself, and where its footer points. Change these first.
// URLs are whole, such as https://…; an empty one leaves its link out.
const (
	AppName = "Go web app with authentication delegated to Globus Auth"

	// Where the full name is too long: in the header, and as the title of windows.
	ShortName = "Portal"

	// For search engines.
	Description = "A web app where you sign in with your institution's account, through Globus Auth."

	// Such as "mailto:portal@example.edu".
	ContactURL = ""

	// Your privacy policy; Globus asks for it when you register the app.
	PrivacyURL = ""

	// Where your code is.
	SourceURL = ""

	GlobusURL = "https://www.globus.org/"
)

// navigation is what the header of every page leads to, in this order. Add the pages
// of yours that people look for.
func navigation() []navLink {
	return []navLink{
		{"Home", "/", false},
		{"Find data", "/search", false},
		{"Files", "/files", true},
		{"Transfers", "/transfers", true},
	}
}

// A navLink leads to a page, and is marked there and on the pages below it.
type navLink struct {
	text, route string
	signedIn    bool // only people who are signed in see it
}

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

	Files func(name string) string // see Asset

	Stylesheet, Htmx, Script, Icon string // paths, with a hash of the content in the name
}

// Path returns the path, as a browser sees it, of one of the app's own routes.
func (s Site) Path(route string) string { return s.BasePath + route }

// Asset returns the path, as a browser sees it, of a file in static/, such as
// "chart.js": <script src={ p.Asset("chart.js") } defer></script>.
func (s Site) Asset(name string) string {
	if s.Files == nil { // in a test of components alone
		return s.Path("/static/" + name)
	}
	return s.Files(name)
}

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

// StepUpURL returns where a person who is signed in goes to Globus once more, for
// what was signed by their session, to come back to next.
func (s Site) StepUpURL(signed, next string) string {
	return s.PublicURL + "/login?step_up=" + signed + "&next=" + url.QueryEscape(next)
}

// A Page is what every page has beside its own content.
type Page struct {
	Site
	Title   string  // what the page is, without the app's name; empty on the home page
	Route   string  // its path, without BasePath; the header marks it
	Visitor Visitor // who looks at it
	Message string  // said once, above the content, such as "Sample deleted."; empty if there is none
}

func (p Page) title() string {
	return cmp.Or(p.Title, "Home") + " · " + ShortName
}

// current is the aria-current attribute of the link to a route.
func (p Page) current(route string) string {
	switch {
	case p.Route == route:
		return "page"
	case route != "/" && strings.HasPrefix(p.Route, route+"/"):
		return "true"
	}
	return ""
}
