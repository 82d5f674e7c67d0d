package routestest

import (
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Postgres starts a PostgreSQL that is empty, and returns its URL, for
// Options.Database. It stops with the test, and skips it where there is none.
func Postgres(t testing.TB) string {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // where Debian has it
	if len(found) == 0 {
		Skip(t, "needs postgresql, which is not installed")
	}
	bin := found[len(found)-1]
	dir, err := os.MkdirTemp("", "postgres") // that of t.TempDir is only for this user
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	command := func(name string, args ...string) *exec.Cmd {
		args = append([]string{filepath.Join(bin, name), "-D", filepath.Join(dir, "data")}, args...)
		if os.Geteuid() == 0 { // it refuses to be root
			args = append([]string{"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"}, args...)
		}
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = dir
		return cmd
	}
	if os.Geteuid() == 0 {
		if out, err := exec.Command("chown", "postgres:", dir).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	if out, err := command("initdb", "-U", "portal", "-A", "trust", "-E", "UTF8", "--locale=C", "-N").CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v: %s", err, out)
	}
	port := FreePort(t)
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	server := command("postgres", "-h", "127.0.0.1", "-p", port, "-k", "", "-F")
	server.Stdout, server.Stderr = log, log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(os.Interrupt) // which cuts off whoever is connected
		_ = server.Wait()
	})
	name := "postgres://portal@127.0.0.1:" + port + "/postgres?sslmode=disable"
	db, err := sql.Open("pgx", name)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	Await(t, "PostgreSQL answers", func() bool { return db.PingContext(t.Context()) == nil })
	return name
}
