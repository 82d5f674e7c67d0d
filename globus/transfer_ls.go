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
	Path   string // from the root of the collection; "" means where the collection begins, which it says in Listing.Path
	Offset int    // how many entries to leave out, less than 0 being none; Transfer reads the whole directory again for each page
	Limit  int    // how many to list; 0 means 1000, and so does more than 5000: an answer has 4 MiB at most
	Hidden bool   // also those whose name begins with a dot

	// OrderBy are members of an entry, with commas between them and perhaps DESC, such
	// as "type,size DESC,name"; "" means name. The members are name, size, type and
	// last_modified.
	OrderBy string

	// Name lists only the entries whose name has this in it, without regard to case; a
	// * stands for anything. "" lists all.
	Name string
}

// A Listing is part of a directory.
type Listing struct {
	Path    string  `json:"path"`  // of the directory, with a slash at its end; "" if Transfer does not say
	Entries []Entry `json:"DATA"`  // nil: there are none
	Total   int     `json:"total"` // entries in the whole directory, as far as ListQuery.Name lets them through; 0 if Transfer does not say
}

// An Entry is what one name in a directory stands for. The name is as the
// collection has it: whoever owns the file may have chosen any characters.
type Entry struct {
	Name     string    `json:"name"`          // in its directory; to list what is in it, put it after Listing.Path
	Type     string    `json:"type"`          // EntryDir, EntryFile, or another: a broken link, a device
	Size     int64     `json:"size"`          // in bytes
	Modified time.Time `json:"last_modified"` // zero if the collection does not say
}

// What an Entry usually is.
const (
	EntryDir  = "dir"
	EntryFile = "file"
)

// IsDir reports whether e is a directory, which can be listed in turn.
func (e Entry) IsDir() bool { return e.Type == EntryDir }

// UnmarshalJSON reads the time as Transfer writes it. What has another type than
// usual is unknown: the zero value, and so is an entry that is no object.
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

// List lists a directory of a collection, which is named by its UUID. Many a
// collection wants something of the person first: see RequirementsOf. The error
// is an *Error or what the TokenFunc returned.
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
		// What Transfer takes to end the pattern, or to begin another, can be anything.
		params.Set("filter", "name:~*"+strings.NewReplacer(",", "*", "/", "*").Replace(q.Name)+"*")
	}
	var listing Listing
	if err := t.get(ctx, "/operation/endpoint/"+url.PathEscape(collection)+"/ls", params, &listing); err != nil {
		return nil, err
	}
	return &listing, nil
}

const (
	defaultList = 1000
	maxList     = 5000
)

// DataAccess returns the scopes that let Transfer at a person's files in mapped
// collections, named by their UUIDs: TransferScope with a dependent, optional
// scope for each. Other collections have no such scope, and Globus shows an error
// page to those who ask for it; a collection that wants it says so in its
// Requirements.
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
