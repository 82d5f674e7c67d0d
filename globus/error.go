package globus

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// A Reason says in one word why a call to Globus failed.
type Reason string

// The reasons.
const (
	Timeout     Reason = "timeout"      // no response in time
	Unreachable Reason = "unreachable"  // no connection: DNS, TLS, refused, reset
	BadStatus   Reason = "status"       // an HTTP status that the call does not expect
	Redirected  Reason = "redirect"     // a redirect, which is never followed
	TooLarge    Reason = "too_large"    // a response of more than 256 KiB or, from a service, 4 MiB
	Malformed   Reason = "malformed"    // not what the protocol says
	Refused     Reason = "refused"      // an error of OAuth or of a service, with a status below 500: see Code
	BadIDToken  Reason = "id_token"     // the ID token is not valid for this sign-in
	BadUserInfo Reason = "userinfo_sub" // userinfo is about another person
)

// An Error is the error of a call to Globus. Its text may be logged: it holds no
// token, code, claim or body.
type Error struct {
	Call      string // what was called: discovery, authorize, token, keys, userinfo, introspect, identities, revoke, refresh, client_credentials, transfer, groups, search, https
	Reason    Reason // in one word
	Status    int    // HTTP status of the response, 0 if there was none
	Code      string // such as invalid_grant (RFC 6749, section 5.2) or ConsentRequired (Transfer); "" if none
	RequestID string // names the call to Globus's support; "" if none
	Detail    string // more for the operator; "" if there is nothing to add

	// Message is the service's message for the person; "" if there is none. The
	// error's text does not contain it, because it may name what a person owns.
	Message string

	// RetryAfter is how long Globus asks to wait before a retry (RFC
	// 9110, section 10.2.3); 0 if it does not say. See KindOf.
	RetryAfter time.Duration

	// Requirements is what the service requires of the person first; nil if it
	// requires nothing, or does not say.
	Requirements *Requirements

	remedy string // for a network error; see Remedy
}

// Error returns the call, reason, code, status and request for a log.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "globus: %s: %s", e.Call, e.Reason)
	if e.Code != "" {
		b.WriteString(" " + e.Code)
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, " (HTTP %d)", e.Status)
	}
	if e.RequestID != "" {
		b.WriteString(" request " + e.RequestID)
	}
	if e.Detail != "" {
		b.WriteString(": " + e.Detail)
	}
	return b.String()
}

var (
	errTooLarge = errors.New("the answer is too large")
	errForeign  = errors.New("the token is not for this host")

	// ErrNoToken is returned if there is no token for a resource server, or it has
	// expired and cannot be refreshed.
	ErrNoToken = errors.New("globus: there is no token for that resource server")
)

// IsInvalidGrant reports whether err says that an authorization code or a refresh token
// is used, expired or revoked (RFC 6749, section 5.2). Globus sends it with status 400
// or 401; with 500 and above it does not count.
func IsInvalidGrant(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Reason == Refused && e.Code == "invalid_grant"
}

// callError returns the *Error for a library's error. It keeps only what the network
// reported, because the libraries' errors quote bodies and tokens.
func callError(call string, err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		refused := refusal(call, e.Response.StatusCode, e.Body)
		refused.RetryAfter, _ = retryAfter(e.Response.Header)
		return refused
	}
	if errors.Is(err, errTooLarge) {
		return &Error{Call: call, Reason: TooLarge}
	}
	if errors.Is(err, errForeign) {
		return &Error{Call: call, Reason: Redirected, Detail: errForeign.Error()}
	}
	if t, ok := errors.AsType[net.Error](err); ok && t.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return &Error{Call: call, Reason: Timeout, remedy: cmp.Or(networkRemedy(err), wayOut)}
	}
	if detail := networkFault(err); detail != "" {
		return &Error{Call: call, Reason: Unreachable, Detail: detail, remedy: networkRemedy(err)}
	}
	return &Error{Call: call, Reason: Malformed}
}

// malformed returns the error of a response of Transfer that lacks a required member.
func malformed(detail string) *Error {
	return &Error{Call: "transfer", Reason: Malformed, Status: http.StatusOK, Detail: detail}
}

// networkFault returns why there was no response, or "" if there was one.
func networkFault(err error) string {
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return e.Error()
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return e.Error()
	}
	if errors.Is(err, context.Canceled) {
		return "cancelled"
	}
	if _, ok := errors.AsType[*url.Error](err); ok {
		return "there was no whole HTTP answer"
	}
	return ""
}

// answerError returns the error of a status other than success.
func answerError(call string, status int, code string) *Error {
	e := &Error{Call: call, Reason: BadStatus, Status: status, Code: ErrorCode(code)}
	switch {
	case status >= 300 && status < 400:
		e.Reason = Redirected
	case e.Code != "" && status < http.StatusInternalServerError:
		e.Reason = Refused
	}
	return e
}

// ErrorCode returns code if it looks like an error code, such as invalid_grant
// or ClientError.NotFound, of at most 50 letters, dots and underscores, else "".
// Nothing from outside is copied into a log unchecked.
func ErrorCode(code string) string {
	return plain(code, 50, func(r rune) bool { return isLetter(r) || r == '.' || r == '_' })
}

// requestID does the same for the id of a request: Transfer's have 9 characters,
// Globus Auth's are UUIDs. Text of another length might be a code or a token.
func requestID(id string) string {
	if IsUUID(id) {
		return id
	}
	return identifier(id, maxRequestID)
}

const maxRequestID = 20

// identifier does the same for any other id of at most max characters.
func identifier(id string, max int) string {
	return plain(id, max, func(r rune) bool { return isLetter(r) || r >= '0' && r <= '9' || r == '-' })
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

// plain returns s if it is of at most max runes that are all allowed, else "".
func plain(s string, max int, allowed func(rune) bool) string {
	if len(s) > max || strings.ContainsFunc(s, func(r rune) bool { return !allowed(r) }) {
		return ""
	}
	return s
}
