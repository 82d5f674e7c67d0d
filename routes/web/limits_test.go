package web_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
	"example.org/portal/routes/web"
)

// TestUploads: whatever the method, nothing that is sent is kept.
func TestUploads(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	s := routestest.Start(t, routestest.Options{})
	body := "--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n" + strings.Repeat("y", 40<<20) + "\r\n--x--\r\n"
	b := s.Browser()
	b.SignIn("rosalind")
	for _, test := range []struct {
		method, path string
		want         int
	}{{"POST", "/", 405}, {"PUT", "/", 405}, {"PATCH", "/", 405}, {"DELETE", "/", 405}, {"FROB", "/", 405}, {"POST", "/tokens/refresh", 413}} {
		req, err := http.NewRequestWithContext(t.Context(), test.method, s.URL+test.path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		// The server hangs up on a body that it does not read; either way.
		if resp, err := b.Client.Do(req); err == nil {
			resp.Body.Close()
			if resp.StatusCode != test.want {
				t.Errorf("%s %s: got %d, want %d", test.method, test.path, resp.StatusCode, test.want)
			}
		}
	}
	left, err := os.ReadDir(os.TempDir())
	if err != nil || len(left) > 0 {
		t.Errorf("%d files are left behind, %v", len(left), err)
	}
}

// TestTooManySignIns: a bounded number waits for Globus, of all and of one client.
// Those beyond it may come again with the same link.
func TestTooManySignIns(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		held    int
		client  func(i int) string // the address of a client that holds a place
		another string             // of the one who comes then
		want    int
	}{
		{"all places are taken, by many", 256, func(i int) string { return fmt.Sprintf("192.0.2.%d", i) }, "198.51.100.1", 503},
		{"one client's places are taken", 32, func(int) string { return "192.0.2.1" }, "192.0.2.1", 503},
		{"one network's places are taken", 32, func(i int) string { return fmt.Sprintf("2001:db8::%x", i) }, "2001:db8::ffff", 503},
		{"another client's places are taken", 32, func(int) string { return "192.0.2.1" }, "192.0.2.2", 303},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := routestest.Start(t, routestest.Options{})
			b := s.Browser()
			callback := b.Callback("rosalind")
			arrived, wait := make(chan struct{}, test.held), make(chan struct{})
			s.Globus.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.TokenPath: {Arrived: arrived, Wait: wait}}})
			var waiting sync.WaitGroup
			for i := range test.held {
				// Anybody can write such a cookie; it tells only what they know.
				attempt, _ := json.Marshal(map[string]any{"State": fmt.Sprint(i), "Nonce": "n", "Verifier": "v", "Begun": time.Now()})
				hash := sha256.Sum256([]byte(fmt.Sprint(i)))
				name, _ := b.Cookie("login")
				cookie := name[:strings.LastIndex(name, "-")+1] + hex.EncodeToString(hash[:8]) + "=" + base64.RawURLEncoding.EncodeToString(attempt)
				waiting.Go(func() {
					_, _ = s.Browser().Try(t.Context(), http.MethodGet, fmt.Sprintf("/login?code=x&state=%d", i), nil, "Cookie", cookie, "X-Forwarded-For", test.client(i))
				})
			}
			for range test.held {
				<-arrived
			}
			s.Globus.Lie(globustest.Lie{})
			p := b.Get(callback, "X-Forwarded-For", test.another)
			if p.Status != test.want || test.want == 503 && p.Reason() != "busy" {
				t.Errorf("got %d, want %d:\n%s", p.Status, test.want, p.Body)
			}
			close(wait)
			waiting.Wait()
			if p := b.Follow(b.Get(callback, "X-Forwarded-For", test.another)); !b.SignedIn() {
				t.Errorf("the link no longer works: %d\n%s", p.Status, p.Body)
			}
		})
	}
}

// TestSlowBody: a form that takes longer to arrive than the server reads is
// answered with words, by htmx too, and not taken for a browser that hung up.
func TestSlowBody(t *testing.T) {
	t.Parallel()
	for _, headers := range []string{"", "HX-Request: true\r\nHX-Request-Type: partial\r\n"} {
		server := httptest.NewUnstartedServer(nil)
		server.Config.ReadHeaderTimeout, server.Config.ReadTimeout = time.Minute, 100*time.Millisecond
		s := routestest.Start(t, routestest.Options{Server: server})
		s.App.HandleFunc("POST /probe/slow", func(w http.ResponseWriter, r *http.Request) error { return web.JSON(w, r, "done") })
		answer := s.Raw("POST /probe/slow HTTP/1.1\r\nHost: x\r\n" + headers + "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\na=")
		if !strings.HasPrefix(answer, "HTTP/1.1 408 ") || !strings.Contains(answer, `data-reason="too_slow"`) {
			t.Errorf("got %q\n%s", answer, s.Log)
		}
		routestest.Await(t, "it is logged", func() bool { return s.RequestCount() == 1 })
		if line := s.LogLines("request")[0]; line["status"] != 408.0 {
			t.Errorf("logged as %v", line)
		}
	}
}

// TestLargeIdentity: people about whom Globus says a lot can sign in too.
func TestLargeIdentity(t *testing.T) {
	t.Parallel()
	var linked []map[string]string
	for range 1000 {
		l := map[string]string{}
		for _, claim := range []string{"sub", "username", "name", "email", "identity_provider_display_name"} {
			l[claim] = strings.Repeat("<", 150)
		}
		linked = append(linked, l)
	}
	for _, n := range []int{5, 40} { // more than 40 do not fit into 256 KiB
		s := routestest.Start(t, routestest.Options{})
		s.Globus.Lie(globustest.Lie{UserInfo: globustest.Edit{Set: map[string]any{
			"identity_set": linked[:n], "name": strings.Repeat("Ro ", 1000),
		}}})
		if p := s.Browser().SignIn("rosalind"); p.Status != http.StatusOK || !strings.Contains(p.Body, "Ro Ro") || strings.Contains(p.Body, strings.Repeat("Ro ", 100)) {
			t.Errorf("%d linked identities: got %d, want a page with a name cut short:\n%s", n, p.Status, s.Log)
		}
	}
}

// TestTokenThatEndsAtOnce: no session begins that is over already.
func TestTokenThatEndsAtOnce(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	s.Globus.Lie(globustest.Lie{Token: globustest.Edit{Set: map[string]any{"expires_in": 60}, Drop: []string{"refresh_token"}}})
	b := s.Browser()
	if p := b.SignIn("rosalind"); p.Status != http.StatusServiceUnavailable || p.Reason() != "not_kept" {
		t.Errorf("got %d, want 503:\n%s", p.Status, p.Body)
	}
	if _, session := b.Cookie("session"); session != "" {
		t.Error("a session is left")
	}
}

// TestFormOfferedAgain: only for what the app has, with what was typed.
func TestFormOfferedAgain(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	b := s.Browser()
	b.Get("/")
	p := b.Send(http.MethodPost, "/tokens/show", url.Values{"token": {`"><script>`}, "b": {"2"}, "a": {"1"}})
	for _, want := range []string{`action="/tokens/show"`, `name="token" value="&#34;&gt;&lt;script&gt;"`, `name="csrf_token"`} {
		if !strings.Contains(p.Body, want) {
			t.Errorf("the page lacks %s:\n%s", want, p.Body)
		}
	}
	for _, path := range []string{"/%5Cevil.example/x", "//evil.example/", "/nowhere", "/"} {
		if p := b.Send(http.MethodPost, s.URL+path, url.Values{}); p.Has(".send-again") {
			t.Errorf("%s is offered again:\n%s", path, p.Body)
		}
	}
}

// TestHangUp: a browser that gives up is not an error of ours.
func TestHangUp(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	b := s.Browser()
	callback := b.Callback("rosalind")
	arrived, wait := make(chan struct{}, 1), make(chan struct{})
	s.Globus.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.TokenPath: {Arrived: arrived, Wait: wait}}})
	go b.Try(t.Context(), http.MethodGet, callback, nil)
	<-arrived
	name, attempt := b.Cookie("login")
	ctx, hangUp := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer hangUp()
	if _, err := s.Browser().Try(ctx, http.MethodGet, callback, nil, "Cookie", name+"="+attempt); err == nil {
		t.Fatal("it was answered")
	}
	close(wait)
	routestest.Await(t, "the first is signed in", b.SignedIn)
	if strings.Contains(s.Log.String(), `"level":"ERROR"`) {
		t.Errorf("a hang-up is logged as an error:\n%s", s.Log)
	}
}
