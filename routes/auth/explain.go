package auth

import (
	"cmp"
	"errors"
	"net/http"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

// This file decides what people read about a sign-in, a step-up or a session store
// that failed. routes/web/explain.go decides it for other errors.

// Errors of a sign-in that come from neither Globus nor the session store.
var (
	errNoAttempt   = errors.New("callback without an attempt of this browser")
	errNoCookies   = errors.New("callback without any cookie")
	errBusy        = errors.New("too many sign-ins under way")
	errOtherPerson = errors.New("signed in as another person than the session's")
	errWrongIssuer = errors.New("iss is not Globus Auth")
)

// explainLogin returns the problem to show for a sign-in that failed with err. next
// is where the person was going.
func (a *Auth) explainLogin(err error, next string) error {
	if no, ok := errors.AsType[*refusal](err); ok {
		return a.refused(no, next)
	}
	login := a.site.LoginURL(next)
	failed := func(status int, reason, heading, message string) error {
		return &web.Problem{Status: status, Reason: reason, Heading: heading, Message: message, LoginURL: login, Cause: err}
	}
	const again = " Please try again; if it happens again, tell the people who run this site, with the reference below."
	said, fromGlobus := errors.AsType[*globus.Error](err)
	switch {
	case errors.Is(err, errNoAttempt), globus.IsInvalidGrant(err):
		return failed(http.StatusBadRequest, "link_used", "That sign-in link was used already or has expired",
			"Such a link works once, within ten minutes, and only in the browser where the sign-in began. Nobody was signed in. Log in again.")
	case errors.Is(err, errNoCookies):
		return failed(http.StatusBadRequest, "cookies_blocked", "Your browser does not keep cookies for this site",
			"Signing in needs cookies. Allow them for this site in your browser's settings, and log in again.")
	case errors.Is(err, errBusy):
		return &web.Problem{ // without LoginURL: the attempt stays good
			Status: http.StatusServiceUnavailable, Reason: "busy", Heading: "Many people are signing in just now",
			Message: "Reload this page in a moment to continue.", Cause: err,
		}
	case errors.Is(err, errWrongIssuer):
		return failed(http.StatusBadRequest, "wrong_issuer", "That answer does not come from Globus", "Nobody was signed in. Log in again.")
	case isLinkError(err):
		return failed(http.StatusBadRequest, "link_damaged", "That sign-in link is damaged", "Nobody was signed in. Log in again.")
	case errors.Is(err, session.ErrTooLarge), errors.Is(err, session.ErrGone):
		return failed(http.StatusServiceUnavailable, "not_kept", "This site could not sign you in",
			"This site cannot keep what Globus sent: it is too large, or it has expired already. Please tell the people who run this site, with the reference below.")
	case isStoreError(err):
		return failed(http.StatusServiceUnavailable, "store_unavailable", "Please try again in a moment",
			"This site could not store that you signed in, so you are not signed in. Please try again in a moment.")
	case fromGlobus && said.Call == "authorize" && isDenial(said.Code):
		return failed(http.StatusForbidden, "denied", "Globus did not sign you in",
			"You or Globus refused. Nothing was changed. You can try again, or use this site without signing in.")
	case fromGlobus && said.Call == "authorize":
		return failed(http.StatusServiceUnavailable, "globus_error", "Globus could not sign you in",
			"Globus reported an error. Nobody was signed in."+again)
	case fromGlobus && said.Reason == globus.Timeout:
		return failed(http.StatusServiceUnavailable, "globus_timeout", "Globus could not sign you in",
			"Globus did not answer in time. Nobody was signed in. Please try again in a moment.")
	case fromGlobus && said.Reason == globus.Unreachable:
		return failed(http.StatusServiceUnavailable, "globus_unreachable", "Globus could not sign you in",
			"This site cannot reach Globus just now. Nobody was signed in. Please try again in a moment.")
	case fromGlobus:
		// 503 and not 502: a proxy may send a request again after a 502, and an
		// authorization code is good once.
		return failed(http.StatusServiceUnavailable, "globus_error", "Globus could not sign you in",
			"Globus sent an answer that this site cannot accept. Nobody was signed in."+again)
	}
	return failed(http.StatusInternalServerError, "internal", "Something went wrong here",
		"This is our fault, not yours."+again)
}

// explainStepUp returns the problem to show for a step-up that failed with err: the
// person stays signed in. next is where they were going.
func (a *Auth) explainStepUp(err error, next string) error {
	p := &web.Problem{Status: http.StatusServiceUnavailable, Retry: cmp.Or(a.site.LocalPath(next), a.site.Path("/")), Cause: err}
	said, fromGlobus := errors.AsType[*globus.Error](err)
	other, isOther := errors.AsType[*otherPerson](err)
	switch {
	case errors.Is(err, session.ErrGone):
		p.Status, p.Reason, p.Heading, p.Message = http.StatusUnauthorized, "signed_out", "Your session ended meanwhile", "Nobody is signed in here. Log in again to continue."
		p.LoginURL, p.Retry = a.site.LoginURL(next), ""
	case isOther:
		p.Status, p.Reason, p.Heading, p.Message = http.StatusForbidden, "other_person", "You signed in at Globus as someone else", "Only the person who is signed in here can complete this. Nothing was changed."
		p.Facts = []components.Fact{
			{Label: "At Globus you signed in as", Value: displayName(&other.came)},
			{Label: "Here you are signed in as", Value: displayName(&other.signedIn)},
		}
		p.LoginURL, p.Retry = a.site.OtherLoginURL(next), "" // without prompt=login, Globus would return the other identity again
	case fromGlobus && isDenial(said.Code):
		p.Status, p.Reason, p.Heading, p.Message = http.StatusForbidden, "denied", "Globus did not get what it requires", "You or Globus refused. Nothing was changed: you are signed in as before."
	case isStoreError(err):
		p.Reason, p.Heading, p.Message = "store_unavailable", "Please try again in a moment", "This site cannot read your session just now. Nothing was changed: you are signed in as before."
	default:
		p.Reason, p.Heading, p.Message = "step_up_failed", "Globus could not complete this", "Nothing was changed: you are signed in as before. Please try again in a moment."
		if globus.IsInvalidGrant(err) {
			p.Status = http.StatusBadRequest
		}
	}
	return p
}

// explainStore returns the problem to show for an error of the session store, and any
// other error as it is.
func explainStore(err error) error {
	if !isStoreError(err) {
		return err
	}
	return &web.Problem{
		Status: http.StatusServiceUnavailable, Reason: "store_unavailable", Heading: "Please try again in a moment",
		Message: "This site cannot read your session just now. You are not signed out: reload the page in a moment.",
		Cause:   err,
	}
}

func isStoreError(err error) bool {
	_, ok := errors.AsType[*session.StoreError](err)
	return ok
}

func isLinkError(err error) bool {
	_, ok := errors.AsType[linkError](err)
	return ok
}

// isDenial reports whether an OAuth error says that the person, or Globus, refused.
func isDenial(code string) bool {
	switch code {
	case "access_denied", "login_required", "consent_required", "interaction_required":
		return true
	}
	return false
}

// displayName returns the name by which people recognize an identity of theirs.
func displayName(id *globus.Identity) string { return cmp.Or(id.Username, id.Name, id.Subject) }
