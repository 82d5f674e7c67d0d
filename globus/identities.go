package globus

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// An IdentityRecord is an identity as Globus Auth describes it. An identity that nobody
// has used has only a user name.
type IdentityRecord struct {
	Subject      string `json:"id"`                // a UUID
	Username     string `json:"username"`          // such as rosalind@example.edu
	Status       string `json:"status"`            // used, unused, private or closed
	Name         string `json:"name"`              // of the person; may be empty
	Email        string `json:"email"`             // not verified by Globus
	Organization string `json:"organization"`      // of the person; may be empty
	Provider     string `json:"identity_provider"` // UUID of the identity provider
	ProviderName string `json:"-"`                 // such as Example University; "" if Globus does not say
}

// UnmarshalJSON leaves out members of another type than usual, and cuts text that is too
// long for a page.
func (id *IdentityRecord) UnmarshalJSON(b []byte) error {
	d := parseErrorDocument(b)
	*id = IdentityRecord{
		Subject: plainSubject(d.text("id")), Username: untouched(d.text("username")), Status: tidy(d.text("status")), Name: tidy(d.text("name")),
		Email: tidy(d.text("email")), Organization: tidy(d.text("organization")), Provider: tidy(d.text("identity_provider")),
	}
	return nil
}

// maxIdentities is how many names fit into the URL of a request, about 8 KiB.
const maxIdentities = 100

// Identities looks up identities by their UUIDs, for example to show who owns a
// collection. The app calls as itself, so nobody has to consent. The result leaves out
// UUIDs that Globus does not know. The error is an *Error.
func (c *Client) Identities(ctx context.Context, ids ...string) ([]IdentityRecord, error) {
	return c.lookUp(ctx, "ids", ids)
}

// IdentitiesByUsername looks up identities by their user names, such as
// rosalind@example.edu. It is otherwise like Identities.
func (c *Client) IdentitiesByUsername(ctx context.Context, usernames ...string) ([]IdentityRecord, error) {
	return c.lookUp(ctx, "usernames", usernames)
}

func (c *Client) lookUp(ctx context.Context, by string, names []string) (all []IdentityRecord, err error) {
	for some := range slices.Chunk(names, maxIdentities) {
		q := url.Values{by: {strings.Join(some, ",")}, "include": {"identity_provider"}}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.issuer+getIdentitiesPath+"?"+q.Encode(), nil)
		if err != nil {
			return nil, callError("identities", err)
		}
		req.SetBasicAuth(c.oauth.ClientID, c.oauth.ClientSecret) // not percent-encoded, as in Globus's own SDKs
		var answer struct {
			Identities []IdentityRecord `json:"identities"`
			Included   struct {
				Providers []struct{ ID, Name string } `json:"identity_providers"`
			} `json:"included"`
		}
		if err := getJSON(c.http, "identities", req, &answer); err != nil {
			return nil, err
		}
		for _, id := range answer.Identities {
			for _, p := range answer.Included.Providers {
				if p.ID == id.Provider {
					id.ProviderName = tidy(p.Name)
				}
			}
			all = append(all, id)
		}
	}
	return all, nil
}
