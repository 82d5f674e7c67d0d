package globustest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"example.org/portal/globus"
)

// The types of tasks.
const (
	transferType = "TRANSFER"
	deleteType   = "DELETE"
)

// A Task is a task that a Person has at Globus Transfer. The zero value is a transfer of no
// files that has just SUCCEEDED. A task can make progress; this one goes from a third to its
// end in 40 seconds:
//
//	Task{Status: globus.TaskActive, Ago: 20 * time.Second, Takes: time.Minute, Files: 500, Bytes: 1 << 40}
type Task struct {
	ID     string            // empty: a UUID derived from the person's Sub and the index of the task
	Type   string            // TRANSFER or DELETE; empty: TRANSFER
	Status globus.TaskStatus // at the person's first request; empty: SUCCEEDED
	Label  string            // empty: null

	Source      string // name of the collection; its id is derived from the name
	Destination string // as Source; null for a DELETE

	// Ago is the age of the task at the person's first request to Transfer. From then on
	// its request time stays the same.
	Ago time.Duration

	// Takes is how long the task runs, or ran. For a task that has ended it is at most
	// Ago. An ACTIVE task that is older than Takes has SUCCEEDED; 0: it stays ACTIVE
	// without progress.
	Takes time.Duration

	Files       int64 // all files; a task that makes progress finds them over time
	Directories int64 // all directories
	Skipped     int64 // of Files
	Bytes       int64 // of all files
	Faults      int64 // errors so far

	// Done is how much of Files and Bytes is done, from 0 to 1, for a task that FAILED, is
	// INACTIVE, or makes no progress. It is ignored for others.
	Done float64

	Nice      string // nice_status of a task that has not ended; empty: null
	NiceWords string // nice_status_short_description; empty: null
	Paused    bool   // is_paused

	FatalError *globus.FatalError // nil: null

	Edit Edit // changes the document that Transfer sends
}

// at returns the status of a task of that age, and how much of it is done.
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

// fillTasks replaces the people's tasks by copies with default values filled in.
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
		return errors.New("its Status is unknown to Globus")
	case t.Ago < 0 || t.Takes < 0:
		return errors.New("its Ago and Takes must not be negative")
	case ended(t.Status) && t.Takes > t.Ago:
		return errors.New("it has ended, but its Takes is longer than its Ago")
	case t.Done < 0 || t.Done > 1:
		return errors.New("its Done is not between 0 and 1")
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

// job returns the job of t, for a person whose first request is now.
func (t Task) job(person Person, now time.Time) *job {
	requested := now.Add(-t.Ago)
	j := &job{
		person: person, id: t.ID, kind: t.Type, label: t.Label, source: side{nameUUID(t.Source), t.Source}, destination: side{nameUUID(t.Destination), t.Destination},
		requested: requested, deadline: requested.Add(7 * 24 * time.Hour), status: t.Status, edit: t.Edit, script: &t,
	}
	j.addEvent(requested, "STARTED", startedDetails)
	j.followScript(now)
	return j
}

const startedDetails = "{\n  \"type\": \"GridFTP Transfer\",\n  \"concurrency\": 2,\n  \"parallelism\": 4,\n  \"pipelining\": 20\n}"

// followScript updates a job from its script, unless the job has ended.
func (j *job) followScript(now time.Time) {
	t := j.script
	if t == nil || !j.completed.IsZero() {
		return
	}
	status, done := t.at(now.Sub(j.requested))
	j.status, j.tally = status, t.tally(status, done)
	j.nice, j.niceWords, j.paused = t.Nice, t.NiceWords, t.Paused
	if ended(status) {
		j.completed = j.requested.Add(t.Takes)
		j.addEvent(j.completed, string(status), "")
	}
	if j.fatal = t.FatalError; j.fatal != nil {
		j.events[len(j.events)-1] = event{at: j.completed, code: j.fatal.Code, details: j.fatal.Description, isError: true}
	}
}

// tally returns the numbers of a task of which a share is done. A task that makes progress
// finds its files in the first half of its time.
func (t Task) tally(status globus.TaskStatus, done float64) tally {
	found := t.Files
	if t.progresses() {
		found = share(t.Files, min(1, 2*done))
	}
	finished := share(t.Files, done)
	n := tally{
		files: found, directories: t.Directories, skipped: share(t.Skipped, done), bytes: share(t.Bytes, done), faults: t.Faults,
		succeeded: finished + 1, pending: found - finished, // the scan is a subtask
	}
	if t.Type == transferType {
		n.transferred = finished - n.skipped
	}
	if status == globus.TaskFailed {
		n.pending, n.failed = 0, found-finished
	}
	return n
}

// share returns that share of n. For 1 it is exactly n, however large.
func share(n int64, done float64) int64 {
	if done == 1 {
		return n
	}
	return int64(float64(n) * done)
}
