package globustest

import (
	"maps"
	"net/http"
	"slices"
	"time"
)

// The speed of tasks.
const (
	setupTime    = time.Second           // to find the files
	perFile      = 10 * time.Millisecond // in addition to the time for its bytes
	usualSpeed   = 100_000_000           // bytes per second
	retryTime    = time.Minute           // after a fault
	runningTasks = 3                     // of each type and person; others are queued
)

// work is a submission and its progress.
type work struct {
	submission
	items   []target
	scanned bool   // steps are known
	steps   []step // to do, in this order
	retries []step // steps to retry after a fault
	started bool
	clock   time.Time // all steps up to this time are done
	partly  int64     // bytes of the current file that are copied
	blocked string    // code of the event that stops the task; "": it runs

	copied  []step
	skipped []skippedFile
}

// A target is an item with clean paths.
type target struct {
	from, to  string
	recursive *bool
}

// A step copies or deletes one file, or creates a directory.
type step struct {
	from, to string
	dir      bool
	size     int64
	due      time.Time // not to run before; zero: at once
	damaged  int       // copies that arrived damaged
}

// A skippedFile is a file that was skipped because of an error.
type skippedFile struct {
	step
	code string
	at   time.Time
}

// resolve turns the items of the submission into targets.
func (w *work) resolve(r *http.Request, places []*place) error {
	for _, one := range w.Data {
		t := target{recursive: one.Recursive}
		ok, ok2 := true, true
		if len(places) == 1 {
			t.from, ok = places[0].absolute(one.Path)
		} else {
			t.from, ok = places[0].absolute(one.Source)
			t.to, ok2 = places[1].absolute(one.Destination)
		}
		if !ok || !ok2 {
			return invalidPath(r)
		}
		w.items = append(w.items, t)
	}
	return nil
}

// runTasks runs all submitted tasks up to now. It needs e.mu.
func (e *Emulator) runTasks() {
	for _, person := range slices.Sorted(maps.Keys(e.tasks)) {
		lanes := map[string][]time.Time{transferType: make([]time.Time, runningTasks), deleteType: make([]time.Time, runningTasks)}
		for _, j := range e.tasks[person] {
			if j.work != nil {
				e.runInLane(j, lanes[j.kind])
			}
		}
	}
}

// runInLane runs j if one of the lanes is free. A lane is the time at which it is free.
func (e *Emulator) runInLane(j *job, lanes []time.Time) {
	free := 0 // the lane that is free first
	for i, t := range lanes {
		if t.Before(lanes[free]) {
			free = i
		}
	}
	if !j.work.started {
		if ended(j.status) {
			return // cancelled while it waited
		}
		if lanes[free].After(e.taskTime()) {
			j.nice, j.niceWords = "Queued", "queued"
			return
		}
		j.work.started, j.work.clock = true, lanes[free]
		if j.requested.After(j.work.clock) {
			j.work.clock = j.requested
		}
		j.nice, j.niceWords = "OK", "OK"
		j.addEvent(j.work.clock, "STARTED", startedDetails)
	}
	e.run(j, e.taskTime())
	lanes[free] = j.completed
	if !ended(j.status) {
		lanes[free] = e.taskTime().Add(1000 * time.Hour)
	}
}

// run does the steps of j up to now.
func (e *Emulator) run(j *job, now time.Time) {
	w := j.work
	from, to := e.place(j.source.id), e.place(j.destination.id)
	for !ended(j.status) {
		if e.isBlocked(j, now, from, to) {
			w.clock = now
		}
		s, begins := w.next()
		ends := begins.Add(w.duration(s, from, to))
		switch {
		case ended(j.status):
		case j.deadline.Before(ends) && !j.deadline.After(now):
			j.fail(j.deadline, "EXPIRED", "The deadline has passed")
		case w.blocked != "" || ends.After(now):
			w.partly = 0
			if w.blocked == "" && s != nil && w.scanned && begins.Before(now) {
				w.partly = int64(float64(s.size) * float64(now.Sub(begins)) / float64(ends.Sub(begins)))
			}
			j.countSubtasks()
			return
		case !w.scanned:
			w.clock = ends
			j.scan(from)
		case s == nil:
			w.clock = ends
			j.finish(from, to)
		default:
			w.clock = ends
			j.runStep(w.take(s), from, to)
		}
	}
	w.partly = 0
}

// isBlocked reports whether the task cannot run now. It adds an event when that changes.
func (e *Emulator) isBlocked(j *job, now time.Time, places ...*place) bool {
	code := ""
	for _, p := range places {
		switch {
		case p == nil:
		case p.Deleted:
			j.fail(now, "ENDPOINT_ERROR", p.Name+" has been deleted")
			return true
		case p.Paused != "":
			code = "PAUSED"
		case p.Offline && p.personal():
			code = "GC_NOT_CONNECTED"
		case p.Offline:
			code = "CONNECT_FAILED"
		}
	}
	if code != j.work.blocked {
		switch code {
		case "":
			j.nice, j.niceWords = "OK", "OK"
		case "PAUSED":
			j.addEvent(now, code, "The task has been paused")
		default:
			j.addFault(now, code, "The collection cannot be reached")
		}
		if code != "" {
			j.nice, j.niceWords = code, inWords(code)
		}
	}
	j.work.blocked, j.paused = code, code == "PAUSED"
	return code != ""
}

// next returns the next step and its start time; nil: there is none.
func (w *work) next() (s *step, begins time.Time) {
	if len(w.steps) > 0 {
		s = &w.steps[0]
	}
	for i := range w.retries {
		if retry := &w.retries[i]; s == nil || retry.due.Before(s.due) || s.due.IsZero() && !retry.due.After(w.clock) {
			s = retry
		}
	}
	if s == nil || !s.due.After(w.clock) {
		return s, w.clock
	}
	return s, s.due
}

// take removes a step that next returned.
func (w *work) take(s *step) step {
	taken := *s
	if len(w.steps) > 0 && s == &w.steps[0] {
		w.steps = w.steps[1:]
		return taken
	}
	for i := range w.retries {
		if s == &w.retries[i] {
			w.retries = slices.Delete(w.retries, i, i+1)
			break
		}
	}
	return taken
}

// duration returns how long a step takes, or the scan before the first step.
func (w *work) duration(s *step, from, to *place) time.Duration {
	if !w.scanned {
		return setupTime
	}
	if s == nil || s.dir || to == nil {
		return perFile
	}
	speed := int64(usualSpeed)
	for _, p := range []*place{from, to} {
		if p.Speed > 0 {
			speed = min(speed, p.Speed)
		}
	}
	return perFile + time.Duration(float64(s.size)/float64(speed)*float64(time.Second))
}

// countSubtasks updates the numbers of subtasks, and the nice status.
func (j *job) countSubtasks() {
	w := j.work
	j.pending, j.retrying = int64(len(w.steps)), int64(len(w.retries))
	if !w.scanned {
		j.pending = 1
	}
	if w.blocked != "" {
		return
	}
	j.nice, j.niceWords = "OK", "OK"
	if last := j.events[len(j.events)-1]; j.retrying > 0 && j.pending == 0 && last.isError {
		j.nice, j.niceWords = last.code, inWords(last.code)
	}
}
