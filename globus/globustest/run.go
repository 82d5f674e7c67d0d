package globustest

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"example.org/portal/globus"
)

// How fast tasks are. A file takes as long as its bytes do, and that much more.
const (
	setupTime    = time.Second
	perFile      = 10 * time.Millisecond
	usualSpeed   = 100_000_000 // bytes a second
	retryTime    = time.Minute // after a fault
	runningTasks = 3           // of each type and person; others wait
)

// Work is what an app has submitted, and how far it has come.
type work struct {
	submission
	items   []target
	scanned bool   // the files are known
	steps   []step // still to be done, in this order
	late    []step // those that met a fault
	started bool
	clock   time.Time // up to which everything is done
	partly  int64     // bytes of the file that is under way
	blocked string    // why nothing moves; "": it does

	arrived []step
	skipped []skippedFile
}

// A target is an item whose paths are clean.
type target struct {
	from, to  string
	recursive *bool
}

// A step is a file to copy or to delete, or a directory to make.
type step struct {
	from, to string
	dir      bool
	size     int64
	due      time.Time // zero: now
	copies   int       // that arrived damaged
}

// A skippedFile is one that was left out because of an error.
type skippedFile struct {
	step
	code string
	at   time.Time
}

// resolve reads the paths of the items.
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

// runTasks lets all tasks run to this moment. It needs e.mu.
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

// runInLane runs j once one of the lanes is free. Each says when that will be.
func (e *Emulator) runInLane(j *job, lanes []time.Time) {
	free := slices.IndexFunc(lanes, func(t time.Time) bool { return t.Equal(slices.MinFunc(lanes, time.Time.Compare)) })
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
		j.say(j.work.clock, "STARTED", startedDetails)
	}
	e.run(j, e.taskTime())
	lanes[free] = j.completed
	if !ended(j.status) {
		lanes[free] = e.taskTime().Add(1000 * time.Hour)
	}
}

// run does all that j has done by now.
func (e *Emulator) run(j *job, now time.Time) {
	w := j.work
	from, to := e.place(j.source.id), e.place(j.destination.id)
	for !ended(j.status) {
		if e.waits(j, now, from, to) {
			w.clock = now
		}
		s, begins := w.next()
		ends := begins.Add(w.duration(s, from, to))
		switch {
		case ended(j.status):
		case j.deadline.Before(ends) && !j.deadline.After(now):
			j.events = append(j.events, event{j.deadline, "EXPIRED", "The deadline has passed", true})
			j.end(j.deadline, globus.TaskFailed, "EXPIRED")
		case w.blocked != "" || ends.After(now):
			w.partly = 0
			if w.blocked == "" && s != nil && w.scanned && begins.Before(now) {
				w.partly = int64(float64(s.size) * float64(now.Sub(begins)) / float64(ends.Sub(begins)))
			}
			j.count()
			return
		case !w.scanned:
			w.clock = ends
			j.scan(from)
		case s == nil:
			w.clock = ends
			j.finish(from, to)
		default:
			w.clock = ends
			j.do(w.take(s), from, to)
		}
	}
	w.partly = 0
}

// waits reports whether nothing can move now, and says so once.
func (e *Emulator) waits(j *job, now time.Time, places ...*place) bool {
	code := ""
	for _, p := range places {
		switch {
		case p == nil:
		case p.Deleted:
			code = "ENDPOINT_ERROR"
			j.events = append(j.events, event{now, code, p.Name + " has been deleted", true})
			j.end(now, globus.TaskFailed, code)
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
			j.say(now, code, "The task has been paused")
		default:
			j.sayFault(now, code, "The collection cannot be reached")
		}
		if code != "" {
			j.nice, j.niceWords = code, strings.ToLower(strings.ReplaceAll(code, "_", " "))
		}
	}
	j.work.blocked, j.paused = code, code == "PAUSED"
	return code != ""
}

// next returns the step that comes next, and when it begins; nil: there is none.
func (w *work) next() (s *step, begins time.Time) {
	if len(w.steps) > 0 {
		s = &w.steps[0]
	}
	for i := range w.late {
		if late := &w.late[i]; s == nil || late.due.Before(s.due) || s.due.IsZero() && !late.due.After(w.clock) {
			s = late
		}
	}
	if s == nil || !s.due.After(w.clock) {
		return s, w.clock
	}
	return s, s.due
}

// take removes a step that next has returned.
func (w *work) take(s *step) step {
	taken := *s
	if len(w.steps) > 0 && s == &w.steps[0] {
		w.steps = w.steps[1:]
		return taken
	}
	for i := range w.late {
		if s == &w.late[i] {
			w.late = slices.Delete(w.late, i, i+1)
			break
		}
	}
	return taken
}

// duration is how long a step takes, or the search for files before the first.
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

// count brings the numbers of subtasks up to date.
func (j *job) count() {
	w := j.work
	j.pending, j.retrying = int64(len(w.steps)), int64(len(w.late))
	if !w.scanned {
		j.pending = 1
	}
	if w.blocked != "" {
		return
	}
	j.nice, j.niceWords = "OK", "OK"
	if last := j.events[len(j.events)-1]; j.retrying > 0 && j.pending == 0 && last.isError {
		j.nice, j.niceWords = last.code, strings.ToLower(strings.ReplaceAll(last.code, "_", " "))
	}
}
