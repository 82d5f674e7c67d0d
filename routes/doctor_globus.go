package routes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"example.org/portal/globus"
)

// checkGlobus asks of Globus what a sign-in will, as far as that takes no
// person.
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
	if d.Globus == nil {
		why = "mend GLOBUS_ISSUER and GLOBUS_SCOPES first"
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
		d.fail(c.what, d.Globus.Issuer()+": "+strings.TrimPrefix(err.Error(), "globus: "), globus.Remedy(err))
		if e, ok := errors.AsType[*globus.Error](err); ok && (e.Reason == globus.Timeout || e.Reason == globus.Unreachable) {
			why = "Globus cannot be reached" // nor will the others reach it
		}
	}
}

func (d *doctor) checkDiscovery(ctx context.Context, what string) error {
	differences, err := d.Globus.CheckDiscovery(ctx)
	if err != nil {
		return err
	}
	if len(differences) == 0 {
		d.ok(what, d.Globus.Issuer()+" answers, and has the endpoints that this app calls")
		return nil
	}
	d.fail(what, "its discovery document differs from what this app goes by: "+strings.Join(differences, "; "),
		"See that GLOBUS_ISSUER is right. If it is, Globus has changed: take in a later version of this app, or change the constants in globus/globus.go.")
	return nil
}

func (d *doctor) checkKeys(ctx context.Context, what string) error {
	n, err := d.Globus.CheckKeys(ctx)
	if err == nil {
		d.ok(what, fmt.Sprintf("%d that can be used", n))
	}
	return err
}

func (d *doctor) checkClock(ctx context.Context, what string) error {
	ahead, err := d.Globus.CheckClock(ctx)
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
	case ahead.Abs() <= time.Second:
		d.ok(what, "the same as Globus's")
	default:
		d.ok(what, found)
	}
	return nil
}

func (d *doctor) checkCredentials(ctx context.Context, what string) error {
	if !d.ClientOK {
		d.skip(what, "set them first")
		return nil
	}
	if err := d.Globus.CheckCredentials(ctx); err != nil {
		return err
	}
	d.ok(what, "Globus accepts them")
	return nil
}

// checkRegistered never fails: what Globus's page means is known from hearsay.
func (d *doctor) checkRegistered(ctx context.Context, what string) error {
	if !d.ClientOK || d.PublicURL == nil {
		d.skip(what, "mend the settings first")
		return nil
	}
	err := d.Globus.CheckAuthorize(ctx)
	if err != nil {
		d.warn(what, "Globus answers as if a sign-in could not begin: "+strings.TrimPrefix(err.Error(), "globus: "), globus.Remedy(err))
		return nil
	}
	d.say("–", what, "Globus did not refuse it outright; only a browser can tell: open "+d.PublicURL.String()+"/login", "")
	return nil
}
