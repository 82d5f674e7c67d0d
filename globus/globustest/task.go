package globustest

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.org/portal/globus"
)

// The types of tasks.
const (
	transferType = "TRANSFER"
	deleteType   = "DELETE"
)

// A Task is something that Globus Transfer does, or did, for a Person. The zero
// value is a transfer of nothing that SUCCEEDED at once, just now. It can be one
// that progresses, here from a third to its end in 40 seconds:
//
//	Task{Status: globus.TaskActive, Ago: 20 * time.Second, Takes: time.Minute, Files: 500, Bytes: 1 << 40}
type Task struct {
	ID     string            // empty: a UUID made of the person's Sub and the task's place, always the same
	Type   string            // TRANSFER or DELETE; empty: TRANSFER
	Status globus.TaskStatus // when the person is first shown their tasks; empty: SUCCEEDED
	Label  string            // empty: null

	Source      string // what the collection is called; its id is made of it
	Destination string // likewise; null for a DELETE

	// Ago is how long it had been there when the person's token was first used
	// at Transfer, on which occasion Ago is turned into a time that stays.
	Ago time.Duration

	// Takes is how long it runs, or ran. Of a task that has ended it is Ago at
	// most. Once an ACTIVE one is that old, it has SUCCEEDED; 0: it stands still
	// for ever.
	Takes time.Duration

	Files       int64 // all that there are, or of a task that progresses, that it will find
	Directories int64 // likewise
	Skipped     int64 // of Files
	Bytes       int64 // of all files
	Faults      int64 // errors met so far

	// Done is how much of Files and Bytes is done, from 0 to 1, where that is not
	// plain: in a task that FAILED, is INACTIVE, or stands still.
	Done float64

	Nice      string // nice_status of a task that has not ended; empty: null
	NiceWords string // nice_status_short_description; empty: null
	Paused    bool   // is_paused

	FatalError *globus.FatalError // nil: null

	Edit Edit // changes the document that Transfer sends
}

// at returns where a task stands that was requested so long ago, and how much of
// it is done.
func (t Task) at(age time.Duration) (status globus.TaskStatus, done float64) {
	switch {
	case t.Status == globus.TaskSucceeded:
		return t.Status, 1
	case !t.progresses():
		return t.Status, t.Done
	case age >= t.Takes:
		return globus.TaskSucceeded, 1
	}
	return globus.TaskActive, max(0, float64(age)/float64(t.Takes))
}

func (t Task) progresses() bool { return t.Status == globus.TaskActive && t.Takes > 0 }

func ended(status globus.TaskStatus) bool {
	return status == globus.TaskSucceeded || status == globus.TaskFailed
}

// fillTasks puts copies of the people's tasks in their places, nothing left open.
func fillTasks(people []Person) error {
	seen := map[string]bool{}
	for i := range people {
		p := &people[i]
		p.Tasks = slices.Clone(p.Tasks)
		for j := range p.Tasks {
			t := &p.Tasks[j]
			t.ID = cmp.Or(t.ID, nameUUID(p.Claims.Sub+" task "+strconv.Itoa(j)))
			t.Type = cmp.Or(t.Type, transferType)
			t.Status = cmp.Or(t.Status, globus.TaskSucceeded)
			if err := t.check(); err != nil {
				return fmt.Errorf("globustest: task %d of %s: %w", j, p.Key, err)
			}
			if seen[t.ID] {
				return fmt.Errorf("globustest: two tasks have the ID %s", t.ID)
			}
			seen[t.ID] = true
		}
	}
	return nil
}

func (t Task) check() error {
	switch {
	case !slices.Contains(taskTypes(), t.Type):
		return errors.New("its Type is neither TRANSFER nor DELETE")
	case !slices.Contains(taskStatuses(), string(t.Status)):
		return errors.New("its Status is none of Globus's")
	case t.Ago < 0 || t.Takes < 0:
		return errors.New("its Ago and Takes must not be negative")
	case ended(t.Status) && t.Takes > t.Ago:
		return errors.New("it has ended, but Takes longer than it is Ago")
	case t.Done < 0 || t.Done > 1:
		return errors.New("its Done is not from 0 to 1")
	}
	return nil
}

func taskTypes() []string { return []string{transferType, deleteType} }

func taskStatuses() []string {
	return []string{
		string(globus.TaskActive),
		string(globus.TaskInactive),
		string(globus.TaskSucceeded),
		string(globus.TaskFailed),
	}
}

// A history is the tasks of a person at one moment.
type history struct {
	Person
	began time.Time // when the person was first shown them
	now   time.Time
}

// age is how long ago t was requested.
func (h history) age(t Task) time.Duration { return h.now.Sub(h.began.Add(-t.Ago)) }

// document is t as Transfer sends it alone; in a list it has no DATA_TYPE. It has
// every member that Globus has been seen to send, and one that is new: there may
// be more any day.
func (h history) document(t Task) map[string]any {
	status, done := t.at(h.age(t))
	requested := h.began.Add(-t.Ago)
	doc := map[string]any{
		"DATA_TYPE":                         "task",
		"task_id":                           t.ID,
		"type":                              t.Type,
		"status":                            status,
		"label":                             orNull(t.Label),
		"owner_id":                          h.Claims.Sub,
		"username":                          userName(h.Claims.Sub),
		"request_time":                      transferTime(requested),
		"completion_time":                   nil,
		"deadline":                          transferTime(requested.Add(7 * 24 * time.Hour)),
		"source_endpoint":                   userName(t.Source) + "#" + nameUUID(t.Source),
		"source_endpoint_id":                nameUUID(t.Source),
		"source_endpoint_display_name":      t.Source,
		"destination_endpoint":              nil,
		"destination_endpoint_id":           nil,
		"destination_endpoint_display_name": nil,
		"directories":                       t.Directories,
		"faults":                            t.Faults,
		"fatal_error":                       t.FatalError,
		"is_paused":                         t.Paused,
		"command":                           "API 0.10",
		"new_at_globus":                     map[string]any{"since": "yesterday", "why": nil},
	}
	maps.Copy(doc, options())
	maps.Copy(doc, t.niceness(status))
	maps.Copy(doc, t.counts(status, done))
	if t.Type == transferType {
		doc["destination_endpoint"] = userName(t.Destination) + "#" + nameUUID(t.Destination)
		doc["destination_endpoint_id"] = nameUUID(t.Destination)
		doc["destination_endpoint_display_name"] = t.Destination
	}
	ran := h.age(t)
	if ended(status) {
		ran = t.Takes
		doc["completion_time"] = transferTime(requested.Add(ran))
	}
	doc["effective_bytes_per_second"] = int64(float64(share(t.Bytes, done)) / max(1, ran.Seconds()))
	return t.Edit.apply(doc)
}

// niceness is how a task fares that has not ended; one that has is all nulls.
func (t Task) niceness(status globus.TaskStatus) map[string]any {
	doc := map[string]any{
		"is_ok":                         nil,
		"nice_status":                   nil,
		"nice_status_details":           nil,
		"nice_status_expires_in":        nil,
		"nice_status_short_description": nil,
	}
	if ended(status) || t.Nice == "" {
		return doc
	}
	doc["is_ok"] = t.Nice == "OK" || t.Nice == "Queued"
	doc["nice_status"] = t.Nice
	doc["nice_status_short_description"] = orNull(t.NiceWords)
	doc["nice_status_expires_in"] = -1
	return doc
}

// counts are the numbers that grow. A task that progresses finds its files in
// the first half of its time.
func (t Task) counts(status globus.TaskStatus, done float64) map[string]any {
	found := t.Files
	if t.progresses() {
		found = share(t.Files, min(1, 2*done))
	}
	skipped, finished := share(t.Skipped, done), share(t.Files, done)
	transferred := finished - skipped
	if t.Type == deleteType {
		transferred = 0
	}
	doc := map[string]any{
		"files":                   found,
		"files_transferred":       transferred,
		"files_skipped":           skipped,
		"symlinks":                0,
		"bytes_transferred":       share(t.Bytes, done),
		"bytes_checksummed":       0,
		"subtasks_total":          found + 1, // the search for files is one
		"subtasks_succeeded":      finished + 1,
		"subtasks_pending":        found - finished,
		"subtasks_retrying":       0,
		"subtasks_failed":         0,
		"subtasks_canceled":       0,
		"subtasks_expired":        0,
		"subtasks_skipped_errors": 0,
	}
	if status == globus.TaskFailed {
		doc["subtasks_pending"], doc["subtasks_failed"] = 0, found-finished
	}
	return doc
}

// options are what was asked for with the task: of them all the usual.
func options() map[string]any {
	return map[string]any{
		"canceled_by_admin":         nil,
		"canceled_by_admin_message": nil,
		"delete_destination_extra":  false,
		"destination_base_path":     nil,
		"encrypt_data":              true,
		"fail_on_quota_errors":      false,
		"filter_rules":              nil,
		"history_deleted":           false,
		"preserve_timestamp":        false,
		"recursive_symlinks":        "ignore",
		"skip_source_errors":        false,
		"source_base_path":          nil,
		"sync_level":                nil,
		"verify_checksum":           true,
	}
}

// share is so much of n, and n itself when all is done, however large.
func share(n int64, done float64) int64 {
	if done == 1 {
		return n
	}
	return int64(float64(n) * done)
}

// userName has the form of those that Globus makes up.
func userName(name string) string { return "u_" + strings.ReplaceAll(nameUUID(name), "-", "")[:26] }

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// transferTime is a time as Transfer writes it: never with a Z.
func transferTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05-07:00") }

// What task_list does without a limit, and beyond the largest one, was not to be
// learnt for certain: apps should say what they want.
const (
	defaultLimit = 10
	largestLimit = 1000
)

// taskList lists the tasks of a person, in no order unless one is asked for.
func (e *Emulator) taskList(r *http.Request, g grant) (any, error) {
	h := e.history(g.Person)
	q, err := e.readTaskQuery(r)
	if err != nil {
		return nil, err
	}
	tasks := slices.DeleteFunc(slices.Clone(h.Tasks), func(t Task) bool {
		status, _ := t.at(h.age(t))
		return !q.filter.lets("status", string(status)) || !q.filter.lets("type", t.Type)
	})
	switch q.order {
	case "request_time", "request_time ASC":
		slices.SortStableFunc(tasks, func(a, b Task) int { return cmp.Compare(b.Ago, a.Ago) })
	case "request_time DESC":
		slices.SortStableFunc(tasks, func(a, b Task) int { return cmp.Compare(a.Ago, b.Ago) })
	}
	from := min(q.offset, len(tasks))
	page := []any{}
	for _, t := range tasks[from:min(from+q.limit, len(tasks))] {
		doc := h.document(t)
		delete(doc, "DATA_TYPE")
		page = append(page, e.lie.Task.apply(doc))
	}
	return e.lie.TaskList.apply(map[string]any{
		"DATA_TYPE":     "task_list",
		"DATA":          page,
		"length":        len(page),
		"limit":         q.limit,
		"offset":        q.offset,
		"total":         len(tasks),
		"new_at_globus": nil,
	}), nil
}

// A taskQuery is what an app asks task_list for.
type taskQuery struct {
	limit, offset int
	order         string // empty: none
	filter        taskFilter
}

func (e *Emulator) readTaskQuery(r *http.Request) (taskQuery, error) {
	params, err := e.readQuery(r, "limit", "offset", "orderby", "filter")
	if err != nil {
		return taskQuery{}, err
	}
	bad := func(name string) (taskQuery, error) {
		return taskQuery{}, badParameter(r, "Invalid value for parameter '"+name+"'")
	}
	limit, ok := number(params, "limit", defaultLimit, 1, largestLimit)
	if !ok {
		return bad("limit")
	}
	offset, ok := number(params, "offset", 0, 0, math.MaxInt32)
	if !ok {
		return bad("offset")
	}
	order := params.Get("orderby")
	if params.Has("orderby") && !slices.Contains([]string{"request_time", "request_time ASC", "request_time DESC"}, order) {
		return bad("orderby")
	}
	filter, ok := readFilter(params)
	if !ok {
		return bad("filter")
	}
	return taskQuery{limit, offset, order, filter}, nil
}

// number reads a parameter that is fallback if it was not sent.
func number(params url.Values, name string, fallback, least, most int) (n int, ok bool) {
	if !params.Has(name) {
		return fallback, true
	}
	n, err := strconv.Atoi(params.Get(name))
	return n, err == nil && n >= least && n <= most
}

// A taskFilter has for each member of a task, if it matters, the values that it
// may have.
type taskFilter map[string][]string

func (f taskFilter) lets(name, value string) bool {
	return f[name] == nil || slices.Contains(f[name], value)
}

// readFilter reads a filter such as status:ACTIVE,INACTIVE/type:TRANSFER.
func readFilter(params url.Values) (f taskFilter, ok bool) {
	f = taskFilter{}
	if !params.Has("filter") {
		return f, true
	}
	known := map[string][]string{"status": taskStatuses(), "type": taskTypes()}
	for clause := range strings.SplitSeq(params.Get("filter"), "/") {
		name, list, _ := strings.Cut(clause, ":")
		if f[name] != nil {
			return nil, false
		}
		f[name] = strings.Split(list, ",")
		for _, value := range f[name] {
			if !slices.Contains(known[name], value) {
				return nil, false
			}
		}
	}
	return f, true
}
