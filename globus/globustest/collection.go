package globustest

import (
	"cmp"
	_ "embed"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"example.org/portal/globus"
)

// The types of collections that Globus has today, as entity_type names them.
const (
	MappedCollection         = "GCSv5_mapped_collection" // on a server, which maps people to local accounts
	GuestCollection          = "GCSv5_guest_collection"  // a shared folder of a server
	PersonalCollection       = "GCP_mapped_collection"   // a personal computer
	PersonalSharedCollection = "GCP_guest_collection"    // a shared folder of a personal computer
)

// A Collection is a collection at Globus Transfer. Emulator.Change changes it while the
// emulator runs.
type Collection struct {
	ID    string // a UUID, unique; required
	Name  string // display_name
	Files []File // files and directories at the start; nil: none

	// Type is one of the types above. Empty: MappedCollection if DataAccess, Domains or
	// MFA is set, else GuestCollection.
	Type string

	Owner        string // Key of the Person who owns it; empty: none of the people
	Description  string // empty: null
	Organization string // empty: null
	Contact      string // e-mail address; empty: null
	Keywords     string // separated by commas; empty: null

	// Home is the directory that /~/ stands for, and that a list without a path shows,
	// such as /home/ada/. Empty: the root.
	Home string

	// DataAccess: every call that works on files needs the person's consent to the scope
	// data_access of this collection.
	DataAccess bool

	// Domains and MFA: every call that works on files needs a session in which the person
	// has signed in to the app with an identity of one of Domains and, with MFA, a second
	// factor. Other sessions get 502. Neither: any session is enough.
	Domains []string
	MFA     bool

	// SharedWith are the Keys of the people with permission, beside the owner. Nil:
	// everybody has it.
	SharedWith []string

	// AnonymousRead: everybody can read its files over HTTPS, without a token. Only a guest
	// collection can have it.
	AnonymousRead bool

	NoAccount bool     // nobody has a local account, and no sign-in helps
	ReadOnly  bool     // nobody can write
	Closed    []string // directories that nobody can list, read or write, such as /private/

	Offline bool   // Globus cannot reach it; if it is personal, the computer is off
	Paused  string // message of the managers who paused it; empty: it is not paused
	Deleted bool   // it was deleted

	Quota int64 // bytes that fit into it; 0: no limit
	Speed int64 // bytes per second of a transfer to or from it; 0: 100 million
}

// A File is a file, or an empty directory, in a Collection.
type File struct {
	Path string        // such as /photo51/one.tif; a directory ends with a slash. Parent directories exist without an entry of their own
	Size int64         // in bytes; with Content, its length
	Ago  time.Duration // age of its modification time; 0: just modified

	// Garbled is how many copies of the file arrive damaged before one arrives whole. A
	// transfer that verifies checksums counts a fault and copies the file again.
	Garbled int

	// Content is what is in the file, for those who read it over HTTPS. Empty: zeros.
	Content string
}

func checkCollections(all []Collection) error {
	seen := map[string]bool{}
	for _, c := range all {
		if !globus.IsUUID(c.ID) || seen[c.ID] {
			return errors.New("globustest: every collection needs a UUID of its own")
		}
		seen[c.ID] = true
		if err := c.check(); err != nil {
			return err
		}
	}
	return nil
}

func (c Collection) check() error {
	if c.Home != "" && (c.Home[0] != '/' || c.Home[len(c.Home)-1] != '/') {
		return errors.New("globustest: the Home of a collection is like /a/")
	}
	types := []string{"", MappedCollection, GuestCollection, PersonalCollection, PersonalSharedCollection}
	if !slices.Contains(types, c.Type) || c.DataAccess && c.kind() != MappedCollection {
		return errors.New("globustest: a collection has a Type of Globus's, and only a mapped one DataAccess")
	}
	if c.AnonymousRead && !strings.HasSuffix(c.kind(), "_guest_collection") {
		return errors.New("globustest: only a guest collection has AnonymousRead")
	}
	for _, f := range c.Files {
		if !strings.HasPrefix(f.Path, "/") || strings.Contains(f.Path, "//") {
			return errors.New("globustest: the path of a file is like /a/b")
		}
	}
	return nil
}

func (c Collection) kind() string {
	fallback := GuestCollection
	if c.DataAccess || c.restrictsSessions() {
		fallback = MappedCollection
	}
	return cmp.Or(c.Type, fallback)
}

// restrictsSessions reports whether the collection requires something of a session.
func (c Collection) restrictsSessions() bool { return len(c.Domains) > 0 || c.MFA }

func (c Collection) personal() bool { return strings.HasPrefix(c.kind(), "GCP_") }

// A place is a Collection with its current files.
type place struct {
	Collection
	files func() *fileSystem // made when it is first needed, because many tests need no files
}

func newPlace(c Collection, now time.Time) *place {
	return &place{c, sync.OnceValue(func() *fileSystem { return newFileSystem(c.Files, now) })}
}

// Change changes a collection from now on: it takes a laptop offline, for example, or ends
// a pause. Tasks run up to now first. A change of Files has no effect. It panics if there
// is no such collection, or if it is invalid afterwards.
func (e *Emulator) Change(id string, change func(*Collection)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.place(id)
	if p == nil {
		panic("globustest: no collection " + id)
	}
	e.runTasks()
	change(&p.Collection)
	if err := p.check(); err != nil || p.ID != id {
		panic("globustest: collection " + id + " is invalid after the change")
	}
}

// place finds a collection, or returns nil. It needs e.mu.
func (e *Emulator) place(id string) *place {
	for _, p := range e.places {
		if strings.EqualFold(p.ID, id) {
			return p
		}
	}
	return nil
}

// mayUse reports whether a person has permission to use the collection.
func (c Collection) mayUse(person string) bool {
	return c.SharedWith == nil || c.Owner == person || slices.Contains(c.SharedWith, person)
}

// existing finds a collection that is not deleted. It needs e.mu.
func (e *Emulator) existing(r *http.Request, id string) (*place, error) {
	p := e.place(id)
	switch {
	case p == nil:
		return nil, transferRefusal(r, http.StatusNotFound, "EndpointNotFound", "No such endpoint '"+id+"'")
	case p.Deleted:
		return nil, transferRefusal(r, http.StatusNotFound, "EndpointDeleted", "Endpoint '"+id+"' has been deleted")
	}
	return p, nil
}

// endpointTemplate is the document of a collection: every member that Globus is known to
// send, and one unknown member.
var endpointTemplate = readTemplate(endpointJSON)

//go:embed endpoint.json
var endpointJSON []byte

// endpointDocument is the collection as Transfer sends it to a person. It needs e.mu.
func (e *Emulator) endpointDocument(p *place, person Person) document {
	doc := maps.Clone(endpointTemplate)
	ownerID, ownerName := nameUUID(p.ID+" owner"), nameUUID(p.ID+" owner")+clientDomain
	if owner, ok := e.person(p.Owner); ok {
		ownerID, ownerName = owner.Claims.Sub, deref(owner.Claims.PreferredUsername)
	}
	maps.Copy(doc, document{
		"id": p.ID, "name": p.ID, "display_name": p.Name, "canonical_name": userName(p.Name) + "#" + p.ID, "username": userName(p.Name),
		"entity_type": p.kind(), "owner_id": ownerID, "owner_string": ownerName,
		"is_globus_connect": p.personal(), "high_assurance": p.restrictsSessions() && !p.personal(), "mfa_required": p.MFA, "public": p.SharedWith == nil,
	})
	for name, text := range map[string]string{
		"description": p.Description, "organization": p.Organization, "contact_email": p.Contact, "keywords": p.Keywords, "default_directory": p.Home,
	} {
		if text != "" {
			doc[name] = text
		}
	}
	if p.restrictsSessions() {
		doc["authentication_timeout_mins"] = 15840
	}
	if p.personal() {
		doc["gcp_connected"], doc["gcp_paused"] = !p.Offline, p.Paused != ""
	} else {
		doc["gcs_version"], doc["tlsftp_server"] = "5.4.80", "tlsftp://"+nameUUID(p.ID)[:8]+".data.example.org:443"
	}
	if server := e.httpsServer(p); server != "" {
		doc["https_server"] = server
	}
	if strings.HasSuffix(p.kind(), "_guest_collection") {
		host := nameUUID(p.ID + " host")
		doc["host_endpoint_id"], doc["mapped_collection_id"], doc["mapped_collection_display_name"] = host, host, "Host of "+p.Name
	}
	if person.Key == p.Owner && p.Owner != "" {
		doc["my_effective_roles"], doc["acl_available"] = []string{"administrator", "access_manager"}, true
	}
	return doc
}

// collection responds with the document of one collection.
func (e *Emulator) collection(r *http.Request, g grant) (any, error) {
	if _, err := e.readQuery(r); err != nil {
		return nil, err
	}
	p, err := e.existing(r, segment(r, CollectionPath))
	if err != nil {
		return nil, err
	}
	person, _ := e.person(g.Person)
	if !p.mayUse(g.Person) {
		return nil, transferRefusal(r, http.StatusForbidden, "PermissionDenied", "You do not have permission to see this collection")
	}
	return e.endpointDocument(p, person), nil
}
