package globustest

import (
	"cmp"
	"errors"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// transfer adapts an endpoint of Globus Transfer: only a person's own token for
// Transfer opens it, and it knows what they allowed the app. It holds e.mu.
func (e *Emulator) transfer(h func(*http.Request, grant) (any, error)) http.Handler {
	return answer(func(r *http.Request) (any, error) {
		e.mu.Lock()
		defer e.mu.Unlock()
		secret, sent := e.bearer(r)
		t, ok := e.liveToken(secret)
		if !sent || !ok || t.Refresh || t.ResourceServer != transferServer {
			return nil, transferRefusal(r, http.StatusUnauthorized, "AuthenticationFailed", "Token is not valid")
		}
		if len(e.lie.ConsentRequired) > 0 {
			refused := transferRefusal(r, http.StatusForbidden, "ConsentRequired", "Missing required data_access consent")
			refused.body["required_scopes"] = e.lie.ConsentRequired
			return nil, refused
		}
		return h(r, t.Grant)
	}, http.MethodGet)
}

// history returns the tasks of a person who exists. It needs e.mu.
func (e *Emulator) history(key string) history {
	now := e.now()
	if _, ok := e.shown[key]; !ok {
		e.shown[key] = now
	}
	person, _ := e.person(key)
	return history{Person: person, began: e.shown[key], now: now}
}

// task answers with one task. A person who asks for somebody else's is told that
// there is none.
func (e *Emulator) task(r *http.Request, g grant) (any, error) {
	h := e.history(g.Person)
	if _, err := e.readQuery(r); err != nil {
		return nil, err
	}
	id := strings.TrimPrefix(r.URL.Path, TaskPath)
	i := slices.IndexFunc(h.Tasks, func(t Task) bool { return t.ID == id })
	if i < 0 {
		return nil, transferRefusal(r, http.StatusNotFound, "ClientError.NotFound", "No task found with id '"+id+"'")
	}
	return e.lie.Task.apply(h.document(h.Tasks[i])), nil
}

// readQuery reads the parameters in the URL: those with one of names.
func (e *Emulator) readQuery(r *http.Request, names ...string) (url.Values, error) {
	params, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badParameter(r, "Malformed query")
	}
	params, unknown := e.known(r, params, names)
	if unknown != "" { // Globus may well know it
		return nil, badParameter(r, "Unknown parameter '"+unknown+"'")
	}
	filters := params["filter"] // the one that may be repeated (globus/globus-sdk-python, operation_ls)
	delete(params, "filter")
	if name := repeated(params); name != "" {
		return nil, badParameter(r, "Repeated parameter '"+name+"'")
	}
	if filters != nil {
		params["filter"] = filters
	}
	return params, nil
}

func badParameter(r *http.Request, message string) *refusal {
	return transferRefusal(r, http.StatusBadRequest, "ClientError.BadRequest", message)
}

// A Collection is a place with files, of which Globus Transfer lists what is in a
// directory.
type Collection struct {
	ID    string // a UUID, each their own; required
	Name  string // for people
	Files []File // and directories; nil: it is empty

	// DataAccess: Transfer lists nothing until the person has allowed the app the
	// scope data_access of this collection.
	DataAccess bool

	// Transfer lists nothing, and says so with 502, until the session of the person
	// with the app has an identity of one of Domains and, with MFA, a second
	// factor. Neither: any session will do.
	Domains []string
	MFA     bool
}

// A File is a file, or an empty directory, in a Collection.
type File struct {
	Path string        // such as /photo51/one.tif; with a slash at its end, a directory. Directories above a file are there of themselves
	Size int64         // in bytes
	Ago  time.Duration // since it was changed; 0: just now
}

func checkCollections(all []Collection) error {
	seen := map[string]bool{}
	for _, c := range all {
		if !uuidForm.MatchString(c.ID) || seen[c.ID] {
			return errors.New("globustest: every collection needs a UUID of its own")
		}
		seen[c.ID] = true
		for _, f := range c.Files {
			if !strings.HasPrefix(f.Path, "/") || strings.Contains(f.Path, "//") {
				return errors.New("globustest: the path of a file is like /a/b")
			}
		}
	}
	return nil
}

// DemoCollections returns four of the collections that the demo people's tasks
// are about, under the ids that they have there: "Example Light Source, beamline 7",
// open to all; "Example University Research Storage", which wants data_access;
// "Example Supercomputer scratch", which wants an identity of example.edu and a
// second factor; and "Tape archive", which wants an identity of lab.example.org.
func DemoCollections() []Collection {
	return []Collection{
		{ID: nameUUID(beamline), Name: beamline, Files: beamlineFiles()},
		{ID: nameUUID(storage), Name: storage, DataAccess: true, Files: []File{
			{"/home/notes.txt", 2 * kB, day}, {"/home/drafts/", 0, 30 * day}, {"/shared/photo51.tif", 48 * mB, 90 * day},
		}},
		{ID: nameUUID(cluster), Name: cluster, Domains: []string{"example.edu"}, MFA: true, Files: []File{
			{"/scratch/run-1.out", 7 * gB, time.Hour}, {"/scratch/run-2.out", 9 * gB, time.Minute},
		}},
		{ID: nameUUID(archive), Name: archive, Domains: []string{"lab.example.org"}, Files: []File{
			{"/1952/tape-1.tar", 2 * tB, 400 * day},
		}},
	}
}

// beamlineFiles have what a page of a directory may meet.
func beamlineFiles() []File {
	return []File{
		{"/README.txt", 1 * kB, 40 * day},
		{"/photo51/exposure-01.tif", 48 * mB, 10 * day},
		{"/photo51/exposure-02.tif", 49 * mB, 10 * day},
		{"/photo51/raw/frame 1 & 2.h5", 3 * gB, 11 * day},
		{"/empty/", 0, day},
		{"/odd names/<script>alert(1)<", 1, day},
		{"/odd names/per%20cent?#&=+", 2, day},
		{"/odd names/\u202eevil.txt", 3, day},
		{"/odd names/.hidden", 4, day},
		{"/odd names/ü.dat", 0, day},
	}
}

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
	q, err := e.readListQuery(r)
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
// person allows the app counts for all of its tokens, those that it has included:
// globus/globus-cli repeats a request with the token that it had.
func (e *Emulator) admit(r *http.Request, c Collection, g grant) error {
	path := slices.Concat(g.Above, []string{transferScope, c.dataAccess()})
	if c.DataAccess && !e.state.allows(g.Person, g.root(), path...) {
		refused := transferRefusal(r, http.StatusForbidden, "ConsentRequired", "Missing required data_access consent")
		refused.body["required_scopes"] = []string{transferScope + "[*" + c.dataAccess() + "]"}
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

func (e *Emulator) readListQuery(r *http.Request) (listQuery, error) {
	params, err := e.readQuery(r, "path", "show_hidden", "limit", "offset", "orderby")
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
