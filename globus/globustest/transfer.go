package globustest

import (
	"cmp"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
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

	// Home is the directory that /~/ stands for, and where a list begins that names
	// none, such as /home/ada/. Empty: the root.
	Home string

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
		if c.Home != "" && (c.Home[0] != '/' || c.Home[len(c.Home)-1] != '/') {
			return errors.New("globustest: the Home of a collection is like /a/")
		}
		for _, f := range c.Files {
			if !strings.HasPrefix(f.Path, "/") || strings.Contains(f.Path, "//") {
				return errors.New("globustest: the path of a file is like /a/b")
			}
		}
	}
	return nil
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
	q, err := e.readListQuery(r, c)
	if err != nil {
		return nil, err
	}
	entries, err := c.directory(r, q.absolute, e.now())
	if err != nil {
		return nil, err
	}
	entries = q.arrange(slices.DeleteFunc(entries, func(d document) bool { return !q.hidden && strings.HasPrefix(d["name"].(string), ".") }))
	list := []document{}
	for _, doc := range page(q.query, entries) {
		list = append(list, q.only(doc))
	}
	doc := document{
		"DATA_TYPE":         "file_list",
		"DATA":              list,
		"endpoint":          c.ID,
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
func (c Collection) directory(r *http.Request, dir string, now time.Time) (entries []document, err error) {
	found := map[string]bool{}
	exists := dir == "/"
	for _, f := range slices.Backward(c.Files) {
		rest, below := strings.CutPrefix(f.Path, dir)
		if f.Path+"/" == dir {
			return nil, transferRefusal(r, http.StatusBadGateway, "ExternalError.DirListingFailed.NotDirectory",
				"Error listing directory\nEndpoint: "+c.Name+"\nMessage: Not a directory\n---\nDetails: 500-Command failed. : Path is not a directory.")
		}
		if !below {
			continue
		}
		exists = true
		name, _, isDir := strings.Cut(rest, "/")
		if name == "" || found[name] {
			continue
		}
		found[name] = true
		entries = append(entries, f.document(name, isDir, now))
	}
	if !exists {
		return nil, transferRefusal(r, http.StatusNotFound, "ClientError.NotFound", "Directory '"+dir+"' not found on endpoint")
	}
	return entries, nil
}

// fileTemplate is the document of a file, as globus/globus-cli has recorded it in
// tests/files/api_fixtures/ls_results.yaml.
var fileTemplate = readTemplate([]byte(`{
	"DATA_TYPE": "file", "name": null, "type": "file", "size": 0, "permissions": "0644", "user": "root", "group": "root", "last_modified": null,
	"link_target": null, "link_size": null, "link_user": null, "link_group": null, "link_last_modified": null
}`))

func (f File) document(name string, isDir bool, now time.Time) document {
	doc := maps.Clone(fileTemplate)
	doc["name"], doc["size"] = name, f.Size
	doc["last_modified"] = now.Add(-f.Ago).UTC().Format("2006-01-02 15:04:05-07:00") // a blank, not a T
	if isDir {
		doc["type"], doc["permissions"], doc["size"] = "dir", "0755", int64(4096)
	}
	return doc
}

// A listQuery is what an app asks of a directory.
type listQuery struct {
	query
	path     string // as it is asked for, with a slash at its end
	absolute string // likewise, from the root
	hidden   bool
}

// readListQuery knows local_user, too, which changes nothing: every person is
// mapped to the same files.
func (e *Emulator) readListQuery(r *http.Request, c Collection) (listQuery, error) {
	general, params, err := e.readListing(r, fileTemplate, largestList, largestList, "path", "show_hidden", "local_user")
	if err != nil {
		return listQuery{}, err
	}
	home := cmp.Or(c.Home, "/")
	q := listQuery{query: general, path: cmp.Or(params.Get("path"), home)}
	if q.hidden, err = strconv.ParseBool(strings.ToLower(cmp.Or(params.Get("show_hidden"), "1"))); err != nil {
		return q, badParameter(r, "Invalid value for parameter 'show_hidden'")
	}
	if q.path == "~" || strings.HasPrefix(q.path, "~/") {
		q.path = "/" + q.path
	}
	if !strings.HasPrefix(q.path, "/") || e.strict && slices.Contains(strings.Split(q.path, "/"), "..") {
		return q, badParameter(r, "Invalid value for parameter 'path'")
	}
	q.path = strings.TrimRight(q.path, "/") + "/"
	q.absolute = q.path
	if below, ok := strings.CutPrefix(q.path, "/~/"); ok {
		q.absolute = home + below
	}
	q.absolute = strings.TrimRight(path.Clean(q.absolute), "/") + "/"
	return q, nil
}
