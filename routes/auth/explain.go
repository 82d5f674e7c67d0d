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

// This file decides what people read about a sign-in that failed, from its error.
// routes/web/explain.go decides that for the errors of pages.

// Errors of a sign-in that are nobody's answer.
var (
	errNoAttempt   = errors.New("callback without an attempt of this browser")
	errNoCookies   = errors.New("callback without any cookie")
	errBusy        = errors.New("too many sign-ins under way")
	errOtherPerson = errors.New("signed in as another person than the session's")
	errWrongIssuer = errors.New("iss is not Globus Auth")
)

// explainLogin returns the problem of a sign-in that failed with err. next is where
// the person was going.
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
			"It works once, for ten minutes, and only in the browser that began. Nobody was signed in by it.")
	case errors.Is(err, errNoCookies):
		return failed(http.StatusBadRequest, "cookies_blocked", "Your browser keeps no cookies for this site",
			"Without them nobody can sign in. Allow cookies for this site in your browser's settings, and begin again.")
	case errors.Is(err, errBusy):
		return &web.Problem{ // without LoginURL: the attempt stays good
			Status: http.StatusServiceUnavailable, Reason: "busy", Heading: "Many people are signing in just now",
			Message: "Reload this page in a moment to go on.", Cause: err,
		}
	case errors.Is(err, errWrongIssuer):
		return failed(http.StatusBadRequest, "wrong_issuer", "That answer does not come from Globus", "Nobody was signed in by it.")
	case isLinkError(err):
		return failed(http.StatusBadRequest, "link_damaged", "That sign-in link is damaged", "Nobody was signed in by it. Begin again.")
	case errors.Is(err, session.ErrTooLarge), errors.Is(err, session.ErrGone):
		return failed(http.StatusServiceUnavailable, "not_kept", "Globus could not sign you in",
			"What Globus sent cannot be kept here: it is too much, or has expired already. Please tell the people who run this site, with the reference below.")
	case isStoreError(err):
		return failed(http.StatusServiceUnavailable, "store_unavailable", "Please try again in a moment",
			"This site could not store that you signed in, so you are not signed in. Please try again in a moment.")
	case fromGlobus && said.Call == "authorize" && isDenial(said.Code):
		return failed(http.StatusForbidden, "denied", "Globus did not sign you in",
			"You, or Globus, said no. Nothing was changed. You can try again, or go on without signing in.")
	case fromGlobus && said.Call == "authorize":
		return failed(http.StatusServiceUnavailable, "globus_error", "Globus could not sign you in",
			"Globus answered with an error. Nobody was signed in."+again)
	case fromGlobus && said.Reason == globus.Timeout:
		return failed(http.StatusServiceUnavailable, "globus_timeout", "Globus could not sign you in",
			"Globus did not answer in time. Nobody was signed in. Please try again in a moment.")
	case fromGlobus && said.Reason == globus.Unreachable:
		return failed(http.StatusServiceUnavailable, "globus_unreachable", "Globus could not sign you in",
			"Globus cannot be reached from here just now. Nobody was signed in. Please try again in a moment.")
	case fromGlobus:
		// 503 and not 502: a proxy may send a request again after a 502, and an
		// authorization code is good once.
		return failed(http.StatusServiceUnavailable, "globus_error", "Globus could not sign you in",
			"Globus gave an answer that this site cannot accept. Nobody was signed in."+again)
	}
	return failed(http.StatusInternalServerError, "internal", "Something went wrong here",
		"That is our fault, and the log says what happened. Please try again.")
}

// explainStepUp returns the problem of a step-up that failed with err: the person
// was signed in before, and still is. next is where they were going.
func (a *Auth) explainStepUp(err error, next string) error {
	p := &web.Problem{Status: http.StatusServiceUnavailable, Retry: cmp.Or(a.site.LocalPath(next), a.site.Path("/")), Cause: err}
	said, fromGlobus := errors.AsType[*globus.Error](err)
	other, isOther := errors.AsType[*otherPerson](err)
	switch {
	case errors.Is(err, session.ErrGone):
		p.Status, p.Reason, p.Heading, p.Message = http.StatusUnauthorized, "signed_out", "Your session ended meanwhile", "Nobody is signed in here. Log in again to go on."
		p.LoginURL, p.Retry = a.site.LoginURL(next), ""
	case isOther:
		p.Status, p.Reason, p.Heading, p.Message = http.StatusForbidden, "other_person", "You signed in at Globus as someone else", "What was asked there was for the person who is signed in here. Nothing was changed."
		p.Facts = []components.Fact{
			{Label: "At Globus you signed in as", Value: displayName(&other.came)},
			{Label: "Here you are signed in as", Value: displayName(&other.signedIn)},
		}
		p.LoginURL, p.Retry = a.site.OtherLoginURL(next), "" // without prompt=login, Globus would let the other one in again
	case fromGlobus && isDenial(said.Code):
		p.Status, p.Reason, p.Heading, p.Message = http.StatusForbidden, "denied", "Globus did not get what it asked for", "You, or Globus, said no. Nothing was changed: you are signed in as before."
	case isStoreError(err):
		p.Reason, p.Heading, p.Message = "store_unavailable", "Please try again in a moment", "This site cannot reach its own records just now. Nothing was changed: you are signed in as before."
	default:
		p.Reason, p.Heading, p.Message = "step_up_failed", "Globus could not complete this", "Nothing was changed: you are signed in as before. Please try again in a moment."
		if globus.IsInvalidGrant(err) {
			p.Status = http.StatusBadRequest
		}
	}
	return p
}

// explainStore makes the problem of an error of the session store that keeps a
// page from being shown, and returns any other error as it is.
func explainStore(err error) error {
	if !isStoreError(err) {
		return err
	}
	return &web.Problem{
		Status: http.StatusServiceUnavailable, Reason: "store_unavailable", Heading: "Please try again in a moment",
		Message: "This site cannot reach its own records just now. You are not signed out; reload the page in a moment.",
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

// isDenial reports whether an OAuth error is the person's, or Globus's, no.
func isDenial(code string) bool {
	switch code {
	case "access_denied", "login_required", "consent_required", "interaction_required":
		return true
	}
	return false
}

// displayName is what somebody recognizes an identity of theirs by.
func displayName(id *globus.Identity) string { return cmp.Or(id.Username, id.Name, id.Subject) }
