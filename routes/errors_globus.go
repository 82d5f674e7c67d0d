package routes

import (
	"net/http"
	"slices"
	"strings"

	"example.org/portal/components"
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

// A serviceProblem is what a person reads about one kind of refusal by a Globus
// service. Only what may pass by itself is a 503.
type serviceProblem struct {
	codes                    []string // how its codes end, after the kind of error: Transfer has renamed the kinds
	status                   int
	reason, heading, message string
}

// serviceProblems are the kinds by their codes (globus-sdk-python's and
// globus-cli's fixtures; Transfer API, "Error responses").
var serviceProblems = []serviceProblem{
	{[]string{"ConsentRequired"}, http.StatusForbidden, "consent", "Globus wants your consent",
		"Give it at Globus, and then try again."},
	{[]string{"AuthPolicyFailed"}, http.StatusForbidden, "auth_policy", "Globus wants another sign-in for this",
		"The owner of this has rules about how you sign in, which the sign-in that you used does not meet. Log in with another identity, or ask the owner."},
	{[]string{"LoginFailed"}, http.StatusForbidden, "no_local_account", "This collection has no account for you",
		"None of its accounts belongs to the identity that you use here. Signing in again does not help: ask the people who run the collection."},
	{[]string{"PermissionDenied"}, http.StatusForbidden, "not_permitted", "You may not see that",
		"The owner has not given access to the identity that you use here. Ask them, or sign in with another one."},
	{[]string{"NotDirectory"}, http.StatusNotFound, "not_a_folder", "That is a file, and not a folder",
		"Open the folder that it is in."},
	{[]string{"SizeLimit"}, http.StatusBadRequest, "folder_too_large", "That folder has too many entries to list",
		"Enter the path of a folder in it."},
	{[]string{"InvalidPath"}, http.StatusBadRequest, "bad_path", "That path cannot be on this collection",
		"Check how it is written."},
	{[]string{"Exists"}, http.StatusConflict, "exists", "There is one of that name already",
		"Choose another name, or use the one that is there."},
	{[]string{"EndpointDeleted", "EndpointNotFound", "NotSupported"}, http.StatusNotFound, "collection_gone", "This collection is gone",
		"Its owner has deleted it, or moved it to a new address. Waiting does not help: ask them."},
	{[]string{"OperationPaused"}, http.StatusForbidden, "paused", "The people who run this collection have paused it",
		"It can be used again when they let it: ask them when that is."},
	{[]string{"Conflict"}, http.StatusConflict, "conflict", "The same is under way already",
		"Wait until it has ended, or cancel it first."},
	{[]string{"NotFound"}, http.StatusNotFound, "not_found", "Globus does not know that",
		"It may be gone, or it may not be yours."},
	{[]string{"GCDisconnected", "GCNotConnected", "ConnectFailed"}, http.StatusServiceUnavailable, "collection_offline", "The collection does not answer",
		"The computer that it is on may be switched off, or away from the network. If it is your own, start Globus Connect Personal there."},
	{[]string{"EndpointError"}, http.StatusServiceUnavailable, "collection_error", "The collection reports an error",
		"It may pass: try again in a while. If it does not, tell the people who run the collection."},
}

// serviceError is globusError for someone who is signed in, and stays so. What the
// service itself says is shown as its words.
func serviceError(e *globus.Error) *httpError {
	said := &httpError{
		status: http.StatusServiceUnavailable, reason: "globus_unavailable", heading: "Globus does not answer as it should",
		message: "You are still signed in here. Please try again in a moment.",
	}
	code := e.Code[strings.LastIndexByte(e.Code, '.')+1:]
	i := slices.IndexFunc(serviceProblems, func(p serviceProblem) bool {
		return slices.ContainsFunc(p.codes, func(end string) bool { return strings.HasSuffix(code, end) })
	})
	var known serviceProblem
	switch {
	case e.Status == http.StatusUnauthorized:
		known = serviceProblem{nil, http.StatusForbidden, "token_rejected", "Globus did not accept this site's token",
			"You are still signed in here. Log out and in again to get a new one."}
	case i >= 0:
		known = serviceProblems[i]
	case e.Status == http.StatusForbidden:
		known = serviceProblems[slices.IndexFunc(serviceProblems, func(p serviceProblem) bool { return p.reason == "not_permitted" })]
	case e.Status == http.StatusNotFound:
		known = serviceProblems[slices.IndexFunc(serviceProblems, func(p serviceProblem) bool { return p.reason == "not_found" })]
	default:
		return said
	}
	said.status, said.reason, said.heading, said.message = known.status, known.reason, known.heading, known.message
	if e.Message != "" {
		said.facts = []components.Fact{{Label: "Globus says", Value: e.Message}}
	}
	return said
}
