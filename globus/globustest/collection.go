package globustest

import (
	"cmp"
	_ "embed"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The types of collections that Globus has today, as entity_type names them.
const (
	MappedCollection         = "GCSv5_mapped_collection" // on a server, whose local accounts people are mapped to
	GuestCollection          = "GCSv5_guest_collection"  // a folder that somebody shares with others
	PersonalCollection       = "GCP_mapped_collection"   // somebody's own computer
	PersonalSharedCollection = "GCP_guest_collection"    // a folder of it that is shared
)

// A Collection is a place with files at Globus Transfer. The fields that say what is
// wrong with it can be changed while the emulator runs: see Emulator.Change.
type Collection struct {
	ID    string // a UUID, each their own; required
	Name  string // for people
	Files []File // and directories, when the emulator starts; nil: it is empty

	// Type is one of those above. Empty: a mapped collection if people have to be
	// mapped to an account, by DataAccess, Domains or MFA, else a guest collection.
	Type string

	Owner        string // Key of the Person who owns it; empty: nobody whom the emulator knows
	Description  string // empty: null
	Organization string // empty: null
	Contact      string // e-mail address; empty: null
	Keywords     string // with commas between them; empty: null

	// Home is the directory that /~/ stands for, and where a list begins that names
	// none, such as /home/ada/. Empty: the root.
	Home string

	// DataAccess: Transfer touches nothing until the person has allowed the app the
	// scope data_access of this collection.
	DataAccess bool

	// Transfer touches nothing, and says so with 502, until the session of the person
	// with the app has an identity of one of Domains and, with MFA, a second
	// factor. Neither: any session will do.
	Domains []string
	MFA     bool

	// SharedWith are the Keys of the people who may use it, beside its owner. Nil:
	// everybody may.
	SharedWith []string

	NoAccount bool     // nobody has an account there, which no sign-in helps with
	ReadOnly  bool     // nobody may write
	Closed    []string // directories that nobody may look into, such as /private/

	Offline bool   // it cannot be reached: of a personal collection, the computer is off
	Paused  string // why its managers have paused it; empty: it is not
	Deleted bool   // it was there once

	Quota int64 // bytes that it has room for; 0: no end of them
	Speed int64 // bytes that a transfer moves in a second, to it or from it; 0: 100 million
}

// A File is a file, or an empty directory, in a Collection.
type File struct {
	Path string        // such as /photo51/one.tif; with a slash at its end, a directory. Directories above a file are there of themselves
	Size int64         // in bytes
	Ago  time.Duration // since it was changed; 0: just now

	// Garbled is how many copies of it arrive damaged, before one is whole. A transfer
	// that verifies checksums counts a fault and copies it again.
	Garbled int
}

func checkCollections(all []Collection) error {
	seen := map[string]bool{}
	for _, c := range all {
		if !uuidForm.MatchString(c.ID) || seen[c.ID] {
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
	for _, f := range c.Files {
		if !strings.HasPrefix(f.Path, "/") || strings.Contains(f.Path, "//") {
			return errors.New("globustest: the path of a file is like /a/b")
		}
	}
	return nil
}

func (c Collection) kind() string {
	fallback := GuestCollection
	if c.DataAccess || c.strict() {
		fallback = MappedCollection
	}
	return cmp.Or(c.Type, fallback)
}

// strict reports whether the collection wants something of a session.
func (c Collection) strict() bool { return len(c.Domains) > 0 || c.MFA }

func (c Collection) personal() bool { return strings.HasPrefix(c.kind(), "GCP_") }

// A place is a collection that the emulator has, and its files.
type place struct {
	Collection
	files *fileSystem
}

// Change changes a collection from now on: a laptop goes offline, a pause is
// lifted. What tasks did before stays done; its Files count no more. It panics if
// there is no such collection, or it is not sound afterwards.
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
		panic("globustest: a change of the collection " + id + " that is not sound")
	}
}

// place finds a collection; nil: there is none. It needs e.mu.
func (e *Emulator) place(id string) *place {
	for _, p := range e.places {
		if strings.EqualFold(p.ID, id) {
			return p
		}
	}
	return nil
}

// mayUse reports whether a person has anything to do with the collection.
func (c Collection) mayUse(person string) bool {
	return c.SharedWith == nil || c.Owner == person || slices.Contains(c.SharedWith, person)
}

// open finds a collection that there still is. It needs e.mu.
func (e *Emulator) open(r *http.Request, id string) (*place, error) {
	p := e.place(id)
	switch {
	case p == nil:
		return nil, transferRefusal(r, http.StatusNotFound, "EndpointNotFound", "No such endpoint '"+id+"'")
	case p.Deleted:
		return nil, transferRefusal(r, http.StatusNotFound, "EndpointDeleted", "Endpoint '"+id+"' has been deleted")
	}
	return p, nil
}

// endpointTemplate is the document of a collection, with every member that Globus
// has been seen to send, and one that is new.
var endpointTemplate = readTemplate(endpointJSON)

//go:embed endpoint.json
var endpointJSON []byte

// document is the collection as Transfer sends it to a person. It needs e.mu.
func (e *Emulator) endpointDocument(p *place, person Person) document {
	doc := maps.Clone(endpointTemplate)
	ownerID, ownerName := nameUUID(p.ID+" owner"), nameUUID(p.ID+" owner")+clientDomain
	if owner, ok := e.person(p.Owner); ok {
		ownerID, ownerName = owner.Claims.Sub, deref(owner.Claims.PreferredUsername)
	}
	maps.Copy(doc, document{
		"id": p.ID, "name": p.ID, "display_name": p.Name, "canonical_name": userName(p.Name) + "#" + p.ID, "username": userName(p.Name),
		"entity_type": p.kind(), "owner_id": ownerID, "owner_string": ownerName,
		"is_globus_connect": p.personal(), "high_assurance": p.strict() && !p.personal(), "mfa_required": p.MFA, "public": p.SharedWith == nil,
	})
	for name, text := range map[string]string{
		"description": p.Description, "organization": p.Organization, "contact_email": p.Contact, "keywords": p.Keywords, "default_directory": p.Home,
	} {
		if text != "" {
			doc[name] = text
		}
	}
	if p.strict() {
		doc["authentication_timeout_mins"] = 15840
	}
	if p.personal() {
		doc["gcp_connected"], doc["gcp_paused"] = !p.Offline, p.Paused != ""
	} else {
		doc["gcs_version"], doc["tlsftp_server"] = "5.4.80", "tlsftp://"+nameUUID(p.ID)[:8]+".data.example.org:443"
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

// collection answers with the document of one collection.
func (e *Emulator) collection(r *http.Request, g grant) (any, error) {
	if _, err := e.readQuery(r); err != nil {
		return nil, err
	}
	p, err := e.open(r, segment(r, CollectionPath))
	if err != nil {
		return nil, err
	}
	person, _ := e.person(g.Person)
	if !p.mayUse(g.Person) {
		return nil, transferRefusal(r, http.StatusForbidden, "PermissionDenied", "You do not have permission to see this collection")
	}
	return e.endpointDocument(p, person), nil
}
