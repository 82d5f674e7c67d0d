package routes

import (
	"cmp"
	"net/http"
	"strings"

	"example.org/portal/globus"
)

// globusError says what the person reads about a call to Globus that failed.
// Whatever Globus is at fault for is a 503: a 502 may be sent again by a
// proxy, and an authorization code is good once.
func globusError(e *globus.Error) *httpError {
	if e.Call == "transfer" || e.Call == "refresh" {
		return serviceError(e)
	}
	if globus.IsInvalidGrant(e) {
		return &httpError{
			status: http.StatusBadRequest, reason: "link_used", heading: "That sign-in link was used already or has expired",
			message: "Nobody was signed in by it. Begin again.",
		}
	}
	said := &httpError{status: http.StatusServiceUnavailable, reason: "globus_error", heading: "Globus could not sign you in"}
	switch e.Reason {
	case globus.Timeout:
		said.reason = "globus_timeout"
		said.message = "Globus did not answer in time. Nobody was signed in. Please try again in a moment."
	case globus.Unreachable:
		said.reason = "globus_unreachable"
		said.message = "Globus cannot be reached from here just now. Nobody was signed in. Please try again in a moment."
	default:
		said.message = "Globus gave an answer that this site cannot accept. Nobody was signed in. " +
			"Please try again; if it happens again, tell the people who run this site, with the reference below."
	}
	return said
}

// codeEnd is what comes last in the code of an error, after what kind it is of:
// Transfer has renamed the kinds.
func codeEnd(e *globus.Error) string { return e.Code[strings.LastIndexByte(e.Code, '.')+1:] }

// serviceError is globusError for someone who is signed in, and stays so.
func serviceError(e *globus.Error) *httpError {
	switch {
	case strings.HasSuffix(e.Code, "ConsentRequired"):
		return &httpError{
			status: http.StatusForbidden, reason: "consent", heading: "Globus wants your consent",
			message: "It says: " + cmp.Or(e.Message, "nothing more") + ". Give it at Globus, and then try again.",
		}
	case e.Status == http.StatusUnauthorized:
		return &httpError{
			status: http.StatusForbidden, reason: "token_rejected", heading: "Globus did not accept this site's token",
			message: "You are still signed in here. Log out and in again to get a new one.",
		}
	case strings.HasSuffix(e.Code, "PermissionDenied"), e.Status == http.StatusForbidden:
		return &httpError{
			status: http.StatusForbidden, reason: "not_permitted", heading: "You may not see that",
			message: "Whoever owns it has not let you in, by the identity that you use here. Ask them, or sign in with another one.",
		}
	case strings.HasPrefix(codeEnd(e), "GC"), codeEnd(e) == "EndpointError": // GCDisconnected and its kin
		return &httpError{
			status: http.StatusServiceUnavailable, reason: "collection_offline", heading: "The collection does not answer",
			message: "The computer that it is on may be switched off, or away from the network. You are still signed in here.",
		}
	case e.Status == http.StatusNotFound, codeEnd(e) == "NotFound":
		return &httpError{
			status: http.StatusNotFound, reason: "not_found", heading: "Globus does not know that",
			message: "It may be gone, or it may not be yours.",
		}
	}
	return &httpError{
		status: http.StatusServiceUnavailable, reason: "globus_unavailable", heading: "Globus does not answer as it should",
		message: "You are still signed in here. Please try again in a moment.",
	}
}
