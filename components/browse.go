package components

import (
	"net/url"
	"path"
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
	Paging                    // of Entries
}

// fewEntries is up to how many entries a list has no filter.
const fewEntries = 12

// BrowsePath returns the path, as a browser sees it, of the page of a folder; ""
// is the folder in which the collection begins.
func (s Site) BrowsePath(collection, folder string) string {
	return Folder{Site: s, Collection: collection, Path: folder}.page(0)
}

// to returns the path of the page of another folder of the collection.
func (f Folder) to(folder string) string { return f.BrowsePath(f.Collection, folder) }

// page returns the path of the page of the same list that begins at offset.
func (f Folder) page(offset int) string {
	q := url.Values{}
	if f.Path != "" {
		q.Set("path", f.Path)
	}
	if f.Name != "" {
		q.Set("name", f.Name)
	}
	if offset > 0 {
		q.Set("offset", strconv.Itoa(offset))
	}
	path := f.Site.Path("/files/" + url.PathEscape(f.Collection))
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
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

// checkboxValue returns what the checkbox of e sends: its name, with a slash at the
// end if it is a folder.
func checkboxValue(e globus.Entry) string {
	if e.IsDir() {
		return e.Name + "/"
	}
	return e.Name
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
