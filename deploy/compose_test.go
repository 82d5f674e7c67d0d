package deploy_test

import (
	"crypto/tls"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
	appsettings "example.org/portal/routes/settings"
)

// A composeFile is what our checks read of compose.yaml; the owner of a copy may add
// more.
type composeFile struct {
	Services map[string]struct {
		Image, Restart  string
		StopGracePeriod string `yaml:"stop_grace_period"`
		Build           struct{ Context, Dockerfile string }
		DependsOn       yaml.Node `yaml:"depends_on"`
		Networks, Ports []string
		Environment     map[string]string
		Secrets         []string
		Volumes         []string
		ReadOnly        bool     `yaml:"read_only"`
		CapDrop         []string `yaml:"cap_drop"`
		SecurityOpt     []string `yaml:"security_opt"`
		Healthcheck     struct {
			Test     []string
			Interval string
		}
	}
	Networks map[string]struct{ Internal bool }
	Volumes  map[string]any
	Secrets  map[string]struct{ File string }
}

// readCompose reads compose.yaml with the variables that .env has.
func readCompose(t *testing.T, env map[string]string) composeFile {
	t.Helper()
	text, err := os.ReadFile("compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	filled := regexp.MustCompile(`\$\{(\w+):\?[^}]*\}`).ReplaceAllStringFunc(string(text), func(found string) string {
		name, _, _ := strings.Cut(strings.TrimPrefix(found, "${"), ":")
		if env[name] == "" {
			t.Errorf(".env lacks %s", name)
		}
		return env[name]
	})
	var f composeFile
	if err := yaml.Unmarshal([]byte(filled), &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// composeCommands returns the commands that README.md says for compose.yaml.
func composeCommands(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range regexp.MustCompile("(?ms)^```sh\n(.*?)^```$").FindAllStringSubmatch(string(text), -1) {
		if before, _, ok := strings.Cut(block[1], "docker compose up"); ok {
			return before
		}
	}
	t.Fatal("README.md does not say how to start compose.yaml")
	return ""
}

// TestCompose writes secrets and .env by the commands of README.md, and runs the app
// with the environment that compose.yaml gives it, on a real PostgreSQL and behind a
// real Caddy with our Caddyfile. People sign in, and stay signed in over a restart.
func TestCompose(t *testing.T) {
	t.Parallel()
	postgres := startPostgres(t)
	port, tlsPort, listen := routestest.FreePort(t), routestest.FreePort(t), routestest.FreePort(t)
	host := "localhost:" + tlsPort
	dir := t.TempDir()
	commands := exec.Command("sh", "-euc", strings.NewReplacer("cd deploy\n", "", "portal.example.edu", host, "=…", "="+routestest.ClientID).Replace(composeCommands(t)))
	commands.Dir, commands.Stdin = dir, strings.NewReader(routestest.ClientSecret+"\n")
	if out, err := commands.CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	dotEnv, err := os.ReadFile(filepath.Join(dir, ".env"))
	if err != nil {
		t.Fatal(err)
	}
	variables := map[string]string{}
	for line := range strings.Lines(string(dotEnv)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		variables[name] = value
	}
	compose := readCompose(t, variables)
	checkCompose(t, compose, dir)

	// PostgreSQL is elsewhere here, and has the password that its own file has.
	password, err := os.ReadFile(filepath.Join(dir, "secrets", "postgres-password"))
	if err != nil {
		t.Fatal(err)
	}
	postgres.Exec(t, "CREATE USER locked PASSWORD '"+strings.TrimSpace(string(password))+"'")
	postgres.Exec(t, "CREATE DATABASE made OWNER locked")
	at := filepath.Join(dir, "secrets", "postgres-url")
	written, err := os.ReadFile(at)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(strings.TrimSpace(string(written)))
	if err != nil {
		t.Fatal(err)
	}
	given, _ := u.User.Password()
	if user := compose.Services["postgres"].Environment["POSTGRES_USER"]; u.Host != "postgres" || u.User.Username() != user || u.Path != "/"+user {
		t.Errorf("the app looks for PostgreSQL at %s", u.Redacted())
	}
	u.Host, u.User, u.Path = "127.0.0.1:"+postgres.Port, url.UserPassword("locked", given), "/made"
	if err := os.WriteFile(at, []byte(u.String()), 0o600); err != nil {
		t.Fatal(err)
	}

	auth := globustest.NewServer(globustest.Config{Key: routestest.SigningKey()})
	t.Cleanup(auth.Close)
	d := deployment{program: "caddy", file: "Caddyfile", host: "{$PORTAL_HOST}"}
	s := &proxied{Site: &routestest.Site{T: t, URL: "https://" + host, Globus: auth, Dir: dir, Log: &routestest.Log{}}, deployment: d}
	auth.Register(globustest.Client{ID: routestest.ClientID, Secret: routestest.ClientSecret, RedirectURIs: []string{s.URL + "/login"}})
	env := []string{"GLOBUS_ISSUER=" + auth.URL, "LISTEN=127.0.0.1:" + listen}
	for name, value := range compose.Services["portal"].Environment {
		if secret, ok := strings.CutPrefix(value, "/run/secrets/"); ok {
			value = filepath.Join(dir, compose.Secrets[secret].File)
		}
		env = append(env, name+"="+value)
	}
	app := run(t, dir, env)
	s.tls = &tls.Config{RootCAs: startProxy(t, d, port, tlsPort, "127.0.0.1:"+listen)}
	b := s.browser(t)
	b.SignIn("rosalind")
	app.kill()
	app = run(t, dir, env)
	if p := b.Get("/"); !strings.Contains(p.Body, "Rosalind") {
		t.Errorf("not signed in: %d\n%s\n%s", p.Status, p.Body, app.log)
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "data", "*.db")); len(found) > 0 {
		t.Errorf("something is in %v, not in PostgreSQL", found)
	}
}

// checkCompose checks what only an engine would notice. The secrets are in dir.
func checkCompose(t *testing.T, f composeFile, dir string) {
	t.Helper()
	containerfile, err := os.ReadFile("Containerfile")
	if err != nil {
		t.Fatal(err)
	}
	portal := f.Services["portal"]
	if path := filepath.Join(portal.Build.Context, portal.Build.Dockerfile); filepath.Clean(path) != filepath.Join("..", "deploy", "Containerfile") {
		t.Errorf("it is built from %s", path)
	}
	for _, word := range []string{"VOLUME /data\n", "/out/tmp /tmp\n", "EXPOSE 8888\n"} {
		if !strings.Contains(string(containerfile), word) {
			t.Errorf("the Containerfile lacks %q", word)
		}
	}
	if !slices.Contains(portal.Volumes, "data:/data") || !slices.Contains(portal.Volumes, "uploads:/tmp") || len(portal.Volumes) != 2 {
		t.Errorf("its volumes are %v, want the folders that the Containerfile makes", portal.Volumes)
	}
	for variable := range portal.Environment {
		if name := strings.TrimSuffix(variable, "_FILE"); !regexp.MustCompile(`\b` + name + `\b`).MatchString(appsettings.Help()) {
			t.Errorf("there is no setting %s", name)
		}
	}
	for name, s := range f.Services {
		if len(s.Ports) > 0 && name != "proxy" {
			t.Errorf("%s is published at %v", name, s.Ports)
		}
		for _, network := range s.Networks {
			if _, ok := f.Networks[network]; !ok {
				t.Errorf("%s: there is no network %s", name, network)
			}
		}
		for _, volume := range s.Volumes {
			from, _, _ := strings.Cut(volume, ":")
			_, named := f.Volumes[from]
			if !named && (!strings.HasPrefix(from, "./") || !routestest.IsFile(from)) {
				t.Errorf("%s: %s is neither a volume nor a file", name, from)
			}
		}
		for variable, value := range s.Environment {
			secret, isFile := strings.CutPrefix(value, "/run/secrets/")
			if isFile != strings.HasSuffix(variable, "_FILE") || isFile && !slices.Contains(s.Secrets, secret) {
				t.Errorf("%s: %s is %q, and it has %v", name, variable, value, s.Secrets)
			}
			if !isFile && value != "" && regexp.MustCompile("PASSWORD|SECRET|STORE|DATABASE").MatchString(variable) {
				t.Errorf("%s: %s stands in the file", name, variable)
			}
		}
		for _, secret := range s.Secrets {
			if file := f.Secrets[secret].File; !strings.HasPrefix(file, "./secrets/") || !routestest.IsFile(filepath.Join(dir, file)) {
				t.Errorf("%s: the commands write no %s for %s", name, file, secret)
			}
		}
	}
	if postgres := f.Services["postgres"]; !slices.Equal(postgres.Networks, []string{"database"}) || !f.Networks["database"].Internal || slices.Contains(f.Services["proxy"].Networks, "database") {
		t.Errorf("PostgreSQL can be reached from %v", postgres.Networks)
	}
	for _, kept := range []string{".gitignore", ".dockerignore"} {
		text, err := os.ReadFile(filepath.Join("..", kept))
		if err != nil {
			t.Fatal(err)
		}
		for _, private := range []string{"/deploy/secrets", "/deploy/.env"} {
			if !strings.Contains(string(text), "\n"+private) {
				t.Errorf("%s lacks %s", kept, private)
			}
		}
	}
}
