package globus

import "time"

// Facts are what is known of a person who has signed in, as far as a Policy may
// ask. They are small, and made to be kept as JSON with the app's session. The
// zero value is somebody of whom nothing is known; only Subject must be set.
type Facts struct {
	Subject string `json:"sub"` // the identity that the app sees

	// Authentications are those of the app's session, from Introspect. None: Globus
	// let the person through, or nobody has asked it yet.
	Authentications []Authentication `json:"authentications,omitempty"`
	SessionAsked    time.Time        `json:"session_asked,omitzero"` // when Globus said so; zero: it was not asked

	// Groups has, for each group that any of the person's identities has to do
	// with, how far that has come, from Groups.Mine.
	Groups      map[string]MembershipStatus `json:"groups,omitempty"`
	GroupsAsked time.Time                   `json:"groups_asked,omitzero"` // when Globus said so; zero: it was not asked
}

// The most that is kept of what Globus says of a person: further groups, and
// authentications of long ago, are dropped.
const (
	maxAuthentications = 20
	maxGroups          = 1000
)

// WithSession returns f with what Globus said at a time of the session. What it
// said of a token that has ended, or of somebody else's, is not taken over.
func (f Facts) WithSession(in *Introspection, at time.Time) Facts {
	f.Authentications, f.SessionAsked = nil, time.Time{}
	if in.Active && in.Subject == f.Subject && f.Subject != "" {
		f.Authentications = in.Authentications[:min(len(in.Authentications), maxAuthentications)]
		f.SessionAsked = at
	}
	return f
}

// WithGroups returns f with the groups that Globus listed at a time.
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
