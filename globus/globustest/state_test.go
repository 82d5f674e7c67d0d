package globustest_test

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.org/portal/globus/globustest"
)

// takeBrowser gives f the browser of the emulator that it replaces. A real one comes
// back at the same port; here the port, which is in the name of its cookie, changes.
func (f *flow) takeBrowser(before *flow) {
	f.Helper()
	from, _ := url.Parse(before.URL)
	to, _ := url.Parse(f.URL)
	cookies := before.browser.Jar.Cookies(from)
	for _, c := range cookies {
		c.Name = strings.Replace(c.Name, from.Port(), to.Port(), 1)
	}
	f.browser.Jar.SetCookies(to, cookies)
}

func TestRestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data", "demo.json")
	before := newFlow(t, globustest.Config{StateFile: file})
	code := before.code(request())
	granted := before.token(exchange(code)).json
	spare := before.signIn(request())
	// The old process is killed, not closed: the new one starts beside it.

	after := newFlow(t, globustest.Config{StateFile: file})
	after.takeBrowser(before)
	if _, err := after.verified(str(granted["id_token"])); err != nil {
		t.Errorf("the old ID token no longer verifies: %v", err)
	}
	if r := after.userInfo(str(granted["access_token"])); r.status != 200 {
		t.Errorf("the old access token: got %d, want 200", r.status)
	}
	if r := after.token(refresh(str(granted["refresh_token"]))); r.status != 200 {
		t.Errorf("the old refresh token: got %d, want 200", r.status)
	}
	if after.back(after.authorize(request())).Get("code") == "" {
		t.Error("single sign-on was forgotten")
	}
	if r := after.token(exchange(code)); r.status != 400 || after.Live(str(granted["access_token"])) {
		t.Error("a code that was used before the restart leaves its tokens alive")
	}
	if !after.Live(str(spare["access_token"])) {
		t.Error("a token of another sign-in died")
	}
}

func TestStateFileHoldsNoSecrets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "demo.json")
	f := newFlow(t, globustest.Config{StateFile: file})
	code := f.code(request())
	granted := f.token(exchange(code)).json
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(f.URL)
	raw := append(secrets(granted), code, str(granted["id_token"]), secret, f.browser.Jar.Cookies(u)[0].Value)
	for _, s := range raw {
		if strings.Contains(string(data), s) {
			t.Errorf("the file holds %q", s)
		}
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("got mode %o, want 600", got)
	}
	left, _ := filepath.Glob(file + ".*")
	if len(left) != 0 {
		t.Errorf("temporary files are left: %v", left)
	}
}

func TestStateFileThatIsNone(t *testing.T) {
	for _, content := range []string{"", "null", "{}", `{"key":null}`, `{"tokens":{}}`, "not json"} {
		file := filepath.Join(t.TempDir(), "demo.json")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := globustest.New(globustest.Config{Issuer: "http://127.0.0.1:8890", StateFile: file, Key: sharedKey()})
		if err == nil {
			t.Errorf("%q: got no error", content)
		}
	}
}

// A change that cannot be kept is not granted.
func TestStateFileCannotBeWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	f := newFlow(t, globustest.Config{StateFile: filepath.Join(dir, "demo.json")})
	code := f.code(request())
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if r := f.token(exchange(code)); r.status != 500 || r.json["access_token"] != nil {
		t.Errorf("got %d %s, want 500", r.status, r.body)
	}
}

func TestRotateKey(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	old := str(f.signIn(request())["id_token"])
	f.RotateKey()
	if _, err := f.verified(old); err == nil {
		t.Error("the old key is still served")
	}
	if _, err := f.verified(str(f.signIn(request())["id_token"])); err != nil {
		t.Errorf("the new key does not sign: %v", err)
	}
}

// What a test ended stays ended.
func TestExpiryOutlivesRestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "demo.json")
	before := newFlow(t, globustest.Config{StateFile: file})
	granted := before.signIn(request())
	before.ExpireAccessTokens("")
	after := newFlow(t, globustest.Config{StateFile: file})
	if after.Live(str(granted["access_token"])) || !after.Live(str(granted["refresh_token"])) {
		t.Error("after a restart the access token must be dead, and the refresh token alive")
	}
}
