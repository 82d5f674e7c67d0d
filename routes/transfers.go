package routes

import (
	"net/http"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

const (
	transfersPerPage = 10
	lastTransfer     = 10_000 // nobody pages farther
)

// transfers shows a page of the person's recent transfers. It is the worked
// example of calling a Globus API as the person who is signed in.
func (a *App) transfers(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	list := components.Transfers{Site: a.Site, Now: a.Now(), Paging: web.Paging(r, transfersPerPage)}
	list.Offset = min(list.Offset, lastTransfer)

	transfer := a.globus.Transfer(a.Auth.Token(s, globus.TransferServer))
	query := globus.TaskQuery{Offset: list.Offset, PageSize: list.Limit()}
	for task, err := range transfer.TaskList(r.Context(), query) {
		if err != nil {
			return err
		}
		if list.Full(len(list.Tasks)) {
			break
		}
		list.Tasks = append(list.Tasks, task)
	}
	return web.Show(w, r, "My transfers", components.TransferList(list))
}
