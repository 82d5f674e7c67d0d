package globustest

import (
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"example.org/portal/globus"
)

// A submission is the document that an app posts for a transfer or a delete. Each uses
// only some of the members.
type submission struct {
	SubmissionID string  `json:"submission_id"`
	Label        *string `json:"label"`
	Deadline     *string `json:"deadline"`
	Data         []item  `json:"DATA"`

	Source      string       `json:"source_endpoint"`
	Destination string       `json:"destination_endpoint"`
	SyncLevel   *int         `json:"sync_level"`
	Verify      bool         `json:"verify_checksum"`
	Preserve    bool         `json:"preserve_timestamp"`
	Encrypt     bool         `json:"encrypt_data"`
	SkipErrors  bool         `json:"skip_source_errors"`
	FailOnQuota bool         `json:"fail_on_quota_errors"`
	DeleteExtra bool         `json:"delete_destination_extra"`
	Filters     []filterRule `json:"filter_rules"`

	Endpoint      string `json:"endpoint"`
	Recursive     bool   `json:"recursive"`
	IgnoreMissing bool   `json:"ignore_missing"`
	Globs         bool   `json:"interpret_globs"`
}

// An item is one thing to transfer or to delete.
type item struct {
	DataType    string `json:"DATA_TYPE"`
	Source      string `json:"source_path"`
	Destination string `json:"destination_path"`
	Recursive   *bool  `json:"recursive"` // true: a directory; false: a file; nil: either
	Path        string `json:"path"`
}

// A filterRule includes or excludes files of a transfer. The first rule that matches
// decides.
type filterRule struct {
	Method string `json:"method"` // include or exclude
	Name   string `json:"name"`   // a pattern
	Type   string `json:"type"`   // file or dir; empty: both
}

var commonFields = []string{
	"submission_id", "label", "deadline", "DATA", "notify_on_succeeded", "notify_on_failed", "notify_on_inactive", "store_base_path_info",
	"skip_activation_check",
}

var transferFields = append([]string{
	"source_endpoint", "destination_endpoint", "sync_level", "verify_checksum", "preserve_timestamp", "encrypt_data", "skip_source_errors",
	"fail_on_quota_errors", "delete_destination_extra", "filter_rules", "source_local_user", "destination_local_user", "recursive_symlinks",
}, commonFields...)

var deleteFields = append([]string{"endpoint", "recursive", "ignore_missing", "interpret_globs", "local_user"}, commonFields...)

// submissionID responds with a new submission id. Submissions with the same id create one
// task.
func (e *Emulator) submissionID(r *http.Request, _ grant) (any, error) {
	if _, err := e.readQuery(r); err != nil {
		return nil, err
	}
	return document{"DATA_TYPE": "submission_id", "value": newUUID()}, nil
}

func (e *Emulator) submitTransfer(r *http.Request, g grant) (any, error) {
	var s submission
	if err := e.readBody(r, "transfer", &s, transferFields...); err != nil {
		return nil, err
	}
	return e.submit(r, g, transferType, s)
}

func (e *Emulator) submitDelete(r *http.Request, g grant) (any, error) {
	var s submission
	if err := e.readBody(r, "delete", &s, deleteFields...); err != nil {
		return nil, err
	}
	s.Source = s.Endpoint
	return e.submit(r, g, deleteType, s)
}

// submit creates the task of a submission, or finds the task that it created before.
func (e *Emulator) submit(r *http.Request, g grant, kind string, s submission) (any, error) {
	if !globus.IsUUID(s.SubmissionID) {
		return nil, badParameter(r, "submission_id is missing, or no UUID")
	}
	jobs := e.jobs(g.Person)
	if i := slices.IndexFunc(jobs, func(j *job) bool { return j.work != nil && j.work.SubmissionID == s.SubmissionID }); i >= 0 {
		return submitted(r, jobs[i], "Duplicate", "The task was submitted before with this submission_id"), nil
	}
	if err := s.check(r, kind); err != nil {
		return nil, err
	}
	places := []*place{}
	for _, id := range s.sides(kind) {
		p, err := e.admitTask(r, id, g)
		if err != nil {
			return nil, err
		}
		places = append(places, p)
	}
	j := e.newJob(g, kind, s, places)
	if err := j.work.resolve(r, places); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(jobs, j.conflicts) {
		return nil, transferRefusal(r, http.StatusConflict, "Conflict", "A task with identical paths has not yet completed")
	}
	for _, p := range places {
		e.markUsed(g.Person, p.ID)
	}
	e.tasks[g.Person] = append(jobs, j)
	e.runTasks()
	message := "The " + strings.ToLower(kind) + " has been accepted and a task has been created and queued for execution"
	return withStatus{http.StatusAccepted, submitted(r, j, "Accepted", message)}, nil
}

// sides returns the collections of a submission.
func (s submission) sides(kind string) []string {
	if kind == deleteType {
		return []string{s.Source}
	}
	return []string{s.Source, s.Destination}
}

// check returns an error if the document is invalid.
func (s submission) check(r *http.Request, kind string) error {
	switch {
	case len(s.Data) == 0 && kind == transferType:
		return transferRefusal(r, http.StatusBadRequest, "ClientError.BadRequest.NoTransferItems", "A transfer requires at least one item")
	case len(s.Data) == 0:
		return badParameter(r, "A delete requires at least one item")
	case s.Label != nil && !isLabel(*s.Label):
		return badParameter(r, "Invalid label")
	case s.SyncLevel != nil && (*s.SyncLevel < 0 || *s.SyncLevel > 3):
		return badParameter(r, "sync_level must be from 0 to 3")
	}
	for _, one := range s.Data {
		if want := strings.ToLower(kind) + "_item"; one.DataType != want {
			return badParameter(r, "The DATA_TYPE of an item must be '"+want+"'")
		}
	}
	for _, rule := range s.Filters {
		if !slices.Contains([]string{"include", "exclude"}, rule.Method) || rule.Name == "" {
			return badParameter(r, "Invalid filter rule")
		}
	}
	if s.Deadline != nil {
		if _, err := readTime(*s.Deadline); err != nil {
			return badParameter(r, "Invalid deadline")
		}
	}
	return nil
}

// isLabel reports whether s is a valid label of a task.
func isLabel(s string) bool {
	return len([]rune(s)) <= 128 && strings.TrimFunc(s, unicode.IsSpace) == s && !strings.ContainsAny(s, "\r\n")
}

// admitTask finds a collection for a task, and checks what it requires of the person and
// of the app. Whether Globus names the missing consents of both collections at once is not
// known; the emulator names one after the other. A paused collection accepts tasks, which
// wait.
func (e *Emulator) admitTask(r *http.Request, id string, g grant) (*place, error) {
	p, person, err := e.admit(r, id, g)
	if err != nil {
		return nil, err
	}
	switch {
	case !p.requirement().metBy(person, g.Used):
		refused := transferRefusal(r, http.StatusForbidden, "AuthPolicyFailed", "The session does not meet what "+p.Name+" requires")
		refused.body["authorization_parameters"] = p.parameters()
		return nil, refused
	case p.NoAccount:
		return nil, transferRefusal(r, http.StatusForbidden, "PermissionDenied", "No local account for your identities at "+p.Name)
	case p.Offline:
		return nil, transferRefusal(r, http.StatusBadGateway, "ExternalError", p.Name+" is not connected")
	}
	return p, nil
}

func (e *Emulator) newJob(g grant, kind string, s submission, places []*place) *job {
	person, _ := e.person(g.Person)
	now := e.taskTime()
	j := &job{
		person: person, id: nameUUID("task " + g.Person + s.SubmissionID), kind: kind, status: globus.TaskActive, requested: now,
		source: side{places[0].ID, places[0].Name}, deadline: now.Add(24 * time.Hour), work: &work{submission: s},
	}
	if s.Label != nil {
		j.label = *s.Label
	}
	if s.Deadline != nil {
		j.deadline, _ = readTime(*s.Deadline) // check has read it
	}
	j.options = document{"verify_checksum": false, "encrypt_data": false}
	if kind == transferType {
		j.destination = side{places[1].ID, places[1].Name}
		j.options = document{
			"sync_level": nil, "verify_checksum": s.Verify, "preserve_timestamp": s.Preserve, "encrypt_data": s.Encrypt,
			"skip_source_errors": s.SkipErrors, "fail_on_quota_errors": s.FailOnQuota, "delete_destination_extra": s.DeleteExtra,
		}
		if s.SyncLevel != nil {
			j.options["sync_level"] = *s.SyncLevel
		}
	}
	return j
}

// submitted is the response to a submission.
func submitted(r *http.Request, j *job, code, message string) document {
	dataType := strings.ToLower(j.kind) + "_result"
	doc := result(r, dataType, code, message)
	doc["submission_id"], doc["task_id"] = j.work.SubmissionID, j.id
	doc["task_link"] = document{
		"DATA_TYPE": "link", "rel": "related", "resource": "task", "title": "related task", "href": "task/" + j.id + "?format=json",
	}
	return doc
}

// conflicts reports whether other still runs and has a path in common with j.
func (j *job) conflicts(other *job) bool {
	if other.work == nil || ended(other.status) || other.kind != j.kind || other.source.id != j.source.id || other.destination.id != j.destination.id {
		return false
	}
	return slices.ContainsFunc(j.work.items, func(one target) bool {
		return slices.ContainsFunc(other.work.items, func(two target) bool { return one.from == two.from && one.to == two.to })
	})
}
