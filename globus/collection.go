package globus

import (
	"cmp"
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"strings"
)

// A Collection is a place with files, as Transfer describes it. What Transfer sends
// as null, or of another type, is the zero value here.
type Collection struct {
	ID            string `json:"id"`             // a UUID
	DisplayName   string `json:"display_name"`   // as its owner named it
	CanonicalName string `json:"canonical_name"` // see Name
	EntityType    string `json:"entity_type"`    // such as GCSv5_mapped_collection; see IsMapped, IsGuest and IsPersonal
	OwnerID       string `json:"owner_id"`       // UUID of an identity
	Owner         string `json:"owner_string"`   // its user name; of an app, its UUID @clients.auth.globus.org
	Organization  string `json:"organization"`   // as the owner writes it
	Description   string `json:"description"`    // by its owner
	Keywords      string `json:"keywords"`       // with commas between them
	Contact       string `json:"contact_email"`  // who can help
	UserMessage   string `json:"user_message"`   // what its managers have to say at present
	InfoLink      string `json:"info_link"`      // a URL that anybody may have chosen

	DefaultDirectory string `json:"default_directory"`    // where a list begins that names no path; "": the server's choice
	HTTPSServer      string `json:"https_server"`         // base URL of its files; "": it has none
	HostID           string `json:"mapped_collection_id"` // of the mapped collection that a guest collection is on; "" for others
	HighAssurance    bool   `json:"high_assurance"`       // wants identity and authentication afresh, session by session
	Public           bool   `json:"public"`               // anybody can find it

	// Connected and Paused are about personal collections alone; nil: Transfer does
	// not say. See IsOffline.
	Connected *bool `json:"gcp_connected"`
	Paused    *bool `json:"gcp_paused"`

	Roles []string `json:"my_effective_roles"` // such as administrator; nil: none
}

// UnmarshalJSON leaves out what has another type than usual.
func (c *Collection) UnmarshalJSON(b []byte) error {
	type plain Collection
	_ = json.Unmarshal(b, (*plain)(c))
	return nil
}

// Name is what to call the collection.
func (c Collection) Name() string { return cmp.Or(c.DisplayName, c.CanonicalName, c.ID) }

// IsMapped reports whether people use the collection as an account of their own
// there.
func (c Collection) IsMapped() bool { return strings.HasSuffix(c.EntityType, "_mapped_collection") }

// IsGuest reports whether the collection is a folder that somebody shares.
func (c Collection) IsGuest() bool { return strings.HasSuffix(c.EntityType, "_guest_collection") }

// IsPersonal reports whether the collection is on somebody's own computer, by Globus
// Connect Personal.
func (c Collection) IsPersonal() bool { return strings.HasPrefix(c.EntityType, "GCP_") }

// IsOffline reports whether the collection is on a computer that is off, or paused
// by its owner. Of others nobody knows before they are asked.
func (c Collection) IsOffline() bool {
	return c.Connected != nil && !*c.Connected || c.Paused != nil && *c.Paused
}

// NeedsDataAccess reports whether Transfer lets at its files only by the scope that
// DataAccess names: of a mapped collection on a server, without high assurance.
// Of a transfer, both sides count. Others have no such scope.
func (c Collection) NeedsDataAccess() bool {
	return c.EntityType == "GCSv5_mapped_collection" && !c.HighAssurance
}

// Collection describes a collection, which is named by its UUID. The error is an
// *Error, its KindOf KindNoCollection if there is none, or no more, or what the
// TokenFunc returned.
func (t *Transfer) Collection(ctx context.Context, id string) (*Collection, error) {
	var c Collection
	if err := t.get(ctx, "/endpoint/"+url.PathEscape(id), nil, &c); err != nil {
		return nil, err
	}
	if c.ID == "" {
		return nil, malformed("the answer is no collection")
	}
	return &c, nil
}

// A SearchScope says which collections a search looks at.
type SearchScope string

// The scopes of a search. Transfer knows others.
const (
	SearchAll          SearchScope = "all"              // CollectionQuery.Text is required
	SearchRecent       SearchScope = "recently-used"    // by the person, the latest first
	SearchMine         SearchScope = "my-endpoints"     // that the person owns
	SearchMyComputers  SearchScope = "my-gcp-endpoints" // of those, on computers of their own
	SearchSharedWithMe SearchScope = "shared-with-me"   // by others
	SearchSharedByMe   SearchScope = "shared-by-me"     // with others
	SearchInUse        SearchScope = "in-use"           // by tasks that run
	SearchAdministered SearchScope = "administered-by-me"
)

// A CollectionQuery says which collections to find.
type CollectionQuery struct {
	Text       string      // words, or their beginnings, all of which must fit; "" needs another Scope than SearchAll
	Scope      SearchScope // "": SearchAll
	EntityType string      // of these alone; "": of all that have files
	OwnerID    string      // UUID of an identity; "": anybody's. It does not go with SearchMine, SearchMyComputers and SearchSharedByMe
	Offset     int         // how many to leave out
	PageSize   int         // how many to ask Transfer for at a time, 100 at most; 0 or less means 100
}

// SearchCollections finds collections, and fetches them page by page as they are asked
// for; Transfer finds 1000 at most. The error, which is the last thing it yields,
// is an *Error or what the TokenFunc returned.
func (t *Transfer) SearchCollections(ctx context.Context, q CollectionQuery) iter.Seq2[Collection, error] {
	params := url.Values{"filter_scope": {string(cmp.Or(q.Scope, SearchAll))}}
	for name, value := range map[string]string{"filter_fulltext": q.Text, "filter_owner_id": q.OwnerID, "filter_entity_type": q.EntityType} {
		if value != "" {
			params.Set(name, value)
		}
	}
	if q.EntityType == "" { // the two exclude one another
		params.Set("filter_non_functional", "0")
	}
	return byOffset[Collection](ctx, t, "/endpoint_search", params, q.Offset, min(q.PageSize, 100))
}

// A Bookmark is a folder of a collection to which a person wants to come back. It may
// outlive both.
type Bookmark struct {
	ID           string `json:"id"`          // a UUID
	Name         string `json:"name"`        // as the person named it
	CollectionID string `json:"endpoint_id"` // where it leads
	Path         string `json:"path"`        // with a slash at its end
	Pinned       bool   `json:"pinned"`      // the person keeps it at the top of their list
}

// Bookmarks lists the person's bookmarks. The error is an *Error or what the
// TokenFunc returned.
func (t *Transfer) Bookmarks(ctx context.Context) ([]Bookmark, error) {
	var answer struct {
		Data []Bookmark `json:"DATA"`
	}
	err := t.get(ctx, "/bookmark_list", nil, &answer)
	return answer.Data, err
}

// CreateBookmark makes a bookmark of b, whose ID Transfer chooses, and returns it. A
// name that the person has given before is refused. The error is an *Error or what
// the TokenFunc returned.
func (t *Transfer) CreateBookmark(ctx context.Context, b Bookmark) (*Bookmark, error) {
	doc := map[string]any{"DATA_TYPE": "bookmark", "name": b.Name, "endpoint_id": b.CollectionID, "path": b.Path}
	if b.Pinned {
		doc["pinned"] = true
	}
	if err := t.send(ctx, http.MethodPost, "/bookmark", doc, &b); err != nil {
		return nil, err
	}
	return &b, nil
}

// DeleteBookmark deletes the bookmark with a UUID. The error is an *Error, its KindOf
// KindNotFound if there is none, or what the TokenFunc returned.
func (t *Transfer) DeleteBookmark(ctx context.Context, id string) error {
	return t.send(ctx, http.MethodDelete, "/bookmark/"+url.PathEscape(id), nil, &struct{}{})
}
