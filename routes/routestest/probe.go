package routestest

import (
	"cmp"
	"context"
	"html"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
	"example.org/portal/routes"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

// StartWithProbes is Start for a site with the pages of AddProbes.
func StartWithProbes(t testing.TB, o Options) *Site {
	t.Helper()
	s := Start(t, o)
	AddProbes(s.App, s.Client)
	return s
}

// Place returns the demo collection whose name begins so.
func Place(t testing.TB, name string) globustest.Collection {
	t.Helper()
	all := globustest.DemoCollections()
	i := slices.IndexFunc(all, func(c globustest.Collection) bool { return strings.HasPrefix(c.Name, name) })
	if i < 0 {
		t.Fatal("no collection " + name)
	}
	return all[i]
}

// Reason matches a problem's page or card of that reason, for Tab.Shows.
func Reason(kind string) string { return `[data-reason="` + kind + `"]` }

// ProbeMessage is what /probe/message has the next page say.
const ProbeMessage = "Sample “<b>A–7</b>” deleted."

// AddProbes adds two pages, /probe/tasks and /probe/folder/{id}, that call Globus
// as the person who is signed in and return its errors, and /probe/message, which
// leads to another page with a message: tests of what every page shares need some,
// whatever pages the site has.
func AddProbes(a *routes.App, client *globus.Client) {
	a.HandleFunc("GET /probe/message", func(w http.ResponseWriter, r *http.Request) error {
		web.Flash(w, r, ProbeMessage)
		return web.Redirect(w, r, cmp.Or(r.URL.Query().Get("to"), "/user"))
	})
	a.Handle("GET /probe/tasks", a.Auth.Required(func(w http.ResponseWriter, r *http.Request, s *session.Session) error {
		var labels []string
		transfer := client.Transfer(a.Auth.Token(s, globus.TransferServer))
		for task, err := range transfer.TaskList(r.Context(), globus.TaskQuery{PageSize: 10}) {
			if err != nil {
				return err
			}
			if labels = append(labels, task.Label); len(labels) == 10 {
				break
			}
		}
		return web.Show(w, r, "Tasks", probeList("tasks", a.Here(r), labels))
	}))
	a.Handle("GET /probe/folder/{id}", a.Auth.Required(func(w http.ResponseWriter, r *http.Request, s *session.Session) error {
		var names []string
		transfer := client.Transfer(a.Auth.Token(s, globus.TransferServer))
		listing, err := transfer.List(r.Context(), r.PathValue("id"), globus.ListQuery{Path: r.URL.Query().Get("path")})
		if err != nil {
			return err
		}
		for _, entry := range listing.Entries {
			names = append(names, entry.Name)
		}
		return web.Show(w, r, "Folder", probeList("folder", a.Here(r), names))
	}))
}

// probeList lists what Globus answered. Its link, #tasks-again or #folder-again,
// has htmx read it again in its place.
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
