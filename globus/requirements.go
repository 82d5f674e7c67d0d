package globus

import (
	"errors"
	"slices"
	"strings"

	"golang.org/x/oauth2"
)

// Requirements are what a Globus service requires of the person first: a Globus Auth
// requirements error, "GARE". Redirect the browser to Globus with them, and then call
// the service again. If it returns the Same once more, stop.
//
// They may come from any service, so they contain only text of the right form and of
// limited length, in lists of at most 50.
type Requirements struct {
	Code    string `json:"code"`              // ConsentRequired: Scopes are missing; AuthorizationRequired or another: the rest
	Message string `json:"message,omitempty"` // what went wrong, for the person, in the service's words; "" if it does not say

	// Scopes are those that the person must consent to in addition to the app's own.
	// Nil: none.
	Scopes Scopes `json:"scopes,omitempty"`

	// What the person's session with the app must satisfy.
	Identities []string `json:"identities,omitempty"` // UUIDs or user names of identities, all to be signed in with; nil: any will do
	Policies   []string `json:"policies,omitempty"`   // UUIDs of Globus Auth policies, all to be met; nil: none
	Domains    []string `json:"domains,omitempty"`    // of the user name of an identity, one to be signed in with; nil: any
	MFA        bool     `json:"mfa,omitempty"`        // with more than one factor

	Prompt         string `json:"prompt,omitempty"`          // "login": authenticate anew, whatever the session; "": only if it must be
	SessionMessage string `json:"session_message,omitempty"` // what Globus's page is to say; "": nothing
}

// RequirementsOf returns the requirements in an error of a call of this package,
// whatever its status.
func RequirementsOf(err error) (*Requirements, bool) {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Requirements == nil {
		return nil, false
	}
	return e.Requirements, true
}

// AuthCodeOptions makes Client.AuthCodeURL ask for a session that satisfies r. The
// caller must ask for the scopes: r.Scopes merged with those that the app has, see
// Scopes.AuthCodeOption.
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

// Same reports whether r and other require the same, whatever their messages: somebody
// who has just satisfied other cannot do more for r.
func (r *Requirements) Same(other *Requirements) bool {
	return r.Scopes.String() == other.Scopes.String() &&
		slices.Equal(r.Identities, other.Identities) &&
		slices.Equal(r.Policies, other.Policies) &&
		slices.Equal(r.Domains, other.Domains) &&
		r.MFA == other.MFA && r.Prompt == other.Prompt
}

// asks reports whether r requires anything.
func (r *Requirements) asks() bool { return !r.Same(&Requirements{}) }

// The parameters of an authorization request about the session (Globus Auth developer
// guide, "Sessions").
const (
	paramIdentities = "session_required_identities"
	paramPolicies   = "session_required_policies"
	paramDomains    = "session_required_single_domain"
	paramMFA        = "session_required_mfa"
	paramMessage    = "session_message"
)
