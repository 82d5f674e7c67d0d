package components

import (
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.org/portal/globus"
)

// A Folder is a page of what is in one folder of a Globus collection.
type Folder struct {
	Site
	Collection string         // its UUID
	Path       string         // of the folder, with a slash at its end; "" if Globus does not say
	Entries    []globus.Entry // those on this page
	Now        time.Time      // for "3 minutes ago"
	Name       string         // only those with this in their name are listed; "": all
	Sort       Sort           // the order of the whole list
	Paging                    // of Entries; Route takes the place of Self
	Chosen     Sending        // what is ticked here, on this page or not, and what else is chosen for sending it
}

// A Sort is an order of the entries of a folder.
type Sort string

// The orders.
const (
	SortName    Sort = "" // from A to Z
	SortNewest  Sort = "newest"
	SortLargest Sort = "largest"
)

// fewEntries is up to how many entries a list has no filter.
const fewEntries = 12

// BrowsePath returns the path, as a browser sees it, of the page of a folder; ""
// is the folder in which the collection begins.
func (s Site) BrowsePath(collection, folder string) string {
	return Folder{Site: s, Collection: collection, Path: folder}.page(0)
}

// to returns the path of the page of another folder of the collection.
func (f Folder) to(folder string) string {
	f.Path, f.Name, f.Offset, f.Chosen = folder, "", 0, f.Chosen.Without()
	return f.Site.Path(f.Route())
}

// page returns the path of the page of the same list that begins at offset. It does not
// hold what is chosen: the form does that is sent there.
func (f Folder) page(offset int) string {
	f.Offset, f.Chosen = offset, Sending{}
	return f.Site.Path(f.Route())
}

// unfiltered returns the path of the first page of the list of all entries.
func (f Folder) unfiltered() string {
	f.Name = ""
	return f.page(0)
}

// Route is the path of the page of f, with what is chosen, but without the path of the
// site.
func (f Folder) Route() string {
	var fields []Field
	for _, item := range f.Chosen.Items {
		fields = append(fields, Field{"item", escapeLines(item)})
	}
	fields = append(fields, f.Chosen.how()...)
	for _, field := range []Field{{"path", f.Path}, {"name", f.Name}, {"sort", string(f.Sort)}, {"offset", onlyIf(f.Offset > 0, strconv.Itoa(f.Offset))}} {
		if field.Value != "" {
			fields = append(fields, field)
		}
	}
	route := "/files/" + url.PathEscape(f.Collection)
	if len(fields) == 0 {
		return route
	}
	return route + "?" + encode(fields)
}

// FolderAbove returns the folder that a file or folder is in, with a slash
// at its end; "" if file is the root or "".
func FolderAbove(file string) string {
	trimmed := strings.TrimRight(file, "/")
	if trimmed == "" {
		return ""
	}
	return strings.TrimSuffix(path.Dir(trimmed), "/") + "/"
}

// Item returns what e is called among the items of a Sending: its name, with a slash at
// the end if it is a folder; "" if it cannot be sent.
func (f Folder) Item(e globus.Entry) string {
	switch {
	case f.Path == "" || !IsName(e.Name):
		return ""
	case e.IsDir():
		return e.Name + "/"
	case e.Type == globus.EntryFile:
		return e.Name
	}
	return ""
}

// isTicked reports whether an item is chosen.
func (f Folder) isTicked(item string) bool { return slices.Contains(f.Chosen.Items, item) }

// tickedWords says how much is ticked; app.js says it in the same words.
func (f Folder) tickedWords() string {
	if f.isTicked(Everything) {
		return "Everything is ticked"
	}
	return strconv.Itoa(len(f.Chosen.Items)) + " ticked"
}

// elsewhere returns the items that are chosen, and are not on this page.
func (f Folder) elsewhere() (items []string) {
	here := map[string]bool{Everything: true}
	for _, e := range f.Entries {
		here[f.Item(e)] = true
	}
	return slices.DeleteFunc(slices.Clone(f.Chosen.Items), func(item string) bool { return here[item] })
}

// A crumb is a folder on the way to another.
type crumb struct{ name, path string }

// crumbs are the folders from the root of the collection down to this one.
func (f Folder) crumbs() []crumb {
	all := []crumb{{"Root", "/"}}
	path := "/"
	for name := range strings.SplitSeq(strings.Trim(f.Path, "/"), "/") {
		if name != "" {
			path += name + "/"
			all = append(all, crumb{name, path})
		}
	}
	return all
}

// FileManagerURL is Globus's own page of the folder.
func (f Folder) FileManagerURL() string {
	q := url.Values{"origin_id": {f.Collection}}
	if f.Path != "" {
		q.Set("origin_path", f.Path)
	}
	return "https://app.globus.org/file-manager?" + q.Encode()
}
