package components

import (
	"cmp"
	"net/url"

	"example.org/portal/globus"
)

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
