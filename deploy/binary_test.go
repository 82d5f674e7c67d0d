package deploy_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

var binaryDir string // where the app is built to

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "portal")
	if err != nil {
		panic(err)
	}
	binaryDir = dir
	routestest.Main(m, func() { os.RemoveAll(dir) })
}

// binary builds the app, once for all tests that run it, without what debuggers want. By
// go build's usual flags for all else, so that what go vet and go test have compiled need
// not be compiled again.
var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(binaryDir, "portal")
	cmd := exec.Command("go", "build", "-race=false", "-ldflags=-s -w", "-o", path, ".")
	cmd.Dir = ".."
	cmd.Stderr = os.Stderr
	return path, cmd.Run()
})

// A process is the app, running by itself.
type process struct {
	*exec.Cmd
	log  *routestest.Log
	said []string // on standard output, until it served
}

// address returns the URL in the line that begins so.
func (p *process) address(line string) string {
	for _, said := range p.said {
		if rest, ok := strings.CutPrefix(said, line); ok {
			url, _, _ := strings.Cut(rest, "/ ")
			return strings.TrimSuffix(url, "/")
		}
	}
	return ""
}

// run starts the app in dir and waits until it says where it is.
func run(t testing.TB, dir string, env []string, args ...string) *process {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	cmd.Env = append([]string{"HOME=" + dir}, env...)
	return runCommand(t, cmd)
}

// runCommand starts the app by a command made ready for it.
func runCommand(t testing.TB, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{Cmd: cmd, log: &routestest.Log{}}
	p.Stderr = p.log
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		p.said = append(p.said, lines.Text())
		if strings.HasPrefix(lines.Text(), "Portal is at ") {
			go io.Copy(io.Discard, out)
			return p
		}
	}
	t.Fatalf("it did not start:\n%s", p.log)
	return nil
}

// kill ends the process as a crash would.
func (p *process) kill() {
	_ = p.Process.Kill()
	_ = p.Wait()
}

// settings returns a site that the app can be run for in a process of its own,
// and the environment to run it with, in the site's dir.
func settings(t *testing.T) (*routestest.Site, []string) {
	t.Helper()
	auth := globustest.NewServer(globustest.Config{Key: routestest.SigningKey()})
	t.Cleanup(auth.Close)
	dir, port := t.TempDir(), routestest.FreePort(t)
	s := &routestest.Site{T: t, URL: "http://localhost:" + port, Globus: auth, Dir: dir, Log: &routestest.Log{}}
	auth.Register(globustest.Client{ID: routestest.ClientID, Secret: routestest.ClientSecret, RedirectURIs: []string{s.URL + "/login"}})
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte(routestest.ClientSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return s, []string{"GLOBUS_CLIENT_ID=" + routestest.ClientID, "GLOBUS_CLIENT_SECRET_FILE=" + secret, "GLOBUS_ISSUER=" + auth.URL, "LISTEN=127.0.0.1:" + port}
}

// TestRestart kills the app, as a crash would, and starts it again: people are
// still signed in, and those who signed out are not.
func TestRestart(t *testing.T) {
	t.Parallel()
	s, env := settings(t)
	dir := s.Dir

	app := run(t, dir, env)
	rosalind, ada := s.Browser(), s.Browser()
	home := rosalind.SignIn("rosalind")
	if p := ada.SignIn("ada"); !strings.Contains(p.Body, "Ada") {
		t.Fatalf("%d:\n%s\n%s", p.Status, p.Body, app.log)
	}
	name, old := rosalind.Cookie("session")
	rosalind.Send(http.MethodPost, "/logout", home.Form())
	halfway := s.Browser()
	callback := halfway.Callback("rosalind")
	app.kill()

	app = run(t, dir, env)
	if p := ada.Get("/"); !strings.Contains(p.Body, "Ada") {
		t.Errorf("Ada was signed out by a crash:\n%s\n%s", p.Body, app.log)
	}
	if p := s.Browser().Get("/user", "Cookie", name+"="+old); strings.Contains(p.Body, "Rosalind") {
		t.Error("a session that was ended is back")
	}
	if p := halfway.Follow(halfway.Get(callback)); !strings.Contains(p.Body, "Rosalind") {
		t.Errorf("a sign-in that was under way was lost: %d", p.Status)
	}
	if !strings.Contains(app.log.String(), filepath.Join(dir, "data", "sessions.db")) || !strings.Contains(app.log.String(), s.URL+"/login") {
		t.Errorf("the log does not tell where the data is, or the redirect URI:\n%s", app.log)
	}

	if err := app.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := app.Wait(); err != nil {
		t.Errorf("asked to stop, it ended with %v", err)
	}
}

// demo is the site of a demo that runs.
func (p *process) demo(t *testing.T, dir string) *routestest.Site {
	return &routestest.Site{T: t, URL: p.address("Portal is at "), Dir: dir, Log: &routestest.Log{},
		Globus: &globustest.Server{URL: p.address("Globus is emulated at ")}}
}

// TestDemo runs the demo as the README shows it, and another while it runs, in the
// same folder. Each says where it is. What their Globus knows survives a crash too.
func TestDemo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	app := run(t, dir, nil, "-demo")
	first, second := app.demo(t, dir), run(t, dir, nil, "-demo").demo(t, dir)
	if first.URL == second.URL || first.Globus.URL == second.Globus.URL {
		t.Fatalf("both are at %s and %s", first.URL, first.Globus.URL)
	}
	if stores, _ := filepath.Glob(filepath.Join(dir, "data", "*.db")); len(stores) != 2 {
		t.Errorf("their sessions are in %v, want a file for each", stores)
	}
	b, other := first.Browser(), second.Browser()
	if p := b.SignIn("ada"); !strings.Contains(p.Body, "Ada Lovelace") {
		t.Fatalf("%d:\n%s\n%s", p.Status, p.Body, app.log)
	}
	if p := other.SignIn("rosalind"); !strings.Contains(p.Body, "Rosalind Franklin") {
		t.Errorf("the second: %d:\n%s", p.Status, p.Body)
	}
	app.kill()
	app = run(t, dir, nil, "-demo")
	if again := app.demo(t, dir); again.URL != first.URL || again.Globus.URL != first.Globus.URL {
		t.Fatalf("it is now at %s and %s", again.URL, again.Globus.URL)
	}
	p := b.Get("/")
	if !strings.Contains(p.Body, "Ada Lovelace") {
		t.Error("Ada was signed out by a crash")
	}
	b.Send(http.MethodPost, "/logout", p.Form())
	if p := b.Follow(b.Get("/login")); !strings.Contains(p.Body, "Ada Lovelace") {
		t.Errorf("Globus forgot Ada: at %s", p.URL)
	}
	if p := other.Get("/"); !strings.Contains(p.Body, "Rosalind Franklin") {
		t.Errorf("the second, later: %d:\n%s", p.Status, p.Body)
	}
	if got := routestest.FilesWith(t, filepath.Join(dir, "data"), "Ada Lovelace"); len(got) > 0 {
		t.Errorf("Ada's name stands in %v", got)
	}
}

// TestSettings starts the app with settings that are wrong. It must not start,
// and must say all that is wrong at once.
func TestSettings(t *testing.T) {
	t.Parallel()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	good := []string{"GLOBUS_CLIENT_ID=" + routestest.ClientID, "GLOBUS_CLIENT_SECRET=y"}
	tests := []struct {
		name string
		args []string
		env  []string
		want []string
	}{
		{"nothing set", nil, nil, []string{
			"GLOBUS_CLIENT_ID is not set", "GLOBUS_CLIENT_SECRET is not set", "app.globus.org/settings/developers",
			"Register a portal, science gateway, or other application you host", "\n    http://localhost:8888/login\n", "go run . -demo"}},
		{"only an id", nil, []string{"GLOBUS_CLIENT_ID=x", "PUBLIC_URL=https://portal.example.edu/p/"}, []string{
			"GLOBUS_CLIENT_SECRET is not set", "\n    https://portal.example.edu/p/login\n"}},
		{"much at once", nil, append(good, "LISTEN=8888", "SESSION_LIFETIME=long", "SESSION_STORE=mysql://user:canary@host", "LOG_FORMAT=xml", "LOG_LEVEL=loud",
			"GLOBUS_SCOPES=profile", "GLOBUS_ISSUER=http://auth.globus.org", "PUBLIC_URL=ftp://x"), []string{
			"LISTEN must", "SESSION_STORE must", "LOG_FORMAT must", `SESSION_LIFETIME must be a length of time, such as 12h or 30m, not "long"`, `LOG_LEVEL must be debug, info, warn or error, not "loud"`, "GLOBUS_SCOPES must", "GLOBUS_ISSUER is wrong: ", "PUBLIC_URL must"}},
		{"a store that cannot be read", nil, append(good, "SESSION_STORE=redis://user:canary#2@host"), []string{"SESSION_STORE cannot be read as a URL"}},
		{"a store that does not answer", nil, append(good, "SESSION_STORE=redis://user:canary@127.0.0.1:1"), []string{"the session store: redis at 127.0.0.1:1: it does not answer"}},
		{"quotes", nil, []string{`GLOBUS_CLIENT_ID="` + routestest.ClientID + `"`, "GLOBUS_CLIENT_SECRET='canary'", "LOG_LEVEL=`info`"}, []string{
			"GLOBUS_CLIENT_ID is in quotes", "GLOBUS_CLIENT_SECRET is in quotes", "LOG_LEVEL is in quotes"}},
		{"another word for true", nil, append(good, "REQUIRE_MFA=yes"), []string{`REQUIRE_MFA must be true or false, not "yes"`}},
		{"plain http for the world", nil, append(good, "PUBLIC_URL=http://portal.example.edu"), []string{"PUBLIC_URL must be https"}},
		{"an id that is none", nil, []string{"GLOBUS_CLIENT_ID=…", "GLOBUS_CLIENT_SECRET=y"}, []string{"GLOBUS_CLIENT_ID must be"}},
		{"a misspelt name", nil, []string{"GLOBUS_CLIENTID=x"}, []string{"GLOBUS_CLIENTID is not a setting", "GLOBUS_CLIENT_ID is not set"}},
		{"a port that cannot be", nil, append(good, "LISTEN=127.0.0.1:99999"), []string{"LISTEN must"}},
		{"a path that cannot be", nil, append(good, "PUBLIC_URL=https://portal.example.edu/{x}"), []string{"PUBLIC_URL must have a path"}},
		{"a domain that cannot be", nil, append(good, "ALLOWED_DOMAINS=example.edu,@lab"), []string{`ALLOWED_DOMAINS is wrong: "@lab"`}},
		{"a list of nothing", nil, append(good, "ALLOWED_GROUPS=,"), []string{"ALLOWED_GROUPS must have an entry"}},
		{"a rule that is misspelt", nil, append(good, "ALLOWED_DOMAIN=example.edu", "LISTEN=8888"), []string{"ALLOWED_DOMAIN is not a setting"}},
		{"no lifetime", nil, append(good, "SESSION_LIFETIME=0"), []string{"SESSION_LIFETIME must"}},
		{"a secret twice", nil, append(good, "GLOBUS_CLIENT_SECRET_FILE=/dev/null"), []string{"both set"}},
		{"a secret in no file", nil, []string{"GLOBUS_CLIENT_ID=x", "GLOBUS_CLIENT_SECRET_FILE=/nowhere/secret"}, []string{"/nowhere/secret"}},
		{"an empty secret", nil, []string{"GLOBUS_CLIENT_ID=x", "GLOBUS_CLIENT_SECRET_FILE=/dev/null"}, []string{"is empty"}},
		{"the demo with a real client", []string{"-demo"}, good, []string{"GLOBUS_CLIENT_ID is set, and -demo"}},
		{"the demo for the world", []string{"-demo"}, []string{"LISTEN=0.0.0.0:8888"}, []string{"must be on localhost"}},
		{"the demo at a public URL", []string{"-demo"}, []string{"PUBLIC_URL=https://portal.example.edu"}, []string{"must be on localhost"}},
		{"an unknown flag", []string{"-frobnicate"}, nil, []string{"frobnicate"}},
		{"an unknown word", []string{"serve"}, nil, []string{`"serve"`}},
		{"metrics on no port", nil, append(good, "METRICS_LISTEN=localhost"), []string{"METRICS_LISTEN must be host:port"}},
		{"metrics for everybody", nil, append(good, "METRICS_LISTEN=0.0.0.0:8888"), []string{"METRICS_LISTEN must have another port"}},
		{"metrics where others reach them", nil, append(good, "LISTEN=127.0.0.1:"+routestest.FreePort(t), "METRICS_LISTEN=192.0.2.1:9090"), []string{"METRICS_LISTEN is open to other machines"}},
		{"a port for metrics in use", nil, append(good, "LISTEN=127.0.0.1:"+routestest.FreePort(t), "METRICS_LISTEN="+listening(t)), []string{"in use", "METRICS_LISTEN"}},
		{"a port in use", nil, append(good, "LISTEN="+listening(t)), []string{"in use", "LISTEN"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cmd := exec.Command(path, test.args...)
			cmd.Dir = t.TempDir()
			cmd.Env = test.env
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Error("it started")
			}
			for _, want := range test.want {
				if !strings.Contains(string(out), want) {
					t.Errorf("it does not say %q:\n%s", want, out)
				}
			}
			if strings.Contains(string(out), "canary") {
				t.Errorf("it tells a password:\n%s", out)
			}
		})
	}

	help, err := exec.Command(path, "-h").CombinedOutput()
	if err != nil {
		t.Error(err)
	}
	for _, name := range []string{"-demo", "-check", "GLOBUS_CLIENT_ID", "GLOBUS_CLIENT_SECRET", "_FILE", "LISTEN", "PUBLIC_URL", "SESSION_STORE", "ALLOWED_DOMAINS", "LOG_LEVEL"} {
		if !strings.Contains(string(help), name) {
			t.Errorf("-h does not mention %s:\n%s", name, help)
		}
	}
}

// listening returns an address that something listens on.
func listening(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// startBinary starts the app as it is shipped, with an emulated Globus beside it.
func startBinary(t *testing.T) *routestest.Site {
	t.Helper()
	auth := globustest.NewServer(globustest.Config{Key: routestest.SigningKey()})
	t.Cleanup(auth.Close)
	dir, port := t.TempDir(), routestest.FreePort(t)
	s := &routestest.Site{T: t, URL: "http://localhost:" + port, Globus: auth, Dir: dir}
	auth.Register(globustest.Client{ID: routestest.ClientID, Secret: routestest.ClientSecret, RedirectURIs: []string{s.URL + "/login"}})
	s.Log = run(t, dir, []string{"GLOBUS_CLIENT_ID=" + routestest.ClientID, "GLOBUS_CLIENT_SECRET=" + routestest.ClientSecret, "GLOBUS_ISSUER=" + auth.URL, "LISTEN=127.0.0.1:" + port}).log
	return s
}

// TestSettingsTrimmed: blanks and line ends around a value, as a file with Windows'
// line ends leaves them, are not part of it.
func TestSettingsTrimmed(t *testing.T) {
	t.Parallel()
	s, env := settings(t)
	for i, e := range env {
		env[i] = e + " \r"
	}
	app := run(t, s.Dir, append(env, "REQUIRE_MFA=false\r", "SESSION_LIFETIME= 12h\r\n"))
	b := s.Browser()
	if b.SignIn("rosalind"); !b.SignedIn() {
		t.Errorf("nobody can sign in:\n%s", app.log)
	}
}

// TestBothLoopbacks: browsers at http://localhost may go to 127.0.0.1 or to [::1].
// The app is at both, and does not start where another program is at one of them,
// which would get people's authorization codes.
func TestBothLoopbacks(t *testing.T) {
	t.Parallel()
	if l, err := net.Listen("tcp", "[::1]:0"); err != nil {
		routestest.Skip(t, "needs the address ::1, which this machine does not have")
	} else {
		l.Close()
	}
	s, env := settings(t)
	port := strings.TrimPrefix(s.URL, "http://localhost:")
	run(t, s.Dir, env)
	for _, host := range []string{"127.0.0.1", "::1"} {
		if p := s.Browser().Get("http://" + net.JoinHostPort(host, port) + "/livez"); p.Status != http.StatusOK {
			t.Errorf("%s: got %d", host, p.Status)
		}
	}

	s, env = settings(t)
	other, err := net.Listen("tcp", "[::1]:"+strings.TrimPrefix(s.URL, "http://localhost:"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path)
	cmd.Dir, cmd.Env = s.Dir, append(env, "HOME="+s.Dir)
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), other.Addr().String()+" is in use") {
		t.Errorf("with another program at [::1]: %v\n%s", err, out)
	}
}

// TestFIPS: the app runs where only algorithms of FIPS 140 are allowed.
func TestFIPS(t *testing.T) {
	t.Parallel()
	s, env := settings(t)
	app := run(t, s.Dir, append(env, "GODEBUG=fips140=only"))
	b := s.Browser()
	if b.SignIn("rosalind"); !b.SignedIn() {
		t.Errorf("nobody can sign in:\n%s", app.log)
	}
}
