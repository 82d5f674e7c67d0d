package engines_test

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"example.org/portal/routes/routestest"
)

// patience is how long a browser may take for one command. Only a test that fails
// waits that long.
const patience = 2 * time.Minute

// object is a JSON object.
type object map[string]any

// mouse is a click, as WebDriver has it.
func mouse(x, y float64) []object {
	return []object{{"type": "pointer", "id": "mouse", "actions": []object{
		{"type": "pointerMove", "x": int(x), "y": int(y)},
		{"type": "pointerDown", "button": 0},
		{"type": "pointerUp", "button": 0},
	}}}
}

// startProgram starts a program that keeps its files in home, and returns what it
// prints. It ends with the test.
func startProgram(t *testing.T, home, path string, args ...string) *routestest.Log {
	t.Helper()
	log := &routestest.Log{}
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_RUNTIME_DIR="+home)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.WaitDelay = patience // for what it started, which ends when it has
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s:\n%s", path, log)
		}
	})
	return log
}
