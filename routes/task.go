package routes

import (
	"net/http"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

const eventsPerPage = 20 // the latest; Globus's own page has the rest

// task shows one transfer or deletion, and its events.
func (a *App) task(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	transfer := a.globus.Transfer(a.Auth.Token(s, globus.TransferServer))
	task, err := findTask(r, transfer)
	if err != nil {
		return err
	}
	page := components.TaskPage{Site: a.Site, Task: *task, Now: a.Now(), Sent: sentBy(r, task)}
	for event, err := range transfer.TaskEvents(r.Context(), task.ID, globus.EventQuery{PageSize: eventsPerPage}) {
		if err != nil {
			return err
		}
		if page.Events = append(page.Events, event); len(page.Events) == eventsPerPage {
			break
		}
	}
	return web.Show(w, r, page.Title(), components.TaskCard(page))
}

// findTask returns the task that r asks for.
func findTask(r *http.Request, transfer *globus.Transfer) (*globus.Task, error) {
	id := r.PathValue("id")
	if !globus.IsUUID(id) {
		return nil, noSuchTask(nil)
	}
	task, err := transfer.Task(r.Context(), id)
	if globus.KindOf(err) == globus.KindNotFound {
		return nil, noSuchTask(err)
	}
	return task, err
}

// cancelTask ends a task. What has arrived stays.
func (a *App) cancelTask(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	id := r.PathValue("id")
	if !globus.IsUUID(id) {
		return noSuchTask(nil)
	}
	code, err := a.globus.Transfer(a.Auth.Token(s, globus.TransferServer)).CancelTask(r.Context(), id)
	if globus.KindOf(err) == globus.KindNotFound {
		return noSuchTask(err)
	}
	if err != nil {
		return err
	}
	switch code {
	case globus.CancelTooLate:
		web.Flash(w, r, "The task had already ended. Nothing was cancelled.")
	case globus.CancelAccepted:
		web.Flash(w, r, "Globus will cancel the task in a moment.")
	default:
		web.Flash(w, r, "Cancelled. Files that have arrived already stay there.")
	}
	sent, _ := components.SendingOf(r.URL.Query())
	return web.Redirect(w, r, a.taskRoute(id, sent))
}

func noSuchTask(cause error) error {
	return &web.Problem{
		Status: http.StatusNotFound, Reason: "no_such_transfer", Heading: "There is no such transfer",
		Message: "It may be somebody else's, or so old that Globus has forgotten it. See your recent transfers.", Cause: cause,
	}
}
