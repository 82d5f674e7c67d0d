// Package doctor is `portal -check`: it finds out, before anyone signs in, what
// would keep people from signing in, and says what to do about it.
package doctor

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"time"

	"example.org/portal/globus"
	"example.org/portal/routes/settings"
	"example.org/portal/routes/web"
)

const (
	maxRun   = 20 * time.Second // all checks
	maxCheck = 4 * time.Second  // one call
	maxPage  = 8 * time.Second  // all calls for a page
	maxStore = 10 * time.Second // opening the store, and a few calls of it
)

// Check checks the settings, Globus, the session store, the database with the app's
// migrations, the app where it listens and where browsers reach it, and what its pages,
// as pages returns them, need at Globus; nil: they need nothing. It skips what settings at
// fault make impossible to check. The app may run meanwhile, and should.
//
// It writes a line for each check to out as the check ends: ✓ is right, ✗ is wrong,
// ! may be wrong, and – was not checked. It returns an error if there is a ✗.
func Check(ctx context.Context, s *settings.Settings, migrations fs.FS, pages func(*globus.Client) ([]web.Check, error), out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, maxRun)
	defer cancel()
	d := &doctor{Settings: s, out: out, http: directClient()}
	if s.Issuer != "" && s.Scopes != nil {
		cfg := s.Globus()
		// The checks that need the real ones are skipped without them.
		cfg.ClientID, cfg.ClientSecret = cmp.Or(cfg.ClientID, "none"), cmp.Or(cfg.ClientSecret, "none")
		cfg.RedirectURL = cmp.Or(cfg.RedirectURL, "http://localhost/login")
		var err error
		if d.globus, err = globus.New(cfg); err != nil {
			return err
		}
	}
	d.checkSettings()
	d.checkGlobus(ctx)
	d.checkStore(ctx)
	d.checkDatabase(ctx, migrations)
	d.checkApp(ctx)
	d.checkPublicURL(ctx)
	d.checkPolicy()
	d.checkPages(ctx, pages)
	if d.faults > 0 {
		return fmt.Errorf("failed checks: %d, marked ✗; begin at the top, because one fault may cause another", d.faults)
	}
	return nil
}

// A doctor is one Check under way.
type doctor struct {
	*settings.Settings
	globus  *globus.Client // nil if a setting is at fault
	out     io.Writer
	http    *http.Client // for the app's own addresses
	running bool         // whether the app answers where it listens
	faults  int
}

func (d *doctor) ok(what, found string)           { d.print("✓", what, found, "") }
func (d *doctor) warn(what, found, remedy string) { d.print("!", what, found, remedy) }
func (d *doctor) note(what, found string)         { d.print("–", what, found, "") }
func (d *doctor) skip(what, why string)           { d.note(what, "not checked: "+why) }

func (d *doctor) fail(what, found, remedy string) {
	d.faults++
	d.print("✗", what, found, remedy)
}

// print puts the remedy on a line of its own, because both tend to be long.
func (d *doctor) print(mark, what, found, remedy string) {
	fmt.Fprintf(d.out, "%s %s: %s\n", mark, what, found)
	if remedy != "" {
		fmt.Fprintf(d.out, "  → %s\n", remedy)
	}
}

func (d *doctor) checkSettings() {
	for _, fault := range d.Faults {
		d.fail("Settings", fault, "")
	}
	for _, name := range d.Unknown {
		d.warn("Settings", name+" is not a setting", "Compare it with the names in portal -h.")
	}
	if len(d.Faults) == 0 {
		d.ok("Settings", "can be used")
	}
	const what = "Redirect URI"
	if d.PublicURL == nil {
		d.skip(what, "correct PUBLIC_URL first")
		return
	}
	d.note(what, d.RedirectURI()+" must be registered, character for character, at https://app.globus.org/settings/developers")
}

// checkPolicy says who may enter. Only a sign-in shows whether they can.
func (d *doctor) checkPolicy() {
	const what = "Who may enter"
	switch {
	case len(d.Faults) > 0:
		d.skip(what, "correct the settings first")
	case d.Policy.Empty():
		d.warn(what, d.WhoMayEnter(), "")
	default:
		d.ok(what, d.WhoMayEnter())
	}
}

// checkPages warns and never fails, because people can sign in all the same.
func (d *doctor) checkPages(ctx context.Context, pages func(*globus.Client) ([]web.Check, error)) {
	if d.globus == nil || pages == nil {
		return
	}
	checks, err := pages(d.globus)
	if err != nil {
		d.fail("Pages", message(err), "")
	}
	for _, c := range checks {
		ctx, cancel := context.WithTimeout(ctx, maxPage)
		for _, found := range c.Run(ctx) {
			if found.Remedy == "" {
				d.ok("Page "+c.Page, found.Text)
			} else {
				d.warn("Page "+c.Page, found.Text, found.Remedy)
			}
		}
		cancel()
	}
}
