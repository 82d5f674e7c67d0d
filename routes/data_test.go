package routes_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"example.org/portal/routes/routestest"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

// TestOwnData: with a migration the site has a database, which outlives it, and rows
// of one person are not another's; without one, no database is opened.
func TestOwnData(t *testing.T) {
	t.Parallel()
	migrations := fstest.MapFS{"0001_notes.sql": {Data: []byte("CREATE TABLE notes (owner TEXT NOT NULL, text TEXT NOT NULL)")}}
	onEach := func(t *testing.T, name string) {
		dir := t.TempDir()
		start := func(t *testing.T) *routestest.Site {
			s := routestest.Start(t, routestest.Options{Dir: dir, Database: name, Migrations: migrations})
			s.App.Handle("POST /probe/notes", s.App.Auth.Required(func(w http.ResponseWriter, r *http.Request, who *session.Session) error {
				_, err := s.App.DB.ExecContext(r.Context(), "INSERT INTO notes (owner, text) VALUES ($1, $2)", who.Identity.Subject, r.PostForm.Get("text"))
				if err != nil {
					return err
				}
				return web.Redirect(w, r, "/probe/notes")
			}))
			s.App.Handle("GET /probe/notes", s.App.Auth.Required(func(w http.ResponseWriter, r *http.Request, who *session.Session) error {
				var text string
				err := s.App.DB.QueryRowContext(r.Context(), "SELECT text FROM notes WHERE owner = $1", who.Identity.Subject).Scan(&text)
				if err != nil {
					return err
				}
				return web.JSON(w, r, text)
			}))
			return s
		}
		t.Run("before", func(t *testing.T) {
			b := start(t).Browser()
			if p := b.Follow(b.Send(http.MethodPost, "/probe/notes", b.SignIn("rosalind").Form("text", "hers"))); p.Body != "\"hers\"\n" {
				t.Errorf("got %d:\n%s", p.Status, p.Body)
			}
		})
		t.Run("after a restart", func(t *testing.T) {
			s := start(t)
			b := s.Browser()
			b.SignIn("rosalind")
			if p := b.Get("/probe/notes"); p.Body != "\"hers\"\n" {
				t.Errorf("got %d:\n%s", p.Status, p.Body)
			}
			other := s.Browser()
			other.SignIn("ada")
			if p := other.Get("/probe/notes"); p.Status != http.StatusInternalServerError || strings.Contains(p.Body, "hers") {
				t.Errorf("somebody else: got %d:\n%s", p.Status, p.Body)
			}
		})
	}
	t.Run("SQLite", func(t *testing.T) { onEach(t, "") })
	t.Run("PostgreSQL", func(t *testing.T) { onEach(t, routestest.Postgres(t)) })

	s := routestest.Start(t, routestest.Options{Migrations: fstest.MapFS{}, Database: "postgres://nobody@127.0.0.1:1/nothing"})
	if s.App.DB != nil {
		t.Error("a database is open that nobody uses")
	}
	if files, _ := filepath.Glob(filepath.Join(s.Dir, "app.db*")); len(files) > 0 {
		t.Errorf("there are %v", files)
	}
}
