package deploy_test

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
	"example.org/portal/routes/routestest"
)

// TestDrain: an app that is about to stop says so where proxies ask, and
// answers everybody else.
func TestDrain(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	b := s.Browser()
	callback := b.Callback("rosalind")
	if p := b.Get("/readyz"); p.Status != http.StatusOK {
		t.Errorf("before: got %d", p.Status)
	}
	s.App.Drain()
	for path, want := range map[string]int{"/readyz": 503, "/livez": 200, "/": 200} {
		if p := b.Get(path); p.Status != want {
			t.Errorf("%s: got %d, want %d", path, p.Status, want)
		}
	}
	if p := b.Follow(b.Get(callback)); !strings.Contains(p.Body, "Rosalind") {
		t.Errorf("a sign-in that was under way ended with %d:\n%s", p.Status, p.Body)
	}
}

// service starts the app itself with an emulated Globus; again starts it anew.
func service(t *testing.T) (s *routestest.Site, again func() *process) {
	t.Helper()
	auth := globustest.NewServer(globustest.Config{Key: routestest.SigningKey()})
	t.Cleanup(auth.Close)
	dir, port := t.TempDir(), routestest.FreePort(t)
	s = &routestest.Site{T: t, URL: "http://localhost:" + port, Globus: auth, Dir: dir, Log: &routestest.Log{}}
	auth.Register(globustest.Client{ID: routestest.ClientID, Secret: routestest.ClientSecret, RedirectURIs: []string{s.URL + "/login"}})
	metrics := "127.0.0.1:" + routestest.FreePort(t)
	s.Metrics = &httptest.Server{URL: "http://" + metrics}
	env := []string{"GLOBUS_CLIENT_ID=" + routestest.ClientID, "GLOBUS_CLIENT_SECRET=" + routestest.ClientSecret, "GLOBUS_ISSUER=" + auth.URL,
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
	t.Parallel()
	s, again := service(t)
	app := again()
	b := s.Browser()
	if !strings.Contains(s.MetricsPage(), "portal_build_info{") {
		t.Error("METRICS_LISTEN does not answer with metrics")
	}
	callback := b.Callback("rosalind")
	arrived, wait := make(chan struct{}, 1), make(chan struct{})
	s.Globus.Lie(routestest.BrokenToken(globustest.Fault{Arrived: arrived, Wait: wait}))
	done := make(chan routestest.Page, 1)
	go func() {
		p, err := b.Try(t.Context(), http.MethodGet, callback, nil)
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
	routestest.Await(t, "nobody listens", func() bool {
		resp, err := probe.Get(s.URL + "/readyz")
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
	if p := <-done; p.Status != http.StatusSeeOther || !strings.Contains(strings.Join(p.Header.Values("Set-Cookie"), "\n"), "session=") {
		t.Errorf("the sign-in under way: got %d %v", p.Status, p.Header)
	}
	if err := app.Wait(); err != nil {
		t.Errorf("it ended with %v:\n%s", err, app.log)
	}
	if !regexp.MustCompile(`(?s)"stopping".*"signed in".*"stopped"`).MatchString(app.log.String()) {
		t.Errorf("the log does not tell of it in this order:\n%s", app.log)
	}
	again()
	if !b.SignedIn() {
		t.Error("the session was lost")
	}
}

// TestStopForced: nobody who hangs can keep the app from stopping.
func TestStopForced(t *testing.T) {
	t.Parallel()
	s, again := service(t)
	app := again()
	hang := func(request string) {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		go io.WriteString(conn, request)
	}
	_, asset, _ := strings.Cut(s.Browser().Get("/").Body, `src="/static/`)
	asset, _, _ = strings.Cut(asset, `"`)
	hang("GET / HT")
	hang("POST /logout HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\na=")
	hang(strings.Repeat("GET /static/"+asset+" HTTP/1.1\r\nHost: x\r\n\r\n", 10_000)) // and reads no answer
	b := s.Browser()
	callback := b.Callback("rosalind")
	arrived := make(chan struct{}, 1)
	s.Globus.Lie(routestest.BrokenToken(globustest.Fault{Arrived: arrived, Wait: make(chan struct{})}))
	go b.Try(t.Context(), http.MethodGet, callback, nil)
	<-arrived

	begun := time.Now()
	app.terminate(t)
	if err := app.Wait(); err != nil {
		t.Errorf("it ended with %v:\n%s", err, app.log)
	}
	if took := time.Since(begun); took > time.Minute {
		t.Errorf("it took %s, want 15 s at most, and a little", took)
	}
	for _, want := range []string{`"requests cut off"`, `"stopped"`} {
		if !strings.Contains(app.log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, app.log)
		}
	}
}
