package routes

import (
	"context"
	"html"
	"io"
	"net/http"

	"github.com/a-h/templ"

	"example.org/portal/globus"
	"example.org/portal/routes/session"
)

// Handle adds a page, to see what becomes of one that none of the app's is like.
func (a *App) Handle(pattern string, h func(http.ResponseWriter, *http.Request) error) {
	a.pages.Handle(pattern, a.catch(h))
}

// HandleSignedIn adds a page for those who are signed in.
func (a *App) HandleSignedIn(pattern string, h func(http.ResponseWriter, *http.Request) error) {
	a.pages.Handle(pattern, a.catch(a.signedIn(func(w http.ResponseWriter, r *http.Request, _ *session.Session) error { return h(w, r) })))
}

// Show is what such a page may answer with: a fragment.
func (a *App) Show(w http.ResponseWriter, r *http.Request, fragment templ.Component) error {
	return a.show(w, r, http.StatusOK, "Test", fragment)
}

// Require adds a page that demands more of people than the app does.
func (a *App) Require(pattern string, p globus.Policy) {
	a.pages.Handle(pattern, a.catch(a.signedIn(a.require(p, func(w http.ResponseWriter, _ *http.Request, _ *session.Session) error {
		plain(w, http.StatusOK, "You are in")
		return nil
	}))))
}

// AddProbes adds two pages that call Globus as the person who is signed in, and
// return its errors: the tests of the engine need some, whatever pages there are.
func (a *App) AddProbes() {
	base := a.site.BasePath
	a.pages.Handle("GET "+base+"/probe/tasks", a.catch(a.signedIn(func(w http.ResponseWriter, r *http.Request, s *session.Session) error {
		var labels []string
		transfer := a.globus.Transfer(a.tokensFor(s, globus.TransferServer))
		for task, err := range transfer.TaskList(r.Context(), globus.TaskQuery{PageSize: 10}) {
			if err != nil {
				return err
			}
			if labels = append(labels, task.Label); len(labels) == 10 {
				break
			}
		}
		return a.show(w, r, http.StatusOK, "Tasks", probeList("tasks", a.localPath(r.URL.RequestURI()), labels))
	})))
	a.pages.Handle("GET "+base+"/probe/folder/{id}", a.catch(a.signedIn(func(w http.ResponseWriter, r *http.Request, s *session.Session) error {
		var names []string
		transfer := a.globus.Transfer(a.tokensFor(s, globus.TransferServer))
		listing, err := transfer.List(r.Context(), r.PathValue("id"), globus.ListQuery{Path: r.URL.Query().Get("path")})
		if err != nil {
			return err
		}
		for _, entry := range listing.Entries {
			names = append(names, entry.Name)
		}
		return a.show(w, r, http.StatusOK, "Folder", probeList("folder", a.localPath(r.URL.RequestURI()), names))
	})))
}

// probeList lists what Globus told. Its link, #tasks-again or #folder-again, has htmx
// read it again in its place.
func probeList(id, self string, lines []string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		text := `<section id="` + id + `" class="card"><ul>`
		for _, line := range lines {
			text += "<li>" + html.EscapeString(line) + "</li>"
		}
		self = html.EscapeString(self)
		text += `</ul><a id="` + id + `-again" class="button" href="` + self + `" hx-get="` + self + `" hx-target="#` + id + `" hx-swap="outerHTML">Again</a></section>`
		_, err := io.WriteString(w, text)
		return err
	})
}

// Idle waits for what goes on in the background.
func (a *App) Idle() { a.background.Wait() }
