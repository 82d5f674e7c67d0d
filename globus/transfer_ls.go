package globus

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A ListQuery says which part of which directory to list.
type ListQuery struct {
	Path   string // from the root of the collection; "": the collection's default directory, which Listing.Path names
	Offset int    // how many entries to skip; less than 0: none. Transfer reads the whole directory for each call
	Limit  int    // how many entries to list; 0, or more than 5000: 1000, because a response may have at most 4 MiB
	Hidden bool   // also entries whose name begins with a dot

	// OrderBy names members of an entry, separated by commas, each with an optional
	// DESC, such as "type,size DESC,name". The members are name, size, type and
	// last_modified. "": name.
	OrderBy string

	// Name selects entries whose name contains this text, in upper or lower case; a *
	// matches anything. "": all entries.
	Name string
}

// A Listing is one page of a directory.
type Listing struct {
	Path    string  `json:"path"`  // of the directory, with a slash at its end; "" if Transfer does not say
	Entries []Entry `json:"DATA"`  // nil: none
	Total   int     `json:"total"` // entries in the whole directory that match ListQuery.Name; 0 if Transfer does not say
}

// An Entry is a file or a folder in a directory. Its name is unchanged: the owner of the
// file may have put any characters into it.
type Entry struct {
	Name     string    `json:"name"`          // without its directory; Listing.Path + Name is its path
	Type     string    `json:"type"`          // EntryDir, EntryFile, or another, such as a broken link or a device
	Size     int64     `json:"size"`          // in bytes
	Modified time.Time `json:"last_modified"` // zero if the collection does not say
}

// The usual types of an Entry.
const (
	EntryDir  = "dir"
	EntryFile = "file"
)

// IsDir reports whether e is a directory, which List can list.
func (e Entry) IsDir() bool { return e.Type == EntryDir }

// UnmarshalJSON reads the time in Transfer's format, and leaves out members of an
// unexpected type. An entry that is no object is the zero value.
func (e *Entry) UnmarshalJSON(b []byte) error {
	type plain Entry
	entry := struct {
		*plain
		Modified transferTime `json:"last_modified"`
	}{plain: (*plain)(e)}
	_ = json.Unmarshal(b, &entry)
	e.Modified = entry.Modified.Time
	return nil
}

// List lists a directory of the collection with a UUID. Many collections require
// something of the person first: see RequirementsOf. The error is an *Error or the error
// of the TokenFunc.
func (t *Transfer) List(ctx context.Context, collection string, q ListQuery) (*Listing, error) {
	if q.Limit <= 0 || q.Limit > maxList {
		q.Limit = defaultList
	}
	params := url.Values{
		"orderby":     {cmp.Or(q.OrderBy, "name")},
		"show_hidden": {"0"},
		"limit":       {strconv.Itoa(q.Limit)},
		"offset":      {strconv.Itoa(max(q.Offset, 0))},
	}
	if q.Path != "" {
		params.Set("path", q.Path)
	}
	if q.Hidden {
		params.Set("show_hidden", "1")
	}
	if q.Name != "" {
		// In a filter a comma or a slash would end the pattern; * matches it.
		params.Set("filter", "name:~*"+strings.NewReplacer(",", "*", "/", "*").Replace(q.Name)+"*")
	}
	var listing Listing
	if err := t.get(ctx, operation(collection, "ls"), params, &listing); err != nil {
		return nil, err
	}
	return &listing, nil
}

const (
	defaultList = 1000
	maxList     = 5000
)

// DataAccess returns the scopes that let Transfer reach a person's files in the mapped
// collections with these UUIDs: TransferScope with an optional dependent scope for each.
// Other collections have no such scope: Globus shows an error page if an app requests
// it. A collection that needs it says so in its Requirements; see also
// Collection.NeedsDataAccess.
func DataAccess(collections ...string) (Scopes, error) {
	scope := Scope{Name: TransferScope}
	for _, id := range collections {
		if !IsUUID(id) {
			return nil, errors.New("globus: a collection is named by a UUID")
		}
		name := "https://auth.globus.org/scopes/" + lowerUUID(id) + "/data_access"
		scope.Dependencies = scope.Dependencies.with(Scope{Name: name, Optional: true})
	}
	return Scopes{scope}, nil
}
