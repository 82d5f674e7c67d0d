package routes

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"example.org/portal/globus"
)

const (
	maxCheckup = 20 * time.Second // all of it
	maxCheck   = 4 * time.Second  // one call
	maxDrift   = time.Minute      // of the clock, before it is mentioned
)

// A Checkup is what portal -check looks at: the app's settings, as far as they
// can be used. It finds out, before anybody signs in, what would keep them from
// it. The app may run meanwhile, and should.
type Checkup struct {
	Faults   []string // of the settings
	Unknown  []string // names that look like settings and are none
	Listen   string   // where the app listens; "" if the setting is wrong
	ClientOK bool     // whether Globus has a client id and secret to check, and not stand-ins

	PublicURL    *url.URL       // as in Config; nil if the setting is wrong
	Globus       *globus.Client // as in Config; nil if a setting is wrong
	SessionStore string         // as in Config; "" if the setting is wrong
	Policy       globus.Policy  // as in Config
}

// Run writes a line for each check to out, as it finishes: ✓ is well, ✗ is not,
// ! may not be, and – could not be checked. It returns how many are not well.
func (c Checkup) Run(ctx context.Context, out io.Writer) (faults int) {
	ctx, cancel := context.WithTimeout(ctx, maxCheckup)
	defer cancel()
	d := &doctor{Checkup: c, out: out, http: directClient()}
	d.settings()
	d.redirectURI()
	d.checkGlobus(ctx)
	d.checkStore(ctx)
	d.checkApp(ctx)
	d.checkPublicURL(ctx)
	d.checkPlainHTTP(ctx)
	d.checkPolicy()
	return d.faults
}

// A doctor is one Checkup under way.
type doctor struct {
	Checkup
	out     io.Writer
	http    *http.Client // for the app's own addresses
	running bool         // whether the app answers where it listens
	faults  int
}

// checkPolicy says who may enter: whether they can, only their sign-in shows.
func (d *doctor) checkPolicy() {
	if d.Policy.Empty() {
		d.warn("Who may enter", WhoMayEnter(d.Policy), "")
		return
	}
	d.ok("Who may enter", WhoMayEnter(d.Policy))
}

func (d *doctor) ok(what, found string)           { d.say("✓", what, found, "") }
func (d *doctor) warn(what, found, remedy string) { d.say("!", what, found, remedy) }
func (d *doctor) skip(what, why string)           { d.say("–", what, "not checked: "+why, "") }

func (d *doctor) fail(what, found, remedy string) {
	d.faults++
	d.say("✗", what, found, remedy)
}

// say puts the remedy on a line of its own: both tend to be long.
func (d *doctor) say(mark, what, found, remedy string) {
	fmt.Fprintf(d.out, "%s %s: %s\n", mark, what, found)
	if remedy != "" {
		fmt.Fprintf(d.out, "  → %s\n", remedy)
	}
}

func (d *doctor) settings() {
	for _, fault := range d.Faults {
		d.fail("Settings", fault, "")
	}
	for _, name := range d.Unknown {
		d.warn("Settings", name+" is no setting", "See how it is spelt in portal -h.")
	}
	if len(d.Faults) == 0 {
		d.ok("Settings", "can be used")
	}
}

func (d *doctor) redirectURI() {
	const what = "Redirect URI"
	if d.PublicURL == nil {
		d.skip(what, "mend PUBLIC_URL first")
		return
	}
	d.say("–", what, d.PublicURL.String()+"/login must be registered, the same character for character, at https://app.globus.org/settings/developers", "")
}

// isOurs reports whether this app, of whatever version, gave an answer.
func isOurs(resp *http.Response) bool {
	return resp.Header.Get("Origin-Agent-Cluster") == "?1" && strings.HasPrefix(resp.Header.Get("Content-Security-Policy"), "default-src 'none'")
}
