package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

// A config is the file that -config names. Without people or collections the demo's are
// used; without scopes only those of Globus's own services are known.
type config struct {
	Clients     []configClient     `json:"clients"`
	People      []configPerson     `json:"people"`
	Groups      []configGroup      `json:"groups"`
	Collections []configCollection `json:"collections"`
	Scopes      []configScope      `json:"scopes"`
}

type configClient struct {
	ID           string   `json:"id"`
	Secret       string   `json:"secret"` // empty: a public client
	Name         string   `json:"name"`
	RedirectURIs []string `json:"redirect_uris"`

	// Its name as a resource server; empty: its ID.
	ResourceServer string `json:"resource_server"`
}

// A configPerson has the members of Globus's userinfo, so that a real response can be pasted.
type configPerson struct {
	About string `json:"about"` // description on the page where people sign in

	// A missing sub is derived from the user name, and a missing identity provider from
	// the user name's domain.
	Sub                         string           `json:"sub"`
	PreferredUsername           *string          `json:"preferred_username"`
	Name                        *string          `json:"name"`
	Email                       *string          `json:"email"`
	Organization                *string          `json:"organization"`
	IdentityProvider            *string          `json:"identity_provider"`
	IdentityProviderDisplayName *string          `json:"identity_provider_display_name"`
	IdentitySet                 []configIdentity `json:"identity_set"` // the linked identities; the person's own may be among them
	LastAuthentication          *int64           `json:"last_authentication"`
}

// A configIdentity is an entry of identity_set. The members here exist only in the person's
// own entry, and are ignored.
type configIdentity struct {
	globustest.LinkedIdentity
	Organization *string `json:"organization"`
	Status       *string `json:"status"`
}

type configGroup struct {
	ID      string         `json:"id"`
	Name    string         `json:"name"`
	Members []configMember `json:"members"`
}

type configMember struct {
	Username string                  `json:"username"` // of any identity of a person
	Role     string                  `json:"role"`     // empty: member
	Status   globus.MembershipStatus `json:"status"`   // empty: active
}

type configCollection struct {
	ID         string       `json:"id"`
	Name       string       `json:"display_name"`
	Files      []configFile `json:"files"`
	DataAccess bool         `json:"data_access"` // requires consent to its scope data_access
	Domains    []string     `json:"domains"`     // requires an identity of one of these
	MFA        bool         `json:"mfa"`         // requires a second factor

	// As in globustest.Collection, where owner and shared_with are user names. A null
	// shared_with: everybody.
	Type        string   `json:"entity_type"`
	Owner       string   `json:"owner"`
	SharedWith  []string `json:"shared_with"`
	Description string   `json:"description"`
	Home        string   `json:"default_directory"`
	Offline     bool     `json:"offline"`
	Paused      string   `json:"paused"`
	ReadOnly    bool     `json:"read_only"`
	Anonymous   bool     `json:"anonymous_read"`
	Quota       int64    `json:"quota"` // bytes; 0: no limit
	Speed       int64    `json:"speed"` // bytes a second
}

type configFile struct {
	Path string `json:"path"` // a directory ends with a slash
	Size int64  `json:"size"`
	Text string `json:"content"` // for those who read it over HTTPS; empty: zeros
}

type configScope struct {
	Name           string `json:"name"`
	ResourceServer string `json:"resource_server"`
	Description    string `json:"description"`

	// Scopes of other services that the resource server calls.
	Dependencies []string `json:"dependencies"`
}

// readConfig adds the content of the file to cfg. An unknown member is an error, because it
// may be misspelled.
func readConfig(name string, cfg *globustest.Config) error {
	file, err := os.Open(name)
	if err != nil {
		return errors.Unwrap(err) // without the name, which the caller adds
	}
	defer file.Close()
	var c config
	d := json.NewDecoder(file)
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return fmt.Errorf("line %d: %w", line(name, d.InputOffset()), err)
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("more follows after the closing brace")
	}
	for _, client := range c.Clients {
		cfg.Clients = append(cfg.Clients, globustest.Client(client))
	}
	for _, p := range c.People {
		cfg.People = append(cfg.People, p.person())
	}
	for _, place := range c.Collections {
		cfg.Collections = append(cfg.Collections, place.collection())
	}
	for _, s := range c.Scopes {
		cfg.Scopes = append(cfg.Scopes, globustest.Scope(s))
	}
	return c.addGroups(cfg)
}

// line returns the number of the line at a byte offset in a file.
func line(name string, offset int64) int {
	data, err := os.ReadFile(name)
	if err != nil {
		return 0
	}
	n := 1
	for _, b := range data[:min(int(offset), len(data))] {
		if b == '\n' {
			n++
		}
	}
	return n
}

func (p configPerson) person() globustest.Person {
	claims := globustest.Claims{
		Sub: p.Sub, Name: p.Name, Email: p.Email, Organization: p.Organization, PreferredUsername: p.PreferredUsername,
		IdentityProvider: p.IdentityProvider, IdentityProviderDisplayName: p.IdentityProviderDisplayName,
	}
	var username string
	if p.PreferredUsername != nil {
		username = *p.PreferredUsername
	}
	if username != "" {
		provider, name := providerOf(username)
		claims.Sub = cmp.Or(claims.Sub, uuidOf(username))
		claims.IdentityProvider = cmp.Or(claims.IdentityProvider, &provider)
		claims.IdentityProviderDisplayName = cmp.Or(claims.IdentityProviderDisplayName, &name)
	}
	for _, identity := range p.IdentitySet {
		provider, name := providerOf(identity.Username)
		identity.Sub = cmp.Or(identity.Sub, uuidOf(identity.Username))
		identity.IdentityProvider = cmp.Or(identity.IdentityProvider, provider)
		identity.IdentityProviderDisplayName = cmp.Or(identity.IdentityProviderDisplayName, name)
		if identity.Sub != claims.Sub {
			claims.Linked = append(claims.Linked, identity.LinkedIdentity)
		}
	}
	return globustest.Person{Key: cmp.Or(username, claims.Sub), About: p.About, Claims: claims}
}

// providerOf returns the identity provider for a user name without one: it has the name of
// the user name's domain.
func providerOf(username string) (id, name string) {
	_, domain, _ := strings.Cut(username, "@")
	return uuidOf(domain), domain
}

// uuidOf returns a UUID derived from a user name or a domain, always the same.
func uuidOf(text string) string {
	b := sha256.Sum256([]byte(text))
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

func (c configCollection) collection() globustest.Collection {
	place := globustest.Collection{
		ID: c.ID, Name: c.Name, DataAccess: c.DataAccess, Domains: c.Domains, MFA: c.MFA, Type: c.Type, Owner: c.Owner, SharedWith: c.SharedWith,
		Description: c.Description, Home: c.Home, Offline: c.Offline, Paused: c.Paused, ReadOnly: c.ReadOnly, AnonymousRead: c.Anonymous, Quota: c.Quota, Speed: c.Speed,
	}
	for _, f := range c.Files {
		place.Files = append(place.Files, globustest.File{Path: f.Path, Size: f.Size, Content: f.Text})
	}
	return place
}

// addGroups adds the groups' memberships to people. A member is named by the user name of
// any identity.
func (c config) addGroups(cfg *globustest.Config) error {
	if len(c.Groups) == 0 {
		return nil
	}
	if cfg.People == nil {
		cfg.People = globustest.DemoPeople()
	}
	for _, g := range c.Groups {
		for _, m := range g.Members {
			person, identity := find(cfg.People, m.Username)
			if person == nil {
				return fmt.Errorf("group %s: nobody has the user name %q", g.ID, m.Username)
			}
			person.Groups = append(person.Groups, globustest.Membership{
				Group: g.ID, Name: g.Name, Identity: identity, Role: m.Role, Status: m.Status,
			})
		}
	}
	return nil
}

// find returns the person who has an identity with that user name, or nil, and the
// identity's sub.
func find(people []globustest.Person, username string) (*globustest.Person, string) {
	for i, p := range people {
		if own := p.Claims.PreferredUsername; own != nil && *own == username {
			return &people[i], p.Claims.Sub
		}
		linked := slices.IndexFunc(p.Claims.Linked, func(l globustest.LinkedIdentity) bool { return l.Username == username })
		if linked >= 0 {
			return &people[i], p.Claims.Linked[linked].Sub
		}
	}
	return nil, ""
}
