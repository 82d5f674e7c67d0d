package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"example.org/portal/components"
	"example.org/portal/globus"
)

// explain decides what people read about an error of a page. What they read about
// a sign-in that failed is decided in routes/auth/explain.go.
func explain(err error) *Problem {
	if about, ok := errors.AsType[*About](err); ok {
		return about.addTo(explain(about.Err))
	}
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	if errors.Is(err, http.ErrNotMultipart) || errors.Is(err, http.ErrMissingBoundary) || errors.Is(err, http.ErrMissingFile) {
		return unreadable(err)
	}
	if errors.Is(err, globus.ErrNoToken) {
		return &Problem{
			Status: http.StatusForbidden, Reason: "no_token", Heading: "Globus gave no token for this",
			Message: "You may have withdrawn your consent, or this site did not ask for it. Log out and in again to be asked.",
		}
	}
	if e, ok := errors.AsType[*globus.Error](err); ok {
		return explainService(e)
	}
	if _, ok := errors.AsType[*url.Error](err); ok { // of a request by an HTTPClient
		return explainService(&globus.Error{})
	}
	return &Problem{
		Status: http.StatusInternalServerError, Reason: "internal", Heading: "Something went wrong here",
		Message: "This is our fault, not yours. Please try again; if it happens again, tell the people who run this site, with the reference below.",
	}
}

// A serviceProblem is what a person reads about one kind of error of a Globus service.
// Only an error that may pass by itself has status 503.
type serviceProblem struct {
	status                   int
	reason, heading, message string
}

// problemsByKind has the kinds of errors about which a person can do something, or
// ask somebody.
var problemsByKind = map[globus.Kind]serviceProblem{
	globus.KindSignIn: {http.StatusForbidden, "token_rejected", "Globus did not accept this site's token",
		"You are still signed in here. Log out and in again to get a new one."},
	globus.KindNoAccount: {http.StatusForbidden, "no_local_account", "This collection has no account for you",
		"None of its accounts belongs to the identity that you use here. Signing in again does not help: ask the people who run the collection."},
	globus.KindDenied: {http.StatusForbidden, "not_permitted", "You may not see that",
		"The owner has not given access to the identity that you use here. Ask them, or sign in with another one."},
	globus.KindNotDirectory: {http.StatusNotFound, "not_a_folder", "That is a file, and not a folder",
		"Open the folder that it is in."},
	globus.KindTooMany: {http.StatusBadRequest, "folder_too_large", "That folder has too many entries to list",
		"Enter the path of a folder in it."},
	globus.KindExists: {http.StatusConflict, "exists", "That name exists already",
		"Choose another name, or use what is there."},
	globus.KindNoCollection: {http.StatusNotFound, "collection_gone", "This collection is gone",
		"Its owner has deleted it, or moved it to a new address. Waiting does not help: ask them."},
	globus.KindPaused: {http.StatusForbidden, "paused", "The people who run this collection have paused it",
		"You can use it again when they resume it: ask them when."},
	globus.KindConflict: {http.StatusConflict, "conflict", "A transfer of the same files is under way already",
		"Wait until it has ended, or cancel it first."},
	globus.KindNotFound: {http.StatusNotFound, "not_found", "Globus does not know that",
		"It may be gone, or it may not be yours."},
	globus.KindOffline: {http.StatusServiceUnavailable, "collection_offline", "The collection does not answer",
		"The computer that it is on may be switched off, or away from the network. If it is your own, start Globus Connect Personal there."},
}

// problemsByCode has the codes about which there is more to say than about their kind
// (globus-sdk-python's and globus-cli's fixtures; Transfer API, "Error responses").
var problemsByCode = map[string]serviceProblem{
	"ConsentRequired": {http.StatusForbidden, "consent", "Globus needs your consent",
		"Give it at Globus, and then try again."},
	"AuthPolicyFailed": {http.StatusForbidden, "auth_policy", "Globus requires another sign-in for this",
		"The owner requires a kind of sign-in that you did not use. Log in with another identity, or ask the owner."},
	"InvalidPath": {http.StatusBadRequest, "bad_path", "That path cannot be on this collection",
		"Check how it is written."},
	"EndpointError": {http.StatusServiceUnavailable, "collection_error", "The collection reports an error",
		"Try again in a few minutes; if it happens again, tell the people who run the collection."},
}

// explainService says what a person who is signed in, and stays so, reads about an
// error of a Globus service. What the service itself says is shown as its words.
func explainService(e *globus.Error) *Problem {
	known, ok := problemsByCode[e.Code[strings.LastIndexByte(e.Code, '.')+1:]]
	if !ok {
		known, ok = problemsByKind[globus.KindOf(e)]
	}
	if !ok {
		return &Problem{
			Status: http.StatusServiceUnavailable, Reason: "globus_unavailable", Heading: "Globus does not answer as it should",
			Message: "You are still signed in here. Please try again in a moment.",
		}
	}
	p := &Problem{Status: known.status, Reason: known.reason, Heading: known.heading, Message: known.message}
	if e.Message != "" {
		p.Facts = []components.Fact{{Label: "Globus says", Value: e.Message}}
	}
	return p
}
