package components

import (
	"strconv"
	"time"

	"example.org/portal/globus"
)

// A Transfers is one page of somebody's Globus transfers, newest first.
type Transfers struct {
	Site
	Tasks  []globus.Task // those on this page
	Now    time.Time     // for "3 minutes ago"
	Offset int           // how many are before the first of Tasks
	Next   int           // Offset of the next page; 0 if there is none
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
func (t Transfers) self() string { return t.page(t.Offset) }

func (t Transfers) page(offset int) string {
	if offset <= 0 {
		return t.Path("/transfers")
	}
	return t.Path("/transfers?offset=" + strconv.Itoa(offset))
}
