package globus

import (
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"
)

// IdentitySetScope lets an app see the person's linked identities. Introspect needs it
// to return the names of those that were used.
const IdentitySetScope = "urn:globus:auth:scope:auth.globus.org:view_identity_set"

// An Introspection is what Globus Auth says of an access token (RFC 7662), and
// of the session in which the person obtained it.
type Introspection struct {
	Active   bool      // false: it has expired, was revoked or never existed, and all else is zero
	Subject  string    // the identity that the app sees; may be another than the one that was used
	Username string    // of Subject; "" if Globus does not say
	ClientID string    // the app that the token was given to
	Scopes   []string  // what it is good for
	Expiry   time.Time // when it ends; zero if Globus does not say

	// Authentications are those of the person in this app and this browser, the
	// latest first. It is empty if Globus did not ask the person to authenticate,
	// because they were signed in at Globus already.
	Authentications []Authentication

	// Linked is the identity set. A person may no longer be able to authenticate
	// with a linked identity.
	Linked []LinkedIdentity
}

// An Authentication is one authentication at an identity provider.
type Authentication struct {
	Identity     string    `json:"identity"`                // UUID of the identity that was used
	Username     string    `json:"username,omitempty"`      // of that identity; "" if Globus does not say
	Provider     string    `json:"provider,omitempty"`      // UUID of the identity provider
	ProviderName string    `json:"provider_name,omitempty"` // such as Example University; "" if Globus does not say
	Time         time.Time `json:"time,omitzero"`           // zero if Globus does not say

	// ACR and AMR are the provider's authentication context class and methods
	// (OpenID Connect Core 1.0, section 2; RFC 8176). Few providers send them.
	ACR string   `json:"acr,omitempty"` // "" if it does not say
	AMR []string `json:"amr,omitempty"` // empty likewise
}

// Introspect returns what Globus Auth says about an access token for AuthServer that it
// issued to this app. A token that is not active is no error. The error is an *Error.
func (c *Client) Introspect(ctx context.Context, accessToken string) (*Introspection, error) {
	form := url.Values{"token": {accessToken}, "include": {"session_info,identity_set_detail"}}
	var answer introspectionJSON
	if err := c.post(ctx, "introspect", introspectPath, form, &answer); err != nil {
		return nil, err
	}
	var active *bool
	err := json.Unmarshal(answer.Active, &active)
	switch {
	case err != nil || active == nil:
		return nil, &Error{Call: "introspect", Reason: Malformed, Detail: "it does not say whether the token is active"}
	case !*active:
		return &Introspection{}, nil
	case plainSubject(answer.Subject) == "":
		return nil, &Error{Call: "introspect", Reason: Malformed, Detail: errSubject.Error()}
	}
	return answer.introspection(), nil
}

// introspectionJSON is the answer as Globus Auth sends it.
type introspectionJSON struct {
	Active   json.RawMessage `json:"active"`
	Subject  string          `json:"sub"`
	Username string          `json:"username"`
	ClientID string          `json:"client_id"`
	Scope    string          `json:"scope"`
	Expiry   json.RawMessage `json:"exp"`
	Linked   json.RawMessage `json:"identity_set_detail"`
	Session  struct {
		Authentications map[string]json.RawMessage `json:"authentications"`
	} `json:"session_info"`
}

func (a introspectionJSON) introspection() *Introspection {
	in := &Introspection{
		Active:   true,
		Subject:  a.Subject,
		Username: untouched(a.Username),
		ClientID: tidy(a.ClientID),
		Scopes:   strings.Fields(a.Scope),
		Expiry:   readDate(a.Expiry),
		Linked:   readLinked(a.Linked),
	}
	known := map[string]LinkedIdentity{}
	for _, l := range in.Linked {
		known[l.Subject] = l
	}
	for identity, raw := range a.Session.Authentications {
		auth, ok := readAuthentication(raw)
		if !ok || plainSubject(identity) == "" {
			continue
		}
		auth.Identity, auth.Username, auth.ProviderName = identity, known[identity].Username, known[identity].ProviderName
		if identity == in.Subject {
			auth.Username = cmp.Or(auth.Username, in.Username)
		}
		in.Authentications = append(in.Authentications, auth)
	}
	slices.SortFunc(in.Authentications, func(a, b Authentication) int {
		return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(a.Identity, b.Identity))
	})
	return in
}

// readAuthentication reads each member by itself, and leaves out one of another type
// than usual.
func readAuthentication(raw json.RawMessage) (auth Authentication, ok bool) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil || fields == nil {
		return Authentication{}, false
	}
	auth.Time = readDate(fields["auth_time"])
	_ = json.Unmarshal(fields["idp"], &auth.Provider)
	_ = json.Unmarshal(fields["acr"], &auth.ACR)
	if err := json.Unmarshal(fields["amr"], &auth.AMR); err != nil {
		auth.AMR = nil
	}
	auth.Provider, auth.ACR = untouched(auth.Provider), untouched(auth.ACR)
	auth.AMR = auth.AMR[:min(len(auth.AMR), maxMethods)]
	for i := range auth.AMR {
		auth.AMR[i] = untouched(auth.AMR[i])
	}
	return auth, true
}

// readDate returns a date, or the zero time if raw is not one.
func readDate(raw json.RawMessage) time.Time {
	var at *numericDate
	if err := json.Unmarshal(raw, &at); err != nil || at == nil {
		return time.Time{}
	}
	return at.UTC()
}

const maxMethods = 20 // of authentication, in one amr

// untouched returns s if tidy does not change it, else "". A policy is decided from
// such text, and cutting it could turn it into another.
func untouched(s string) string {
	if tidy(s) != s {
		return ""
	}
	return s
}
