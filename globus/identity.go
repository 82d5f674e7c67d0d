package globus

import (
	"cmp"
	"encoding/json"
	"errors"
	"strings"
	"unicode"
)

// An Identity is the identity of a person who has signed in, as Globus Auth describes
// it. Only Subject is always there: Globus sends null, or nothing, for what the
// person's identity provider does not tell it.
//
// Use Subject as the key of your own records. A user name can be given to another
// person, and Globus does not verify e-mail addresses.
type Identity struct {
	Subject      string `json:"sub"`                // UUID of the identity that this app sees, never reused
	Username     string `json:"preferred_username"` // such as rosalind@example.edu; may hold two @
	Name         string `json:"name"`               // as the person, or their institution, writes it
	Email        string `json:"email"`              // not verified by Globus
	Organization string `json:"organization"`       // in the words of the person or their institution

	Provider     string `json:"identity_provider"`              // UUID of the identity provider
	ProviderName string `json:"identity_provider_display_name"` // such as Example University

	// Linked is the identity set: every identity that the person has linked
	// at Globus, the one above included. It is empty when Globus does not send it.
	Linked []LinkedIdentity `json:"identity_set"`
}

// A LinkedIdentity is one member of a person's identity set.
type LinkedIdentity struct {
	// As in Identity, but of this one.
	Subject      string `json:"sub"`
	Username     string `json:"username"`
	Name         string `json:"name"`
	Email        string `json:"email"`
	Organization string `json:"organization"`
	Provider     string `json:"identity_provider"`
	ProviderName string `json:"identity_provider_display_name"`
}

// Or returns id, with its empty fields taken from other, which has the same Subject.
func (id Identity) Or(other Identity) Identity {
	id.Username = cmp.Or(id.Username, other.Username)
	id.Name = cmp.Or(id.Name, other.Name)
	id.Email = cmp.Or(id.Email, other.Email)
	id.Organization = cmp.Or(id.Organization, other.Organization)
	id.Provider = cmp.Or(id.Provider, other.Provider)
	id.ProviderName = cmp.Or(id.ProviderName, other.ProviderName)
	if len(id.Linked) == 0 {
		id.Linked = other.Linked
	}
	return id
}

// Limits of what is kept about a person: longer text is cut, and further identities are
// dropped.
const (
	maxSubject = 255 // bytes; OpenID Connect Core 1.0, section 2
	maxText    = 200 // runes
	maxLinked  = 50
	maxSet     = 16 << 10 // bytes of the identity set, as JSON
)

var errSubject = errors.New("sub is empty, too long or not plain text")

// plainSubject returns s if it could name an identity, else "".
func plainSubject(s string) string {
	return plain(s, maxSubject, func(r rune) bool { return r > 0x20 && r < 0x7f })
}

// UnmarshalJSON reads the claims of an ID token, or the response of userinfo. It leaves
// out claims of another type than usual, and a sub that cannot name an identity, and
// cuts text that is too long for a page.
func (id *Identity) UnmarshalJSON(b []byte) error {
	var d errorDocument
	if err := json.Unmarshal(b, &d); err != nil {
		return err
	}
	*id = Identity{
		Subject:      plainSubject(d.text("sub")),
		Username:     tidy(d.text("preferred_username")),
		Name:         tidy(d.text("name")),
		Email:        tidy(d.text("email")),
		Organization: tidy(d.text("organization")),
		Provider:     tidy(d.text("identity_provider")),
		ProviderName: tidy(d.text("identity_provider_display_name")),
	}
	id.Linked = readLinked(d["identity_set"])
	id.Linked = id.Linked[:min(len(id.Linked), maxLinked)]
	for set, _ := json.Marshal(id.Linked); len(set) > maxSet; set, _ = json.Marshal(id.Linked) {
		id.Linked = id.Linked[:len(id.Linked)/2]
	}
	return nil
}

// readLinked reads an identity set in the same way. It leaves out entries that are not
// identities.
func readLinked(raw json.RawMessage) (linked []LinkedIdentity) {
	var set []json.RawMessage
	_ = json.Unmarshal(raw, &set)
	for _, one := range set {
		d := parseErrorDocument(one)
		l := LinkedIdentity{
			Subject:      plainSubject(d.text("sub")),
			Username:     untouched(d.text("username")),
			Name:         tidy(d.text("name")),
			Email:        tidy(d.text("email")),
			Organization: tidy(d.text("organization")),
			Provider:     tidy(d.text("identity_provider")),
			ProviderName: tidy(d.text("identity_provider_display_name")),
		}
		if l != (LinkedIdentity{}) {
			linked = append(linked, l)
		}
	}
	return linked
}

// tidy replaces tabs and line ends by spaces, removes other control characters, and
// cuts text that is too long for a page.
func tidy(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case !unicode.IsControl(r):
			return r
		case unicode.IsSpace(r):
			return ' '
		}
		return -1
	}, strings.ReplaceAll(strings.TrimRight(s, "\r\n"), "\r\n", "\n"))
	if runes := []rune(s); len(runes) > maxText {
		return string(runes[:maxText-1]) + "…"
	}
	return s
}
