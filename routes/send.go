package routes

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

const (
	foldersPerPage = 200     // to choose from; there may be more
	manyItems      = 1 << 20 // bytes of a form that holds what is chosen: some 10,000 names
)

// send lets a person choose where to send the files that they have ticked: first a
// collection, then a folder. The address holds every choice if it has room for them, so
// that Globus leads back here if it requires something of the person on the way. Else a
// form holds them.
func (a *App) send(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	chosen, ok := components.SendingOf(formOf(r))
	if !ok || len(chosen.Items) == 0 {
		return a.nothingChosen(chosen)
	}
	return a.goOn(w, r, s, chosen)
}

// goOn leads to the page where chosen can be completed: by an address, or at once if
// no address can hold it.
func (a *App) goOn(w http.ResponseWriter, r *http.Request, s *session.Session, chosen components.Sending) error {
	if route := chosen.Route() + searchOf(r, chosen); r.Method == http.MethodPost && a.fits(route) {
		return web.Redirect(w, r, route)
	}
	if chosen.To != "" {
		return a.showSend(w, r, s, components.SendPage{Sending: chosen})
	}
	places := components.Places{Site: a.Site, Sending: &chosen}
	if err := a.findPlaces(r, a.globus.Transfer(a.Auth.Token(s, globus.TransferServer)), &places); err != nil {
		return a.keep(chosen, back, err)
	}
	return web.Show(w, r, "Send", components.SendTo(places))
}

// searchOf returns what r searches for a destination, as the rest of a query.
func searchOf(r *http.Request, chosen components.Sending) string {
	form, search := formOf(r), url.Values{}
	for _, name := range []string{"q", "offset"} {
		if value := form.Get(name); value != "" && chosen.To == "" {
			search.Set(name, value)
		}
	}
	if len(search) == 0 {
		return ""
	}
	return "&" + search.Encode()
}

// showSend shows the folders of the chosen collection, and the rest of the form.
func (a *App) showSend(w http.ResponseWriter, r *http.Request, s *session.Session, page components.SendPage) error {
	chosen, transfer := page.Sending, a.globus.Transfer(a.Auth.Token(s, globus.TransferServer))

	// Both collections are listed, so that Globus asks for the consent that it requires
	// before the person sends.
	from := chosen.FirstFolder()
	if _, err := transfer.List(r.Context(), chosen.From, globus.ListQuery{Path: from, Limit: 1}); err != nil {
		err = a.cannotOpen(r, s, transfer, components.Folder{Site: a.Site, Collection: chosen.From, Path: from}, err)
		return a.keep(chosen, back, err)
	}
	listing, err := transfer.List(r.Context(), chosen.To, globus.ListQuery{Path: chosen.Folder, Limit: foldersPerPage + 1, OrderBy: "type,name"})
	if err != nil {
		err = a.cannotOpen(r, s, transfer, components.Folder{Site: a.Site, Collection: chosen.To, Path: chosen.Folder}, err)
		return a.keep(chosen.Into("", ""), "Send it somewhere else", err)
	}
	page.Folder = cmp.Or(listing.Path, chosen.Folder, "/")
	if !strings.HasSuffix(page.Folder, "/") {
		page.Folder += "/"
	}
	page.Site = a.Site
	page.FromName = collectionName(r, transfer, chosen.From, chosen.From)
	page.ToName = collectionName(r, transfer, chosen.To, chosen.To)
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
		return a.keep(chosen, back, err)
	}
	if page.Errors != nil {
		return web.ShowInvalid(w, r, "Send", page.Errors, components.SendForm(page))
	}
	return web.Show(w, r, "Send", components.SendForm(page))
}

// makeFolder makes a folder in the chosen one, and chooses the new one.
func (a *App) makeFolder(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	chosen, ok := components.SendingOf(formOf(r))
	if !ok || chosen.To == "" || chosen.Folder == "" || len(chosen.Items) == 0 {
		return a.nothingChosen(chosen)
	}
	page := components.SendPage{Sending: chosen, New: r.PostForm.Get("new")}
	name := strings.TrimSpace(page.New)
	switch {
	case name == "": // Enter, typed anywhere in the form, comes here too
		page.Errors.Add("new", "To make a folder, type its name. To send, press “Send”.")
	case !components.IsName(name):
		page.Errors.Add("new", "A folder cannot have that name. Choose one without a slash.")
	}
	if page.Errors != nil {
		return a.showSend(w, r, s, page)
	}
	err := a.globus.Transfer(a.Auth.Token(s, globus.TransferServer)).Mkdir(r.Context(), chosen.To, chosen.Folder+name)
	if err != nil && globus.KindOf(err) != globus.KindExists {
		return a.keep(chosen, back, err)
	}
	chosen.Folder += name + "/"
	if err != nil && a.fits(chosen.Route()) {
		web.Flash(w, r, "A folder of that name existed already.")
	}
	return a.goOn(w, r, s, chosen)
}

// submit starts the transfer. The form has a submission id, so that Globus starts one
// transfer if it is sent twice.
func (a *App) submit(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	chosen, ok := components.SendingOf(r.PostForm)
	id := r.PostForm.Get("submission_id")
	if !ok || chosen.To == "" || chosen.Folder == "" || len(chosen.Items) == 0 || !globus.IsUUID(id) {
		return a.nothingChosen(chosen)
	}
	request := globus.TransferRequest{
		SubmissionID: id, Source: chosen.From, Destination: chosen.To, Label: chosen.Label, SkipVerify: chosen.SkipVerify,
	}
	if chosen.Changed {
		request.Sync = globus.SyncNewer
	}
	if chosen.NoMail {
		request.NoMail = globus.NoMail{Succeeded: true, Failed: true, Inactive: true}
	}
	for _, name := range chosen.Items {
		item := globus.TransferItem{Source: chosen.Path + name, Destination: chosen.Folder + name, Type: globus.EntryFile}
		switch {
		case name == components.Everything:
			item = globus.TransferItem{Source: chosen.Path, Destination: chosen.Folder, Type: globus.EntryDir}
		case strings.HasSuffix(name, "/"):
			item.Type = globus.EntryDir
		}
		request.Items = append(request.Items, item)
	}
	transfer := a.globus.Transfer(a.Auth.Token(s, globus.TransferServer))
	submission, err := transfer.SubmitTransfer(r.Context(), request)
	if err != nil {
		return a.notSent(w, r, transfer, chosen, err)
	}
	return web.Redirect(w, r, a.taskRoute(submission.TaskID, chosen))
}

// taskRoute returns the path of a task's page, whose address holds what was sent, if it
// has room: Globus does not say it.
func (a *App) taskRoute(id string, sent components.Sending) string {
	route := "/transfers/" + url.PathEscape(id)
	if whole := route + "?" + sent.Encode(); len(sent.Items) > 0 && a.fits(whole) {
		return whole
	}
	return route
}

// notSent returns the error of a submission that failed, with links and a form that
// keep what was chosen.
func (a *App) notSent(w http.ResponseWriter, r *http.Request, transfer *globus.Transfer, chosen components.Sending, err error) error {
	switch globus.KindOf(err) {
	case globus.KindConflict:
		return a.keep(chosen, back, &web.About{Err: err, Ways: a.running(r.Context(), transfer, chosen)})
	case globus.KindBusy, globus.KindNoAnswer:
		return a.keep(chosen, back, &web.Problem{
			Status: http.StatusServiceUnavailable, Reason: "not_sent", Heading: "Globus did not say whether the transfer has begun",
			Message: "Send it again: Globus will not start a second transfer.",
			Form:    web.FormAgain(w, r), Cause: err,
		})
	}
	return a.keep(chosen, back, err)
}

const back = "Back to where you were"

// keep returns an error with a way to go on with chosen: a link, or a form if no address
// can hold it. For what Globus requires first, auth makes a way by itself.
func (a *App) keep(chosen components.Sending, label string, err error) error {
	switch globus.KindOf(err) {
	case globus.KindRequirements, globus.KindSignIn:
		return err
	}
	about := &web.About{Err: err}
	if a.fits(chosen.Route()) {
		about.Ways = []components.Way{{Label: label, URL: a.SendPath(chosen)}}
	} else {
		about.Form = &components.Form{Action: a.Path("/send"), Fields: chosen.Fields(), Label: label}
	}
	return about
}

// running returns links to the tasks that still run between the chosen collections, at
// most five, or to all transfers: which of them has the same paths, Globus does not say.
func (a *App) running(ctx context.Context, transfer *globus.Transfer, chosen components.Sending) (ways []components.Way) {
	seen := 0
	for task, err := range transfer.TaskList(ctx, globus.TaskQuery{}) {
		if seen++; err != nil || seen > 100 || len(ways) == 5 {
			break
		}
		runs := task.Status == globus.TaskActive || task.Status == globus.TaskInactive
		if runs && task.SourceID == chosen.From && task.DestinationID == chosen.To && globus.IsUUID(task.ID) {
			ways = append(ways, components.Way{Label: "See the running transfer: " + components.TaskName(task), URL: a.TaskPath(task.ID)})
		}
	}
	if len(ways) != 1 {
		ways = append(ways, components.Way{Label: "All transfers", URL: a.Path("/transfers")})
	}
	return ways
}

// nothingChosen is the problem of a form or an address that says too little of what is
// to be sent.
func (a *App) nothingChosen(chosen components.Sending) *web.Problem {
	p := &web.Problem{
		Status: http.StatusUnprocessableEntity, Reason: "nothing_chosen", Heading: "You have not chosen anything to send",
		Message: "Open a folder, tick files and folders there, and press “Send to…”.",
	}
	if globus.IsUUID(chosen.From) && isFolder(chosen.Path) {
		p.Ways = []components.Way{{Label: "Back to the folder", URL: a.BrowsePath(chosen.From, chosen.Path)}}
	}
	return p
}
