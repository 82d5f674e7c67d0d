package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"example.org/portal/.ci/project"
)

func writeReadme(c project.Copy) error {
	return c.Write("README.md", "# Beamline 7\n\nRun data of the lab. Ask Ada for an account; see [our wiki](wiki/Start).\n")
}

// renameApp writes the lab's own name and links.
func renameApp(c project.Copy) error {
	site, err := c.Read("components/site.go")
	if err != nil {
		return err
	}
	for name, value := range map[string]string{
		"AppName": "Beamline 7: Läufe & Daten", "ShortName": "B7", "Description": "What was measured at beamline 7.",
		"ContactURL": "mailto:b7@lab.example", "PrivacyURL": "https://lab.example/privacy", "SourceURL": "https://lab.example/b7.git", "GlobusURL": "",
	} {
		constant := regexp.MustCompile(`(?m)^(\t` + name + `\s+= )".*?"`)
		if len(constant.FindAllString(site, -1)) != 1 {
			return fmt.Errorf("components/site.go: found no constant %s", name)
		}
		site = constant.ReplaceAllString(site, `${1}"`+value+`"`)
	}
	if err := c.Write("components/site.go", site); err != nil {
		return err
	}
	_, err = c.Run("gofmt", "-w", "components/site.go") // the names are of other lengths
	return err
}

// prose is text of a template: between two tags of a line, or a line by itself.
var prose = regexp.MustCompile(`(?m)(>)[^<>{}\n]*[A-Za-z]{2}[^<>{}\n]*(</)|^(\t+)[A-Z][^<>{}@\n]*$`)

// reword says in other words everything that the templates say.
func reword(c project.Copy) error {
	names, err := filepath.Glob(filepath.Join(string(c), "components", "*.templ"))
	if err != nil {
		return err
	}
	said := 0
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		text := prose.ReplaceAllStringFunc(string(content), func(old string) string {
			said++
			return prose.ReplaceAllString(old, fmt.Sprintf("${1}${3}Wort %d${2}", said))
		})
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			return err
		}
	}
	if said < 40 {
		return fmt.Errorf("the templates say only %d things", said)
	}
	return nil
}

// recolour gives the lab's colours to both schemes, and its icon.
func recolour(c project.Copy) error {
	css, err := c.Read("static/app.css")
	if err != nil {
		return err
	}
	brand := regexp.MustCompile(`(--brand(?:-strong)?): #[0-9a-f]{6};`)
	colours := []string{"#639", "#4c2673", "#d9b8ff", "#e8d5ff"}
	if n := len(brand.FindAllString(css, -1)); n != len(colours) {
		return fmt.Errorf("static/app.css: found %d colours of the brand, want %d", n, len(colours))
	}
	css = brand.ReplaceAllStringFunc(css, func(old string) string {
		name, _, _ := strings.Cut(old, ":")
		colour := colours[0]
		colours = colours[1:]
		return name + ": " + colour + ";"
	})
	if err := c.Write("static/icon.svg", `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><circle cx="4" cy="4" r="4" fill="#639"/></svg>`+"\n"); err != nil {
		return err
	}
	return c.Write("static/app.css", css)
}

// addScope says in words what another scope is for, and in others what Transfer is.
func addScope(c project.Copy) error {
	const transfer = "use Globus Transfer on your behalf"
	if err := c.Replace("components/scopes.go", transfer, "move your runs"); err != nil {
		return err
	}
	return c.Replace("components/scopes.go", "\twords := map[string]ask{\n",
		"\twords := map[string]ask{\n\t\t\"https://auth.globus.org/scopes/1f2e3d4c-0000-4000-8000-000000000000/runs\": {\"know which runs are yours\", \"\"},\n\n")
}

// addNavigation puts links to our pages into the header.
func addNavigation(c project.Copy) error {
	const home = "\t\t{\"Home\", \"/\", false},\n"
	return c.Replace("components/site.go", home, home+"\t\t{\"About\", \"/about\", false},\n")
}

// addRoutes adds pages of other kinds than those of the recipes.
func addRoutes(c project.Copy) error {
	if err := addLines(c, "routes/routes.go", route, `a.HandleFunc("GET /about", a.about)
a.HandleFunc("GET /request", a.about)
beamline.AddRoutes(a.Server, a.Auth)
`); err != nil {
		return err
	}
	if err := c.Write("components/about.templ", `package components

import "`+module+`/instrument"

// About is for everybody.
templ About(p Page, d instrument.Detector) {
	@layout(p) {
		<h1>About</h1>
		<p>Beamline 7 measures with { string(d) }.</p>
	}
}
`); err != nil {
		return err
	}
	if err := c.Replace("routes/routes.go", "\t\""+module+"/routes/auth\"\n", "\t\""+module+"/routes/auth\"\n\t\""+module+"/routes/beamline\"\n"); err != nil {
		return err
	}
	return c.Write("routes/about.go", `package routes

import (
	"net/http"

	"`+module+`/components"
	"`+module+`/routes/beamline"
	"`+module+`/routes/web"
)

func (a *App) about(w http.ResponseWriter, r *http.Request) error {
	return web.ShowPage(w, r, components.About(web.NewPage(r, "About"), beamline.Detector))
}
`)
}

// addPackages adds a package among ours, and one at the top.
func addPackages(c project.Copy) error {
	for name, text := range map[string]string{
		"routes/beamline/run.go": `// Package beamline is about what we measure.
package beamline

import "` + module + `/instrument"

// Detector is what we have.
const Detector instrument.Detector = "Pilatus"

// A Run is one measurement.
type Run struct {
	ID       string            ` + "`json:\"id\"`" + `
	Detector instrument.Detector ` + "`json:\"detector\"`" + `
}
`,
		"routes/beamline/run_test.go": `package beamline_test

import (
	"encoding/json"
	"testing"

	"` + module + `/routes/beamline"
)

func TestRun(t *testing.T) {
	got, err := json.Marshal(beamline.Run{ID: "7"})
	if want := ` + "`{\"id\":\"7\",\"detector\":\"\"}`" + `; err != nil || string(got) != want {
		t.Errorf("got %s (%v), want %s", got, err, want)
	}
}
`,
		"routes/beamline/pages.go": `package beamline

import (
	"net/http"

	"` + module + `/globus"
	"` + module + `/routes/auth"
	"` + module + `/routes/session"
	"` + module + `/routes/web"
)

// staff may delete runs.
var staff = globus.Policy{Domains: []string{"lab.example"}}

// AddRoutes adds the pages of runs to the site.
func AddRoutes(server *web.Server, a *auth.Auth) {
	server.Handle("GET /runs/{run}", a.Required(run))
	server.Handle("GET /runs/{run}/files/{path...}", a.Required(run))
	server.Handle("DELETE /runs/{run}", a.Require(staff, run))
}

func run(w http.ResponseWriter, r *http.Request, _ *session.Session) error {
	if r.PathValue("run") == "0" {
		return &web.Problem{Status: http.StatusNotFound, Reason: "no_such_run", Heading: "There is no such run"}
	}
	return web.JSON(w, r, Run{ID: r.PathValue("run")})
}
`,
		"routes/beamline/pages_test.go": `package beamline_test

import (
	"net/http"
	"strings"
	"testing"

	"` + module + `/routes/routestest"
)

func TestRunPage(t *testing.T) {
	t.Parallel()
	b := routestest.Start(t, routestest.Options{}).Browser()
	b.SignIn("rosalind")
	if p := b.Get("/runs/7"); p.Status != http.StatusOK || !strings.HasPrefix(p.Body, "{\"id\":\"7\"") {
		t.Errorf("got %d:\n%s", p.Status, p.Body)
	}
	if p := b.Get("/runs/0"); p.Status != http.StatusNotFound || p.Reason() != "no_such_run" {
		t.Errorf("got %d:\n%s", p.Status, p.Body)
	}
	if p := b.Send(http.MethodDelete, "/runs/7", nil); p.Status != http.StatusForbidden || p.Reason() != "policy" {
		t.Errorf("by somebody else: got %d:\n%s", p.Status, p.Body)
	}
}
`,
		"instrument/detector.go": `// Package instrument is shared with other programs of ours.
package instrument

// A Detector is known by its name.
type Detector string
`,
	} {
		if err := c.Write(name, text); err != nil {
			return err
		}
	}
	_, err := c.Run("gofmt", "-w", "routes/beamline", "instrument")
	return err
}

// removePages takes out the pages of transfers and of folders: their lines of the
// table, their files with their tests, and the place of one on the home page.
func removePages(c project.Copy) error {
	table, err := c.Read("routes/routes.go")
	if err != nil {
		return err
	}
	lines := regexp.MustCompile(`(?m)^\ta\.Handle(Func)?\("\w+ /(transfers|files|send|browse|photo51)\b.*\n`)
	if n := len(lines.FindAllString(table, -1)); n < 2 {
		return fmt.Errorf("routes/routes.go: found %d lines of the pages to remove", n)
	}
	if err := c.Write("routes/routes.go", lines.ReplaceAllString(table, "")); err != nil {
		return err
	}
	if err := c.Replace("components/site.go", "\t\t{\"Files\", \"/files\", true},\n\t\t{\"Transfers\", \"/transfers\", true},\n", ""); err != nil {
		return err
	}
	page := regexp.MustCompile(`^(browser_)?(transfers|files|send|browse|task|photo51)(_\w+)?\.(go|templ)$`)
	for _, dir := range []string{"routes", "components"} {
		entries, err := os.ReadDir(filepath.Join(string(c), dir))
		if err != nil {
			return err
		}
		for _, e := range entries {
			if page.MatchString(e.Name()) {
				if err := os.Remove(filepath.Join(string(c), dir, e.Name())); err != nil {
					return err
				}
			}
		}
	}
	return c.Write("components/home.templ", `package components

// Home is the home page.
templ Home(p Page, c Card) {
	@layout(p) {
		<h1>Beamline 7</h1>
		<p>What was measured.</p>
		@UserCard(c)
	}
}
`)
}

// removeSearch takes out the pages of search, as somebody does whose app needs none: two
// lines of routes/routes.go, what they name, and the link to it.
func removeSearch(c project.Copy) error {
	for _, name := range []string{"routes/search", "routes/data.go"} {
		if err := os.RemoveAll(filepath.Join(string(c), name)); err != nil {
			return err
		}
	}
	for _, line := range []string{"\tsearch.AddRoutes(a.Server, a.Auth, a.globus, data)\n", "\t\"" + module + "/routes/search\"\n"} {
		if err := c.Replace("routes/routes.go", line, ""); err != nil {
			return err
		}
	}
	if err := c.Replace("components/site.go", "\t\t{\"Find data\", \"/search\", false},\n", ""); err != nil {
		return err
	}
	_, err := c.Run("go", "mod", "tidy")
	return err
}
