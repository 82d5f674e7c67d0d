package globustest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"example.org/portal/globus"
)

// The paths of the endpoints of Globus Search. The base URL is the issuer, or the issuer
// and /search.api.globus.org, which globus.Client.ServiceURL returns. In a request, the
// id of an index, or of a task, replaces the *.
const (
	IndexListPath     = "/v1/index_list"
	CreateIndexPath   = "/v1/index"
	IndexPath         = "/v1/index/*"
	ReopenIndexPath   = "/v1/index/*/reopen"
	QueryPath         = "/v1/index/*/search"
	ScrollPath        = "/v1/index/*/scroll"
	SubjectPath       = "/v1/index/*/subject"
	EntryPath         = "/v1/index/*/entry"
	IngestPath        = "/v1/index/*/ingest"
	BatchDeletePath   = "/v1/index/*/batch_delete_by_subject"
	DeleteByQueryPath = "/v1/index/*/delete_by_query"
	IndexTaskPath     = "/v1/task/*"
	IndexTaskListPath = "/v1/task_list/*"
	MappingPath       = "/beta/index/*/mapping"
)

const searchServer = globus.SearchServer

// An Index is an index of Globus Search. Apps search it, and add to it.
//
// What is not known about Search is decided here so that most programs work: simple
// queries split text into words at everything that is no letter or digit, ignore case, and
// match one of the words; filters compare texts whole; a Range includes the ends of from
// and to; a filter, and a query, must match within one entry, and facets count subjects by
// the entries that match; buckets of booleans are 1 and 0; unknown members of a query are
// rejected, and those of an entry ignored; the ingestion of a list ends at its first bad
// entry, and keeps those before. There are no calls about roles, no limits of rate and of
// the size of an index, and no relevance beyond the number of words found and boosts.
type Index struct {
	ID          string       // a UUID, unique; required
	Name        string       // display_name
	Description string       // empty: none
	Owner       string       // Key of the Person who may do everything with it; empty: nobody
	Writers     []string     // Keys of the people who may add and delete; nil: nobody but the owner
	Entries     []IndexEntry // those at the start; nil: none
}

// An IndexEntry is an entry of an Index.
type IndexEntry struct {
	Subject       string              // required
	ID            string              // empty: null
	VisibleTo     []string            // principals; nil: public
	PrincipalSets map[string][]string // by name; nil: none
	Content       map[string]any      // required
}

// An index is an Index with its content.
type index struct {
	Index
	created time.Time
	closed  bool              // it is to be deleted
	types   map[string]string // by path of the field
	entries []*indexed        // in the order in which they were first ingested
	bySub   map[string][]*indexed
	tasks   []*indexTask // the oldest first
	changed time.Time    // zero: never
}

// newIndex returns an index with its first entries, ingested by the same rules as
// later ones.
func newIndex(ix Index, now time.Time) (*index, error) {
	if !globus.IsUUID(ix.ID) {
		return nil, fmt.Errorf("globustest: index %q: its ID must be a UUID", ix.Name)
	}
	n := &index{Index: ix, created: now, types: map[string]string{}, bySub: map[string][]*indexed{}}
	for _, e := range ix.Entries {
		content, err := json.Marshal(e.Content)
		if err != nil {
			return nil, fmt.Errorf("globustest: index %s, subject %s: %w", ix.Name, e.Subject, err)
		}
		doc := entryDocument{Subject: e.Subject, VisibleTo: e.VisibleTo, PrincipalSets: e.PrincipalSets, Content: content}
		if e.ID != "" {
			doc.ID = &e.ID
		}
		if e.VisibleTo == nil {
			doc.VisibleTo = []string{globus.PrincipalPublic}
		}
		if err = doc.check(); err == nil {
			err = n.ingest(doc, nil)
		}
		if err != nil {
			return nil, fmt.Errorf("globustest: index %s, subject %s: %w", ix.Name, e.Subject, err)
		}
	}
	return n, nil
}

func newIndexes(all []Index, now time.Time) (map[string]*index, error) {
	indexes := map[string]*index{}
	for _, ix := range all {
		n, err := newIndex(ix, now)
		if err != nil {
			return nil, err
		}
		if indexes[ix.ID] != nil {
			return nil, errors.New("globustest: two indexes have the ID " + ix.ID)
		}
		indexes[ix.ID] = n
	}
	return indexes, nil
}

// A searcher is who calls Search.
type searcher struct {
	person     Person
	known      bool            // false: the call has no token
	principals map[string]bool // in which they are
}

// searcherOf returns who a person is to Search.
func searcherOf(p Person) searcher {
	s := searcher{p, true, map[string]bool{globus.PrincipalPublic: true, globus.PrincipalSignedIn: true}}
	for _, id := range p.identities() {
		s.principals[globus.PrincipalIdentity(id.Sub)] = true
	}
	for _, m := range p.Groups {
		if m.status() == string(globus.MembershipActive) {
			s.principals[globus.PrincipalGroup(m.Group)] = true
		}
	}
	return s
}

func (s searcher) isOneOf(principals []string) bool {
	return slices.ContainsFunc(principals, func(p string) bool { return s.principals[p] })
}

// sees reports whether the searcher may see an entry.
func (s searcher) sees(e *indexed) bool { return s.isOneOf(e.VisibleTo) }

func (n *index) isOwner(s searcher) bool { return s.known && n.Owner != "" && n.Owner == s.person.Key }
func (n *index) mayWrite(s searcher) bool {
	return n.isOwner(s) || s.known && slices.Contains(n.Writers, s.person.Key)
}

func (n *index) permissions(s searcher) []string {
	switch {
	case n.isOwner(s):
		return []string{"owner"}
	case n.mayWrite(s):
		return []string{"writer"}
	}
	return []string{}
}

// searchCall adapts an endpoint of Globus Search. scopes are the last words of the scopes of
// which the access token must have one; without a token the caller is nobody, if the first
// of them is "public". It holds e.mu.
func (e *Emulator) searchCall(h func(*http.Request, searcher) (any, error), scopes []string, methods ...string) http.Handler {
	return answer(func(r *http.Request) (any, error) {
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.indexes == nil {
			var err error
			if e.indexes, err = newIndexes(DemoIndexes(), e.now()); err != nil {
				return nil, err
			}
		}
		e.runIndexTasks()
		caller := searcher{principals: map[string]bool{globus.PrincipalPublic: true}}
		secret, sent := e.bearer(r)
		switch {
		case r.Header.Get("Authorization") == "" && scopes[0] == "public":
			return h(r, caller)
		case !sent:
			return nil, searchRefusal(http.StatusUnauthorized, "Unauthorized.Generic", "This call requires an access token")
		}
		t, ok := e.liveToken(secret)
		if !ok || t.Refresh || t.ResourceServer != searchServer {
			return nil, searchRefusal(http.StatusUnauthorized, "Unauthorized.InvalidToken", "The token is expired, revoked, or for another service")
		}
		allowed := func(scope string) bool {
			return slices.Contains(scopes, scope[strings.LastIndexByte(scope, ':')+1:])
		}
		if !slices.ContainsFunc(t.Scopes, allowed) {
			return nil, searchRefusal(http.StatusForbidden, "Forbidden.Generic", "The token has none of the scopes that this call requires")
		}
		if p, ok := e.person(t.Grant.Person); ok {
			caller = searcherOf(p)
		}
		return h(r, caller)
	}, methods...)
}

// The scopes of the calls of Search.
var (
	mayQuery  = []string{"public", "search", "all"}
	mayIngest = []string{"ingest", "all"}
	mayManage = []string{"all"}
)

// searchRoutes adds the endpoints of Globus Search.
func (e *Emulator) searchRoutes(routes map[string]http.Handler) map[string]http.Handler {
	byMethod := func(handlers map[string]http.Handler) http.Handler {
		methods := slices.Sorted(maps.Keys(handlers))
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if h, ok := handlers[r.Method]; ok {
				h.ServeHTTP(w, r)
				return
			}
			allowed(w, r, methods)
		})
	}
	const get, post, put, del, patch = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch
	maps.Copy(routes, map[string]http.Handler{
		IndexListPath:   e.searchCall(e.indexList, mayManage, get),
		CreateIndexPath: e.searchCall(e.createIndex, mayManage, post),
		IndexPath: byMethod(map[string]http.Handler{
			get:   e.searchCall(e.showIndex, append(mayQuery, "ingest"), get),
			patch: e.searchCall(e.updateIndex, mayManage, patch),
			del:   e.searchCall(e.deleteIndex, mayManage, del),
		}),
		ReopenIndexPath: e.searchCall(e.reopenIndex, mayManage, post),
		QueryPath:       e.searchCall(e.query, mayQuery, get, post),
		ScrollPath:      e.searchCall(e.scroll, mayQuery, post),
		SubjectPath: byMethod(map[string]http.Handler{
			get: e.searchCall(e.subject, mayQuery, get),
			del: e.searchCall(e.deleteSubject, mayIngest, del),
		}),
		EntryPath: byMethod(map[string]http.Handler{
			get:  e.searchCall(e.entry, mayQuery, get),
			post: e.searchCall(e.upsertEntry, mayIngest, post),
			put:  e.searchCall(e.upsertEntry, mayIngest, put),
			del:  e.searchCall(e.deleteEntry, mayIngest, del),
		}),
		IngestPath:        e.searchCall(e.ingest, mayIngest, post),
		BatchDeletePath:   e.searchCall(e.batchDelete, mayIngest, post),
		DeleteByQueryPath: e.searchCall(e.deleteByQuery, mayIngest, post),
		IndexTaskPath:     e.searchCall(e.indexTask, append(mayIngest, "search"), get),
		IndexTaskListPath: e.searchCall(e.indexTaskList, append(mayIngest, "search"), get),
		MappingPath:       e.searchCall(e.mapping, append(mayIngest, "search"), get),
	})
	return routes
}

// searchRefusal has the shape of Globus Search, a GError.
func searchRefusal(status int, code, message string) *refusal {
	return &refusal{status: status, body: map[string]any{
		"@datatype": "GError", "@version": "2017-09-01", "status": status, "code": code, "message": message, "request_id": strings.ToLower(randomText(8)),
	}}
}

// invalid says which member of the request is wrong, and why. Members are separated by dots.
func invalid(location, member, why string) *refusal {
	refused := searchRefusal(http.StatusBadRequest, "BadRequest.ValidationError", "Request failed input validation.")
	var messages any = []string{why}
	names := strings.Split(location+"."+member, ".")
	for _, name := range slices.Backward(names) {
		messages = map[string]any{name: messages}
	}
	refused.body["error_data"] = map[string]any{"messages": messages}
	return refused
}

func noRole(role string) *refusal {
	refused := searchRefusal(http.StatusForbidden, "Forbidden.Generic", "Access to this operation on the index is forbidden")
	refused.body["error_data"] = map[string]any{
		"cause": "You do not have the role " + role + " on the index", "recommended_resolution": "Ask the owner of the index for a role",
	}
	return refused
}

// indexOf returns the index of a request.
func (e *Emulator) indexOf(r *http.Request) (*index, error) {
	id := strings.Split(r.URL.Path, "/")[3]
	n := e.indexes[id]
	if n == nil {
		return nil, searchRefusal(http.StatusNotFound, "NotFound.NoSuchIndex", "There is no search index with the id "+id)
	}
	return n, nil
}

// openIndex returns the index of a request, if it can be searched and changed.
func (e *Emulator) openIndex(r *http.Request) (*index, error) {
	n, err := e.indexOf(r)
	if err == nil && n.closed {
		return nil, incompatibleStatus(n)
	}
	return n, err
}

func incompatibleStatus(n *index) *refusal {
	return searchRefusal(http.StatusConflict, "Conflict.IncompatibleIndexStatus", "Index status ("+n.status()+") did not allow the requested operation")
}

func (n *index) status() string {
	if n.closed {
		return "delete-pending"
	}
	return "open"
}

func (n *index) document() map[string]any {
	size := 0
	for _, e := range n.entries {
		size += len(e.content)
	}
	doc := map[string]any{
		"@datatype": "GSearchIndex", "@version": "2017-09-01", "id": n.ID, "display_name": n.Name, "description": n.Description,
		"status": n.status(), "available": !n.closed, "is_trial": true, "subscription_id": nil, "creation_date": n.created.UTC().Format(time.DateTime),
		"content_last_modified_date": nil, "max_size_in_mb": 1, "size_in_mb": size >> 20, "num_subjects": len(n.bySub), "num_entries": len(n.entries),
	}
	if !n.changed.IsZero() {
		doc["content_last_modified_date"] = n.changed.UTC().Format(time.DateTime)
	}
	return doc
}

func (n *index) documentFor(s searcher) map[string]any {
	doc := n.document()
	doc["permissions"] = n.permissions(s)
	return doc
}

func (e *Emulator) showIndex(r *http.Request, s searcher) (any, error) {
	n, err := e.indexOf(r)
	if err != nil {
		return nil, err
	}
	return n.documentFor(s), nil
}

func (e *Emulator) indexList(r *http.Request, s searcher) (any, error) {
	list := []any{}
	roles := commaList(r.URL.Query(), "filter_roles")
	for _, id := range slices.Sorted(maps.Keys(e.indexes)) {
		has := e.indexes[id].permissions(s)
		if len(has) > 0 && len(list) < 100 && (roles == nil || slices.Contains(roles, has[0])) {
			list = append(list, e.indexes[id].documentFor(s))
		}
	}
	return map[string]any{"index_list": list}, nil
}

// maxTrials is how many trial indices a person may own.
const maxTrials = 3

func (e *Emulator) createIndex(r *http.Request, s searcher) (any, error) {
	doc, err := e.readDocument(r)
	if err != nil {
		return nil, err
	}
	name, description := doc.text("display_name", ""), doc.text("description", "")
	switch doc.rest(); {
	case doc.err != nil:
		return nil, doc.err
	case name == "":
		return nil, invalid("json", "display_name", "Missing data for required field.")
	}
	owned := 0
	for _, n := range e.indexes {
		owned += boolInt(n.isOwner(s))
	}
	if owned >= maxTrials {
		return nil, searchRefusal(http.StatusConflict, "Conflict.LimitExceeded", "You own too many trial indices")
	}
	n, err := newIndex(Index{ID: newUUID(), Name: name, Description: description, Owner: s.person.Key}, e.now())
	if err != nil {
		return nil, err
	}
	e.indexes[n.ID] = n
	return n.document(), nil
}

func (e *Emulator) updateIndex(r *http.Request, s searcher) (any, error) {
	n, err := e.openIndex(r)
	if err != nil {
		return nil, err
	}
	if !n.isOwner(s) {
		return nil, noRole("admin")
	}
	doc, err := e.readDocument(r)
	if err != nil {
		return nil, err
	}
	name, description := doc.text("display_name", n.Name), doc.text("description", n.Description)
	if doc.rest(); doc.err != nil {
		return nil, doc.err
	}
	n.Name, n.Description = name, description
	return n.document(), nil
}

func (e *Emulator) deleteIndex(r *http.Request, s searcher) (any, error) {
	return e.close(r, s, true)
}

func (e *Emulator) reopenIndex(r *http.Request, s searcher) (any, error) {
	return e.close(r, s, false)
}

// close marks an index for deletion, or takes that back.
func (e *Emulator) close(r *http.Request, s searcher, closed bool) (any, error) {
	n, err := e.indexOf(r)
	switch {
	case err != nil:
		return nil, err
	case !n.isOwner(s):
		return nil, noRole("owner")
	case n.closed == closed:
		return nil, incompatibleStatus(n)
	}
	n.closed = closed
	return map[string]any{"index_id": n.ID, "acknowledged": true}, nil
}

func (e *Emulator) mapping(r *http.Request, s searcher) (any, error) {
	n, err := e.openIndex(r)
	if err != nil {
		return nil, err
	}
	if !n.mayWrite(s) {
		return nil, noRole("writer")
	}
	types := maps.Clone(n.types)
	maps.DeleteFunc(types, func(_, kind string) bool { return kind == objectType })
	return map[string]any{"mappings": types}, nil
}

const maxSearchBody = 10 << 20 // bytes

// readDocument reads the JSON object that an app posts.
func (e *Emulator) readDocument(r *http.Request) (*members, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxSearchBody+1))
	if err != nil || len(body) > maxSearchBody {
		return nil, searchRefusal(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge.Generic", "The body is too long, or broke off")
	}
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.UseNumber()
	var doc map[string]any
	if err := d.Decode(&doc); err != nil || doc == nil {
		return nil, searchRefusal(http.StatusBadRequest, "BadRequest.Generic", "The body is no JSON object")
	}
	return &members{doc: doc, known: map[string]bool{}}, nil
}

// members reads the members of a JSON object, and keeps the first error.
type members struct {
	doc   map[string]any
	path  string // of the object in the request, with a dot at its end; empty: it is the request
	known map[string]bool
	err   error
}

func (m *members) wrong(name, why string) {
	if m.err == nil {
		m.err = invalid("json", m.path+name, why)
	}
}

// member returns a member as a T. Null counts as absent.
func member[T any](m *members, name string, fallback T, want string) T {
	m.known[name] = true
	value, there := m.doc[name]
	if !there || value == nil {
		return fallback
	}
	typed, ok := value.(T)
	if !ok {
		m.wrong(name, "Not a valid "+want+".")
		return fallback
	}
	return typed
}

func (m *members) text(name, fallback string) string { return member(m, name, fallback, "string") }
func (m *members) flag(name string) bool             { return member(m, name, false, "boolean") }
func (m *members) list(name string) []any            { return member[[]any](m, name, nil, "list") }

func (m *members) texts(name string) (all []string) {
	for _, value := range m.list(name) {
		text, ok := value.(string)
		if !ok {
			m.wrong(name, "Not a valid string.")
		}
		all = append(all, text)
	}
	return all
}

func (m *members) number(name string, fallback float64) float64 {
	n, err := member(m, name, json.Number(fmt.Sprint(fallback)), "number").Float64()
	if err != nil {
		m.wrong(name, "Not a valid number.")
	}
	return n
}

func (m *members) integer(name string, fallback, least, most int64) int {
	n, err := member(m, name, json.Number(fmt.Sprint(fallback)), "integer").Int64()
	switch {
	case err != nil:
		m.wrong(name, "Not a valid integer.")
	case n < least || n > most:
		m.wrong(name, fmt.Sprintf("Must be greater than or equal to %d and less than or equal to %d.", least, most))
	}
	return int(n)
}

// object returns the members of an object in m; value is one of its members, or of a list
// in it.
func (m *members) object(name string, value any) *members {
	doc, ok := value.(map[string]any)
	if !ok {
		m.wrong(name, "Not a valid object.")
	}
	return &members{doc: doc, path: m.path + name + ".", known: map[string]bool{}, err: m.err}
}

// rest rejects members that nothing has read.
func (m *members) rest() {
	for _, name := range slices.Sorted(maps.Keys(m.doc)) {
		if !m.known[name] {
			m.wrong(name, "Unknown field.")
		}
	}
}
