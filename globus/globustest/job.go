package globustest

import (
	"maps"
	"slices"
	"strings"
	"time"

	"example.org/portal/globus"
)

// A job is the current state of a task: one of Person.Tasks, or a submitted one.
type job struct {
	person      Person
	id, kind    string
	label       string
	source      side
	destination side // zero of a delete
	requested   time.Time
	completed   time.Time // zero: it has not ended
	deadline    time.Time
	status      globus.TaskStatus
	tally
	nice, niceWords string
	paused          bool
	fatal           *globus.FatalError
	events          []event // the oldest first
	edit            Edit
	options         document // members of its document that repeat the submission

	script *Task // nil: it was submitted
	work   *work // nil: it is one of Person.Tasks
}

// A side is the source or the destination of a job.
type side struct{ id, name string }

// A tally counts what a job has done.
type tally struct {
	files, directories, skipped, transferred, bytes, faults     int64
	pending, retrying, failed, succeeded, expired, skippedError int64 // subtasks
	checksummed                                                 int64 // bytes
}

// An event is an entry of a job's event list.
type event struct {
	at            time.Time
	code, details string
	isError       bool
}

func (j *job) addEvent(at time.Time, code, details string) {
	j.events = append(j.events, event{at: at, code: code, details: details})
}

// addFault adds an event that counts as a fault.
func (j *job) addFault(at time.Time, code, details string) {
	j.events = append(j.events, event{at: at, code: code, details: details, isError: true})
	j.faults++
}

// fail ends the job with an event and a fatal error.
func (j *job) fail(at time.Time, code, details string) {
	j.events = append(j.events, event{at: at, code: code, details: details, isError: true})
	j.end(at, globus.TaskFailed)
	j.fatal = &globus.FatalError{Code: code, Description: inWords(code)}
	j.failed, j.pending, j.retrying = j.failed+j.pending+j.retrying, 0, 0
}

func (j *job) end(at time.Time, status globus.TaskStatus) {
	j.status, j.completed, j.paused = status, at, false
}

// inWords is a code such as PERMISSION_DENIED for people to read.
func inWords(code string) string { return strings.ToLower(strings.ReplaceAll(code, "_", " ")) }

// jobs returns the current state of all tasks of a person. It needs e.mu.
func (e *Emulator) jobs(key string) []*job {
	if _, ok := e.tasks[key]; !ok {
		person, _ := e.person(key)
		e.tasks[key] = []*job{}
		for _, t := range person.Tasks {
			e.tasks[key] = append(e.tasks[key], t.job(person, e.taskTime()))
		}
	}
	for _, j := range e.tasks[key] {
		j.followScript(e.taskTime())
	}
	return e.tasks[key]
}

// taskTime is the clock of tasks. It needs e.mu.
func (e *Emulator) taskTime() time.Time { return e.now().Add(e.passed) }

// PassTime advances the clock of tasks by d, so that a test need not wait for a transfer.
// Nothing else depends on that clock.
func (e *Emulator) PassTime(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.passed += d
	e.runTasks()
}

// taskTemplate is the document of a task with default values: every member that Globus is
// known to send, and one unknown member, because Globus may add more.
var taskTemplate = readTemplate(taskJSON)

// document returns the job as Transfer sends it, before its edit. In a list it has no
// DATA_TYPE.
func (j *job) document(now time.Time) document {
	doc := maps.Clone(taskTemplate)
	set := func(members document) { maps.Copy(doc, members) }
	set(j.options)
	set(document{
		"task_id": j.id, "type": j.kind, "status": string(j.status), "owner_id": j.person.Claims.Sub, "username": userName(j.person.Claims.Sub),
		"request_time": transferTime(j.requested), "deadline": transferTime(j.deadline), "is_paused": j.paused, "fatal_error": j.fatal,
		"files": j.files, "directories": j.directories, "files_skipped": j.skipped, "files_transferred": j.transferred,
		"bytes_checksummed": j.checksummed, "faults": j.faults,
		"subtasks_total": j.succeeded + j.pending + j.retrying + j.failed + j.expired + j.skippedError, "subtasks_succeeded": j.succeeded,
		"subtasks_pending": j.pending, "subtasks_retrying": j.retrying, "subtasks_failed": j.failed, "subtasks_expired": j.expired,
		"subtasks_skipped_errors": j.skippedError,
	})
	set(j.source.members("source"))
	if j.kind == transferType {
		set(j.destination.members("destination"))
	}
	if j.label != "" {
		doc["label"] = j.label
	}
	until, bytes := now, j.bytes
	if j.work != nil {
		bytes += j.work.partly
	}
	doc["bytes_transferred"] = bytes
	if ended(j.status) {
		until = j.completed
		doc["completion_time"] = transferTime(j.completed)
	} else if j.nice != "" {
		set(document{"nice_status": j.nice, "is_ok": slices.Contains([]string{"OK", "Queued"}, j.nice), "nice_status_expires_in": -1})
		if j.niceWords != "" {
			doc["nice_status_short_description"] = j.niceWords
		}
	}
	doc["effective_bytes_per_second"] = int64(float64(bytes) / max(1, until.Sub(j.requested).Seconds()))
	return doc
}

// members returns the members of a task that name a collection.
func (s side) members(name string) document {
	return document{
		name + "_endpoint": userName(s.name) + "#" + s.id, name + "_endpoint_id": s.id, name + "_endpoint_display_name": s.name,
	}
}

// userName returns a user name of the form that Globus generates.
func userName(name string) string { return "u_" + strings.ReplaceAll(nameUUID(name), "-", "")[:26] }

// transferTime is a time as Transfer writes it: UTC is +00:00, never Z.
func transferTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05-07:00") }
