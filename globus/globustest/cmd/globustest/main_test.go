package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/oauth2"

	"example.org/portal/globus/globustest"
)

const redirectURI = "http://localhost:5000/callback"

var dir string // where the command is built to

func TestMain(m *testing.M) {
	var err error
	if dir, err = os.MkdirTemp("", "globustest"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(dir, "globustest")
	cmd := exec.Command("go", "build", "-o", path, ".")
	cmd.Stderr = os.Stderr
	return path, cmd.Run()
})

// A process is the command, under way.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	url   string
	out   strings.Builder // standard output
	log   strings.Builder // standard error; to be read when it has stopped
	lines sync.WaitGroup
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: exec.Command(path, append([]string{"-listen", "127.0.0.1:0"}, args...)...)}
	p.cmd.Stderr = &p.log
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // fails if it was stopped
		_ = p.cmd.Wait()
	})
	lines := bufio.NewReader(io.TeeReader(out, &p.out))
	first, err := lines.ReadString('\n')
	if err != nil {
		_ = p.cmd.Wait()
		t.Fatalf("it did not start: %s", p.log.String())
	}
	p.url, _, _ = strings.Cut(strings.TrimPrefix(first, "Globus is emulated at "), "/ ")
	p.lines.Go(func() { io.Copy(io.Discard, lines) })
	return p
}

// stop ends the command as a service manager does, and returns its log.
func (p *process) stop() string {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	p.lines.Wait()
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("it ended with %v:\n%s", err, p.log.String())
	}
	return p.log.String()
}

// stays follows no redirect.
var stays = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// fetch returns a page of the emulator's.
func (p *process) fetch(path string) string {
	p.t.Helper()
	resp, err := stays.Get(p.url + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(body)
}

// signIn signs somebody in to an app and returns its tokens.
func (p *process) signIn(app oauth2.Config, person string) *oauth2.Token {
	p.t.Helper()
	app.RedirectURL = redirectURI
	app.Endpoint = oauth2.Endpoint{AuthURL: p.url + globustest.AuthorizePath, TokenURL: p.url + globustest.TokenPath, AuthStyle: oauth2.AuthStyleInParams}
	verifier := oauth2.GenerateVerifier()
	resp, err := stays.PostForm(app.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier), oauth2.AccessTypeOffline), url.Values{"person": {person}})
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	back, err := resp.Location()
	if err != nil {
		body, _ := io.ReadAll(resp.Body)
		p.t.Fatalf("%v:\n%s", err, body)
	}
	token, err := app.Exchange(p.t.Context(), back.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		p.t.Fatal(err)
	}
	return token
}

// call asks Globus for something. The answer may be an array or an object.
func (p *process) call(path string, token *oauth2.Token) (status int, answer any) {
	p.t.Helper()
	resp, err := oauth2.NewClient(p.t.Context(), oauth2.StaticTokenSource(token)).Get(p.url + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, answer
}

// other returns the token for another resource server.
func other(t *testing.T, token *oauth2.Token, server string) *oauth2.Token {
	t.Helper()
	all, _ := token.Extra("other_tokens").([]any)
	for _, o := range all {
		if o, _ := o.(map[string]any); o["resource_server"] == server {
			return &oauth2.Token{AccessToken: o["access_token"].(string)}
		}
	}
	t.Fatalf("there is no token for %s", server)
	return nil
}

// TestFlags starts the emulator with two apps, and signs in to both.
func TestFlags(t *testing.T) {
	p := start(t, "-client", "first:its:secret", "-redirect", "http://localhost:1/", "-redirect", redirectURI,
		"-client", "second", "-redirect", redirectURI)
	first := oauth2.Config{ClientID: "first", ClientSecret: "its:secret", Scopes: []string{"openid", "profile"}}
	token := p.signIn(first, "rosalind")
	if status, person := p.call(globustest.UserInfoPath, token); status != 200 || person.(map[string]any)["name"] != "Rosalind Franklin" {
		t.Errorf("userinfo: %d, %v", status, person)
	}
	p.signIn(oauth2.Config{ClientID: "second", Scopes: []string{"openid"}}, "rosalind")
	first.ClientSecret = "wrong-secret"
	first.Endpoint.TokenURL, first.Endpoint.AuthStyle = p.url+globustest.TokenPath, oauth2.AuthStyleInParams
	if _, err := first.Exchange(t.Context(), "no-code"); err == nil {
		t.Error("a wrong secret is accepted")
	}
	p.fetch(globustest.AuthorizePath + "?client_id=first&response_type=code&scope=openid&approval_prompt=force&login_hint=grace&redirect_uri=" + url.QueryEscape(redirectURI))
	p.fetch(globustest.AuthorizePath + "?client_id=first&redirect_uri=http://localhost:2/")
	for _, want := range []string{"first", "second", redirectURI, "Rosalind Franklin"} {
		if page := p.fetch("/"); !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}

	log := p.stop()
	for _, want := range []string{
		"method=POST path=/v2/oauth2/authorize status=303 client=first\n",
		"method=POST path=/v2/oauth2/token status=200 client=second\n",
		`method=GET path=/v2/oauth2/authorize status=200 client=first ignored="[approval_prompt login_hint]"` + "\n",
		"method=POST path=/v2/oauth2/token status=401 refused=invalid_client\n",
		`method=GET path=/v2/oauth2/authorize status=400 client=first refused="OAUTH_AUTH_REQUEST_FAILURE: Mismatching redirect URI. It was http://localhost:2/"` + "\n",
		"msg=stopped\n",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
	for _, want := range []string{p.url + "\n", p.url + globustest.DiscoveryPath, p.url + globustest.TransferPath, "first (", "second (public", "http://localhost:1/", redirectURI} {
		if !strings.Contains(p.out.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, p.out.String())
		}
	}
	for _, secret := range []string{"its:secret", "wrong-secret", token.AccessToken, token.RefreshToken, "no-code"} {
		if strings.Contains(log+p.out.String(), secret) {
			t.Errorf("the output has %q", secret)
		}
	}
}

// TestStrict refuses what is ignored otherwise.
func TestStrict(t *testing.T) {
	p := start(t, "-strict", "-client", "app:secret", "-redirect", redirectURI)
	p.fetch(globustest.AuthorizePath + "?client_id=app&response_type=code&scope=openid&approval_prompt=force&redirect_uri=" + url.QueryEscape(redirectURI))
	if log := p.stop(); !strings.Contains(log, "refused=") || !strings.Contains(log, "approval_prompt") {
		t.Errorf("nothing is refused:\n%s", log)
	}
}

// TestState stops the emulator and starts it again at the same address: a token is
// still good.
func TestState(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	app := oauth2.Config{ClientID: "app", ClientSecret: "secret", Scopes: []string{"openid"}}
	args := []string{"-state", file, "-client", "app:secret", "-redirect", redirectURI}
	before := start(t, args...)
	token := before.signIn(app, "rosalind")
	before.stop()
	after := start(t, args...)
	if status, _ := after.call(globustest.UserInfoPath, token); status != 200 {
		t.Errorf("the token: %d, want 200", status)
	}
}

// TestInUse says what to do when the port is taken.
func TestInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = run(t.Context(), []string{"-listen", l.Addr().String(), "-client", "a:b"}, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "-listen") {
		t.Errorf("got %v, want an error that says what to do", err)
	}
}

func TestRefused(t *testing.T) {
	tests := []struct {
		name   string
		config string // content of the file CONFIG
		args   []string
		want   string
	}{
		{"no client", "", nil, "-client ID:SECRET"},
		{"redirect before its client", "", []string{"-redirect", redirectURI, "-client", "a:b"}, "-redirect"},
		{"redirect URI that Globus would not register", "", []string{"-client", "a:b", "-redirect", "http://example.org/"}, "http://example.org/"},
		{"unknown flag", "", []string{"-cleint", "a:b"}, "globustest -h"},
		{"argument", "", []string{"-client", "a:b", "more"}, `"more"`},
		{"every address", "", []string{"-listen", ":0", "-client", "a:b"}, "-issuer"},
		{"file that is not there", "", []string{"-config", "nowhere.json"}, "nowhere.json: no such file"},
		{"misspelled member", "{\n\"cleints\": []}", []string{"-config", "CONFIG"}, `CONFIG: line 2: json: unknown field "cleints"`},
		{"broken JSON", `{"clients": [}`, []string{"-config", "CONFIG"}, "CONFIG: line 1:"},
		{"two documents", `{} {}`, []string{"-config", "CONFIG"}, "CONFIG: more follows"},
		{"member of a group that nobody is", `{"groups": [{"id": "x", "members": [{"username": "nobody@example.edu"}]}]}`, []string{"-config", "CONFIG"}, "nobody@example.edu"},
		{"person without a name", `{"people": [{}]}`, []string{"-config", "CONFIG", "-client", "a:b"}, "person"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "globus.json")
			if err := os.WriteFile(file, []byte(tt.config), 0o600); err != nil {
				t.Fatal(err)
			}
			for i, arg := range tt.args {
				tt.args[i] = strings.ReplaceAll(arg, "CONFIG", file)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel() // if it starts, it stops
			err := run(ctx, append([]string{"-listen", "127.0.0.1:0"}, tt.args...), io.Discard, io.Discard)
			if want := strings.ReplaceAll(tt.want, "CONFIG", file); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

// TestHelp compares what -h says with the flags that there are.
func TestHelp(t *testing.T) {
	var out strings.Builder
	if err := run(t.Context(), []string{"-h"}, &out, io.Discard); err != nil || out.String() != help {
		t.Errorf("%v:\n%s", err, out.String())
	}
	for line := range strings.Lines(help) {
		name, ok := strings.CutPrefix(line, "  -")
		if !ok {
			continue
		}
		name, _, _ = strings.Cut(name, " ")
		_, err := readOptions([]string{"-" + name})
		if err == nil || errors.Is(err, os.ErrNotExist) || strings.Contains(err.Error(), "not defined") {
			t.Errorf("-%s: %v", name, err)
		}
	}
}
