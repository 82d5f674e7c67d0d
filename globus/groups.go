package globus

import (
	"context"
	"net/http"
	"slices"
)

// The real Globus Groups: its base URL, its name as a resource server, and the
// scope that Groups.Mine needs.
const (
	GroupsURL    = "https://groups.api.globus.org/v2"
	GroupsServer = "groups.api.globus.org"

	// GroupsScope lets an app see which groups the person is in, and nothing else.
	GroupsScope = "urn:globus:auth:scope:groups.api.globus.org:view_my_groups_and_memberships"
)

// Groups calls Globus Groups as one person. Make one with Client.Groups.
type Groups struct {
	base string
	http *http.Client
}

// Groups returns a client of Globus Groups. token returns tokens for
// GroupsServer.
func (c *Client) Groups(token TokenFunc) *Groups {
	return &Groups{c.groups, c.HTTPClient(c.groups, token)}
}

// A Group is a Globus group in which the person has a membership.
type Group struct {
	ID          string       `json:"id"`             // a UUID
	Name        string       `json:"name"`           // as its managers write it
	Memberships []Membership `json:"my_memberships"` // of any of the person's linked identities, one each
}

// A Membership is the membership of one identity in one group.
type Membership struct {
	Identity string           `json:"identity_id"` // a UUID
	Username string           `json:"username"`    // of that identity
	Role     string           `json:"role"`        // member, manager or admin
	Status   MembershipStatus `json:"status"`      // only with MembershipActive is the identity a member
}

// A MembershipStatus is the status of a membership.
type MembershipStatus string

// The statuses that matter here. Globus has others.
const (
	MembershipActive  MembershipStatus = "active"
	MembershipInvited MembershipStatus = "invited" // the person has not accepted yet
	MembershipPending MembershipStatus = "pending" // the group has not accepted yet
)

// Status returns MembershipActive if any identity of the person is a member of g, else
// the status of one of them, or "".
func (g Group) Status() MembershipStatus {
	active := func(m Membership) bool { return m.Status == MembershipActive }
	switch {
	case slices.ContainsFunc(g.Memberships, active):
		return MembershipActive
	case len(g.Memberships) > 0:
		return g.Memberships[0].Status
	}
	return ""
}

// Mine lists the groups in which the person has a membership, including those that they
// are invited to or have asked to join, see Group.Status. The error is an *Error or that
// of the TokenFunc.
func (g *Groups) Mine(ctx context.Context) ([]Group, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.base+"/groups/my_groups?statuses=active,invited,pending", nil)
	if err != nil {
		return nil, callError("groups", err)
	}
	var groups []Group
	if err := getJSON(g.http, "groups", req, &groups); err != nil {
		return nil, err
	}
	if groups == nil { // null is no list: a person in no group gets an empty one
		return nil, &Error{Call: "groups", Reason: Malformed, Status: http.StatusOK, Detail: "the answer is not the JSON that was expected"}
	}
	for i := range groups {
		groups[i].tidy()
	}
	return groups, nil
}

func (g *Group) tidy() {
	g.ID, g.Name = identifier(g.ID, 36), tidy(g.Name)
	for i := range g.Memberships {
		m := &g.Memberships[i]
		m.Username, m.Role = tidy(m.Username), tidy(m.Role)
		m.Status = MembershipStatus(ErrorCode(string(m.Status)))
	}
}
