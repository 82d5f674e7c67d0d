package globustest

import (
	"net/http"
	"slices"
	"strings"

	"example.org/portal/globus"
)

// A Bookmark is a bookmark that a Person has at the start.
type Bookmark struct {
	Name       string // unique for the person
	Collection string // ID
	Path       string // such as /photo51/
	Pinned     bool   // as in globus.Bookmark
}

// A bookmark is a bookmark as Transfer sends it.
type bookmark struct {
	ID         string `json:"id"`
	DataType   string `json:"DATA_TYPE"`
	Name       string `json:"name"`
	EndpointID string `json:"endpoint_id"`
	Path       string `json:"path"`
	Pinned     bool   `json:"pinned"`
}

// bookmarksOf returns the bookmarks of a person. It needs e.mu.
func (e *Emulator) bookmarksOf(key string) []*bookmark {
	if _, ok := e.bookmarks[key]; !ok {
		person, _ := e.person(key)
		e.bookmarks[key] = []*bookmark{}
		for _, b := range person.Bookmarks {
			e.bookmarks[key] = append(e.bookmarks[key], &bookmark{
				ID: nameUUID(key + " bookmark " + b.Name), DataType: "bookmark", Name: b.Name, EndpointID: b.Collection, Path: b.Path, Pinned: b.Pinned,
			})
		}
	}
	return e.bookmarks[key]
}

func (e *Emulator) bookmarkList(r *http.Request, g grant) (any, error) {
	if _, err := e.readQuery(r); err != nil {
		return nil, err
	}
	return document{"DATA_TYPE": "bookmark_list", "DATA": e.bookmarksOf(g.Person)}, nil
}

// createBookmark creates a bookmark. Neither its collection nor its folder need exist.
func (e *Emulator) createBookmark(r *http.Request, g grant) (any, error) {
	b := &bookmark{ID: newUUID(), DataType: "bookmark"}
	if err := e.readBody(r, "bookmark", b, "name", "endpoint_id", "path", "pinned"); err != nil {
		return nil, err
	}
	if err := e.checkBookmark(r, g, b); err != nil {
		return nil, err
	}
	e.bookmarks[g.Person] = append(e.bookmarksOf(g.Person), b)
	return withStatus{http.StatusCreated, b}, nil
}

func (e *Emulator) checkBookmark(r *http.Request, g grant, b *bookmark) error {
	duplicate := slices.ContainsFunc(e.bookmarksOf(g.Person), func(other *bookmark) bool { return other.Name == b.Name && other.ID != b.ID })
	switch {
	case b.Name == "" || !globus.IsUUID(b.EndpointID) || !strings.HasPrefix(b.Path, "/"):
		return badParameter(r, "A bookmark needs a name, an endpoint_id and a path")
	case duplicate:
		return transferRefusal(r, http.StatusConflict, "BookmarkExists", "There is a bookmark with that name")
	}
	if !strings.HasSuffix(b.Path, "/") {
		b.Path += "/"
	}
	return nil
}

// serveBookmark is the endpoint of one bookmark.
func (e *Emulator) serveBookmark(r *http.Request, g grant) (any, error) {
	id := segment(r, BookmarkPath+"/")
	all := e.bookmarksOf(g.Person)
	i := slices.IndexFunc(all, func(b *bookmark) bool { return b.ID == id })
	if i < 0 {
		return nil, transferRefusal(r, http.StatusNotFound, "BookmarkNotFound", "No bookmark found with id '"+id+"'")
	}
	switch r.Method {
	case http.MethodPut:
		changed := *all[i]
		if err := e.readBody(r, "bookmark", &changed, "name", "path", "pinned", "endpoint_id", "id"); err != nil {
			return nil, err
		}
		changed.ID = all[i].ID
		if err := e.checkBookmark(r, g, &changed); err != nil {
			return nil, err
		}
		*all[i] = changed
	case http.MethodDelete:
		e.bookmarks[g.Person] = slices.Delete(all, i, i+1)
		return result(r, "result", "Deleted", "Bookmark '"+id+"' deleted successfully"), nil
	}
	return all[i], nil
}
