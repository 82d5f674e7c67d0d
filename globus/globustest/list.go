package globustest

import (
	"cmp"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"
)

const largestList = 100_000

// collectionID returns the id in the path of a directory's list.
func collectionID(path string) (id string, ok bool) {
	id, ok = strings.CutPrefix(path, ListPath)
	if !ok {
		return "", false
	}
	id, ok = strings.CutSuffix(id, "/ls")
	return id, ok && !strings.Contains(id, "/")
}

// list lists a directory of a collection, once the collection lets the person in.
func (e *Emulator) list(r *http.Request, g grant) (any, error) {
	id, _ := collectionID(r.URL.Path)
	i := slices.IndexFunc(e.collections, func(c Collection) bool { return c.ID == id })
	if i < 0 {
		return nil, transferRefusal(r, http.StatusNotFound, "EndpointNotFound", "No such endpoint '"+id+"'")
	}
	c := e.collections[i]
	if err := e.admit(r, c, g); err != nil {
		return nil, err
	}
	q, err := readListQuery(r)
	if err != nil {
		return nil, err
	}
	entries, ok := c.directory(q.path, e.now())
	if !ok {
		return nil, transferRefusal(r, http.StatusNotFound, "ClientError.NotFound", "Directory '"+q.path+"' not found on endpoint")
	}
	entries = q.arrange(entries)
	from := min(q.offset, len(entries))
	page := entries[from:min(from+q.limit, len(entries))]
	return e.lie.List.apply(map[string]any{
		"DATA_TYPE":         "file_list",
		"DATA":              slices.Concat([]map[string]any{}, page),
		"endpoint":          c.ID,
		"path":              q.path,
		"absolute_path":     nil,
		"length":            len(page),
		"total":             len(entries),
		"rename_supported":  true,
		"symlink_supported": true,
	}), nil
}

// admit says what a collection wants first of the person or the app. What the
// person allowed counts for tokens that came afterwards, which end if they take it
// back.
func (e *Emulator) admit(r *http.Request, c Collection, g grant) error {
	consent := transferScope + "[*" + c.dataAccess() + "]"
	if c.DataAccess && !slices.Contains(g.Consents, consent) {
		refused := transferRefusal(r, http.StatusForbidden, "ConsentRequired", "Missing required data_access consent")
		refused.body["required_scopes"] = []string{consent}
		return refused
	}
	person, _ := e.person(g.Person)
	if (requirement{Domains: c.Domains, MFA: c.MFA}).metBy(person, g.Used) {
		return nil
	}
	refused := transferRefusal(r, http.StatusBadGateway, "ExternalError.DirListingFailed.LoginFailed", "Command Failed: Error (login)")
	refused.body["authorization_parameters"] = map[string]any{
		"session_message":                c.Name + " asks who you are",
		"session_required_identities":    []string{},
		"session_required_single_domain": slices.Concat([]string{}, c.Domains),
		"session_required_mfa":           c.MFA,
	}
	return refused
}

// directory lists what is in a directory, in no order that anyone would want.
func (c Collection) directory(dir string, now time.Time) (entries []map[string]any, ok bool) {
	found := map[string]bool{}
	for _, f := range slices.Backward(c.Files) {
		rest, below := strings.CutPrefix(f.Path, dir)
		if !below {
			continue
		}
		ok = true
		name, _, isDir := strings.Cut(rest, "/")
		if name == "" || found[name] {
			continue
		}
		found[name] = true
		if isDir {
			f.Size = 4096
		}
		entries = append(entries, f.document(name, isDir, now))
	}
	return entries, ok || dir == "/"
}

func (f File) document(name string, isDir bool, now time.Time) map[string]any {
	doc := map[string]any{
		"DATA_TYPE":     "file",
		"name":          name,
		"type":          "file",
		"size":          f.Size,
		"permissions":   "0644",
		"user":          "root",
		"group":         "root",
		"last_modified": now.Add(-f.Ago).UTC().Format("2006-01-02 15:04:05-07:00"), // a blank, not a T
	}
	if isDir {
		doc["type"], doc["permissions"] = "dir", "0755"
	}
	for _, member := range []string{"target", "size", "user", "group", "last_modified"} {
		doc["link_"+member] = nil
	}
	return doc
}

// A listQuery is what an app asks of a directory.
type listQuery struct {
	path          string // with a slash at its end
	hidden        bool
	limit, offset int
	order         string // empty: none
}

func readListQuery(r *http.Request) (listQuery, error) {
	params, err := readQuery(r, "path", "show_hidden", "limit", "offset", "orderby")
	if err != nil {
		return listQuery{}, err
	}
	q := listQuery{order: params.Get("orderby"), path: cmp.Or(params.Get("path"), "/")}
	hidden := cmp.Or(params.Get("show_hidden"), "1")
	q.hidden = hidden == "1" || hidden == "true"
	limit, limitOK := number(params, "limit", largestList, 1, largestList)
	offset, offsetOK := number(params, "offset", 0, 0, math.MaxInt32)
	q.limit, q.offset = limit, offset
	switch {
	case !limitOK:
		return q, badParameter(r, "Invalid value for parameter 'limit'")
	case !offsetOK:
		return q, badParameter(r, "Invalid value for parameter 'offset'")
	case !slices.Contains([]string{"", "name", "name ASC", "name DESC"}, q.order):
		return q, badParameter(r, "Invalid value for parameter 'orderby'")
	case !slices.Contains([]string{"0", "1", "true", "false"}, hidden):
		return q, badParameter(r, "Invalid value for parameter 'show_hidden'")
	case !strings.HasPrefix(q.path, "/") || slices.Contains(strings.Split(q.path, "/"), ".."):
		return q, badParameter(r, "Invalid value for parameter 'path'")
	}
	q.path = strings.TrimRight(q.path, "/") + "/"
	return q, nil
}

// arrange leaves out what is not to be shown, and sorts the rest if it is to be.
func (q listQuery) arrange(entries []map[string]any) []map[string]any {
	name := func(e map[string]any) string { return e["name"].(string) }
	entries = slices.DeleteFunc(entries, func(e map[string]any) bool { return !q.hidden && strings.HasPrefix(name(e), ".") })
	switch q.order {
	case "name", "name ASC":
		slices.SortFunc(entries, func(a, b map[string]any) int { return cmp.Compare(name(a), name(b)) })
	case "name DESC":
		slices.SortFunc(entries, func(a, b map[string]any) int { return cmp.Compare(name(b), name(a)) })
	}
	return entries
}
