package routes_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestImports holds who may import whom: of each folder that this project came
// with, what it may use of the others. Other folders may use all of them, and be
// used by those that page authors write in.
func TestImports(t *testing.T) {
	t.Parallel()
	may := map[string][]string{
		"":                                 {"globus", "routes", "routes/doctor", "routes/licenses", "routes/session", "routes/settings", "routes/web"},
		"components":                       {"globus"},
		"globus":                           {},
		"globus/globustest":                {"globus"},
		"globus/globustest/cmd/globustest": {"globus", "globus/globustest"},
		"routes":                           {"components", "globus", "routes/auth", "routes/database", "routes/search", "routes/session", "routes/web"},
		"routes/auth":                      {"components", "globus", "routes/session", "routes/web"},
		"routes/database":                  {},
		"routes/doctor":                    {"globus", "routes/database", "routes/session", "routes/settings", "routes/web"},
		"routes/licenses":                  {},
		"routes/routestest":                {"globus", "globus/globustest", "routes", "routes/routestest/programs", "routes/session", "routes/settings", "routes/web"},
		"routes/routestest/programs":       {},
		"routes/search":                    {"components", "globus", "routes/auth", "routes/session", "routes/web"},
		"routes/session":                   {"globus"},
		"routes/settings":                  {"globus", "globus/globustest", "routes/database", "routes/session"},
		"routes/web":                       {"components", "globus", "static"},
		"static":                           {},
	}
	authors := []string{"", "components", "routes"}
	stores := []string{"github.com/alexedwards/scs", "github.com/redis/"}
	databases := []string{"github.com/jackc/", "modernc.org/sqlite"}
	begins := func(path string, with []string) bool {
		return slices.ContainsFunc(with, func(s string) bool { return strings.HasPrefix(path, s) })
	}

	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,Module", "./...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for list := json.NewDecoder(strings.NewReader(string(out))); ; {
		var pkg struct {
			ImportPath string
			Imports    []string
			Module     struct{ Path string }
		}
		if err := list.Decode(&pkg); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		folder := strings.TrimPrefix(strings.TrimPrefix(pkg.ImportPath, pkg.Module.Path), "/")
		if may[folder] == nil {
			continue
		}
		for _, path := range pkg.Imports {
			used, ours := strings.CutPrefix(path, pkg.Module.Path+"/")
			switch {
			case ours && may[used] != nil && !slices.Contains(may[folder], used):
				t.Errorf("%s imports %s", pkg.ImportPath, path)
			case ours && may[used] == nil && !slices.Contains(authors, folder):
				t.Errorf("%s imports %s, which is an author's own", pkg.ImportPath, path)
			case folder != "routes/session" && begins(path, stores):
				t.Errorf("%s imports %s: only routes/session knows scs, and its stores", pkg.ImportPath, path)
			case folder != "routes/session" && folder != "routes/database" && begins(path, databases):
				t.Errorf("%s imports %s: database/sql is enough", pkg.ImportPath, path)
			}
		}
	}
}
