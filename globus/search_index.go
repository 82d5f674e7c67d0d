package globus

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A SearchIndex describes an index of Globus Search. A member that Search sends as null is
// the zero value.
type SearchIndex struct {
	ID          string   `json:"id"`             // a UUID
	DisplayName string   `json:"display_name"`   // chosen by its owner
	Description string   `json:"description"`    // written by its owner
	Status      string   `json:"status"`         // open, or delete-pending (also written delete_pending)
	Trial       bool     `json:"is_trial"`       // may be deleted after 30 days
	Subjects    int64    `json:"num_subjects"`   // how many there are
	Entries     int64    `json:"num_entries"`    // of all subjects
	SizeMB      float64  `json:"size_in_mb"`     // of all entries
	MaxSizeMB   float64  `json:"max_size_in_mb"` // that the index may have
	Permissions []string `json:"permissions"`    // of the person: owner, admin, writer; nil: none, or Search does not say
}

// Index returns the index with a UUID. The error is an *Error or the error of the
// TokenFunc; its KindOf is KindNotFound if there is no such index.
func (s *Search) Index(ctx context.Context, id string) (*SearchIndex, error) {
	return s.index(ctx, http.MethodGet, indexPath(id, ""), nil)
}

// Indices lists the indices in which the person has one of these roles (owner, admin,
// writer), or any role. Search returns at most 100. The errors are those of Query.
func (s *Search) Indices(ctx context.Context, roles ...string) ([]SearchIndex, error) {
	params := url.Values{}
	if len(roles) > 0 {
		params.Set("filter_roles", strings.Join(roles, ","))
	}
	var answer struct {
		List []SearchIndex `json:"index_list"`
	}
	err := s.send(ctx, http.MethodGet, "/v1/index_list", params, nil, &answer)
	return answer.List, err
}

// CreateIndex creates a trial index that the person owns. The errors are those of Query.
func (s *Search) CreateIndex(ctx context.Context, name, description string) (*SearchIndex, error) {
	return s.index(ctx, http.MethodPost, "/v1/index", map[string]string{"display_name": name, "description": description})
}

// DeleteIndex marks an index for deletion. The errors are those of Index.
func (s *Search) DeleteIndex(ctx context.Context, id string) error {
	return s.send(ctx, http.MethodDelete, indexPath(id, ""), nil, nil, &struct{}{})
}

func (s *Search) index(ctx context.Context, method, path string, doc any) (*SearchIndex, error) {
	var index SearchIndex
	if err := s.send(ctx, method, path, nil, doc, &index); err != nil {
		return nil, err
	}
	if index.ID == "" {
		return nil, &Error{Call: "search", Reason: Malformed, Status: http.StatusOK, Detail: "the answer is no index"}
	}
	return &index, nil
}

// FieldTypes returns the types of the fields of an index by path, in the words of
// Elasticsearch: text, long, double, boolean, date. Search offers this call as beta, to
// writers of the index. The errors are those of Index.
func (s *Search) FieldTypes(ctx context.Context, id string) (map[string]string, error) {
	var answer struct {
		Mappings map[string]string `json:"mappings"`
	}
	err := s.send(ctx, http.MethodGet, "/beta/index/"+url.PathEscape(id)+"/mapping", nil, nil, &answer)
	return answer.Mappings, err
}

// An IngestEntry is an entry to add, or to replace: the one with the same Subject and ID.
type IngestEntry struct {
	Subject string // at most 500 bytes; required
	ID      string // "": null

	// VisibleTo says who can find the entry: PrincipalPublic, PrincipalSignedIn,
	// PrincipalIdentity and PrincipalGroup. At least one is required.
	VisibleTo []string

	// PrincipalSets are lists of principals for SearchQuery.FilterPrincipalSets, by their
	// names. Nil: none.
	PrincipalSets map[string][]string

	// Content becomes a JSON object. The first value that an index meets in a field fixes
	// the type of the field. Required.
	Content any
}

// Principals that everybody is in: with PrincipalSignedIn, everybody whose token Search
// accepts.
const (
	PrincipalPublic   = "public"
	PrincipalSignedIn = "all_authenticated_users"
)

// PrincipalIdentity returns the principal of the identity with a UUID.
func PrincipalIdentity(id string) string { return "urn:globus:auth:identity:" + id }

// PrincipalGroup returns the principal of the members of the group with a UUID.
func PrincipalGroup(id string) string { return "urn:globus:groups:id:" + id }

func (e IngestEntry) document() map[string]any {
	doc := map[string]any{"subject": e.Subject, "id": nil, "visible_to": e.VisibleTo, "content": e.Content}
	if e.ID != "" {
		doc["id"] = e.ID
	}
	if e.PrincipalSets != nil {
		doc["principal_sets"] = e.PrincipalSets
	}
	return doc
}

// Ingest adds entries to an index, or replaces them, and returns the UUID of the task
// that does it: nobody finds them before it has succeeded. types says which fields are
// geo_point or geo_shape; nil: none. A request may have 10 MB. The error is an *Error or
// the error of the TokenFunc.
func (s *Search) Ingest(ctx context.Context, index string, entries []IngestEntry, types map[string]string) (taskID string, err error) {
	list := make([]map[string]any, len(entries))
	for i, e := range entries {
		list[i] = e.document()
	}
	doc := map[string]any{"ingest_type": "GMetaList", "ingest_data": map[string]any{"gmeta": list}}
	if types != nil {
		doc["field_mapping"] = types
	}
	return s.submit(ctx, http.MethodPost, indexPath(index, "ingest"), nil, doc)
}

// DeleteSubjects deletes subjects with all their entries, also those that the person
// cannot see, and returns the UUID of the task that does it. The errors are those of
// Ingest.
func (s *Search) DeleteSubjects(ctx context.Context, index string, subjects ...string) (taskID string, err error) {
	return s.submit(ctx, http.MethodPost, indexPath(index, "batch_delete_by_subject"), nil, map[string]any{"subjects": subjects})
}

// DeleteEntry deletes one entry of a subject; the id "" stands for null. It returns the
// UUID of the task that does it. The errors are those of Ingest.
func (s *Search) DeleteEntry(ctx context.Context, index, subject, id string) (taskID string, err error) {
	return s.submit(ctx, http.MethodDelete, indexPath(index, "entry"), entryParams(subject, id), nil)
}

// DeleteByQuery deletes every subject of which q finds an entry, with all its entries,
// also those that the person cannot see. It uses Q, Advanced, AllWords, Filters and
// BypassVisibleTo. It returns the UUID of the task that does it. The errors are those of
// Ingest.
func (s *Search) DeleteByQuery(ctx context.Context, index string, q SearchQuery) (taskID string, err error) {
	q.Fields, q.FilterPrincipalSets = nil, nil
	return s.submit(ctx, http.MethodPost, indexPath(index, "delete_by_query"), nil, q.common("delete_by_query#1.0.0"))
}

func (s *Search) submit(ctx context.Context, method, path string, params url.Values, doc any) (taskID string, err error) {
	var answer struct {
		TaskID string `json:"task_id"`
	}
	if err := s.send(ctx, method, path, params, doc, &answer); err != nil {
		return "", err
	}
	if answer.TaskID == "" {
		return "", &Error{Call: "search", Reason: Malformed, Status: http.StatusOK, Detail: "the answer has no task_id"}
	}
	return answer.TaskID, nil
}

// The states of a SearchTask. The last two are final.
const (
	SearchTaskCreating = "CREATING"
	SearchTaskPending  = "PENDING"
	SearchTaskProgress = "PROGRESS"
	SearchTaskSuccess  = "SUCCESS"
	SearchTaskFailed   = "FAILED" // part of it may be done
)

// A SearchTask changes an index. The tasks of an index run one after the other.
type SearchTask struct {
	ID               string    `json:"task_id"`           // a UUID
	IndexID          string    `json:"index_id"`          // a UUID
	Type             string    `json:"task_type"`         // such as ingest or delete-by-subject
	State            string    `json:"state"`             // one of the states above
	StateDescription string    `json:"state_description"` // the state in words
	Message          string    `json:"message"`           // why it failed; "": none
	Created          time.Time `json:"-"`                 // zero if Search does not say
	Completed        time.Time `json:"-"`                 // zero if it has not ended
}

// Ended reports whether the state of the task is final.
func (t SearchTask) Ended() bool { return t.State == SearchTaskSuccess || t.State == SearchTaskFailed }

// Task returns the task with a UUID. The errors are those of Index.
func (s *Search) Task(ctx context.Context, id string) (*SearchTask, error) {
	var doc searchTaskDocument
	if err := s.send(ctx, http.MethodGet, "/v1/task/"+url.PathEscape(id), nil, nil, &doc); err != nil {
		return nil, err
	}
	if doc.ID == "" {
		return nil, &Error{Call: "search", Reason: Malformed, Status: http.StatusOK, Detail: "the answer is no task"}
	}
	return doc.task(), nil
}

// Tasks lists the tasks of an index, the latest first, at most 1000. The errors are those
// of Index.
func (s *Search) Tasks(ctx context.Context, index string) ([]SearchTask, error) {
	var answer struct {
		Tasks []searchTaskDocument `json:"tasks"`
	}
	if err := s.send(ctx, http.MethodGet, "/v1/task_list/"+url.PathEscape(index), nil, nil, &answer); err != nil {
		return nil, err
	}
	var tasks []SearchTask
	for _, doc := range answer.Tasks {
		tasks = append(tasks, *doc.task())
	}
	return tasks, nil
}

// A searchTaskDocument has the dates of a task as Search writes them: without a zone.
type searchTaskDocument struct {
	SearchTask
	CreationDate   string `json:"creation_date"`
	CompletionDate string `json:"completion_date"`
}

func (d searchTaskDocument) task() *SearchTask {
	read := func(text string) time.Time {
		at, _ := time.Parse("2006-01-02T15:04:05", strings.TrimSuffix(strings.Replace(text, " ", "T", 1), "Z"))
		return at
	}
	d.Created, d.Completed = read(d.CreationDate), read(d.CompletionDate)
	return &d.SearchTask
}
