package globustest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The limits of Search (Search API, "Limits").
const (
	maxSubject        = 500      // bytes
	maxField          = 32 << 10 // bytes of one text
	maxVisibleTo      = 100
	maxEntries        = 10 // of a subject
	maxContentDepth   = 20
	maxFieldsPerIndex = 1000
)

// An entryDocument is an entry as apps send it, a GMetaEntry.
type entryDocument struct {
	Subject       string              `json:"subject"`
	ID            *string             `json:"id"`
	Content       json.RawMessage     `json:"content"`
	VisibleTo     []string            `json:"visible_to"`
	PrincipalSets map[string][]string `json:"principal_sets"`
}

// An indexed is an entry in an index.
type indexed struct {
	entryDocument
	content json.RawMessage
	fields  map[string][]any // values by path: string, float64, bool or, of geo types, any
	words   map[string]bool  // in all of them
}

func (d entryDocument) id() string {
	if d.ID == nil {
		return ""
	}
	return *d.ID
}

// check returns why Search rejects the entry before it makes a task of it.
func (d entryDocument) check() error {
	bad := func(member, why string) error { return invalid("json", "ingest_data."+member, why) }
	var content map[string]any
	switch {
	case d.Subject == "" || len(d.Subject) > maxSubject:
		return bad("subject", "Length must be between 1 and 500.")
	case json.Unmarshal(d.Content, &content) != nil || content == nil:
		return bad("content", "Not a valid object.")
	case len(d.VisibleTo) == 0:
		return bad("visible_to", "Missing data for required field.")
	case len(d.VisibleTo) > maxVisibleTo:
		return bad("visible_to", "Longer than maximum length 100.")
	case depth(content) > maxContentDepth:
		return bad("content", "The object is nested too deep.")
	}
	for _, p := range d.VisibleTo {
		if !isPrincipal(p) {
			return bad("visible_to", "Not a principal: "+p)
		}
	}
	for name, list := range d.PrincipalSets {
		if slices.ContainsFunc(list, func(p string) bool { return !isPrincipal(p) }) {
			return bad("principal_sets", "Not a list of principals: "+name)
		}
	}
	return nil
}

func isPrincipal(p string) bool {
	return p == "public" || p == "all_authenticated_users" ||
		strings.HasPrefix(p, "urn:globus:auth:identity:") || strings.HasPrefix(p, "urn:globus:groups:id:")
}

func depth(v any) int {
	deepest := 0
	switch v := v.(type) {
	case map[string]any:
		for _, one := range v {
			deepest = max(deepest, depth(one))
		}
		return deepest + 1
	case []any:
		for _, one := range v {
			deepest = max(deepest, depth(one))
		}
	}
	return deepest
}

// The types of fields, in the words of Elasticsearch.
const (
	textType     = "text"
	longType     = "long"
	doubleType   = "double"
	booleanType  = "boolean"
	dateType     = "date"
	geoPointType = "geo_point"
	geoShapeType = "geo_shape"
	objectType   = "object"
)

// typeOf returns the type that Search gives to a field in which it first sees value; "" if
// value is null or a list.
func typeOf(value any) string {
	switch v := value.(type) {
	case bool:
		return booleanType
	case json.Number:
		if _, err := v.Int64(); err != nil {
			return doubleType
		}
		return longType
	case string:
		if _, ok := readDate(v); ok {
			return dateType
		}
		return textType
	case map[string]any:
		return objectType
	}
	return ""
}

// dateLayouts are the forms of dates that Search detects (Search API, "Mapped data types").
var dateLayouts = []string{
	time.DateOnly, time.DateTime, "2006/01/02 15:04:05 Z07:00", "2006/01/02 15:04:05 -0700",
	"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05-0700", "2006-01-02T15:04:05.000Z07:00", "2006-01-02T15:04:05.000-0700",
}

func readDate(text string) (time.Time, bool) {
	if len(text) < len(time.DateOnly) {
		return time.Time{}, false
	}
	for _, layout := range dateLayouts {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), true
		}
	}
	return time.Time{}, false
}

// stored returns a value as a field of a type holds it. The types of values widen to that
// of the field, but not the reverse.
func stored(kind string, value any) (any, bool) {
	number, isNumber := value.(json.Number)
	switch kind {
	case textType:
		switch value.(type) {
		case string, json.Number, bool:
			return fmt.Sprint(value), true
		}
		return nil, false
	case longType, doubleType:
		n, err := number.Float64()
		return n, isNumber && err == nil && (kind == doubleType || n == float64(int64(n)))
	case dateType:
		text, _ := value.(string)
		_, ok := readDate(text)
		return text, ok
	case booleanType:
		flag, ok := value.(bool)
		return flag, ok
	case geoPointType:
		p, ok := readPoint(value)
		return p, ok
	case geoShapeType:
		shape, ok := readShape(value)
		return shape, ok
	}
	return nil, false
}

// escapeField escapes the dots in a key, as in the names of fields in queries.
func escapeField(key string) string { return strings.ReplaceAll(key, ".", `\.`) }

// flatten adds the values in content to fields, and their types to types.
func flatten(fields map[string][]any, types map[string]string, path string, value any) error {
	if list, ok := value.([]any); ok && types[path] != geoPointType {
		for _, one := range list {
			if err := flatten(fields, types, path, one); err != nil {
				return err
			}
		}
		return nil
	}
	if value == nil {
		return nil
	}
	if path != "" {
		if types[path] == "" {
			types[path] = typeOf(value)
		}
		kind := types[path]
		object, isObject := value.(map[string]any)
		if isObject && kind == objectType {
			return flattenObject(fields, types, path+".", object)
		}
		v, ok := stored(kind, value)
		text, _ := v.(string)
		switch {
		case !ok:
			return fmt.Errorf("field '%s' has type %s, which does not take this value", path, kind)
		case len(text) > maxField:
			return fmt.Errorf("field '%s' has a value of more than 32 KB", path)
		}
		fields[path] = append(fields[path], v)
		return nil
	}
	return flattenObject(fields, types, "", value.(map[string]any))
}

func flattenObject(fields map[string][]any, types map[string]string, prefix string, object map[string]any) error {
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if err := flatten(fields, types, prefix+escapeField(key), object[key]); err != nil {
			return err
		}
	}
	return nil
}

// ingest adds an entry, or replaces the one with the same subject and id. geo has the types
// of field_mapping.
func (n *index) ingest(doc entryDocument, geo map[string]string) error {
	var content map[string]any
	d := json.NewDecoder(bytes.NewReader(doc.Content))
	d.UseNumber()
	if err := d.Decode(&content); err != nil {
		return err
	}
	types := maps.Clone(n.types)
	for path, kind := range geo {
		if types[path] != "" && types[path] != kind {
			return fmt.Errorf("field '%s' has type %s already", path, types[path])
		}
		types[path] = kind
	}
	e := &indexed{doc, doc.Content, map[string][]any{}, map[string]bool{}}
	if err := flatten(e.fields, types, "", content); err != nil {
		return err
	}
	if len(types) > maxFieldsPerIndex {
		return errors.New("the index would have too many fields")
	}
	for _, values := range e.fields {
		for _, v := range values {
			for _, word := range words(plainText(v)) {
				e.words[word] = true
			}
		}
	}
	same := func(other *indexed) bool { return other.Subject == doc.Subject && other.id() == doc.id() }
	if i := slices.IndexFunc(n.bySub[doc.Subject], same); i >= 0 {
		n.entries[slices.IndexFunc(n.entries, same)], n.bySub[doc.Subject][i] = e, e
	} else if len(n.bySub[doc.Subject]) >= maxEntries {
		return errors.New("the subject would have too many entries")
	} else {
		n.entries, n.bySub[doc.Subject] = append(n.entries, e), append(n.bySub[doc.Subject], e)
	}
	n.types = types
	return nil
}

// remove deletes the entries that gone reports.
func (n *index) remove(gone func(*indexed) bool) {
	n.entries = slices.DeleteFunc(n.entries, gone)
	for subject, list := range n.bySub {
		if list = slices.DeleteFunc(list, gone); len(list) == 0 {
			delete(n.bySub, subject)
		} else {
			n.bySub[subject] = list
		}
	}
}

// ingest accepts entries to add, and makes a task of them.
func (e *Emulator) ingest(r *http.Request, s searcher) (any, error) {
	doc, err := e.readDocument(r)
	if err != nil {
		return nil, err
	}
	kind, data := doc.text("ingest_type", ""), doc.doc["ingest_data"]
	geo := map[string]string{}
	for path, value := range member[map[string]any](doc, "field_mapping", nil, "object") {
		geo[path], _ = value.(string)
		if geo[path] != geoPointType && geo[path] != geoShapeType {
			doc.wrong("field_mapping", "Must be one of: geo_point, geo_shape.")
		}
	}
	list := []any{data}
	switch kind {
	case "GMetaEntry":
	case "GMetaList":
		list = doc.object("ingest_data", data).list("gmeta")
		if list == nil {
			doc.wrong("ingest_data.gmeta", "Missing data for required field.")
		}
	default:
		doc.wrong("ingest_type", "Must be one of: GMetaEntry, GMetaList.")
	}
	if doc.err != nil {
		return nil, doc.err
	}
	var entries []entryDocument
	for _, one := range list {
		entry, err := readEntry(r, one)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry)
	}
	return e.addTask(r, s, "ingest", func(n *index) error {
		for _, entry := range entries {
			if err := n.ingest(entry, geo); err != nil {
				return fmt.Errorf("subject %s: %w", entry.Subject, err)
			}
		}
		return nil
	})
}

// upsertEntry accepts one entry.
func (e *Emulator) upsertEntry(r *http.Request, s searcher) (any, error) {
	doc, err := e.readDocument(r)
	if err != nil {
		return nil, err
	}
	entry, err := readEntry(r, doc.doc)
	if err != nil {
		return nil, err
	}
	return e.addTask(r, s, "ingest", func(n *index) error { return n.ingest(entry, nil) })
}

// readEntry reads an entry that an app sends, and records unknown members.
func readEntry(r *http.Request, value any) (entry entryDocument, err error) {
	doc, ok := value.(map[string]any)
	if !ok {
		return entry, invalid("json", "ingest_data", "Not a valid object.")
	}
	for name := range doc {
		if !slices.Contains([]string{"subject", "id", "content", "visible_to", "principal_sets", "@version", "@datatype"}, name) {
			recordOf(r).ignore(name)
		}
	}
	text, err := json.Marshal(doc)
	if err == nil {
		err = json.Unmarshal(text, &entry)
	}
	if err != nil {
		return entry, invalid("json", "ingest_data", "A member has a value of another type than expected.")
	}
	return entry, entry.check()
}

// deleteSubject deletes a subject with all its entries.
func (e *Emulator) deleteSubject(r *http.Request, s searcher) (any, error) {
	params, err := e.searchParams(r, "subject")
	if err != nil {
		return nil, err
	}
	return e.deleteTask(r, s, "delete-by-subject", func(other *indexed) bool { return other.Subject == params.Get("subject") })
}

// batchDelete deletes some.
func (e *Emulator) batchDelete(r *http.Request, s searcher) (any, error) {
	doc, err := e.readDocument(r)
	if err != nil {
		return nil, err
	}
	subjects := doc.texts("subjects")
	if doc.rest(); doc.err != nil {
		return nil, doc.err
	}
	return e.deleteTask(r, s, "delete-by-subject", func(other *indexed) bool { return slices.Contains(subjects, other.Subject) })
}

// deleteEntry deletes one entry of a subject.
func (e *Emulator) deleteEntry(r *http.Request, s searcher) (any, error) {
	params, err := e.searchParams(r, "subject", "entry_id")
	if err != nil {
		return nil, err
	}
	return e.deleteTask(r, s, "delete-by-entry-id", func(other *indexed) bool {
		return other.Subject == params.Get("subject") && other.id() == params.Get("entry_id")
	})
}

// deleteByQuery deletes the subjects that have an entry that a query finds. In the version
// of 2017 it ignores what only says how to list them.
func (e *Emulator) deleteByQuery(r *http.Request, s searcher) (any, error) {
	n, err := e.openIndex(r)
	if err != nil {
		return nil, err
	}
	doc, err := e.readDocument(r)
	if err != nil {
		return nil, err
	}
	q, err := n.readQuery(doc, s, "delete_by_query#1.0.0")
	if err != nil {
		return nil, err
	}
	return e.addTask(r, s, "delete-by-query", func(n *index) error {
		found := map[string]bool{}
		for _, m := range n.matches(q, s) {
			found[m.subject] = true
		}
		n.remove(func(other *indexed) bool { return found[other.Subject] })
		return nil
	})
}

func (e *Emulator) deleteTask(r *http.Request, s searcher, kind string, gone func(*indexed) bool) (any, error) {
	return e.addTask(r, s, kind, func(n *index) error { n.remove(gone); return nil })
}

// searchParams reads the parameters in the URL of a call of Search; the first is required.
func (e *Emulator) searchParams(r *http.Request, names ...string) (url.Values, error) {
	params, unknown := e.known(r, r.URL.Query(), append(names, "bypass_visible_to"))
	switch {
	case unknown != "":
		return nil, invalid("query", unknown, "Unknown field.")
	case !params.Has(names[0]):
		return nil, invalid("query", names[0], "Missing data for required field.")
	}
	return params, nil
}

// An indexTask is a task of Search.
type indexTask struct {
	id, kind, state, message string
	created, completed       time.Time
	run                      func(*index) error
}

// indexTaskTime is how long a task takes, by the clock of tasks: nobody finds what was
// ingested at once.
const indexTaskTime = 200 * time.Millisecond

// addTask makes a task, which runs after those before it.
func (e *Emulator) addTask(r *http.Request, s searcher, kind string, run func(*index) error) (any, error) {
	n, err := e.openIndex(r)
	switch {
	case err != nil:
		return nil, err
	case !n.mayWrite(s):
		return nil, noRole("writer")
	}
	t := &indexTask{id: newUUID(), kind: kind, state: "PENDING", created: e.taskTime(), run: run}
	n.tasks = append(n.tasks, t)
	doc := map[string]any{"task_id": t.id}
	if kind == "ingest" {
		doc["acknowledged"] = true
	}
	return doc, nil
}

// runIndexTasks runs the tasks whose time has come. It needs e.mu.
func (e *Emulator) runIndexTasks() {
	for _, n := range e.indexes {
		var free time.Time
		for _, t := range n.tasks {
			if t.run == nil {
				free = t.completed
				continue
			}
			end := t.created.Add(indexTaskTime)
			if free.After(t.created) {
				end = free.Add(indexTaskTime)
			}
			if e.taskTime().Before(end) {
				break
			}
			t.state, t.completed, n.changed = "SUCCESS", end, end
			if err := t.run(n); err != nil {
				t.state, t.message = "FAILED", err.Error()
			}
			t.run, free = nil, end
		}
	}
}

func (t *indexTask) document(n *index) map[string]any {
	described := map[string]string{"PENDING": "Task is waiting to start", "SUCCESS": "Task succeeded", "FAILED": "Task failed"}
	doc := map[string]any{
		"task_id": t.id, "index_id": n.ID, "task_type": t.kind, "state": t.state, "state_description": described[t.state],
		"message": nil, "additional_details": nil, "creation_date": t.created.UTC().Format("2006-01-02T15:04:05.000000"), "completion_date": nil,
	}
	if t.message != "" {
		doc["message"], doc["additional_details"] = t.message, map[string]any{"errors": []string{t.message}}
	}
	if !t.completed.IsZero() {
		doc["completion_date"] = t.completed.UTC().Format("2006-01-02T15:04:05.000000")
	}
	return doc
}

func (e *Emulator) indexTask(r *http.Request, s searcher) (any, error) {
	id := segment(r, "/v1/task/")
	for _, n := range e.indexes {
		for _, t := range n.tasks {
			switch {
			case t.id != id:
			case !n.mayWrite(s):
				return nil, noRole("writer")
			default:
				return t.document(n), nil
			}
		}
	}
	return nil, searchRefusal(http.StatusNotFound, "NotFound.Generic", "There is no such task")
}

func (e *Emulator) indexTaskList(r *http.Request, s searcher) (any, error) {
	n, err := e.indexOf(r)
	if err != nil {
		return nil, err
	}
	if !n.mayWrite(s) {
		return nil, noRole("writer")
	}
	tasks := []any{}
	for _, t := range slices.Backward(n.tasks) {
		if len(tasks) < 1000 {
			tasks = append(tasks, t.document(n))
		}
	}
	return map[string]any{"index_id": n.ID, "tasks": tasks}, nil
}
