package globustest

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
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

// taskTemplate is the document of a task, with every member that Globus has been
// seen to send, and one that is new: there may be more any day. What a task has
// done, and how it was asked for, is there as it is if nothing is said.
var taskTemplate = readTemplate(taskJSON)

//go:embed task.json
var taskJSON []byte

func readTemplate(text []byte) (template document) {
	if err := json.Unmarshal(text, &template); err != nil {
		panic(err) // it is part of the program
	}
	return template
}

// document is t as Transfer sends it alone, before t.Edit; in a list it has no
// DATA_TYPE.
func (h history) document(t Task) document {
	status, done := t.at(h.age(t))
	requested, ran := h.began.Add(-t.Ago), h.age(t)
	doc := maps.Clone(taskTemplate)
	set := func(members document) { maps.Copy(doc, members) }
	set(document{
		"task_id": t.ID, "type": t.Type, "status": string(status), "owner_id": h.Claims.Sub, "username": userName(h.Claims.Sub),
		"request_time": transferTime(requested), "deadline": transferTime(requested.Add(7 * 24 * time.Hour)),
		"directories": t.Directories, "faults": t.Faults, "is_paused": t.Paused, "fatal_error": t.FatalError,
	})
	set(collectionMembers("source", t.Source))
	if t.Type == transferType {
		set(collectionMembers("destination", t.Destination))
	}
	if t.Label != "" {
		doc["label"] = t.Label
	}
	if ended(status) {
		ran = t.Takes
		doc["completion_time"] = transferTime(requested.Add(ran))
	} else if t.Nice != "" {
		set(document{"nice_status": t.Nice, "is_ok": t.Nice == "OK" || t.Nice == "Queued", "nice_status_expires_in": -1})
		if t.NiceWords != "" {
			doc["nice_status_short_description"] = t.NiceWords
		}
	}
	set(t.counts(status, done))
	doc["effective_bytes_per_second"] = int64(float64(share(t.Bytes, done)) / max(1, ran.Seconds()))
	return doc
}

// collectionMembers are those that name a collection on one side of a task.
func collectionMembers(side, name string) document {
	id := nameUUID(name)
	return document{
		side + "_endpoint": userName(name) + "#" + id, side + "_endpoint_id": id, side + "_endpoint_display_name": name,
	}
}

// counts are the numbers that grow. A task that progresses finds its files in
// the first half of its time.
func (t Task) counts(status globus.TaskStatus, done float64) document {
	found := t.Files
	if t.progresses() {
		found = share(t.Files, min(1, 2*done))
	}
	skipped, finished := share(t.Skipped, done), share(t.Files, done)
	doc := document{
		"files": found, "files_skipped": skipped, "files_transferred": finished - skipped, "bytes_transferred": share(t.Bytes, done),
		"subtasks_total": found + 1, "subtasks_succeeded": finished + 1, "subtasks_pending": found - finished, // the search for files is one
	}
	if t.Type == deleteType {
		doc["files_transferred"] = 0
	}
	if status == globus.TaskFailed {
		doc["subtasks_pending"], doc["subtasks_failed"] = 0, found-finished
	}
	return doc
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
	largest := math.MaxInt32
	if e.strict {
		largest = largestLimit
	}
	q, _, err := e.readListing(r, taskTemplate, defaultLimit, largest)
	if err != nil {
		return nil, err
	}
	q.limit = min(q.limit, largestLimit)
	edits := map[any]Edit{}
	var all []document
	for _, t := range h.Tasks {
		edits[t.ID] = t.Edit
		all = append(all, h.document(t))
	}
	all = q.arrange(all)
	list := []document{}
	for _, doc := range page(q, all) {
		doc = edits[doc["task_id"]].apply(doc)
		delete(doc, "DATA_TYPE")
		list = append(list, q.only(e.lie.Task.apply(doc)))
	}
	return e.lie.TaskList.apply(document{
		"DATA_TYPE":     "task_list",
		"DATA":          list,
		"length":        len(list),
		"limit":         q.limit,
		"offset":        q.offset,
		"total":         len(all),
		"new_at_globus": nil,
	}), nil
}

// task answers with one task. A person who asks for somebody else's is told that
// there is none.
func (e *Emulator) task(r *http.Request, g grant) (any, error) {
	h := e.history(g.Person)
	params, err := e.readQuery(r, "fields")
	if err != nil {
		return nil, err
	}
	id := strings.TrimPrefix(r.URL.Path, TaskPath)
	i := slices.IndexFunc(h.Tasks, func(t Task) bool { return t.ID == id })
	if i < 0 {
		return nil, transferRefusal(r, http.StatusNotFound, "ClientError.NotFound", "No task found with id '"+id+"'")
	}
	q := query{fields: commaList(params, "fields")}
	return q.only(e.lie.Task.apply(h.Tasks[i].Edit.apply(h.document(h.Tasks[i])))), nil
}
