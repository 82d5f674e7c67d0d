package components

import (
	"cmp"
	"net/url"
	"strconv"
	"time"

	"example.org/portal/globus"
)

// taskDelete is the Type of a task that deletes files of its source.
const taskDelete = "DELETE"

// A TaskPage is one task, and what has happened to it.
type TaskPage struct {
	Site
	Task   globus.Task
	Events []globus.TaskEvent // the latest first
	Now    time.Time          // for "3 minutes ago"
	Sent   Sending            // what it was asked to send; zero if that is not known
}

// Title is what the page is called: what kind of task it is.
func (p TaskPage) Title() string {
	if p.Task.Type == taskDelete {
		return "Deletion"
	}
	return "Transfer"
}

// runs reports whether the task may still be cancelled.
func (p TaskPage) runs() bool {
	return taskRuns(p.Task)
}

func taskRuns(task globus.Task) bool {
	return task.Status == globus.TaskActive || task.Status == globus.TaskInactive
}

// trigger says what makes the page read itself again; "" if the task has ended.
func (p TaskPage) trigger() string {
	switch {
	case p.Task.Status == globus.TaskActive:
		return "tick from:body, tab-visible from:body"
	case p.runs():
		return "tab-visible from:body"
	}
	return ""
}

// path returns the path of the page of the task, or of one below it. Its address holds
// what was sent, as long as that is known.
func (p TaskPage) path(below string) string {
	path := p.TaskPath(p.Task.ID) + below
	if len(p.Sent.Items) > 0 {
		path += "?" + p.Sent.Encode()
	}
	return path
}

// says is what a screen reader is told when it changes: not each file, but each quarter
// of them, and the end.
func (p TaskPage) says() string {
	switch {
	case p.Task.Status == globus.TaskSucceeded:
		return p.Title() + " succeeded"
	case p.Task.Status == globus.TaskFailed:
		return p.Title() + " failed"
	case p.Task.Status == globus.TaskInactive || p.Task.Paused:
		return p.Title() + " waits"
	}
	if done, of, ok := taskMoved(p.Task); ok && done*4 >= of {
		return decimal(done*4/of*25) + " % of the files are done"
	}
	return p.Title() + " is under way"
}

// endedCopy reports whether the task is a transfer that has ended.
func (p TaskPage) endedCopy() bool {
	return p.Task.Type != taskDelete && !p.runs() && globus.IsUUID(p.Task.ID)
}

// TaskPath returns the path, as a browser sees it, of the page of a task.
func (s Site) TaskPath(id string) string { return s.Path("/transfers/" + url.PathEscape(id)) }

// taskMoved returns how many files of a task are copied or skipped, and how many
// Globus has found so far; ok is false if that makes no progress bar.
func taskMoved(task globus.Task) (done, of int64, ok bool) {
	done, of = task.FilesDone+task.FilesSkipped, task.Files
	return done, of, task.Type != taskDelete && of > 0 && done >= 0 && done <= of
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// eventWords says in words what happened. If it holds up the task without ending it,
// the words say what a person can do, because Globus retries for days.
func eventWords(e globus.TaskEvent) string {
	if words, ok := eventsInWords[e.Code]; ok {
		return words
	}
	return cmp.Or(e.Description, e.Code, "An event without a name")
}

// eventsInWords has the codes of Transfer that people meet most (Transfer API,
// "Task Events").
var eventsInWords = map[string]string{
	"STARTED":           "Started",
	"PROGRESS":          "Under way",
	"SUCCEEDED":         "Finished",
	"CANCELED":          "Cancelled",
	"EXPIRED":           "Globus stopped it, because its deadline has passed",
	"PAUSED":            "Paused by the people who run a collection",
	"FILE_NOT_FOUND":    "A file is missing at the source. Globus keeps trying: put it back, or cancel",
	"PERMISSION_DENIED": "Access was refused. Globus keeps trying: ask the owner of the collection, or cancel",
	"QUOTA_EXCEEDED":    "The destination is full. Globus keeps trying: make room there, or cancel",
	"VERIFY_CHECKSUM":   "A copy was damaged on its way, and is made again",
	"GC_NOT_CONNECTED":  "A computer is switched off, or not on the network. Globus continues when the computer is back",
	"CONNECT_FAILED":    "A collection did not answer. Globus keeps trying",
	"ENDPOINT_ERROR":    "A collection reported an error. Globus keeps trying",
}

// TaskName returns what a task is called: its label, or what kind of task it is.
func TaskName(task globus.Task) string {
	if task.Type == taskDelete {
		return cmp.Or(task.Label, "Deletion")
	}
	return cmp.Or(task.Label, "Transfer")
}

func collection(name, id string) string { return cmp.Or(name, id, "an unknown collection") }

// taskSays returns what Globus says about a task: why it failed or, while it runs, what
// is wrong; "" if nothing is.
func taskSays(task globus.Task) string {
	if task.FatalError != nil {
		return cmp.Or(task.FatalError.Description, task.FatalError.Code)
	}
	if !taskRuns(task) || task.NiceStatus == "OK" {
		return ""
	}
	return cmp.Or(task.NiceStatusShort, task.NiceStatus)
}

// activityURL is where Globus shows a task to its owner.
func activityURL(task globus.Task) string {
	return "https://app.globus.org/activity/" + url.PathEscape(task.ID)
}
