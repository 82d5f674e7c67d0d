package components

import (
	"net/url"
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
	Offset     int            // how many are before the first of Entries
	Next       int            // Offset of the next page; 0 if there is none
}

// fewEntries are seen at a glance: they need no filter.
const fewEntries = 12

// BrowsePath returns the path, as a browser sees it, of a page of a folder; ""
// is where the collection begins.
func (s Site) BrowsePath(collection, folder string, offset int) string {
	q := url.Values{}
	if folder != "" {
		q.Set("path", folder)
	}
	if offset > 0 {
		q.Set("offset", strconv.Itoa(offset))
	}
	path := s.Path("/files/" + url.PathEscape(collection))
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

func (f Folder) to(folder string, offset int) string {
	return f.BrowsePath(f.Collection, folder, offset)
}

// page is the address of another page of the same list.
func (f Folder) page(offset int) string {
	path := f.to(f.Path, offset)
	switch {
	case f.Name == "":
		return path
	case strings.Contains(path, "?"):
		return path + "&name=" + url.QueryEscape(f.Name)
	}
	return path + "?name=" + url.QueryEscape(f.Name)
}

// item is what e is called when it is ticked.
func (f Folder) item(e globus.Entry) string {
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
