// Package provider_test signs people in to the app with a certified OpenID provider
// that nobody here wrote, in the place of Globus. See provider.mjs. It needs node,
// and what "npm ci --ignore-scripts --prefix .ci" installs.
package provider_test

import (
	"bufio"
	"encoding/json"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"testing"

	"example.org/portal/routes/routestest"
)

func TestMain(m *testing.M) { routestest.Main(m) }

// settings are the options of provider.mjs, by name.
type settings map[string]any

// A provider is one of provider.mjs, in a process of its own.
type provider struct {
	t        *testing.T
	settings settings
	url      string
	clock    routestest.Clock // of its app
	in       io.Writer
	out      *bufio.Scanner
	log      routestest.Log
}

// state is what a provider tells about itself.
type state struct {
	AccessTokens  int      `json:"access_tokens"` // that are good now
	RefreshTokens int      `json:"refresh_tokens"`
	Rotated       int      `json:"rotated"` // refresh tokens that were replaced
	Errors        []string `json:"errors"`  // what it has answered with an error, and why
}

// start starts an app, and then its provider. The app stands before it asks for it.
func start(t *testing.T, more settings) (*routestest.Site, *provider) {
	t.Helper()
	s, p := startApp(t, more)
	p.start()
	return s, p
}

// startApp starts an app whose provider is not running yet.
func startApp(t *testing.T, more settings) (*routestest.Site, *provider) {
	t.Helper()
	port := routestest.FreePort(t)
	p := &provider{t: t, url: "http://127.0.0.1:" + port}
	s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT", Provider: p.url, SessionStore: "memory:", Now: p.clock.Now})
	p.settings = settings{"port": port, "client_id": routestest.ClientID, "client_secret": routestest.ClientSecret, "redirect_uri": s.URL + "/login"}
	maps.Copy(p.settings, more)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the app's log:\n%s\nthe provider's log:\n%s", s.Log, &p.log)
		}
	})
	return s, p
}

// start starts the process, and waits until it listens.
func (p *provider) start() {
	p.t.Helper()
	node := routestest.Program(p.t, "node")
	if _, err := os.Stat("../node_modules/oidc-provider"); err != nil {
		routestest.Skip(p.t, "needs oidc-provider: npm ci --ignore-scripts --prefix .ci")
	}
	args, err := json.Marshal(p.settings)
	if err != nil {
		p.t.Fatal(err)
	}
	cmd := exec.CommandContext(p.t.Context(), node, "provider.mjs", string(args))
	cmd.Stderr = &p.log
	in, err := cmd.StdinPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { // its context has ended the process
		in.Close()
		_ = cmd.Wait()
	})
	p.in, p.out = in, bufio.NewScanner(out)
	p.read()
}

// tell gives the process a command and returns its state then.
func (p *provider) tell(command string) state {
	p.t.Helper()
	if _, err := io.WriteString(p.in, command+"\n"); err != nil {
		p.t.Fatal(err)
	}
	return p.read()
}

func (p *provider) read() state {
	p.t.Helper()
	var s state
	if !p.out.Scan() {
		p.t.Fatalf("the provider has ended (%v):\n%s", p.out.Err(), &p.log)
	}
	if err := json.Unmarshal(p.out.Bytes(), &s); err != nil {
		p.t.Fatalf("%v: %s", err, p.out.Text())
	}
	return s
}

// holds checks how many tokens of each kind are good at the provider.
func (p *provider) holds(when string, access, refresh int) {
	p.t.Helper()
	if got := p.tell("state"); got.AccessTokens != access || got.RefreshTokens != refresh {
		p.t.Errorf("%s: %d access tokens and %d refresh tokens are good, want %d and %d", when, got.AccessTokens, got.RefreshTokens, access, refresh)
	}
}

// answered checks that the provider had no cause for errors but these.
func (p *provider) answered(want ...string) {
	p.t.Helper()
	if got := p.tell("state").Errors; !slices.Equal(got, want) {
		p.t.Errorf("the provider answered with the errors %q, want %q", got, want)
	}
}
