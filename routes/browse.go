package routes

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

const (
	entriesPerPage = 100
	lastEntry      = 1_000_000 // Globus reads a folder from its start for each page
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
	folder := components.Folder{Site: a.Site, Collection: id, Now: a.Now(), Offset: min(max(0, offset), lastEntry)}

	transfer := a.globus.Transfer(a.Auth.Token(s, globus.TransferServer))
	query := globus.ListQuery{Path: path, Offset: folder.Offset, Limit: entriesPerPage + 1}
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
	return web.Show(w, r, "Files in a collection", components.FolderList(folder))
}

// isFolder reports whether path can be that of a folder: from the root down.
func isFolder(path string) bool {
	return strings.HasPrefix(path, "/") && utf8.ValidString(path) && !strings.Contains(path, "\x00")
}
