package globustest

import (
	"cmp"
	"net/http"
	"slices"

	"example.org/portal/globus"
)

// DemoLab is a group in which every one of DemoPeople has a membership.
const DemoLab = "5c0a7e00-1a2b-4c3d-8e4f-60726f757001"

// A Membership is the membership of one identity of a person in a group.
type Membership struct {
	Group    string                  // UUID; required
	Name     string                  // of the group
	Identity string                  // sub of the identity; empty: the person's Sub
	Role     string                  // empty: member
	Status   globus.MembershipStatus // empty: active
}

// note says on the page to choose a person what is special about the membership.
func (m Membership) note() string {
	switch {
	case m.Status != "" && m.Status != globus.MembershipActive:
		return " (" + string(m.Status) + ")"
	case m.Identity != "":
		return " (by another identity)"
	}
	return ""
}

const (
	demoObservatory = "5c0a7e00-1a2b-4c3d-8e4f-60726f757002"
	demoReviewers   = "5c0a7e00-1a2b-4c3d-8e4f-60726f757003"
)

func rosalindsGroups() []Membership {
	return []Membership{
		{Group: DemoLab, Name: "Example Lab", Role: "manager"},
		{Group: demoReviewers, Name: "Reviewers", Status: globus.MembershipInvited},
	}
}

// adasGroups has a group in which only a linked identity of hers is an active member.
func adasGroups() []Membership {
	return []Membership{
		{Group: DemoLab, Name: "Example Lab", Status: globus.MembershipInvited},
		{Group: DemoLab, Name: "Example Lab", Identity: "7a1c2e40-3b5d-4f6e-8a90-1815121005aa"},
		{Group: demoObservatory, Name: "Example Observatory", Role: "admin"},
	}
}

func markupGroups() []Membership {
	return []Membership{
		{Group: DemoLab, Name: "Example Lab", Status: globus.MembershipPending},
		{Group: demoObservatory, Name: "<b>Example</b> Observatory"},
	}
}

// myGroups lists the groups in which the person has a membership with one of the requested
// statuses, or an active one. Every token for Groups is enough, because the emulator does not
// tell its scopes apart. Each group has all of the person's memberships, of whatever status.
func (e *Emulator) myGroups(r *http.Request) (any, error) {
	params, err := e.readGroupsQuery(r)
	if err != nil {
		return nil, err
	}
	secret, sent := e.bearer(r)
	e.mu.Lock()
	defer e.mu.Unlock()
	t, ok := e.liveToken(secret)
	switch {
	case !sent:
		return nil, groupsRefusal(http.StatusUnauthorized, "AUTHENTICATION_ERROR", "Missing or malformed Authorization header")
	case !ok || t.Refresh || t.ResourceServer != groupsServer:
		return nil, groupsRefusal(http.StatusUnauthorized, "INVALID_TOKEN", "The token is expired, revoked, or for another service")
	}
	person, _ := e.person(t.Grant.Person)
	list := []any{}
	for _, id := range person.groupsIn(params) {
		list = append(list, e.lie.Group.apply(person.group(id)))
	}
	return list, nil
}

// readGroupsQuery returns the requested statuses.
func (e *Emulator) readGroupsQuery(r *http.Request) ([]string, error) {
	bad := groupsRefusal(http.StatusUnprocessableEntity, "UNPROCESSABLE_ENTITY", "Unknown parameter or status")
	params, unknown := e.known(r, r.URL.Query(), []string{"statuses"})
	if unknown != "" || repeated(params) != "" {
		return nil, bad
	}
	statuses := commaList(params, "statuses")
	if statuses == nil {
		statuses = []string{"active"}
	}
	known := []string{"active", "invited", "pending", "rejected", "removed", "left", "declined"}
	if slices.ContainsFunc(statuses, func(s string) bool { return !slices.Contains(known, s) }) {
		return nil, bad
	}
	return statuses, nil
}

// groupsIn returns the ids of the groups in which the person has one of these statuses.
func (p Person) groupsIn(statuses []string) []string {
	var ids []string
	for _, m := range p.Groups {
		if slices.Contains(statuses, m.status()) && !slices.Contains(ids, m.Group) {
			ids = append(ids, m.Group)
		}
	}
	return ids
}

// group returns a group as Globus sends it.
func (p Person) group(id string) map[string]any {
	name, memberships := "", []any{}
	for _, m := range p.Groups {
		if m.Group != id {
			continue
		}
		name = m.Name
		memberships = append(memberships, p.membership(m))
	}
	return map[string]any{
		"id":               id,
		"name":             name,
		"parent_id":        nil,
		"group_type":       "regular",
		"enforce_session":  false,
		"session_limit":    28800,
		"session_timeouts": map[string]any{},
		"my_memberships":   memberships,
		"policies":         map[string]any{"group_visibility": "private", "group_members_visibility": "managers"},
		"new_at_globus":    nil,
	}
}

func (p Person) membership(m Membership) map[string]any {
	identity := p.identities()[0]
	for _, l := range p.Claims.Linked {
		if l.Sub == m.Identity {
			identity = l
		}
	}
	return map[string]any{
		"group_id":    m.Group,
		"identity_id": identity.Sub,
		"username":    identity.Username,
		"role":        cmp.Or(m.Role, "member"),
		"status":      m.status(),
	}
}

func (m Membership) status() string { return string(cmp.Or(m.Status, globus.MembershipActive)) }

// groupsRefusal has the shape of Globus Groups.
func groupsRefusal(status int, code, detail string) *refusal {
	return &refusal{status: status, body: map[string]any{"code": code, "detail": detail}}
}
