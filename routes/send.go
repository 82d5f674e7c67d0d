package routes

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

const (
	foldersPerPage = 200  // to choose from; there may be more
	maxChosen      = 1500 // bytes of the address while no destination is in it: with one, it must stay a LocalPath
)

// send lets a person choose where to send the files that they have ticked: first a
// collection, then a folder. The address holds every choice, so nothing is lost when
// Globus requires consent for a collection on the way.
func (a *App) send(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	chosen, err := a.chosen(r)
	if err != nil {
		return err
	}
	transfer := a.globus.Transfer(a.Auth.Token(s, globus.TransferServer))
	if chosen.To == "" {
		places := chosen.Places(a.Site)
		if err := findPlaces(r, transfer, &places); err != nil {
			return err
		}
		return web.Show(w, r, "Send", components.SendTo(chosen, places))
	}

	// Both collections are listed, so that Globus asks for the consent that it requires
	// before the person sends.
	if _, err := transfer.List(r.Context(), chosen.From, globus.ListQuery{Path: chosen.Path, Limit: 1}); err != nil {
		return a.cannotOpen(r, s, transfer, components.Folder{Site: a.Site, Collection: chosen.From, Path: chosen.Path}, err)
	}
	listing, err := transfer.List(r.Context(), chosen.To, globus.ListQuery{Path: chosen.Folder, Limit: foldersPerPage + 1, OrderBy: "type,name"})
	if err != nil {
		return a.cannotOpen(r, s, transfer, components.Folder{Site: a.Site, Collection: chosen.To, Path: chosen.Folder}, err)
	}
	chosen.Folder = cmp.Or(listing.Path, chosen.Folder, "/")
	if !strings.HasSuffix(chosen.Folder, "/") {
		chosen.Folder += "/"
	}
	page := components.SendPage{
		Site: a.Site, Sending: chosen,
		FromName: collectionName(r, transfer, chosen.From, chosen.From),
		ToName:   collectionName(r, transfer, chosen.To, chosen.To),
	}
	for _, e := range listing.Entries {
		if !e.IsDir() || !components.IsName(e.Name) {
			continue
		}
		if page.More = len(page.Folders) == foldersPerPage; page.More {
			break
		}
		page.Folders = append(page.Folders, e)
	}
	if page.SubmissionID, err = transfer.SubmissionID(r.Context()); err != nil {
		return err
	}
	return web.Show(w, r, "Send", components.SendForm(page))
}

// makeFolder makes a folder in the chosen one, and chooses the new one.
func (a *App) makeFolder(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	chosen, ok := components.SendingOf(r.PostForm)
	name := strings.TrimSpace(r.PostForm.Get("new"))
	if !ok || chosen.To == "" || chosen.Folder == "" {
		return nothingChosen()
	}
	if !components.IsName(name) {
		return &web.Problem{
			Status: http.StatusUnprocessableEntity, Reason: "bad_name", Heading: "A folder cannot be called that",
			Message: "Choose a name that has no slash in it.",
			Ways:    []components.Way{{Label: "Back to where you were", URL: a.SendPath(chosen)}},
		}
	}
	err := a.globus.Transfer(a.Auth.Token(s, globus.TransferServer)).Mkdir(r.Context(), chosen.To, chosen.Folder+name)
	switch {
	case globus.KindOf(err) == globus.KindExists:
		web.Flash(w, r, "There was a folder of that name already.")
	case err != nil:
		return &web.About{Err: err, Ways: []components.Way{{Label: "Back to where you were", URL: a.SendPath(chosen)}}}
	}
	chosen.Folder += name + "/"
	return web.Redirect(w, r, chosen.Route())
}

// submit starts the transfer. The form has a submission id, so that Globus starts one
// transfer if it is sent twice.
func (a *App) submit(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	chosen, ok := components.SendingOf(r.PostForm)
	id := r.PostForm.Get("submission_id")
	if !ok || chosen.To == "" || chosen.Folder == "" || len(chosen.Items) == 0 || !globus.IsUUID(id) {
		return nothingChosen()
	}
	request := globus.TransferRequest{
		SubmissionID: id, Source: chosen.From, Destination: chosen.To, Label: r.PostForm.Get("label"),
		SkipVerify: !r.PostForm.Has("verify"),
	}
	if r.PostForm.Has("changed") {
		request.Sync = globus.SyncNewer
	}
	if !r.PostForm.Has("notify") {
		request.NoMail = globus.NoMail{Succeeded: true, Failed: true, Inactive: true}
	}
	for _, name := range chosen.Items {
		item := globus.TransferItem{Source: chosen.Path + name, Destination: chosen.Folder + name, Type: globus.EntryFile}
		if strings.HasSuffix(name, "/") {
			item.Type = globus.EntryDir
		}
		request.Items = append(request.Items, item)
	}
	transfer := a.globus.Transfer(a.Auth.Token(s, globus.TransferServer))
	submission, err := transfer.SubmitTransfer(r.Context(), request)
	if err != nil {
		return a.notSent(w, r, transfer, chosen, err)
	}
	return web.Redirect(w, r, "/transfers/"+submission.TaskID)
}

// notSent returns the error of a submission that failed, with links and a form that
// keep what was chosen.
func (a *App) notSent(w http.ResponseWriter, r *http.Request, transfer *globus.Transfer, chosen components.Sending, err error) error {
	back := components.Way{Label: "Back to where you were", URL: a.SendPath(chosen)}
	switch kind := globus.KindOf(err); kind {
	case globus.KindRequirements, globus.KindSignIn:
		return err
	case globus.KindConflict:
		return &web.About{Err: err, Ways: []components.Way{{Label: "See the transfer that runs", URL: a.running(r.Context(), transfer, chosen)}, back}}
	case globus.KindBusy, globus.KindNoAnswer:
		return &web.Problem{
			Status: http.StatusServiceUnavailable, Reason: "not_sent", Heading: "Globus did not say whether the transfer has begun",
			Message: "Send it again: that starts no second transfer.",
			Form:    web.FormAgain(w, r), Ways: []components.Way{back}, Cause: err,
		}
	}
	return &web.About{Err: err, Ways: []components.Way{back}}
}

// running returns the path of a task that still runs between the chosen collections,
// or of the list of transfers.
func (a *App) running(ctx context.Context, transfer *globus.Transfer, chosen components.Sending) string {
	seen := 0
	for task, err := range transfer.TaskList(ctx, globus.TaskQuery{}) {
		if seen++; err != nil || seen > 100 {
			break
		}
		runs := task.Status == globus.TaskActive || task.Status == globus.TaskInactive
		if runs && task.SourceID == chosen.From && task.DestinationID == chosen.To && globus.IsUUID(task.ID) {
			return a.TaskPath(task.ID)
		}
	}
	return a.Path("/transfers")
}

// chosen reads from the address what to send, and where.
func (a *App) chosen(r *http.Request) (components.Sending, error) {
	s, ok := components.SendingOf(r.URL.Query())
	if !ok {
		return s, nothingChosen()
	}
	back := []components.Way{{Label: "Back to the folder", URL: a.BrowsePath(s.From, s.Path)}}
	switch {
	case len(s.Items) == 0:
		p := nothingChosen()
		p.Ways = back
		return s, p
	case a.Here(r) == "" || s.To == "" && len(r.URL.RequestURI()) > maxChosen:
		return s, &web.Problem{
			Status: http.StatusRequestURITooLong, Reason: "too_many_chosen", Heading: "Those are too many to be sent at once",
			Message: "Tick fewer, or tick the folder that they are in: everything in it is sent.",
			Ways:    back,
		}
	}
	return s, nil
}

func nothingChosen() *web.Problem {
	return &web.Problem{
		Status: http.StatusUnprocessableEntity, Reason: "nothing_chosen", Heading: "Nothing is chosen to be sent",
		Message: "Open a folder, tick files and folders there, and press “Send to…”.",
	}
}
