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
	maxChosen      = 1500 // bytes of an address with what is chosen: Globus leads back to 2 KiB, and where to comes yet
)

// send is where a person chooses where to send what they have ticked: a collection
// first, and then a folder. All that is chosen is in the address, so that nothing is
// lost when Globus wants consent for a collection in the middle of it.
func (a *App) send(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	chosen, err := a.chosen(w, r)
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

	// Both collections are looked at, so that what they want of the person is asked
	// for before they send.
	if _, err := transfer.List(r.Context(), chosen.From, globus.ListQuery{Path: chosen.Path, Limit: 1}); err != nil {
		return a.cannotOpen(r, s, transfer, components.Folder{Site: a.Site, Collection: chosen.From, Path: chosen.Path}, err)
	}
	listing, err := transfer.List(r.Context(), chosen.To, globus.ListQuery{Path: chosen.Folder, Limit: foldersPerPage, OrderBy: "type,name"})
	if err != nil {
		return a.cannotOpen(r, s, transfer, components.Folder{Site: a.Site, Collection: chosen.To, Path: chosen.Folder}, err)
	}
	chosen.Folder = cmp.Or(listing.Path, chosen.Folder, "/")
	if !strings.HasSuffix(chosen.Folder, "/") {
		chosen.Folder += "/"
	}
	page := components.SendPage{Site: a.Site, Sending: chosen, FromName: nameOrID(r, transfer, chosen.From), ToName: nameOrID(r, transfer, chosen.To)}
	for _, e := range listing.Entries {
		if e.IsDir() && components.IsName(e.Name) {
			page.Folders = append(page.Folders, e)
		}
	}
	page.More = len(page.Folders) == foldersPerPage
	if page.SubmissionID, err = transfer.SubmissionID(r.Context()); err != nil {
		return err
	}
	return web.Show(w, r, "Send", components.SendForm(page))
}

// makeFolder makes a folder in the one that is chosen, and chooses it.
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

// submit sends. The page that asked has brought a submission id, so that the same
// sent twice is one transfer.
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
	made, err := transfer.SubmitTransfer(r.Context(), request)
	if err != nil {
		return a.notSent(w, r, transfer, chosen, err)
	}
	return web.Redirect(w, r, "/transfers/"+made.TaskID)
}

// notSent returns what a page says when a submission failed: nothing that was chosen
// is lost.
func (a *App) notSent(w http.ResponseWriter, r *http.Request, transfer *globus.Transfer, chosen components.Sending, err error) error {
	back := components.Way{Label: "Back to where you were", URL: a.SendPath(chosen)}
	switch kind := globus.KindOf(err); kind {
	case globus.KindRequirements, globus.KindSignIn:
		return err
	case globus.KindConflict:
		return &web.About{Err: err, Ways: []components.Way{{Label: "See the transfer that runs", URL: a.running(r.Context(), transfer, chosen)}, back}}
	case globus.KindBusy, globus.KindNoAnswer:
		return &web.Problem{
			Status: http.StatusServiceUnavailable, Reason: "not_sent", Heading: "Globus did not say whether it has begun",
			Message: "Send it again: if it has begun, that begins nothing anew.",
			Form:    web.FormAgain(w, r), Ways: []components.Way{back}, Cause: err,
		}
	}
	return &web.About{Err: err, Ways: []components.Way{back}}
}

// running returns the path of the task between two collections that still runs, or
// of the list of all.
func (a *App) running(ctx context.Context, transfer *globus.Transfer, chosen components.Sending) string {
	looked := 0
	for task, err := range transfer.TaskList(ctx, globus.TaskQuery{}) {
		if looked++; err != nil || looked > 100 {
			break
		}
		runs := task.Status == globus.TaskActive || task.Status == globus.TaskInactive
		if runs && task.SourceID == chosen.From && task.DestinationID == chosen.To && globus.IsUUID(task.ID) {
			return a.TaskPath(task.ID)
		}
	}
	return a.Path("/transfers")
}

// chosen reads from the address what is to be sent, and where to.
func (a *App) chosen(_ http.ResponseWriter, r *http.Request) (components.Sending, error) {
	s, ok := components.SendingOf(r.URL.Query())
	switch {
	case !ok:
		return s, nothingChosen()
	case len(s.Items) == 0:
		p := nothingChosen()
		p.Ways = []components.Way{{Label: "Back to the folder", URL: a.BrowsePath(s.From, s.Path, 0)}}
		return s, p
	case a.Here(r) == "" || s.To == "" && len(r.URL.RequestURI()) > maxChosen:
		return s, &web.Problem{
			Status: http.StatusRequestURITooLong, Reason: "too_many_chosen", Heading: "Those are too many to be sent at once",
			Message: "Tick fewer, or the folder that they are in: it is sent with all that is in it.",
			Ways:    []components.Way{{Label: "Back to the folder", URL: a.BrowsePath(s.From, s.Path, 0)}},
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

// nameOrID returns what to call a collection; the page is good without its name.
func nameOrID(r *http.Request, transfer *globus.Transfer, id string) string {
	ctx, cancel := context.WithTimeout(r.Context(), maxDescribe)
	defer cancel()
	c, err := transfer.Collection(ctx, id)
	if err != nil {
		return id
	}
	return c.Name()
}
