package routes_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestSystemd has systemd judge the unit that people copy: it must be without
// a fault, and leave an intruder little.
func TestSystemd(t *testing.T) {
	analyze := program(t, "systemd-analyze")
	app, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	shipped, err := os.ReadFile("../deploy/portal.service")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("settings", func(t *testing.T) { runUnit(t, string(shipped)) })
	const installed = "ExecStart=/usr/local/bin/portal\n"
	if !strings.Contains(string(shipped), installed) {
		t.Fatalf("the unit lacks %q", installed)
	}
	unit := filepath.Join(t.TempDir(), "portal.service")
	text := strings.Replace(string(shipped), installed, "ExecStart="+app+"\n", 1)
	if err := os.WriteFile(unit, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}

	// It tells some faults without failing over them.
	if out, err := exec.Command(analyze, "verify", "--man=no", unit).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	const most = "20" // tenths; a unit without any protection has 96
	if out, err := exec.Command(analyze, "security", "--no-pager", "--offline=true", "--threshold="+most, unit).CombinedOutput(); err != nil {
		t.Errorf("systemd-analyze security: %v\n%s", err, out)
	}
}

// runUnit starts the app with the environment that the unit gives it.
func runUnit(t *testing.T, unit string) {
	dir, port := t.TempDir(), freePort(t)
	if err := os.WriteFile(filepath.Join(dir, "client-secret"), []byte(clientSecret+"\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "portal"), 0o700); err != nil { // StateDirectory
		t.Fatal(err)
	}
	env := []string{"GLOBUS_CLIENT_ID=" + clientID, "PUBLIC_URL=https://portal.example.edu", "LISTEN=127.0.0.1:" + port}
	for line := range strings.Lines(unit) {
		if setting, ok := strings.CutPrefix(strings.TrimSpace(line), "Environment="); ok {
			env = append(env, strings.NewReplacer("%d", dir, "%S", dir).Replace(setting))
		}
	}
	app := run(t, dir, env)
	if log := app.log.String(); strings.Contains(log, "unknown setting") || !isFile(filepath.Join(dir, "portal", "sessions.db")) {
		t.Errorf("the app does not take the unit's settings:\n%s", log)
	}
}
