package globustest

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"example.org/portal/globus"
)

// scan finds the files.
func (j *job) scan(from *place) {
	w := j.work
	w.scanned = true
	for _, t := range w.items {
		n, err := from.files.find(t.from)
		deletes := j.kind == deleteType
		if deletes && w.Globs && err != nil {
			w.steps = append(w.steps, from.glob(t.from)...)
			continue
		}
		if err != nil || deletes || !n.dir || t.recursive != nil && !*t.recursive {
			w.steps = append(w.steps, step{from: t.from, to: t.to})
			continue
		}
		w.expand(n, t)
	}
	for i, s := range w.steps {
		if n, err := from.files.find(s.from); err == nil {
			w.steps[i].size = n.size
		}
	}
	if j.kind == deleteType {
		j.files = int64(len(w.steps))
		return
	}
	for _, s := range w.steps {
		if s.dir {
			j.directories++
		} else {
			j.files++
		}
	}
}

// expand adds what is in a directory, as far as the filter rules let it through.
func (w *work) expand(n *node, t target) {
	left := []string{}
	n.walk("", func(below string, n *node) {
		if slices.ContainsFunc(left, func(dir string) bool { return strings.HasPrefix(below, dir+"/") }) {
			return
		}
		if below != "" && w.excludes(n) {
			left = append(left, below)
			return
		}
		w.steps = append(w.steps, step{from: t.from + below, to: t.to + below, dir: n.dir})
	})
}

func (w *work) excludes(n *node) bool {
	for _, rule := range w.Filters {
		kind := "file"
		if n.dir {
			kind = "dir"
		}
		if fits, _ := path.Match(rule.Name, n.name); fits && (rule.Type == "" || rule.Type == kind) {
			return rule.Method == "exclude"
		}
	}
	return false
}

// glob finds what a pattern in the last name of a path means.
func (p *place) glob(pattern string) (steps []step) {
	dir, name := split(pattern)
	n, err := p.files.find(dir)
	if err != nil || !n.dir {
		return nil
	}
	for _, kid := range n.list() {
		if fits, _ := path.Match(name, kid.name); fits {
			steps = append(steps, step{from: dir + "/" + kid.name})
		}
	}
	return steps
}

// do does one step, or meets a fault.
func (j *job) do(s step, from, to *place) {
	w := j.work
	if j.kind == deleteType {
		j.deleteOne(s, from)
		return
	}
	code, err := j.copyOne(s, from, to)
	switch {
	case err == nil:
	case w.SkipErrors && slices.Contains([]string{"FILE_NOT_FOUND", "PERMISSION_DENIED"}, code) && errors.Is(err, errSource):
		w.skipped = append(w.skipped, skippedFile{s, code, w.clock})
		j.skippedFault++
	case w.FailOnQuota && code == "QUOTA_EXCEEDED":
		j.sayFault(w.clock, code, err.Error())
		j.end(w.clock, globus.TaskFailed, code)
	default:
		j.sayFault(w.clock, code, err.Error())
		s.due = w.clock.Add(retryTime)
		if code == "VERIFY_CHECKSUM" {
			s.copies++
			s.due = w.clock
		}
		w.late = append(w.late, s)
	}
}

var errSource = errors.New("error at the source")

// copyOne copies a file, or makes a directory. It returns the code of an event for
// what went wrong.
func (j *job) copyOne(s step, from, to *place) (code string, err error) {
	w := j.work
	if s.dir {
		if to.ReadOnly || to.closed(s.to) {
			return "PERMISSION_DENIED", fmt.Errorf("Error (make directories)\nEndpoint: %s\nFile: %s\nMessage: Permission denied", to.Name, s.to)
		}
		if _, err := to.files.makeAll(s.to, w.clock); err != nil {
			return "ENDPOINT_ERROR", fmt.Errorf("%s: %w", s.to, err)
		}
		j.succeeded++
		return "", nil
	}
	n, err := from.files.find(s.from)
	switch {
	case from.closed(s.from):
		return "PERMISSION_DENIED", fmt.Errorf("%w\nEndpoint: %s\nFile: %s\nMessage: Permission denied", errSource, from.Name, s.from)
	case err != nil:
		return "FILE_NOT_FOUND", fmt.Errorf("%w\nEndpoint: %s\nFile: %s\nMessage: No such file or directory", errSource, from.Name, s.from)
	case n.dir:
		return "ENDPOINT_ERROR", fmt.Errorf("%s: %w", s.from, errIsDir)
	case to.ReadOnly || to.closed(s.to):
		return "PERMISSION_DENIED", fmt.Errorf("Error (transfer)\nEndpoint: %s\nFile: %s\nMessage: Permission denied", to.Name, s.to)
	}
	copied := node{size: n.size, changed: w.clock, content: n.content}
	if w.Preserve {
		copied.changed = n.changed
	}
	old, err := to.files.find(s.to)
	if err == nil && !old.dir && w.isUpToDate(n, old) {
		j.skipped++
		j.succeeded++
		return "", nil
	}
	if to.isFull(n.size, old) {
		return "QUOTA_EXCEEDED", fmt.Errorf("Error (transfer)\nEndpoint: %s\nFile: %s\nMessage: Quota exceeded", to.Name, s.to)
	}
	if s.copies < n.garbled {
		copied.content++
		if w.Verify {
			return "VERIFY_CHECKSUM", fmt.Errorf("Error (checksum)\nEndpoint: %s\nFile: %s\nMessage: The checksums differ", to.Name, s.to)
		}
	}
	if err := to.files.write(s.to, copied); err != nil {
		return "ENDPOINT_ERROR", fmt.Errorf("%s: %w", s.to, err)
	}
	s.size = n.size
	w.arrived = append(w.arrived, s)
	j.transferred++
	j.succeeded++
	j.bytes += n.size
	if w.Verify {
		j.checksummed += n.size
	}
	if w.submission.Deadline == nil { // each success gives it three days more
		j.deadline = w.clock.Add(72 * time.Hour)
	}
	return "", nil
}

// isFull reports whether there is no room for so many bytes, in place of a file that
// was there; nil: there was none.
func (p *place) isFull(bytes int64, old *node) bool {
	if old != nil {
		bytes -= old.size
	}
	return p.Quota > 0 && p.files.used()+bytes > p.Quota
}

// isUpToDate reports whether the sync level lets a file be.
func (w *work) isUpToDate(n, old *node) bool {
	if w.SyncLevel == nil {
		return false
	}
	switch *w.SyncLevel {
	case 0:
		return true
	case 1:
		return n.size == old.size
	case 2:
		return n.size == old.size && !n.changed.After(old.changed)
	}
	return n.content == old.content
}

// deleteOne deletes a file, or a directory with all that is in it. Unlike a
// transfer, a delete fails at once.
func (j *job) deleteOne(s step, from *place) {
	w := j.work
	n, err := from.files.find(s.from)
	code := ""
	switch {
	case err != nil && w.IgnoreMissing:
	case err != nil:
		code = "FILE_NOT_FOUND"
	case from.ReadOnly || from.closed(s.from):
		code = "PERMISSION_DENIED"
	case n.dir && !w.Recursive:
		code = "ENDPOINT_ERROR"
	default:
		_ = from.files.remove(s.from)
	}
	if code != "" {
		j.sayFault(w.clock, code, "Error (delete)\nEndpoint: "+from.Name+"\nFile: "+s.from)
		j.end(w.clock, globus.TaskFailed, code)
		return
	}
	j.succeeded++
}

// finish ends a job all of whose steps are done.
func (j *job) finish(from, to *place) {
	if j.work.DeleteExtra && to != nil {
		for _, t := range j.work.items {
			j.work.deleteExtra(t, from, to)
		}
	}
	j.say(j.work.clock, "SUCCEEDED", "")
	j.succeeded++ // the search for files is a subtask
	j.end(j.work.clock, globus.TaskSucceeded, "")
}

// deleteExtra deletes from a destination what is not at the source.
func (w *work) deleteExtra(t target, from, to *place) {
	root, err := to.files.find(t.to)
	if err != nil || !root.dir {
		return
	}
	var extra []string
	root.walk("", func(below string, _ *node) {
		if _, err := from.files.find(t.from + below); err != nil {
			extra = append(extra, t.to+below)
		}
	})
	for _, p := range extra {
		_ = to.files.remove(p) // fails for what was in another
	}
}
