package routes

import (
	"net/http"
	"strconv"

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
	offset, _ := strconv.Atoi(r.URL.Query().Get("offset")) // anything but a number means the first page
	list := components.Transfers{Site: a.Site, Now: a.Now(), Offset: min(max(0, offset), lastTransfer)}

	transfer := a.globus.Transfer(a.Auth.Token(s, globus.TransferServer))
	query := globus.TaskQuery{Offset: list.Offset, PageSize: transfersPerPage + 1}
	for task, err := range transfer.TaskList(r.Context(), query) {
		if err != nil {
			return err
		}
		if len(list.Tasks) == transfersPerPage {
			list.Next = list.Offset + transfersPerPage
			break
		}
		list.Tasks = append(list.Tasks, task)
	}
	return web.Show(w, r, "My transfers", components.TransferList(list))
}
