package components

import (
	"cmp"
	"net/url"
	"strconv"
	"time"

	"example.org/portal/globus"
)

// A Transfers is one page of somebody's Globus transfers, newest first.
type Transfers struct {
	Site
	Tasks  []globus.Task
	Now    time.Time // for "3 minutes ago"
	Offset int       // how many are before the first of Tasks
	Next   int       // Offset of the next page; 0 if there is none
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

// self is the path of this very page of transfers.
func (t Transfers) self() string { return t.page(t.Offset) }

func (t Transfers) page(offset int) string {
	if offset <= 0 {
		return t.Path("/transfers")
	}
	return t.Path("/transfers?offset=" + strconv.Itoa(offset))
}

// taskDelete is the Type of a task that deletes files of its source.
const taskDelete = "DELETE"

func taskLabel(task globus.Task) string {
	if task.Type == taskDelete {
		return cmp.Or(task.Label, "Deletion")
	}
	return cmp.Or(task.Label, "Transfer")
}

func collection(name, id string) string { return cmp.Or(name, id, "an unknown collection") }

// taskSays is Globus's own word on a task: why it failed, or how it fares
// while it is not done. That all is well need not be said.
func taskSays(task globus.Task) string {
	if task.FatalError != nil {
		return cmp.Or(task.FatalError.Description, task.FatalError.Code)
	}
	done := task.Status != globus.TaskActive && task.Status != globus.TaskInactive
	if done || task.NiceStatus == "OK" {
		return ""
	}
	return cmp.Or(task.NiceStatusShort, task.NiceStatus)
}

// activityURL is where Globus shows a task to its owner.
func activityURL(task globus.Task) string {
	return "https://app.globus.org/activity/" + url.PathEscape(task.ID)
}

// A TokenRow is what the token panel shows of the tokens for one resource
// server.
type TokenRow struct {
	Server    string
	Scopes    []string
	Expiry    time.Time // of the access token
	Refreshes bool      // there is a refresh token
	Shown     string    // the access token; empty while masked
}
