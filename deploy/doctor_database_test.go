package deploy_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"example.org/portal/routes/doctor"
	"example.org/portal/routes/routestest"
	appsettings "example.org/portal/routes/settings"
)

// TestCheckDatabase: once there is a migration, the doctor looks at the database, and
// says what to do.
func TestCheckDatabase(t *testing.T) {
	t.Parallel()
	migrations := fstest.MapFS{"1_samples.sql": {Data: []byte("CREATE TABLE samples (id TEXT PRIMARY KEY)")}}
	s := routestest.Start(t, routestest.Options{Migrations: migrations})
	if err := os.Chmod(s.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(s.Dir, "app.db")
	open := filepath.Join(t.TempDir(), "app.db")
	if err := os.WriteFile(open, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	later := fstest.MapFS{"1_samples.sql": migrations["1_samples.sql"], "2_runs.sql": {Data: []byte("CREATE TABLE runs (id TEXT)")}}
	tests := []struct {
		name       string
		database   string
		migrations fstest.MapFS
		want       []string
	}{
		{"none", "sqlite:/nowhere/app.db", fstest.MapFS{}, nil},
		{"up to date", "sqlite:" + path, migrations, []string{"✓ Database: " + path + ": tables can be made; 1 migrations applied", "✓ Database, permissions: "}},
		{"a later version", "sqlite:" + path, later, []string{"✓ Database: ", "! Database: not applied yet: 2_runs.sql", "  → The app applies them", "✓ Database, permissions: "}},
		{"another version", "sqlite:" + path, fstest.MapFS{"3_x.sql": {Data: []byte("CREATE TABLE x (id TEXT)")}}, []string{"✓ Database: ", "! Database: not applied yet: 3_x.sql", "  → ", "✓ Database, permissions: ", "! Database: applied by another version of the app: 1_samples.sql", "  → "}},
		{"not there yet", "sqlite:" + filepath.Join(s.Dir, "sub", "new.db"), migrations, []string{"✓ Database: " + filepath.Join(s.Dir, "sub", "new.db") + ", which the app will create"}},
		{"open to others", "sqlite:" + open, migrations, []string{"✓ Database: ", "! Database: not applied yet", "  → ", "✗ Database, permissions: other users may open", "  → chmod 600 " + open}},
		{"in no folder", "sqlite:" + path + "/app.db", migrations, []string{"✗ Database: ", "  → DATABASE must name a file"}},
		{"no server", "postgres://u:canary@127.0.0.1:1/db", migrations, []string{"✗ Database: postgres://u:xxxxx@127.0.0.1:1/db: ", "  → Check that PostgreSQL runs"}},
		{"a name that is no migration's", "sqlite:" + path, fstest.MapFS{"samples.sql": {}}, []string{"✗ Database: the migration samples.sql", "  → Rename the file"}},
	}
	for _, test := range tests {
		var out bytes.Buffer
		read := appsettings.Read(append(environment(s), "DATABASE="+test.database), false)
		_ = doctor.Check(t.Context(), read, test.migrations, nil, &out)
		if strings.Contains(out.String(), "canary") {
			t.Errorf("%s: it tells a password:\n%s", test.name, &out)
		}
		got, ours := []string(nil), false
		for line := range strings.Lines(out.String()) {
			if ours = strings.Contains(line, " Database") || ours && strings.HasPrefix(line, "  → "); ours {
				got = append(got, line)
			}
		}
		for i, want := range test.want {
			if i >= len(got) || !strings.HasPrefix(got[i], want) {
				t.Errorf("%s: want the line %q in\n%s", test.name, want, strings.Join(got, ""))
				break
			}
		}
		if len(got) != len(test.want) {
			t.Errorf("%s: got %d lines, want %d:\n%s", test.name, len(got), len(test.want), strings.Join(got, ""))
		}
	}
}
