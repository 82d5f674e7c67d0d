package components

import (
	"time"

	"example.org/portal/globus"
)

// A Transfers is one page of somebody's Globus transfers, newest first.
type Transfers struct {
	Site
	Tasks  []globus.Task // those on this page
	Now    time.Time     // for "3 minutes ago"
	Paging               // of Tasks
}

// Active reports whether any of the tasks may change by itself.
func (t Transfers) Active() bool {
	for _, task := range t.Tasks {
		if task.Status == globus.TaskActive {
			return true
		}
	}
	return false
}

// trigger says what makes the list read itself again.
func (t Transfers) trigger() string {
	if t.Active() {
		return "tick from:body, tab-visible from:body"
	}
	return "tab-visible from:body"
}

// self is the path of this page of transfers.
func (t Transfers) self() string { return t.At(t.Offset) }
