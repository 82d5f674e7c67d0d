package globus

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	registrations = "https://app.globus.org/settings/developers"
	wayOut        = "Check that the firewall lets this machine connect to it by https. If a proxy is the only way out, set HTTPS_PROXY=http://proxy.example.edu:3128."
	notGlobus     = "The answer does not seem to come from Globus: check the issuer, and that no proxy answers with a page of its own."
	otherProvider = "The app accepts only ID tokens that Globus signed for it, with RS512: check the issuer and the client id."
	unwell        = "Globus has a fault, or a proxy before it has: see https://status.globus.org."

	// ClockRemedy is the remedy for a clock that is wrong.
	ClockRemedy = "Let this machine set its clock by the network, with chrony or another NTP client (a container has its host's clock)."
)

// Remedy returns what the operator of the app can do about an error of a Client, or of
// a client that HTTPClient returned; "" if nothing is known. It contains nothing that
// came from outside. It is for a log or a terminal, and not for the person who signs in.
func Remedy(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.advice()
	}
	if e, ok := errors.AsType[*url.Error](err); ok && e.Op != "parse" {
		return networkRemedy(err)
	}
	return ""
}

func (e *Error) advice() string {
	switch {
	case e.remedy != "":
		return e.remedy
	case e.Call == "transfer", e.Call == "groups":
		return e.serviceAdvice()
	case e.Call == "authorize":
		return e.authorizeAdvice()
	case e.Code == "unauthorized_client":
		return "The registration is of another kind: register a portal, science gateway, or other application you host, at " + registrations + "."
	case IsInvalidGrant(e) && e.Call == "token":
		return "If it happens to everyone: all instances of this app must have the same redirect URI, and no proxy may send a request twice."
	case IsInvalidGrant(e):
		return ""
	case e.Code == "invalid_client", e.Status == http.StatusUnauthorized && e.Code != "" && e.sendsSecret():
		return "The client secret is mistyped, was deleted, or belongs to another client id. Make a new one at " + registrations +
			", and copy it whole, without blanks or quotes."
	case e.Code == "invalid_request" && e.Call == "token":
		return "Perhaps the redirect URI is not registered: compare the one that this app logs when it starts with those at " + registrations + "."
	case e.Status >= http.StatusInternalServerError:
		return unwell
	case e.Reason == BadIDToken && strings.HasSuffix(e.Detail, clockHint):
		return ClockRemedy
	case e.Reason == BadIDToken && (e.Detail == faultHeader || e.Detail == faultSignature):
		return otherProvider
	case e.Reason == Malformed, e.Reason == TooLarge, e.Reason == Redirected, e.Status == http.StatusNotFound, e.isBare():
		return notGlobus
	}
	return ""
}

// sendsSecret reports whether the call sends the client secret.
func (e *Error) sendsSecret() bool {
	return slices.Contains([]string{"token", "refresh", "introspect", "revoke", "identities", "client_credentials"}, e.Call)
}

// isBare reports whether the call needs neither a secret nor a token.
func (e *Error) isBare() bool {
	return (e.Call == "keys" || e.Call == "discovery") && e.Status >= http.StatusBadRequest && e.Status != http.StatusTooManyRequests
}

// serviceAdvice returns the remedy for a call with a person's token. There is none for
// what the service refuses to the person.
func (e *Error) serviceAdvice() string {
	switch {
	case e.Code != "":
		return ""
	case e.Status >= http.StatusInternalServerError:
		return unwell
	case e.Reason == Malformed, e.Reason == TooLarge, e.Reason == Redirected:
		return notGlobus
	}
	return ""
}

// networkRemedy returns the remedy for a call that got no response.
func networkRemedy(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "proxyconnect" {
		return "HTTPS_PROXY names a proxy that does not answer: correct it, or unset it."
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return certificateRemedy(err)
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "This machine cannot look up that name: check /etc/resolv.conf, and the spelling of the issuer. " +
			"If a proxy is the only way out, set HTTPS_PROXY=http://proxy.example.edu:3128."
	}
	if errors.Is(err, context.Canceled) {
		return ""
	}
	if _, ok := errors.AsType[net.Error](err); ok { // a *url.Error too
		return wayOut
	}
	return ""
}

func certificateRemedy(err error) string {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "This machine does not know who signed that certificate. Install ca-certificates; if a proxy decrypts TLS, " +
			"put its CA certificate (PEM) into a file, and set SSL_CERT_FILE=/etc/ssl/proxy-ca.pem."
	}
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok && e.Reason == x509.Expired {
		return "The certificate has expired, or is not valid yet: check this machine's clock. " + ClockRemedy
	}
	return notGlobus
}
