package routes_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// smallDisk returns a folder on a disk of its own that holds little.
func smallDisk(t *testing.T) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		skip(t, "needs tmpfs, which is Linux's")
	}
	dir := t.TempDir()
	if out, err := exec.Command(program(t, "mount"), "-t", "tmpfs", "-o", "size=1m", "tmpfs", dir).CombinedOutput(); err != nil {
		skip(t, "needs to mount a small disk, as root can: "+string(out))
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

// TestDiskFull: pages go on, what must be written is refused, and written
// again once there is room.
func TestDiskFull(t *testing.T) {
	t.Parallel() // it waits
	dir := smallDisk(t)
	s := start(t, options{dir: dir})
	staying := s.browser()
	staying.signIn("rosalind")
	for range rounds() {
		leaving := s.browser()
		form := leaving.signIn("ada").form()
		name, old := leaving.cookie("session")
		before := s.auth.LiveTokens()
		giveBack := fill(t, dir)

		if p := staying.get("/"); p.status != http.StatusOK || !strings.Contains(p.body, "Rosalind") {
			t.Errorf("reading: got %d:\n%s", p.status, p.body)
		}
		coming := s.browser()
		wantUnavailable(t, "signing in", coming.get(coming.callback("rosalind")))
		if got := s.auth.LiveTokens(); got != before {
			t.Errorf("%d tokens live, want %d: those of the sign-in that failed revoked", got, before)
		}
		if p := leaving.send(http.MethodPost, "/logout", form); p.status != http.StatusServiceUnavailable || !strings.Contains(p.body, "not yet on the server") {
			t.Errorf("signing out: got %d, want 503 and a sentence:\n%s", p.status, p.body)
		}
		if p := s.browser().get("/user", "Cookie", name+"="+old); !strings.Contains(p.body, "Ada") {
			t.Errorf("the record is gone though it could not be deleted: %d", p.status)
		}

		giveBack()
		if p := coming.signIn("rosalind"); !strings.Contains(p.body, "Rosalind") {
			t.Fatalf("there is room, but: %d\n%s", p.status, p.body)
		}
		await(t, "the one who signed out is gone, tokens too", func() bool { return s.auth.LiveTokens() == before })
		if p := s.browser().get("/user", "Cookie", name+"="+old); strings.Contains(p.body, "Ada") {
			t.Error("the old cookie opens the session")
		}
		coming.send(http.MethodPost, "/logout", coming.get("/").form())
	}
	wantNoneDamaged(t, s.log)
	wantSound(t, filepath.Join(dir, "sessions.db"))
}

// TestTokenNotSaved: a refresh whose outcome finds no room signs nobody out.
func TestTokenNotSaved(t *testing.T) {
	dir := smallDisk(t)
	var c clock
	s := start(t, options{dir: dir, now: c.now})
	for range rounds() {
		b := s.browser()
		b.signIn("rosalind")
		giveBack := fill(t, dir)
		c.passTokens()
		if p := b.get("/"); p.status != http.StatusOK || !strings.Contains(p.body, "Rosalind") {
			t.Fatalf("got %d:\n%s", p.status, p.body)
		}
		giveBack()
		if p := b.get("/"); !strings.Contains(p.body, "Rosalind") {
			t.Fatalf("there is room, but: %d\n%s", p.status, p.body)
		}
	}
	if !strings.Contains(s.log.String(), "token not saved") {
		t.Error("the log does not tell")
	}
}
