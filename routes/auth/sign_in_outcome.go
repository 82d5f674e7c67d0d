package auth

import (
	"context"
	"errors"
	"net/http"

	"example.org/portal/globus"
	"example.org/portal/routes/session"
)

// recordSignIn logs and counts a sign-in.
func (a *Auth) recordSignIn(ctx context.Context, s *session.Session) {
	a.site.Metrics.SignIn("ok", "")
	a.site.Log.InfoContext(ctx, "signed in", "session", s.Tag())
}

// recordFailure logs and counts a sign-in that failed.
func (a *Auth) recordFailure(r *http.Request, err error) {
	outcome, reason := signInOutcome(err)
	a.site.Metrics.SignIn(outcome, reason)
	a.site.Log.WarnContext(r.Context(), "sign-in "+outcome, "reason", err)
}

// signInOutcome returns the labels that a failed sign-in is counted under. outcome is
// "refused" if the person, Globus or the app refused it, and "failed" otherwise.
// There are few reasons, because each is a series of the metrics.
func signInOutcome(err error) (outcome, reason string) {
	if _, ok := errors.AsType[*refusal](err); ok {
		return "refused", "policy"
	}
	if e, ok := errors.AsType[*globus.Error](err); ok {
		switch {
		case e.Call != "authorize":
			return "failed", string(e.Reason)
		case isDenial(e.Code):
			return "refused", e.Code
		}
		return "failed", "authorize"
	}
	switch {
	case errors.Is(err, errNoAttempt):
		return "refused", "link"
	case errors.Is(err, errNoCookies):
		return "refused", "cookies"
	case errors.Is(err, errOtherPerson):
		return "refused", "other_person"
	case errors.Is(err, errBusy):
		return "failed", "busy"
	case isStoreError(err):
		return "failed", "store"
	case errors.Is(err, session.ErrTooLarge), errors.Is(err, session.ErrGone):
		return "failed", "session"
	case errors.Is(err, context.Canceled):
		return "failed", "hung_up"
	case isLinkError(err), errors.Is(err, errWrongIssuer):
		return "refused", "link"
	}
	return "failed", "internal"
}
