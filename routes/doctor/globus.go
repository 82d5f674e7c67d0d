package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"example.org/portal/globus"
)

const maxDrift = time.Minute // of this machine's clock, before the doctor warns

// checkGlobus makes the calls to Globus that a sign-in makes, except those that
// need a person.
func (d *doctor) checkGlobus(ctx context.Context) {
	checks := []struct {
		what  string
		check func(ctx context.Context, what string) error
	}{
		{"Globus Auth", d.checkDiscovery},
		{"Signing keys", d.checkKeys},
		{"Clock", d.checkClock},
		{"Client id and secret", d.checkCredentials},
		{"Redirect URI at Globus", d.checkRegistered},
	}
	why := ""
	if d.globus == nil {
		why = "correct GLOBUS_ISSUER and GLOBUS_SCOPES first"
	}
	for _, c := range checks {
		if why != "" {
			d.skip(c.what, why)
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, maxCheck)
		err := c.check(ctx, c.what)
		cancel()
		if err == nil {
			continue
		}
		d.fail(c.what, d.Issuer+": "+message(err), globus.Remedy(err))
		if e, ok := errors.AsType[*globus.Error](err); ok && (e.Reason == globus.Timeout || e.Reason == globus.Unreachable) {
			why = "Globus cannot be reached"
		}
	}
}

// message returns an error's text without the name of the package that it is from.
func message(err error) string { return strings.TrimPrefix(err.Error(), "globus: ") }

func (d *doctor) checkDiscovery(ctx context.Context, what string) error {
	differences, err := d.globus.CheckDiscovery(ctx)
	if err != nil {
		return err
	}
	if len(differences) > 0 {
		d.fail(what, "its discovery document is not as this app expects: "+strings.Join(differences, "; "),
			"Check GLOBUS_ISSUER. If it is right, Globus has changed: take in a later version of this app, or change the constants in globus/globus.go.")
		return nil
	}
	d.ok(what, d.Issuer+" answers, and has the endpoints that this app calls")
	return nil
}

func (d *doctor) checkKeys(ctx context.Context, what string) error {
	n, err := d.globus.CheckKeys(ctx)
	if err == nil {
		d.ok(what, fmt.Sprintf("%d can be used", n))
	}
	return err
}

func (d *doctor) checkClock(ctx context.Context, what string) error {
	ahead, err := d.globus.CheckClock(ctx)
	if err != nil {
		return err
	}
	found := fmt.Sprintf("%s ahead of Globus's", ahead.Abs())
	if ahead < 0 {
		found = fmt.Sprintf("%s behind Globus's", ahead.Abs())
	}
	switch {
	case ahead.Abs() > globus.MaxSkew:
		d.fail(what, fmt.Sprintf("%s; beyond %s nobody can sign in", found, globus.MaxSkew), globus.ClockRemedy)
	case ahead.Abs() > maxDrift:
		d.warn(what, found, globus.ClockRemedy)
	default:
		d.ok(what, fmt.Sprintf("within %s of Globus's", maxDrift))
	}
	return nil
}

func (d *doctor) checkCredentials(ctx context.Context, what string) error {
	if d.ClientID == "" || d.ClientSecret == "" {
		d.skip(what, "correct the settings first")
		return nil
	}
	err := d.globus.CheckCredentials(ctx)
	if err == nil {
		d.ok(what, "Globus accepts them")
	}
	return err
}

// checkRegistered warns and never fails, because Globus documents no answer for a
// redirect URI that is not registered.
func (d *doctor) checkRegistered(ctx context.Context, what string) error {
	if d.ClientID == "" || d.PublicURL == nil {
		d.skip(what, "correct the settings first")
		return nil
	}
	if err := d.globus.CheckAuthorize(ctx); err != nil {
		d.warn(what, "Globus seems to refuse a sign-in: "+message(err), globus.Remedy(err))
		return nil
	}
	d.note(what, "Globus did not refuse it; only a browser can tell for certain: open "+d.RedirectURI())
	return nil
}
