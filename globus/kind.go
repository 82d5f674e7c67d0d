package globus

import (
	"errors"
	"net/http"
	"strings"
)

// A Kind groups errors by what can be done about them. Transfer has many more codes; a
// page needs these kinds.
type Kind string

// The kinds: what happened, and what to do.
const (
	KindOther        Kind = ""              // another error, perhaps not from Globus: tell the operator
	KindRequirements Kind = "requirements"  // Globus requires something of the person first: see Error.Requirements
	KindSignIn       Kind = "sign_in"       // Globus rejects the token, and refreshing did not help: sign in again
	KindNoAccount    Kind = "no_account"    // the person has no account at the collection, and no sign-in helps: ask its contact
	KindDenied       Kind = "denied"        // the person has no permission: choose something else, or ask the owner
	KindNotFound     Kind = "not_found"     // the path, task or bookmark does not exist: choose another
	KindNoCollection Kind = "no_collection" // the collection does not exist or was deleted: choose another
	KindNotDirectory Kind = "not_directory" // the path is a file: call Stat, or list the folder above
	KindTooMany      Kind = "too_many"      // the folder has too many entries to list: use a path below it
	KindExists       Kind = "exists"        // something of that name exists: after a lost response that is a success
	KindConflict     Kind = "conflict"      // a task with the same paths still runs: wait for it
	KindOffline      Kind = "offline"       // Globus cannot reach the collection: its owner can switch it on
	KindPaused       Kind = "paused"        // the collection's managers have paused it: wait, or ask them
	KindInvalid      Kind = "invalid"       // Globus rejects the request: the app is wrong, or a path that somebody typed
	KindBusy         Kind = "busy"          // Globus is overloaded or has failed: retry after Error.RetryAfter
	KindNoAnswer     Kind = "no_answer"     // no readable response came: Globus may have done what the call asked for
)

// Temporary reports whether the same call may succeed later without anybody's action.
func (k Kind) Temporary() bool { return k == KindBusy || k == KindNoAnswer || k == KindConflict }

// KindOf returns the kind of an error that a call of this package returned. It decides
// by the code before the status, because Transfer sends 502 for many of them.
func KindOf(err error) Kind {
	e, ok := errors.AsType[*Error](err)
	switch {
	case errors.Is(err, ErrNoToken), IsInvalidGrant(err):
		return KindSignIn
	case !ok:
		return KindOther
	case e.Requirements != nil:
		return KindRequirements
	case e.Status == 0 || e.Reason == Malformed || e.Reason == TooLarge || e.Reason == Redirected:
		return KindNoAnswer
	}
	if kind, ok := kindsByCode[e.Code[strings.LastIndexByte(e.Code, '.')+1:]]; ok {
		return kind
	}
	return kindByStatus(e)
}

// kindsByCode maps the last part of Transfer's codes.
var kindsByCode = map[string]Kind{
	"AuthenticationFailed":     KindSignIn,
	"LoginFailed":              KindNoAccount, // if the error has no requirements
	"PermissionDenied":         KindDenied,
	"EndpointPermissionDenied": KindDenied,
	"NotFound":                 KindNotFound,
	"BookmarkNotFound":         KindNotFound,
	"EndpointNotFound":         KindNoCollection,
	"EndpointDeleted":          KindNoCollection,
	"NotSupported":             KindNoCollection,
	"NotDirectory":             KindNotDirectory,
	"SizeLimit":                KindTooMany,
	"Exists":                   KindExists,
	"BookmarkExists":           KindExists,
	"Conflict":                 KindConflict,
	"GCDisconnected":           KindOffline,
	"GCNotConnected":           KindOffline,
	"ConnectFailed":            KindOffline,
	"ExternalError":            KindOffline,
	"OperationPaused":          KindPaused,
	"InvalidPath":              KindInvalid,
	"BadRequest":               KindInvalid,
	"NoTransferItems":          KindInvalid,
	"ServiceUnavailable":       KindBusy,
	"InternalError":            KindBusy,
}

// kindByStatus returns the kind of an error whose code is unknown.
func kindByStatus(e *Error) Kind {
	switch {
	case e.Status == http.StatusUnauthorized:
		return KindSignIn
	case e.Status == http.StatusForbidden:
		return KindDenied
	case e.Status == http.StatusNotFound:
		return KindNotFound
	case e.Status == http.StatusBadRequest, e.Status == http.StatusUnprocessableEntity:
		return KindInvalid
	case e.Status == http.StatusTooManyRequests:
		return KindBusy
	case e.Status >= http.StatusInternalServerError && !strings.Contains(e.Code, "ExternalError") && !strings.Contains(e.Code, "EndpointError"):
		return KindBusy // Globus's SDK for Python does not retry the two excluded codes either
	}
	return KindOther
}
