package components

import (
	"cmp"

	"example.org/portal/globus"
)

// A Places is a list of collections, and of folders that are bookmarked, from which a
// person chooses one.
type Places struct {
	Site
	Sending *Sending // what is to be sent to the chosen one; nil: it is opened

	Text   string              // what was searched for; "": nothing was
	Found  []globus.Collection // by Text
	Paging                     // of Found

	Bookmarks []globus.Bookmark   // without Text
	Recent    []globus.Collection // likewise
}

// open returns where a folder of a collection is chosen; "" is where it begins.
func (p Places) open(collection, folder string) string {
	if p.Sending != nil {
		return p.sendStep(collection, folder)
	}
	return p.BrowsePath(collection, folder)
}

// collectionKind says in words what kind of collection c is.
func collectionKind(c globus.Collection) string {
	switch {
	case c.IsPersonal():
		return "On somebody's computer"
	case c.IsGuest():
		return "Guest collection: a shared folder"
	case c.IsMapped():
		return "Mapped collection: you need an account there"
	}
	return ""
}

func collectionOwner(c globus.Collection) string { return cmp.Or(c.Organization, c.Owner) }
