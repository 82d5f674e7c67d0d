package globus

import (
	"errors"
	"net/http"
	"strings"
)

// A Kind says what stood in the way of a call, by what can be done about it. The codes
// of Transfer are many; a page needs these.
type Kind string

// The kinds, and what to do.
const (
	KindOther        Kind = ""              // something else, or no error of Globus's: tell the operator
	KindRequirements Kind = "requirements"  // Error.Requirements says what Globus wants of the person first
	KindSignIn       Kind = "sign_in"       // the token is not good, nor was another: sign in again
	KindNoAccount    Kind = "no_account"    // the collection knows nobody like the person, and no sign-in helps: ask its contact
	KindDenied       Kind = "denied"        // the person may not: choose something else, or ask the owner
	KindNotFound     Kind = "not_found"     // there is no such path, task or bookmark: choose again
	KindNoCollection Kind = "no_collection" // there is none, or no more: choose another
	KindNotDirectory Kind = "not_directory" // it is a file: Stat it, or list the folder above
	KindTooMany      Kind = "too_many"      // the folder is too large to list: name a path in it
	KindExists       Kind = "exists"        // it is there already: after a lost answer that is a success
	KindConflict     Kind = "conflict"      // a task with the same paths still runs: wait for it
	KindOffline      Kind = "offline"       // the collection cannot be reached: its owner can switch it on
	KindPaused       Kind = "paused"        // by the collection's managers: wait, or ask them
	KindInvalid      Kind = "invalid"       // the request was not right: a mistake in the app, or in a path that was typed
	KindBusy         Kind = "busy"          // Globus has too much to do, or a fault: retry, after Error.RetryAfter
	KindNoAnswer     Kind = "no_answer"     // none came, or none that could be read: what was asked for may have been done
)

// Temporary reports whether the same call may succeed later though nobody does
// anything.
func (k Kind) Temporary() bool { return k == KindBusy || k == KindNoAnswer || k == KindConflict }

// KindOf returns the kind of an error that a call of this package has failed with. It
// goes by the code more than by the status: Transfer sends many of these with 502.
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

// kindsByCode has the last word of Transfer's codes.
var kindsByCode = map[string]Kind{
	"AuthenticationFailed":     KindSignIn,
	"LoginFailed":              KindNoAccount, // without requirements
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
	"ConnectFailed":            KindOffline,
	"ExternalError":            KindOffline,
	"OperationPaused":          KindPaused,
	"InvalidPath":              KindInvalid,
	"BadRequest":               KindInvalid,
	"NoTransferItems":          KindInvalid,
	"ServiceUnavailable":       KindBusy,
	"InternalError":            KindBusy,
}

// kindByStatus is for codes that are not known.
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
		return KindBusy // of the others Globus's own SDK takes no retry to help
	}
	return KindOther
}
