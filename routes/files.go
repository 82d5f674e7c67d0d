package routes

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

const (
	entriesPerPage = 100
	placesPerPage  = 20
	lastPlace      = 980 // Transfer finds 1000 at most
	maxDescribe    = 3 * time.Second
)

// browse shows what is in a folder of a Globus collection. It is the worked example
// of a call for which Globus may require something of the person first, such as
// consent for the collection: the handler returns that error like any other.
func (a *App) browse(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	id, path := strings.ToLower(r.PathValue("id")), r.URL.Query().Get("path")
	if !globus.IsUUID(id) || path != "" && !isFolder(path) {
		return &web.Problem{
			Status: http.StatusNotFound, Reason: "no_such_folder", Heading: "There is no such folder",
			Message: "Check the address, or go to the home page.",
		}
	}
	folder := a.folder(r, id, path)
	ticked := r.PostForm.Get("tick") // "all" on this page, "none", or "": as the boxes are
	if r.Method == http.MethodPost && ticked != "all" && a.fits(folder.Route()) {
		return web.Redirect(w, r, folder.Route())
	}

	transfer := a.globus.Transfer(a.Auth.Token(s, globus.TransferServer))
	query := globus.ListQuery{Path: path, Offset: folder.Offset, Limit: folder.Limit(), Name: folder.Name, OrderBy: orders[folder.Sort]}
	listing, err := transfer.List(r.Context(), id, query)
	if err != nil {
		err = a.cannotOpen(r, s, transfer, folder, err)
		if form := web.FormAgain(w, r); form != nil && globus.KindOf(err) != globus.KindRequirements {
			form.Label = "Try again" // with what is ticked, which no address can hold
			return &web.About{Err: err, Form: form}
		}
		return err
	}
	folder.Path = cmp.Or(listing.Path, path)
	if folder.Path != "" && !strings.HasSuffix(folder.Path, "/") {
		folder.Path += "/"
	}
	for _, e := range listing.Entries {
		if folder.Full(len(folder.Entries)) {
			break
		}
		folder.Entries = append(folder.Entries, e)
	}
	if ticked == "all" {
		for _, e := range folder.Entries {
			if item := folder.Item(e); item != "" && !slices.Contains(folder.Chosen.Items, item) {
				folder.Chosen.Items = append(folder.Chosen.Items, item)
			}
		}
		if a.fits(folder.Route()) {
			return web.Redirect(w, r, folder.Route())
		}
	}
	title := "Files in a collection"
	if !web.WantsFragment(r) { // a fragment has no title
		title = collectionName(r, transfer, id, title)
	}
	return web.Show(w, r, title, components.FolderList(folder))
}

// orders are what Transfer calls them.
var orders = map[components.Sort]string{components.SortNewest: "last_modified DESC,name", components.SortLargest: "size DESC,name"}

// folder returns the folder that r asks for, what it lists of it, and what is ticked
// there.
func (a *App) folder(r *http.Request, id, path string) components.Folder {
	form := formOf(r)
	paging := web.Paging(r, entriesPerPage)
	if r.PostForm.Has("list") { // what was typed counts, and not what was listed before
		form["name"], form["sort"], paging.Offset = r.PostForm["name"], r.PostForm["sort"], 0
	}
	f := components.Folder{
		Site: a.Site, Collection: id, Path: path, Now: a.Now(), Paging: paging,
		Name: oneLine(form.Get("name")), Sort: components.Sort(form.Get("sort")),
	}
	if orders[f.Sort] == "" {
		f.Sort = components.SortName
	}
	form["from"], form["path"] = []string{id}, []string{"/"} // that it is in this folder is all that matters
	if r.PostForm.Get("tick") == "none" {
		delete(form, "item")
	}
	if chosen, ok := components.SendingOf(form); ok {
		f.Chosen = chosen
	}
	return f
}

// formOf returns the fields of r's form and of its address. What the address says counts,
// because it says which button was pressed.
func formOf(r *http.Request) url.Values {
	form := maps.Clone(r.PostForm)
	if form == nil {
		form = url.Values{}
	}
	maps.Copy(form, r.URL.Query())
	return form
}

// fits reports whether one can return to a route from a sign-in. If not, what it says
// has to come in a form.
func (a *App) fits(route string) bool { return a.LocalPath(a.Path(route)) != "" }

// describe asks Transfer for a collection. ok is false if it does not answer within
// maxDescribe: pages do without its name then.
func describe(r *http.Request, transfer *globus.Transfer, id string) (c *globus.Collection, ok bool) {
	ctx, cancel := context.WithTimeout(r.Context(), maxDescribe)
	defer cancel()
	c, err := transfer.Collection(ctx, id)
	return c, err == nil
}

// collectionName returns the name of a collection, or unnamed if Transfer does not
// tell it.
func collectionName(r *http.Request, transfer *globus.Transfer, id, unnamed string) string {
	if c, ok := describe(r, transfer, id); ok {
		return c.Name()
	}
	return unnamed
}

// oldBrowse redirects from the former address of a folder to its present one.
func (a *App) oldBrowse(w http.ResponseWriter, r *http.Request) error {
	path := "/files/" + url.PathEscape(r.PathValue("id"))
	if r.URL.RawQuery != "" {
		path += "?" + r.URL.RawQuery
	}
	return web.Redirect(w, r, path)
}

// oneLine returns what somebody typed, as Transfer accepts it: without control
// characters and the blanks around it, and at most 100 characters.
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

// files shows a person's bookmarks and the collections that they used last, or finds
// collections by words.
func (a *App) files(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	places := components.Places{Site: a.Site}
	transfer := a.globus.Transfer(a.Auth.Token(s, globus.TransferServer))
	if err := a.findPlaces(r, transfer, &places); err != nil {
		return err
	}
	return web.Show(w, r, "Files", components.PlaceList(places))
}

// findPlaces fills in the collections that r asks for by words and offset, or else the
// person's bookmarks and the collections that they used last.
func (a *App) findPlaces(r *http.Request, transfer *globus.Transfer, places *components.Places) error {
	query := formOf(r)
	places.Text = oneLine(query.Get("q"))
	if places.Text != "" {
		places.Paging = web.Paging(r, placesPerPage)
		places.Offset = min(places.Offset, lastPlace)
		if places.Sending != nil { // r's address may not have what its form has
			places.Self = a.Path("/send?" + url.Values{"q": {places.Text}}.Encode())
		}
		for c, err := range transfer.SearchCollections(r.Context(), globus.CollectionQuery{Text: places.Text, Offset: places.Offset, PageSize: places.Limit()}) {
			if err != nil {
				return err
			}
			if places.Full(len(places.Found)) {
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

// isFolder reports whether Transfer can be asked to list path.
func isFolder(path string) bool {
	return strings.HasPrefix(path, "/") && utf8.ValidString(path) && !strings.Contains(path, "\x00")
}
