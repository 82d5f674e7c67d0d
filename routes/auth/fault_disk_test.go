package auth_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"example.org/portal/routes/routestest"
)

// smallDisk returns a folder on a disk of its own that holds little.
func smallDisk(t *testing.T) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		routestest.Skip(t, "needs tmpfs, which is Linux's")
	}
	dir := t.TempDir()
	if out, err := exec.Command(routestest.Program(t, "mount"), "-t", "tmpfs", "-o", "size=1m", "tmpfs", dir).CombinedOutput(); err != nil {
		routestest.Skip(t, "needs to mount a small disk, as root can: "+string(out))
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %s", out)
		}
	})
	return dir
}

// fill takes all the room that is left below dir until it is given back.
func fill(t *testing.T, dir string) (giveBack func()) {
	t.Helper()
	path := filepath.Join(dir, "filler")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	return func() {
		t.Helper()
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDiskFull: pages are served, writes fail, and they succeed again once there is
// room.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t)
	s := routestest.Start(t, routestest.Options{Dir: dir})
	staying := s.Browser()
	staying.SignIn("rosalind")
	for range routestest.Rounds() {
		leaving := s.Browser()
		form := leaving.SignIn("ada").Form()
		name, old := leaving.Cookie("session")
		before := s.Globus.LiveTokens()
		giveBack := fill(t, dir)

		if p := staying.Get("/"); p.Status != http.StatusOK || !strings.Contains(p.Body, "Rosalind") {
			t.Errorf("reading: got %d:\n%s", p.Status, p.Body)
		}
		coming := s.Browser()
		wantUnavailable(t, "signing in", coming.Get(coming.Callback("rosalind")))
		if got := s.Globus.LiveTokens(); got != before {
			t.Errorf("%d tokens live, want %d: those of the sign-in that failed revoked", got, before)
		}
		if p := leaving.Send(http.MethodPost, "/logout", form); p.Status != http.StatusServiceUnavailable || !p.Has("signed-out-pending") {
			t.Errorf("signing out: got %d, want 503 and that it is pending:\n%s", p.Status, p.Body)
		}
		if p := s.Browser().Get("/user", "Cookie", name+"="+old); !strings.Contains(p.Body, "Ada") {
			t.Errorf("the record is gone though it could not be deleted: %d", p.Status)
		}

		giveBack()
		if p := coming.SignIn("rosalind"); !strings.Contains(p.Body, "Rosalind") {
			t.Fatalf("there is room, but: %d\n%s", p.Status, p.Body)
		}
		routestest.Await(t, "the one who signed out is gone, tokens too", func() bool { return s.Globus.LiveTokens() == before })
		if p := s.Browser().Get("/user", "Cookie", name+"="+old); strings.Contains(p.Body, "Ada") {
			t.Error("the old cookie opens the session")
		}
		coming.Send(http.MethodPost, "/logout", coming.Get("/").Form())
	}
	routestest.WantNoneDamaged(t, s.Log)
	routestest.WantSound(t, filepath.Join(dir, "sessions.db"))
}

// TestTokenNotSaved: a refreshed token that cannot be saved signs nobody out.
func TestTokenNotSaved(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t)
	var c routestest.Clock
	s := routestest.Start(t, routestest.Options{Dir: dir, Now: c.Now})
	for range routestest.Rounds() {
		b := s.Browser()
		b.SignIn("rosalind")
		giveBack := fill(t, dir)
		c.PassTokens()
		if p := b.Get("/"); p.Status != http.StatusOK || !strings.Contains(p.Body, "Rosalind") {
			t.Fatalf("got %d:\n%s", p.Status, p.Body)
		}
		giveBack()
		if p := b.Get("/"); !strings.Contains(p.Body, "Rosalind") {
			t.Fatalf("there is room, but: %d\n%s", p.Status, p.Body)
		}
	}
	if !strings.Contains(s.Log.String(), "token not saved") {
		t.Error("the log does not tell")
	}
}
