package routes_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.org/portal/globus/globustest"
)

// TestDrain: an app that is about to stop says so where proxies ask, and
// answers everybody else.
func TestDrain(t *testing.T) {
	s := start(t, options{})
	b := s.browser()
	callback := b.callback("rosalind")
	if p := b.get("/readyz"); p.status != http.StatusOK {
		t.Errorf("before: got %d", p.status)
	}
	s.app.Drain()
	for path, want := range map[string]int{"/readyz": 503, "/livez": 200, "/": 200} {
		if p := b.get(path); p.status != want {
			t.Errorf("%s: got %d, want %d", path, p.status, want)
		}
	}
	if p := b.follow(b.get(callback)); !strings.Contains(p.body, "Rosalind") {
		t.Errorf("a sign-in that was under way ended with %d:\n%s", p.status, p.body)
	}
}

// service starts the app itself with an emulated Globus; again starts it anew.
func service(t *testing.T) (s *site, again func() *process) {
	t.Helper()
	auth := globustest.NewServer(globustest.Config{Key: signingKey()})
	t.Cleanup(auth.Close)
	dir, port := t.TempDir(), freePort(t)
	s = &site{t: t, url: "http://localhost:" + port, auth: auth, dir: dir, log: &logBuffer{}}
	auth.Register(globustest.Client{ID: clientID, Secret: clientSecret, RedirectURIs: []string{s.url + "/login"}})
	metrics := "127.0.0.1:" + freePort(t)
	s.metrics = &httptest.Server{URL: "http://" + metrics}
	env := []string{"GLOBUS_CLIENT_ID=" + clientID, "GLOBUS_CLIENT_SECRET=" + clientSecret, "GLOBUS_ISSUER=" + auth.URL,
		"LISTEN=127.0.0.1:" + port, "METRICS_LISTEN=" + metrics}
	return s, func() *process { return run(t, dir, env) }
}

// terminate asks the app to stop, as a supervisor does.
func (p *process) terminate(t *testing.T) {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// TestStop asks the app to stop while someone signs in. They are signed in.
func TestStop(t *testing.T) {
	t.Parallel() // it waits
	s, again := service(t)
	app := again()
	b := s.browser()
	if !strings.Contains(s.metricsPage(), "portal_build_info{") {
		t.Error("METRICS_LISTEN does not answer with metrics")
	}
	callback := b.callback("rosalind")
	arrived, wait := make(chan struct{}, 1), make(chan struct{})
	s.auth.Lie(brokenToken(globustest.Fault{Arrived: arrived, Wait: wait}))
	done := make(chan page, 1)
	go func() {
		p, err := b.try(t.Context(), http.MethodGet, callback, nil)
		if err != nil {
			t.Error(err)
		}
		done <- p
	}()
	<-arrived
	app.terminate(t)
	// On new connections, as a proxy asks: first it is not ready, then nobody listens.
	probe := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	unready := false
	await(t, "nobody listens", func() bool {
		resp, err := probe.Get(s.url + "/readyz")
		if err != nil {
			return true
		}
		resp.Body.Close()
		unready = unready || resp.StatusCode == http.StatusServiceUnavailable
		return false
	})
	if !unready {
		t.Error("/readyz never said that it stops")
	}
	close(wait)
	if p := <-done; p.status != http.StatusSeeOther || !strings.Contains(strings.Join(p.header.Values("Set-Cookie"), "\n"), "session=") {
		t.Errorf("the sign-in under way: got %d %v", p.status, p.header)
	}
	if err := app.Wait(); err != nil {
		t.Errorf("it ended with %v:\n%s", err, app.log)
	}
	if !regexp.MustCompile(`(?s)"stopping".*"signed in".*"stopped"`).MatchString(app.log.String()) {
		t.Errorf("the log does not tell of it in this order:\n%s", app.log)
	}
	again()
	if !b.signedIn() {
		t.Error("the session was lost")
	}
}

// TestStopForced: nobody who hangs can keep the app from stopping.
func TestStopForced(t *testing.T) {
	t.Parallel() // it waits
	s, again := service(t)
	app := again()
	hang := func(request string) {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		go io.WriteString(conn, request)
	}
	_, asset, _ := strings.Cut(s.browser().get("/").body, `src="/static/`)
	asset, _, _ = strings.Cut(asset, `"`)
	hang("GET / HT")
	hang("POST /logout HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\na=")
	hang(strings.Repeat("GET /static/"+asset+" HTTP/1.1\r\nHost: x\r\n\r\n", 10_000)) // and reads no answer
	b := s.browser()
	callback := b.callback("rosalind")
	arrived := make(chan struct{}, 1)
	s.auth.Lie(brokenToken(globustest.Fault{Arrived: arrived, Wait: make(chan struct{})}))
	go b.try(t.Context(), http.MethodGet, callback, nil)
	<-arrived

	begun := time.Now()
	app.terminate(t)
	if err := app.Wait(); err != nil {
		t.Errorf("it ended with %v:\n%s", err, app.log)
	}
	if took := time.Since(begun); took > 18*time.Second {
		t.Errorf("it took %s, want 15 s at most, and a little", took)
	}
	for _, want := range []string{`"requests cut off"`, `"stopped"`} {
		if !strings.Contains(app.log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, app.log)
		}
	}
}
