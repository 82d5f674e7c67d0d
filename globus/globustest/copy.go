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

// scan turns the items of the submission into steps.
func (j *job) scan(from *place) {
	w := j.work
	w.scanned = true
	for _, t := range w.items {
		n, err := from.files().find(t.from)
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
		if n, err := from.files().find(s.from); err == nil {
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

// expand adds steps for the content of a directory that the filter rules include.
func (w *work) expand(n *node, t target) {
	excluded := []string{}
	n.walk("", func(below string, n *node) {
		if slices.ContainsFunc(excluded, func(dir string) bool { return strings.HasPrefix(below, dir+"/") }) {
			return
		}
		if below != "" && w.excludes(n) {
			excluded = append(excluded, below)
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

// glob returns a step for each file that matches a path whose last name is a pattern.
func (p *place) glob(pattern string) (steps []step) {
	dir, name := split(pattern)
	n, err := p.files().find(dir)
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

// runStep runs one step. If it meets a fault, the step is retried, skipped, or ends the
// job.
func (j *job) runStep(s step, from, to *place) {
	w := j.work
	if j.kind == deleteType {
		j.deleteFile(s, from)
		return
	}
	code, err := j.copyFile(s, from, to)
	switch {
	case err == nil:
	case w.SkipErrors && errors.As(err, new(sourceError)):
		w.skipped = append(w.skipped, skippedFile{s, code, w.clock})
		j.skippedError++
	case w.FailOnQuota && code == "QUOTA_EXCEEDED":
		j.faults++
		j.fail(w.clock, code, err.Error())
	default:
		j.addFault(w.clock, code, err.Error())
		s.due = w.clock.Add(retryTime)
		if code == "VERIFY_CHECKSUM" {
			s.damaged++
			s.due = w.clock
		}
		w.retries = append(w.retries, s)
	}
}

// A sourceError is about a source file, which skip_source_errors leaves out.
type sourceError struct{ error }

// problem is an error about one file, in the form that a collection's server gives it.
func (p *place) problem(operation, path, message string) error {
	return fmt.Errorf("Error (%s)\nEndpoint: %s\nFile: %s\nMessage: %s", operation, p.Name, path, message)
}

// copyFile copies a file, or creates a directory. With an error it returns the code of
// the event.
func (j *job) copyFile(s step, from, to *place) (code string, err error) {
	w := j.work
	if s.dir {
		if to.ReadOnly || to.isClosed(s.to) {
			return "PERMISSION_DENIED", to.problem("make directories", s.to, "Permission denied")
		}
		if _, err := to.files().makeAll(s.to, w.clock); err != nil {
			return "ENDPOINT_ERROR", fmt.Errorf("%s: %w", s.to, err)
		}
		j.succeeded++
		return "", nil
	}
	n, err := from.files().find(s.from)
	switch {
	case from.isClosed(s.from):
		return "PERMISSION_DENIED", sourceError{from.problem("read", s.from, "Permission denied")}
	case err != nil:
		return "FILE_NOT_FOUND", sourceError{from.problem("read", s.from, "No such file or directory")}
	case n.dir:
		return "ENDPOINT_ERROR", fmt.Errorf("%s: %w", s.from, errIsDir)
	case to.ReadOnly || to.isClosed(s.to):
		return "PERMISSION_DENIED", to.problem("transfer", s.to, "Permission denied")
	}
	copied := node{size: n.size, changed: w.clock, content: n.content, data: n.data}
	if w.Preserve {
		copied.changed = n.changed
	}
	old, err := to.files().find(s.to)
	if err == nil && !old.dir && w.isUpToDate(n, old) {
		j.skipped++
		j.succeeded++
		return "", nil
	}
	if to.isFull(n.size, old) {
		return "QUOTA_EXCEEDED", to.problem("transfer", s.to, "Quota exceeded")
	}
	if s.damaged < n.garbled {
		copied.content++
		if w.Verify {
			return "VERIFY_CHECKSUM", to.problem("checksum", s.to, "The checksums differ")
		}
	}
	if err := to.files().write(s.to, copied); err != nil {
		return "ENDPOINT_ERROR", fmt.Errorf("%s: %w", s.to, err)
	}
	s.size = n.size
	w.copied = append(w.copied, s)
	j.transferred++
	j.succeeded++
	j.bytes += n.size
	if w.Verify {
		j.checksummed += n.size
	}
	if w.Deadline == nil { // each success extends the deadline to three days
		j.deadline = w.clock.Add(72 * time.Hour)
	}
	return "", nil
}

// isFull reports whether a file of so many bytes exceeds the quota. It replaces old, which
// may be nil.
func (p *place) isFull(bytes int64, old *node) bool {
	if old != nil {
		bytes -= old.size
	}
	return p.Quota > 0 && p.files().used()+bytes > p.Quota
}

// isUpToDate reports whether the sync level leaves the old file alone.
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

// deleteFile deletes a file, or a directory with its content. Unlike a transfer, a delete
// fails at its first fault.
func (j *job) deleteFile(s step, from *place) {
	w := j.work
	n, err := from.files().find(s.from)
	code := ""
	switch {
	case err != nil && w.IgnoreMissing:
	case err != nil:
		code = "FILE_NOT_FOUND"
	case from.ReadOnly || from.isClosed(s.from):
		code = "PERMISSION_DENIED"
	case n.dir && !w.Recursive:
		code = "ENDPOINT_ERROR"
	default:
		_ = from.files().remove(s.from)
	}
	if code != "" {
		j.faults++
		j.fail(w.clock, code, "Error (delete)\nEndpoint: "+from.Name+"\nFile: "+s.from)
		return
	}
	j.succeeded++
}

// finish ends a job whose steps are all done.
func (j *job) finish(from, to *place) {
	if j.work.DeleteExtra && to != nil {
		for _, t := range j.work.items {
			j.work.deleteExtra(t, from, to)
		}
	}
	j.addEvent(j.work.clock, "SUCCEEDED", "")
	j.succeeded++ // the scan is a subtask
	j.end(j.work.clock, globus.TaskSucceeded)
}

// deleteExtra deletes from a destination folder what the source folder does not have.
func (w *work) deleteExtra(t target, from, to *place) {
	root, err := to.files().find(t.to)
	if err != nil || !root.dir {
		return
	}
	var extra []string
	root.walk("", func(below string, _ *node) {
		if _, err := from.files().find(t.from + below); err != nil {
			extra = append(extra, t.to+below)
		}
	})
	for _, p := range extra {
		_ = to.files().remove(p) // fails if its directory was removed before
	}
}
