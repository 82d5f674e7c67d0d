package components

import (
	"cmp"

	"example.org/portal/globus"
)

// A Places is a list of collections, and of folders that are bookmarked, from which a
// person chooses one.
type Places struct {
	Site
	Action string                                 // path of the page that it is on, which the search requests
	Keep   []Field                                // other fields of the search
	Open   func(collection, folder string) string // returns the path of the page of a folder; "" is where the collection begins

	Text   string              // what was searched for; "": nothing was
	Found  []globus.Collection // by Text
	Paging                     // of Found

	Bookmarks []globus.Bookmark   // without Text
	Recent    []globus.Collection // likewise
}

// collectionKind says in words what kind of collection c is.
func collectionKind(c globus.Collection) string {
	switch {
	case c.IsPersonal():
		return "On somebody's computer"
	case c.IsGuest():
		return "Guest collection: a shared folder"
	case c.IsMapped():
		return "Mapped collection: with an account of yours"
	}
	return ""
}

func collectionOwner(c globus.Collection) string { return cmp.Or(c.Organization, c.Owner) }
