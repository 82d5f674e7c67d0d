package routes

import (
	"context"
	"net/http"
	"path"
	"strings"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

// maxReported is how many copied files of a task are read to find out what was sent.
const maxReported = 500

// sendAgain leads back to the page where a transfer was sent, with the same items,
// collections and options. Globus does not keep which items a task was asked to send,
// only which files it has copied. So if the address does not hold them, and they cannot
// all be found among those files, it leads to the folder that they came from, to tick
// them there.
func (a *App) sendAgain(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	transfer := a.globus.Transfer(a.Auth.Token(s, globus.TransferServer))
	task, err := findTask(r, transfer)
	if err != nil {
		return err
	}
	if !globus.IsUUID(task.SourceID) || !globus.IsUUID(task.DestinationID) {
		return noSuchTask(nil)
	}
	sent, all := sentBy(r, task), true
	if len(sent.Items) == 0 {
		if sent, all, err = copiedBy(r.Context(), transfer, task); err != nil {
			return err
		}
	}
	if all {
		if route := sent.Route(); a.fits(route) {
			return web.Redirect(w, r, route)
		}
		return a.showSend(w, r, s, components.SendPage{Sending: sent})
	}
	folder := components.Folder{Site: a.Site, Collection: sent.From, Path: sent.Path, Chosen: sent}
	if !a.fits(folder.Route()) {
		folder.Chosen = sent.Without()
	}
	web.Flash(w, r, "Globus does not list everything that this transfer sent. Tick the files that are missing here; all else is chosen as before.")
	return web.Redirect(w, r, folder.Route())
}

// sentBy returns what a task was asked to send, if the address of r holds it.
func sentBy(r *http.Request, task *globus.Task) components.Sending {
	sent, ok := components.SendingOf(r.URL.Query())
	if !ok || sent.From != task.SourceID || sent.To != task.DestinationID || sent.Folder == "" {
		return components.Sending{}
	}
	return sent
}

// copiedBy returns what a task has sent, as far as Globus tells; all is false if that may
// not be all.
func copiedBy(ctx context.Context, transfer *globus.Transfer, task *globus.Task) (sent components.Sending, all bool, err error) {
	var files []globus.TransferredFile
	all = task.Status == globus.TaskSucceeded && task.FilesSkipped == 0 && task.SkippedErrors == 0
	for file, err := range transfer.SuccessfulTransfers(ctx, task.ID) {
		if err != nil {
			return sent, false, err
		}
		if len(files) == maxReported {
			all = false
			break
		}
		files = append(files, file)
	}
	sent = components.Sending{
		From: task.SourceID, To: task.DestinationID,
		Label: task.Label, Changed: task.Sync != globus.SyncAll, SkipVerify: task.SkipVerify,
	}
	known := false
	if sent.Path, sent.Folder, sent.Items, known = commonFolder(files); !known {
		sent.Path, sent.Folder, sent.Items, all = "", "", nil, false
	}
	return sent, all, nil
}

// commonFolder returns the deepest folder that all files come from, the one that they
// went to, and what is to be sent from the one to the other. It is not ok if there are no
// files, or if they were renamed on the way.
func commonFolder(files []globus.TransferredFile) (from, to string, items []string, ok bool) {
	if len(files) == 0 {
		return "", "", nil, false
	}
	from = folderOf(files[0].Source)
	for _, f := range files {
		if !strings.HasPrefix(f.Source, "/") { // Transfer does not say it
			return "", "", nil, false
		}
		for !strings.HasPrefix(f.Source, from) && from != "/" {
			from = components.FolderAbove(from)
		}
	}
	to, ok = strings.CutSuffix(files[0].Destination, strings.TrimPrefix(files[0].Source, from))
	seen := map[string]bool{}
	for _, f := range files {
		name := strings.TrimPrefix(f.Source, from)
		if f.Source != from+name || f.Destination != to+name || name == "" {
			return "", "", nil, false
		}
		if top, _, deeper := strings.Cut(name, "/"); deeper {
			name = top + "/"
		}
		if !seen[name] {
			items = append(items, name)
		}
		seen[name] = true
	}
	return from, to, items, ok && strings.HasSuffix(to, "/")
}

// folderOf returns the folder that a file is in, with a slash at its end.
func folderOf(file string) string { return strings.TrimSuffix(path.Dir(file), "/") + "/" }
