package routes_test

import (
	"encoding/json"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestImports holds who may import whom: the folders of this project, and what
// each may use of the others.
func TestImports(t *testing.T) {
	may := map[string][]string{
		"":                                 {"globus", "globus/globustest", "routes"},
		"components":                       {"globus"},
		"globus":                           {},
		"globus/globustest":                {"globus"},
		"globus/globustest/cmd/globustest": {"globus", "globus/globustest"},
		"routes":                           {"components", "globus", "routes/session", "static"},
		"routes/session":                   {"globus"},
		"static":                           {},
	}
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,Module", "./...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for list := json.NewDecoder(strings.NewReader(string(out))); ; seen++ {
		var pkg struct {
			ImportPath string
			Imports    []string
			Module     struct{ Path string }
		}
		if err := list.Decode(&pkg); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		local := func(path string) string {
			return strings.TrimPrefix(strings.TrimPrefix(path, pkg.Module.Path), "/")
		}
		allowed, ok := may[local(pkg.ImportPath)]
		if !ok {
			t.Errorf("%s is a new folder: say here what it may import", pkg.ImportPath)
		}
		for _, path := range pkg.Imports {
			if strings.HasPrefix(path, pkg.Module.Path+"/") && !slices.Contains(allowed, local(path)) {
				t.Errorf("%s imports %s", pkg.ImportPath, path)
			}
			if (strings.HasPrefix(path, "github.com/alexedwards/scs") || strings.HasPrefix(path, "github.com/redis/")) && local(pkg.ImportPath) != "routes/session" {
				t.Errorf("%s imports %s: only routes/session knows scs, and the stores", pkg.ImportPath, path)
			}
		}
	}
	if seen != len(may) {
		t.Errorf("%d packages, want %d", seen, len(may))
	}
}
