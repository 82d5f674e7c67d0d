package globus

import (
	"errors"
	"slices"
	"strings"

	"golang.org/x/oauth2"
)

// Requirements are what a Globus service wants of the person before it does
// what was asked: a Globus Auth requirements error, "GARE". The way on is to
// send the browser to Globus with them, and then to ask the service again; if it
// says the Same once more, to stop.
//
// They come from whatever service was called. So nothing is in them but text of
// the right form and of a sane length, in lists of at most 50.
type Requirements struct {
	Code    string `json:"code"`              // ConsentRequired: Scopes are missing; AuthorizationRequired or another: the rest
	Message string `json:"message,omitempty"` // what went wrong, for the person, in the service's words; "" if it does not say

	// Scopes are what the person has to consent to, beside all that the app asks
	// for anyway. Nil: no more than that.
	Scopes Scopes `json:"scopes,omitempty"`

	// What has to be true of the session that the person has with the app.
	Identities []string `json:"identities,omitempty"` // UUIDs or user names of identities, all to be signed in with; nil: any will do
	Policies   []string `json:"policies,omitempty"`   // UUIDs of Globus Auth policies, all to be met; nil: none
	Domains    []string `json:"domains,omitempty"`    // of the user name of an identity, one to be signed in with; nil: any
	MFA        bool     `json:"mfa,omitempty"`        // with more than one factor

	Prompt         string `json:"prompt,omitempty"`          // "login": authenticate anew, whatever the session; "": only if it must be
	SessionMessage string `json:"session_message,omitempty"` // what Globus's page is to say; "": nothing
}

// RequirementsOf returns the requirements that a call of this package failed
// with, whatever the status was.
func RequirementsOf(err error) (*Requirements, bool) {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Requirements == nil {
		return nil, false
	}
	return e.Requirements, true
}

// AuthCodeOptions makes Client.AuthCodeURL ask for what r wants of the session.
// The scopes are the caller's to ask for: r.Scopes merged with those that the
// app holds, see Scopes.AuthCodeOption.
func (r *Requirements) AuthCodeOptions() []oauth2.AuthCodeOption {
	var opts []oauth2.AuthCodeOption
	add := func(name, value string) {
		if value != "" {
			opts = append(opts, oauth2.SetAuthURLParam(name, value))
		}
	}
	add(paramIdentities, strings.Join(r.Identities, ","))
	add(paramPolicies, strings.Join(r.Policies, ","))
	add(paramDomains, strings.Join(r.Domains, ","))
	if r.MFA {
		add(paramMFA, "true")
	}
	add("prompt", r.Prompt)
	add(paramMessage, r.SessionMessage)
	return opts
}

// Same reports whether r and other ask the same of the person, in whatever
// words: whoever has just done what other says, gets nowhere by doing r.
func (r *Requirements) Same(other *Requirements) bool {
	return r.Scopes.String() == other.Scopes.String() &&
		slices.Equal(r.Identities, other.Identities) &&
		slices.Equal(r.Policies, other.Policies) &&
		slices.Equal(r.Domains, other.Domains) &&
		r.MFA == other.MFA && r.Prompt == other.Prompt
}

// asks reports whether there is anything that the person could do.
func (r *Requirements) asks() bool { return !r.Same(&Requirements{}) }

// The parameters of an authorization request, by which an app says what it wants
// of a session (Globus Auth developer guide, "Sessions").
const (
	paramIdentities = "session_required_identities"
	paramPolicies   = "session_required_policies"
	paramDomains    = "session_required_single_domain"
	paramMFA        = "session_required_mfa"
	paramMessage    = "session_message"
)
