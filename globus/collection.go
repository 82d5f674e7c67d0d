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

// A Collection is a collection as Globus Transfer describes it. A member that Transfer
// sends as null, or as another type, is the zero value.
type Collection struct {
	ID            string `json:"id"`             // a UUID
	DisplayName   string `json:"display_name"`   // chosen by its owner
	CanonicalName string `json:"canonical_name"` // see Name
	EntityType    string `json:"entity_type"`    // such as GCSv5_mapped_collection; see IsMapped, IsGuest and IsPersonal
	OwnerID       string `json:"owner_id"`       // UUID of an identity
	Owner         string `json:"owner_string"`   // user name of that identity; for an app, UUID@clients.auth.globus.org
	Organization  string `json:"organization"`   // written by the owner
	Description   string `json:"description"`    // written by the owner
	Keywords      string `json:"keywords"`       // separated by commas
	Contact       string `json:"contact_email"`  // e-mail address for questions
	UserMessage   string `json:"user_message"`   // current message from its managers
	InfoLink      string `json:"info_link"`      // URL chosen by the owner: do not trust it

	DefaultDirectory string `json:"default_directory"`    // directory of a List without a path; "": the server chooses
	HTTPSServer      string `json:"https_server"`         // base URL of its files; "": it has none
	HostID           string `json:"mapped_collection_id"` // UUID of the mapped collection below a guest collection; "": it is no guest collection
	HighAssurance    bool   `json:"high_assurance"`       // requires a new authentication in each session
	Public           bool   `json:"public"`               // everybody can find it

	// Connected and Paused exist for personal collections only. Nil: Transfer does
	// not say. See IsOffline.
	Connected *bool `json:"gcp_connected"`
	Paused    *bool `json:"gcp_paused"`

	Roles []string `json:"my_effective_roles"` // of the person, such as administrator; nil: none
}

// UnmarshalJSON leaves out members of an unexpected type.
func (c *Collection) UnmarshalJSON(b []byte) error {
	type plain Collection
	_ = json.Unmarshal(b, (*plain)(c))
	return nil
}

// Name returns the name to show: DisplayName, or CanonicalName, or ID.
func (c Collection) Name() string { return cmp.Or(c.DisplayName, c.CanonicalName, c.ID) }

// IsMapped reports whether the collection maps each person to a local account.
func (c Collection) IsMapped() bool { return strings.HasSuffix(c.EntityType, "_mapped_collection") }

// IsGuest reports whether the collection is a shared folder.
func (c Collection) IsGuest() bool { return strings.HasSuffix(c.EntityType, "_guest_collection") }

// IsPersonal reports whether the collection is on a personal computer that runs
// Globus Connect Personal.
func (c Collection) IsPersonal() bool { return strings.HasPrefix(c.EntityType, "GCP_") }

// IsOffline reports whether the collection is on a personal computer that is
// disconnected or paused. Transfer does not say this about other collections: only a
// call to them shows it.
func (c Collection) IsOffline() bool {
	return c.Connected != nil && !*c.Connected || c.Paused != nil && *c.Paused
}

// NeedsDataAccess reports whether Transfer needs the scope that DataAccess returns to
// reach its files. That is so for mapped collections on a server without high
// assurance; others have no such scope. A transfer needs the scopes of both its source
// and its destination.
func (c Collection) NeedsDataAccess() bool {
	return c.EntityType == "GCSv5_mapped_collection" && !c.HighAssurance
}

// Collection returns the collection with a UUID. The error is an *Error or the error of
// the TokenFunc; its KindOf is KindNoCollection if the collection does not exist or was
// deleted.
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

// A SearchScope says which collections a search covers.
type SearchScope string

// The scopes of a search. Transfer knows others.
const (
	SearchAll          SearchScope = "all"              // CollectionQuery.Text is required
	SearchRecent       SearchScope = "recently-used"    // used by the person, the latest first
	SearchMine         SearchScope = "my-endpoints"     // owned by the person
	SearchMyComputers  SearchScope = "my-gcp-endpoints" // owned by the person, on personal computers
	SearchSharedWithMe SearchScope = "shared-with-me"   // shared with the person
	SearchSharedByMe   SearchScope = "shared-by-me"     // shared by the person
	SearchInUse        SearchScope = "in-use"           // used by tasks that run
	SearchAdministered SearchScope = "administered-by-me"
)

// A CollectionQuery says which collections to find.
type CollectionQuery struct {
	Text       string      // words or their beginnings; all of them must match. Required with SearchAll
	Scope      SearchScope // "": SearchAll
	EntityType string      // as in Collection; "": every type that has files
	OwnerID    string      // UUID of an identity; "": any owner. Transfer rejects it with SearchMine, SearchMyComputers and SearchSharedByMe
	Offset     int         // how many collections to skip
	PageSize   int         // collections per request, at most 100; 0 or less: 100
}

// SearchCollections finds collections. It fetches them page by page while the caller
// iterates; Transfer returns at most 1000. After an error it stops. The error is an
// *Error or the error of the TokenFunc.
func (t *Transfer) SearchCollections(ctx context.Context, q CollectionQuery) iter.Seq2[Collection, error] {
	params := url.Values{"filter_scope": {string(cmp.Or(q.Scope, SearchAll))}}
	for name, value := range map[string]string{"filter_fulltext": q.Text, "filter_owner_id": q.OwnerID, "filter_entity_type": q.EntityType} {
		if value != "" {
			params.Set(name, value)
		}
	}
	if q.EntityType == "" { // Transfer rejects both together
		params.Set("filter_non_functional", "0")
	}
	return byOffset[Collection](ctx, t, "/endpoint_search", params, q.Offset, min(q.PageSize, 100))
}

// A Bookmark names a folder that a person wants to find again. The folder and the
// collection may no longer exist.
type Bookmark struct {
	ID           string `json:"id"`          // a UUID
	Name         string `json:"name"`        // chosen by the person
	CollectionID string `json:"endpoint_id"` // a UUID
	Path         string `json:"path"`        // of the folder, with a slash at its end
	Pinned       bool   `json:"pinned"`      // the person wants it at the top of the list
}

// Bookmarks lists the person's bookmarks. The error is an *Error or the error of the
// TokenFunc.
func (t *Transfer) Bookmarks(ctx context.Context) ([]Bookmark, error) {
	var answer struct {
		Data []Bookmark `json:"DATA"`
	}
	err := t.get(ctx, "/bookmark_list", nil, &answer)
	return answer.Data, err
}

// CreateBookmark creates a bookmark and returns it with the ID that Transfer chose. The
// error is an *Error or the error of the TokenFunc; its KindOf is KindExists if the
// person has a bookmark of that name.
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

// DeleteBookmark deletes the bookmark with a UUID. The error is an *Error or the error
// of the TokenFunc; its KindOf is KindNotFound if there is no such bookmark.
func (t *Transfer) DeleteBookmark(ctx context.Context, id string) error {
	return t.send(ctx, http.MethodDelete, "/bookmark/"+url.PathEscape(id), nil, &struct{}{})
}
