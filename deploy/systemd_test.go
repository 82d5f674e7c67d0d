package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.org/portal/routes/routestest"
)

// TestSystemd has systemd judge the units that people copy: they must be without
// a fault, and leave an intruder little.
func TestSystemd(t *testing.T) {
	t.Parallel()
	shipped, several := readUnit(t, "portal.service"), readUnit(t, "portal-several.conf")
	t.Run("one instance", func(t *testing.T) {
		env, dir := unitEnv(t, shipped)
		app := run(t, dir, append(env, "LISTEN=127.0.0.1:"+routestest.FreePort(t)))
		routestest.Await(t, "it serves", func() bool { return strings.Contains(app.log.String(), `"serving"`) })
		if log := app.log.String(); strings.Contains(log, "unknown setting") || !routestest.IsFile(filepath.Join(dir, "portal", "sessions.db")) {
			t.Errorf("the app does not take the unit's settings:\n%s", log)
		}
		judge(t, "portal.service", map[string]string{"portal.service": shipped})
	})
	t.Run("one of several", func(t *testing.T) {
		// Without Redis it ends at once, so systemd must not tire of starting it.
		// That the line is in the right section, judge sees.
		if !strings.Contains(several, "\nStartLimitIntervalSec=0\n") {
			t.Error("systemd would give up while Redis is down")
		}
		redis := startRedis(t)
		env, dir := unitEnv(t, shipped+several)
		if err := os.WriteFile(filepath.Join(dir, "session-store"), []byte(redis.url()+"\n"), 0o400); err != nil {
			t.Fatal(err)
		}
		app := run(t, dir, env)
		routestest.Await(t, "it serves", func() bool { return strings.Contains(app.log.String(), `"serving"`) })
		if log := app.log.String(); strings.Contains(log, "unknown setting") || !strings.Contains(log, "127.0.0.1:"+redis.port) {
			t.Errorf("the app does not take the unit's settings:\n%s", log)
		}
		judge(t, "portal@8881.service", map[string]string{"portal@.service": shipped, "portal@.service.d/several.conf": several})
	})
}

func readUnit(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// judge has systemd look at a unit among files, by their names.
func judge(t *testing.T, unit string, files map[string]string) {
	t.Helper()
	analyze := routestest.Program(t, "systemd-analyze")
	app, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	const installed = "ExecStart=/usr/local/bin/portal\n"
	dir, found := t.TempDir(), false
	for name, text := range files {
		found = found || strings.Contains(text, installed)
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.Replace(text, installed, "ExecStart="+app+"\n", 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if !found {
		t.Fatalf("no unit has %q", installed)
	}

	// It tells some faults without failing over them.
	path := filepath.Join(dir, unit)
	if out, err := exec.Command(analyze, "verify", "--man=no", path).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	const most = "20" // tenths; a unit without any protection has 96
	if out, err := exec.Command(analyze, "security", "--no-pager", "--offline=true", "--threshold="+most, path).CombinedOutput(); err != nil {
		t.Errorf("systemd-analyze security: %v\n%s", err, out)
	}
}

// unitEnv returns the environment that a unit gives the app, and the folder that
// stands for those of its credentials and its state.
func unitEnv(t *testing.T, unit string) (env []string, dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "client-secret"), []byte(routestest.ClientSecret+"\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "portal"), 0o700); err != nil { // StateDirectory
		t.Fatal(err)
	}
	env = []string{"GLOBUS_CLIENT_ID=" + routestest.ClientID, "PUBLIC_URL=https://portal.example.edu"}
	for line := range strings.Lines(unit) {
		line = strings.TrimSpace(line)
		if setting, ok := strings.CutPrefix(line, "Environment="); ok {
			env = append(env, strings.NewReplacer("%d", dir, "%S", dir, "%i", routestest.FreePort(t)).Replace(setting))
		}
		if name, ok := strings.CutPrefix(line, "UnsetEnvironment="); ok {
			env = slices.DeleteFunc(env, func(setting string) bool { return strings.HasPrefix(setting, name+"=") })
		}
	}
	return env, dir
}
