package globustest

import (
	"cmp"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// The largest page of a directory, and the largest directory that Transfer lists.
const (
	largestList      = 100_000
	largestDirectory = 5_000_000
)

// list lists a directory of a collection.
func (e *Emulator) list(r *http.Request, g grant) (any, error) {
	p, err := e.enter(r, segment(r, ListPath), g, listing)
	if err != nil {
		return nil, err
	}
	q, err := e.readListQuery(r, p.Collection)
	if err != nil {
		return nil, err
	}
	nodes, err := p.directory(r, q.absolute)
	if err != nil {
		return nil, err
	}
	entries := []document{}
	for _, n := range nodes {
		if q.hidden || !strings.HasPrefix(n.name, ".") {
			entries = append(entries, n.document())
		}
	}
	entries = q.filterAndSort(entries)
	list := q.part(entries)
	doc := document{
		"DATA_TYPE":         "file_list",
		"DATA":              list,
		"endpoint":          p.ID,
		"path":              q.path,
		"absolute_path":     nil,
		"length":            len(list),
		"total":             len(entries),
		"rename_supported":  true,
		"symlink_supported": true,
	}
	if q.path != q.absolute {
		doc["absolute_path"] = q.absolute
	}
	return e.lie.List.apply(doc), nil
}

// directory returns the entries of a directory.
func (p *place) directory(r *http.Request, dir string) ([]*node, error) {
	n, err := p.files().find(clean(dir))
	switch {
	case p.isClosed(clean(dir)):
		return nil, deniedPath(r, p)
	case errors.Is(err, errNoDir) || err == nil && !n.dir:
		return nil, listing.failed(r, p, "NotDirectory", "Not a directory")
	case err != nil:
		return nil, transferRefusal(r, http.StatusNotFound, "ClientError.NotFound", "Directory '"+dir+"' not found on endpoint")
	case len(n.kids) > largestDirectory:
		return nil, listing.failed(r, p, "SizeLimit", "The directory has too many entries")
	}
	return n.list(), nil
}

// stat responds with the file or directory at a path.
func (e *Emulator) stat(r *http.Request, g grant) (any, error) {
	p, err := e.enter(r, segment(r, ListPath), g, listing) // its errors are those of a list
	if err != nil {
		return nil, err
	}
	params, err := e.readQuery(r, "path", "local_user")
	if err != nil {
		return nil, err
	}
	at, ok := p.absolute(params.Get("path"))
	if !ok {
		return nil, badParameter(r, "Invalid value for parameter 'path'")
	}
	n, err := p.files().find(at)
	if p.isClosed(at) {
		return nil, deniedPath(r, p)
	}
	if err != nil {
		return nil, transferRefusal(r, http.StatusNotFound, "NotFound",
			"Path not found, Error (list)\nEndpoint: "+p.Name+"\nMessage: No such file or directory\n---\nDetails: Error: '"+at+"' not found\\r\\n550 End.\\r\\n\n")
	}
	return n.document(), nil
}

// fileTemplate is the document of a file, as recorded by globus/globus-cli in
// tests/files/api_fixtures/ls_results.yaml.
var fileTemplate = readTemplate([]byte(`{
	"DATA_TYPE": "file", "name": null, "type": "file", "size": 0, "permissions": "0644", "user": "root", "group": "root", "last_modified": null,
	"link_target": null, "link_size": null, "link_user": null, "link_group": null, "link_last_modified": null
}`))

func (n *node) document() document {
	doc := maps.Clone(fileTemplate)
	doc["name"], doc["size"] = n.name, n.size
	doc["last_modified"] = n.changed.UTC().Format("2006-01-02 15:04:05-07:00") // a blank, not a T
	if n.dir {
		doc["type"], doc["permissions"], doc["size"] = "dir", "0755", int64(4096)
	}
	return doc
}

// A listQuery has the parameters of a list of a directory.
type listQuery struct {
	query
	path     string // as requested, with a slash at its end
	absolute string // the same directory, from the root
	hidden   bool   // show names that begin with a dot
}

// readListQuery accepts local_user without effect, because every person is mapped to the
// same files.
func (e *Emulator) readListQuery(r *http.Request, c Collection) (listQuery, error) {
	general, params, err := e.readListing(r, fileTemplate, largestList, largestList, "path", "show_hidden", "local_user")
	if err != nil {
		return listQuery{}, err
	}
	q := listQuery{query: general, path: cmp.Or(params.Get("path"), c.Home, "/")}
	if q.hidden, err = strconv.ParseBool(strings.ToLower(cmp.Or(params.Get("show_hidden"), "1"))); err != nil {
		return q, badParameter(r, "Invalid value for parameter 'show_hidden'")
	}
	absolute, ok := c.absolute(q.path)
	if !ok || e.strict && slices.Contains(strings.Split(q.path, "/"), "..") {
		return q, badParameter(r, "Invalid value for parameter 'path'")
	}
	if strings.HasPrefix(q.path, "~") {
		q.path = "/" + q.path
	}
	q.path, q.absolute = strings.TrimRight(q.path, "/")+"/", absolute+"/"
	return q, nil
}

// absolute returns the clean path for p, in which ~ stands for Home. It is not ok if p is
// invalid.
func (c Collection) absolute(p string) (path string, ok bool) {
	if p == "~" || strings.HasPrefix(p, "~/") {
		p = "/" + p
	}
	if !strings.HasPrefix(p, "/") || strings.Contains(p, "\x00") {
		return "", false
	}
	if below, ok := strings.CutPrefix(p+"/", "/~/"); ok {
		p = cmp.Or(c.Home, "/") + below
	}
	return clean(p), true
}
