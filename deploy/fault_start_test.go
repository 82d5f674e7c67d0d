package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"example.org/portal/routes/routestest"
)

// TestStoreRefused starts the app with a store that cannot do what is needed
// of it: it must not start, and must say why and which file.
func TestStoreRefused(t *testing.T) {
	t.Parallel()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		spoil func(t *testing.T, file string) error
		want  string
	}{
		{"no place for the shared memory", func(_ *testing.T, file string) error { return os.Mkdir(file+"-shm", 0o700) }, "network share"},
		{"no place for the log", func(_ *testing.T, file string) error { return os.Mkdir(file+"-wal", 0o700) }, "network share"},
		{"not a database", func(_ *testing.T, file string) error {
			return os.WriteFile(file, []byte(strings.Repeat("this is some text. ", 100)), 0o600)
		}, "not a database"},
		{"another table", func(t *testing.T, file string) error {
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				return err
			}
			routestest.MustExec(t, routestest.OpenDatabase(t, file), "CREATE TABLE sessions (id INTEGER)")
			return nil
		}, "no such column"},
		{"a folder", func(_ *testing.T, file string) error { return os.Mkdir(file, 0o700) }, "is a directory"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "sessions.db")
			if err := test.spoil(t, file); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(path)
			cmd.Env = []string{"GLOBUS_CLIENT_ID=" + routestest.ClientID, "GLOBUS_CLIENT_SECRET=x", "LISTEN=127.0.0.1:" + routestest.FreePort(t), "SESSION_STORE=sqlite:" + file}
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), test.want) || !strings.Contains(string(out), file) {
				t.Errorf("got %v, want it to name the file and say %q:\n%s", err, test.want, out)
			}
		})
	}
}
