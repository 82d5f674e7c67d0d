package routes

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

const (
	entriesPerPage = 100
	lastEntry      = 1_000_000 // Globus reads a folder from its start for each page
	placesPerPage  = 20
	lastPlace      = 980 // Transfer finds 1000 at most
)

// browse shows what is in a folder of a Globus collection. It is the worked
// example of a call that wants something of the person first, such as consent
// for the collection: it returns that error like any other.
func (a *App) browse(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	id, path := strings.ToLower(r.PathValue("id")), r.URL.Query().Get("path")
	if !globus.IsUUID(id) || path != "" && !isFolder(path) {
		return &web.Problem{
			Status: http.StatusNotFound, Reason: "no_such_folder", Heading: "There is no such folder",
			Message: "Check the address, or go to the home page.",
		}
	}
	offset, _ := strconv.Atoi(r.URL.Query().Get("offset")) // what is no number is the first page
	folder := components.Folder{
		Site: a.Site, Collection: id, Now: a.Now(), Offset: min(max(0, offset), lastEntry), Name: oneLine(r.URL.Query().Get("name")),
	}

	transfer := a.globus.Transfer(a.Auth.Token(s, globus.TransferServer))
	query := globus.ListQuery{Path: path, Offset: folder.Offset, Limit: entriesPerPage + 1, Name: folder.Name}
	listing, err := transfer.List(r.Context(), id, query)
	if err != nil {
		folder.Path = path
		return a.cannotOpen(r, s, transfer, folder, err)
	}
	folder.Path, folder.Entries = cmp.Or(listing.Path, path), listing.Entries
	if folder.Path != "" && !strings.HasSuffix(folder.Path, "/") {
		folder.Path += "/"
	}
	if len(folder.Entries) > entriesPerPage {
		folder.Entries, folder.Next = folder.Entries[:entriesPerPage], folder.Offset+entriesPerPage
	}
	return web.Show(w, r, a.nameOf(r, transfer, id), components.FolderList(folder))
}

// nameOf returns what to call a collection, for the title of a page; a fragment has none.
func (a *App) nameOf(r *http.Request, transfer *globus.Transfer, id string) string {
	const unnamed = "Files in a collection"
	if web.WantsFragment(r) {
		return unnamed
	}
	ctx, cancel := context.WithTimeout(r.Context(), maxDescribe)
	defer cancel()
	c, err := transfer.Collection(ctx, id)
	if err != nil {
		return unnamed // the page is good without it
	}
	return c.Name()
}

// oldBrowse leads from the address that a folder once had to the one that it has.
func (a *App) oldBrowse(w http.ResponseWriter, r *http.Request) error {
	path := "/files/" + url.PathEscape(r.PathValue("id"))
	if r.URL.RawQuery != "" {
		path += "?" + r.URL.RawQuery
	}
	return web.Redirect(w, r, path)
}

// oneLine is what somebody typed, as Transfer takes it.
func oneLine(typed string) string {
	printable := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, typed)
	runes := []rune(strings.TrimSpace(printable))
	return string(runes[:min(len(runes), 100)])
}

// files is where people find a collection: by a bookmark, by what they used last, or
// by its name.
func (a *App) files(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	places := components.Places{
		Site: a.Site, Action: a.Path("/files"),
		Open: func(collection, folder string) string { return a.BrowsePath(collection, folder, 0) },
	}
	transfer := a.globus.Transfer(a.Auth.Token(s, globus.TransferServer))
	if err := findPlaces(r, transfer, &places); err != nil {
		return err
	}
	return web.Show(w, r, "Files", components.PlaceList(places))
}

// findPlaces fills in the collections that r asks for by name and offset, or else
// those that the person is known to like.
func findPlaces(r *http.Request, transfer *globus.Transfer, places *components.Places) error {
	query := r.URL.Query()
	places.Text = oneLine(query.Get("q"))
	if places.Text != "" {
		offset, _ := strconv.Atoi(query.Get("offset"))
		places.Offset = min(max(0, offset), lastPlace)
		for c, err := range transfer.SearchCollections(r.Context(), globus.CollectionQuery{Text: places.Text, Offset: places.Offset, PageSize: placesPerPage + 1}) {
			if err != nil {
				return err
			}
			if len(places.Found) == placesPerPage {
				places.Next = places.Offset + placesPerPage
				break
			}
			places.Found = append(places.Found, c)
		}
		return nil
	}
	for c, err := range transfer.SearchCollections(r.Context(), globus.CollectionQuery{Scope: globus.SearchRecent, PageSize: placesPerPage}) {
		if err != nil {
			return err
		}
		if places.Recent = append(places.Recent, c); len(places.Recent) == placesPerPage {
			break
		}
	}
	var err error
	places.Bookmarks, err = transfer.Bookmarks(r.Context())
	return err
}

// isFolder reports whether path can be that of a folder: from the root down.
func isFolder(path string) bool {
	return strings.HasPrefix(path, "/") && utf8.ValidString(path) && !strings.Contains(path, "\x00")
}
