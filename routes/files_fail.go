package routes

import (
	"net/http"
	"slices"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

// cannotOpen returns the error of a folder that Transfer did not list, with the name
// of the collection, and links that may help.
func (a *App) cannotOpen(r *http.Request, s *session.Session, transfer *globus.Transfer, folder components.Folder, err error) error {
	kind := globus.KindOf(err)
	switch kind {
	case globus.KindSignIn, globus.KindBusy, globus.KindNoAnswer:
		return err // it is not about the collection, and another call would fail too
	}
	about := &web.About{Err: err, Ways: waysAround(folder, kind)}
	c, ok := describe(r, transfer, folder.Collection)
	if !ok {
		return about
	}
	about.Names = map[string]string{folder.Collection: c.Name()}
	about.Facts = []components.Fact{{Label: "Collection", Value: c.Name()}}
	if c.Contact != "" {
		about.Facts = append(about.Facts, components.Fact{Label: "Contact", Value: c.Contact})
	}
	if kind == globus.KindOffline && c.IsPersonal() {
		about.Err = computerOffline(c, isOwn(c, s.Identity), err)
	}
	return about
}

// waysAround returns links from a folder that Transfer did not list to the one above,
// and to the file manager of Globus, which can do more than this page.
func waysAround(folder components.Folder, kind globus.Kind) (ways []components.Way) {
	if kind == globus.KindNoCollection {
		return nil
	}
	if above := components.FolderAbove(folder.Path); above != "" && kind != globus.KindOffline && kind != globus.KindPaused {
		label := "Open the folder above"
		if kind == globus.KindNotDirectory {
			label = "Open the folder that it is in"
			folder.Path = above // the file manager cannot open a file either, but shows it in its folder
		}
		ways = append(ways, components.Way{Label: label, URL: folder.BrowsePath(folder.Collection, above)})
	}
	return append(ways, components.Way{Label: "Open in the Globus file manager", URL: folder.FileManagerURL()})
}

// computerOffline returns the problem of a collection on a personal computer that is
// not connected; own: it is the person's.
func computerOffline(c *globus.Collection, own bool, err error) *web.Problem {
	if own {
		return &web.Problem{
			Status: http.StatusServiceUnavailable, Reason: "own_computer_offline", Heading: "Your computer is not connected to Globus",
			Message: "This collection is on your own computer, which is switched off, away from the network, or paused. Start Globus Connect Personal there, then try again.",
			Cause:   err,
		}
	}
	return &web.Problem{
		Status: http.StatusServiceUnavailable, Reason: "computer_offline", Heading: "The computer is not connected to Globus",
		Message: "This collection is on somebody's own computer, which is switched off, away from the network, or paused. Ask its owner to start Globus Connect Personal there.",
		Facts:   []components.Fact{{Label: "Owner", Value: c.Owner}},
		Cause:   err,
	}
}

// isOwn reports whether a collection belongs to one of the person's identities.
func isOwn(c *globus.Collection, who globus.Identity) bool {
	return c.OwnerID == who.Subject || slices.ContainsFunc(who.Linked, func(l globus.LinkedIdentity) bool { return l.Subject == c.OwnerID })
}
