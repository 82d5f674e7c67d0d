package globus

import "time"

// Facts are what a Policy is decided from. They are small, and can be stored as JSON in
// the app's session. Set Subject; the other fields are zero if nothing is known.
type Facts struct {
	Subject string `json:"sub"` // the identity that the app sees

	// Authentications are those of the app's session, from Introspect. It is empty if
	// Globus did not ask the person to authenticate, or was not asked yet.
	Authentications []Authentication `json:"authentications,omitempty"`
	SessionAsked    time.Time        `json:"session_asked,omitzero"` // when Globus said so; zero: it was not asked

	// Groups has the status of the person's membership by group, from Groups.Mine.
	Groups      map[string]MembershipStatus `json:"groups,omitempty"`
	GroupsAsked time.Time                   `json:"groups_asked,omitzero"` // when Globus said so; zero: it was not asked
}

// Limits of what is kept about a person: further groups and older authentications are
// dropped.
const (
	maxAuthentications = 20
	maxGroups          = 1000
)

// WithSession returns f with the authentications that Globus returned at a time. If the
// token has ended or is another person's, it returns f without any.
func (f Facts) WithSession(in *Introspection, at time.Time) Facts {
	f.Authentications, f.SessionAsked = nil, time.Time{}
	if in.Active && in.Subject == f.Subject && f.Subject != "" {
		f.Authentications = in.Authentications[:min(len(in.Authentications), maxAuthentications)]
		f.SessionAsked = at
	}
	return f
}

// WithGroups returns f with the groups that Globus returned at a time.
func (f Facts) WithGroups(groups []Group, at time.Time) Facts {
	f.Groups, f.GroupsAsked = map[string]MembershipStatus{}, at
	keep := func(active bool) {
		for _, g := range groups {
			status := g.Status()
			id := lowerUUID(g.ID)
			if id != "" && status != "" && (status == MembershipActive) == active && len(f.Groups) < maxGroups && f.Groups[id] != MembershipActive {
				f.Groups[id] = status
			}
		}
	}
	keep(true)
	keep(false)
	return f
}
