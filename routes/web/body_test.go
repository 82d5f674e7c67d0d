package web_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/routes/routestest"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

// startFiles starts a site with the routes that a page about files has: all for
// those who are signed in, and one for nobody.
func startFiles(t testing.TB, o routestest.Options) *routestest.Site {
	t.Helper()
	s := routestest.Start(t, o)
	stream := func(w http.ResponseWriter, r *http.Request, _ *session.Session) error {
		form, err := r.MultipartReader()
		if err != nil {
			return err
		}
		for {
			part, err := form.NextPart()
			if err != nil {
				return err
			}
			if part.FormName() == "file" {
				return sum(w, r, part)
			}
		}
	}
	whole := func(w http.ResponseWriter, r *http.Request, _ *session.Session) error {
		file, _, err := r.FormFile("file")
		if err != nil {
			return err
		}
		return sum(w, r, file)
	}
	raw := func(w http.ResponseWriter, r *http.Request, _ *session.Session) error { return sum(w, r, r.Body) }
	nobody := globus.Policy{Identities: []string{"00000000-0000-4000-8000-000000000000"}}
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
		s.App.Handle(method+" /probe/raw", s.App.Auth.Required(raw), web.Accept("application/json", "text/*"))
	}
	s.App.Handle("PUT /probe/json", s.App.Auth.Required(func(w http.ResponseWriter, r *http.Request, _ *session.Session) error {
		var sample struct{ Size int }
		if err := web.ReadJSON(r, &sample); err != nil {
			return err
		}
		return web.JSON(w, r, sample)
	}), web.Accept("application/json"))
	s.App.Handle("POST /probe/stream", s.App.Auth.Required(stream), web.MaxBody(201<<20))
	s.App.Handle("POST /probe/whole", s.App.Auth.Required(whole), web.MaxBody(201<<20))
	s.App.Handle("POST /probe/large", s.App.Auth.Required(raw), web.MaxBody(201<<20), web.Accept("text/plain"))
	s.App.Handle("POST /probe/nobody", s.App.Auth.Require(nobody, raw), web.MaxBody(201<<20), web.Accept("text/plain"))
	return s
}

// sum answers with the length and hash of what it reads.
func sum(w http.ResponseWriter, r *http.Request, file io.Reader) error {
	hash := crc32.NewIEEE()
	n, err := io.Copy(hash, file)
	if err != nil {
		return err
	}
	return web.JSON(w, r, fmt.Sprint(n, " ", hex.EncodeToString(hash.Sum(nil))))
}

// letters is n bytes that are nowhere in memory.
func letters(n int64) io.Reader { return io.LimitReader(endless{}, n) }

type endless struct{}

var alphabets = strings.Repeat("abcdefghijklmnopqrstuvwxyz", 1000)

func (endless) Read(p []byte) (int, error) {
	return copy(p, alphabets), nil
}

// TestUpload: a file of any size that the route allows arrives as it was sent, in
// little memory if the handler streams it, and leaves nothing on the disk.
func TestUpload(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	s := startFiles(t, routestest.Options{})
	b := s.Browser()
	form := b.SignIn("rosalind").Form("name", "spectra", "b", "2")
	large := int64(48 << 20)
	if os.Getenv("PORTAL_LONG") == "1" {
		large = 200 << 20
	}
	for _, test := range []struct {
		path   string
		size   int64
		memory uint64 // bytes that may be allocated meanwhile, by both ends; 0 is any number
	}{
		{"/probe/stream", 3 << 20, 16 << 20},
		{"/probe/stream", large, 16 << 20},
		{"/probe/whole", 3 << 20, 0},
		{"/probe/whole", 40 << 20, 0}, // Go keeps 32 MB of a file in memory, and the rest in a file
	} {
		hash := crc32.NewIEEE()
		want, _ := json.Marshal(fmt.Sprint(test.size, " "))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		p := b.Upload(test.path, form, "file", io.TeeReader(letters(test.size), hash))
		runtime.ReadMemStats(&after)
		if p.Status != http.StatusOK || !strings.HasPrefix(p.Body, string(want[:len(want)-1])) || !strings.Contains(p.Body, hex.EncodeToString(hash.Sum(nil))) {
			t.Errorf("%s, %d MB: got %d:\n%s", test.path, test.size>>20, p.Status, p.Body)
		}
		if used := after.TotalAlloc - before.TotalAlloc; test.memory > 0 && used > test.memory {
			t.Errorf("%s, %d MB: %d MB were allocated", test.path, test.size>>20, used>>20)
		}
		if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
			t.Errorf("%s, %d MB: %d files are left behind, %v", test.path, test.size>>20, len(left), err)
		}
	}
}

// TestUploadToken: a multipart form is accepted only with its token in the first
// field, and the file of another is not read.
func TestUploadToken(t *testing.T) {
	t.Parallel()
	s := startFiles(t, routestest.Options{})
	b := s.Browser()
	b.SignIn("rosalind")
	stale := b.Get("/").Token()
	b.SignIn("ada")
	page := b.Get("/")
	send := func(headers []string, fields ...string) routestest.Page {
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		for i := 0; i < len(fields); i += 2 {
			_ = w.WriteField(fields[i], fields[i+1])
		}
		w.Close()
		return b.SendBody(http.MethodPost, "/probe/stream", w.FormDataContentType(), &body, headers...)
	}
	tests := []struct {
		name    string
		headers []string
		fields  []string
		want    int
	}{
		{"first", nil, []string{"csrf_token", page.Token(), "file", "x"}, 200},
		{"in a header", []string{"X-CSRF-Token", page.Token()}, []string{"file", "x"}, 200},
		{"missing", nil, []string{"file", "x"}, 403},
		{"late", nil, []string{"file", "x", "csrf_token", page.Token()}, 403},
		{"after more than is looked at", nil, []string{"file", strings.Repeat("x", 60_000), "csrf_token", page.Token()}, 403},
		{"of somebody else", nil, []string{"csrf_token", stale, "file", "x"}, 403},
		{"longer than any", nil, []string{"csrf_token", strings.Repeat("x", 60_000), "file", "x"}, 403},
		{"under another name", nil, []string{"file", page.Token()}, 403},
		{"empty", nil, []string{"csrf_token", "", "file", "x"}, 403},
	}
	for _, test := range tests {
		p := send(append([]string{"Referer", s.URL + "/files?page=2"}, test.headers...), test.fields...)
		if p.Status != test.want {
			t.Errorf("%s: got %d, want %d:\n%s", test.name, p.Status, test.want, p.Body)
		}
		if test.want == 200 {
			continue
		}
		// What was in it is not kept, so its page is where to go on.
		if p.Reason() != "form_old" || p.Has(".send-again") || p.Link(".way") != "/files?page=2" {
			t.Errorf("%s: it does not lead back to its page:\n%s", test.name, p.Body)
		}
	}
	for _, path := range []string{"/probe/whole", "/probe/stream"} { // a form without a file
		if p := b.Send(http.MethodPost, path, page.Form()); p.Status != 400 || p.Reason() != "form_unreadable" {
			t.Errorf("%s: got %d:\n%s", path, p.Status, p.Body)
		}
	}
	if p := b.SendBody(http.MethodPost, "/probe/stream", "multipart/form-data", strings.NewReader("x")); p.Status != 403 {
		t.Errorf("without a boundary: got %d:\n%s", p.Status, p.Body)
	}
}

// TestMethods: every method is a route like another, and needs the token.
func TestMethods(t *testing.T) {
	t.Parallel()
	s := startFiles(t, routestest.Options{})
	b := s.Browser()
	token := b.SignIn("rosalind").Token()
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
		if p := b.SendBody(method, "/probe/raw", "application/json", strings.NewReader("{}"), "X-CSRF-Token", token); p.Status != 200 || !strings.HasPrefix(p.Body, `"2 `) {
			t.Errorf("%s: got %d:\n%s", method, p.Status, p.Body)
		}
		if p := b.Send(method, "/probe/raw", nil, "X-CSRF-Token", token, "Origin", s.URL); p.Status != 200 || !strings.HasPrefix(p.Body, `"0 `) {
			t.Errorf("%s without a body: got %d:\n%s", method, p.Status, p.Body)
		}
		if p := b.SendBody(method, "/probe/raw", "application/json", strings.NewReader("{}")); p.Status != 403 {
			t.Errorf("%s without a token: got %d:\n%s", method, p.Status, p.Body)
		}
		if p := b.SendBody(method, "/probe/raw", "application/json", strings.NewReader("{}"), "X-CSRF-Token", token, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); p.Status != 403 {
			t.Errorf("%s from another site: got %d:\n%s", method, p.Status, p.Body)
		}
	}
	if p := b.Send("LOCK", "/probe/raw", nil); p.Status != 405 || p.Header.Get("Allow") != "DELETE, PATCH, POST, PUT" {
		t.Errorf("LOCK: got %d, %q:\n%s", p.Status, p.Header.Get("Allow"), p.Body)
	}
}

// TestJSON: a request that wants JSON, or sends it, gets its problems as JSON.
func TestJSON(t *testing.T) {
	t.Parallel()
	s := startFiles(t, routestest.Options{})
	signedIn := s.Browser()
	token := signedIn.SignIn("rosalind").Token()
	accept := []string{"Accept", "application/json"}
	withToken := []string{"X-CSRF-Token", token}
	tests := []struct {
		name, method, path, media string
		b                         *routestest.Browser
		body                      string
		headers                   []string
		status                    int
		reason                    string
	}{
		{"with all it needs", "POST", "/probe/raw", "application/json", signedIn, "{}", withToken, 200, ""},
		{"that fits", "PUT", "/probe/json", "application/json", signedIn, `{"Size":7}`, withToken, 200, ""},
		{"that fits nothing", "PUT", "/probe/json", "application/json", signedIn, `{"Size":"x"}`, withToken, 400, "json_unreadable"},
		{"that ends too soon", "PUT", "/probe/json", "application/json", signedIn, `{"Size":7`, withToken, 400, "json_unreadable"},
		{"without a token", "POST", "/probe/raw", "application/json", signedIn, "{}", nil, 403, "form_old"},
		{"signed out", "POST", "/probe/raw", "application/json", s.Browser(), "{}", withToken, 401, "session_ended"},
		{"signed out, by GET", "GET", "/account", "", s.Browser(), "", accept, 401, "session_ended"},
		{"for somebody else", "POST", "/probe/nobody", "text/plain", signedIn, "x", append(accept, withToken...), 403, "policy"},
		{"of another kind", "POST", "/probe/large", "application/json", signedIn, "{}", withToken, 415, "media_type"},
		{"too large", "POST", "/probe/raw", "application/json", signedIn, strings.Repeat(" ", web.DefaultMaxBody+1), withToken, 413, "too_long"},
		{"nowhere", "GET", "/nowhere", "", signedIn, "", accept, 404, "no_such_page"},
		{"another method", "PUT", "/probe/large", "text/plain", signedIn, "x", append(accept, withToken...), 405, "method"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var p routestest.Page
			if test.method == "GET" {
				p = test.b.Get(test.path, test.headers...)
			} else {
				p = test.b.SendBody(test.method, test.path, test.media, strings.NewReader(test.body), test.headers...)
			}
			if p.Status != test.status {
				t.Errorf("got %d, want %d:\n%s", p.Status, test.status, p.Body)
			}
			if test.reason == "" {
				return
			}
			var problem struct {
				Title, Reason, Reference string
				Status                   int
				LoginURL                 string `json:"login_url"`
			}
			if err := json.Unmarshal([]byte(p.Body), &problem); err != nil || p.Header.Get("Content-Type") != "application/problem+json" {
				t.Fatalf("no problem as JSON (%s):\n%s", p.Header.Get("Content-Type"), p.Body)
			}
			if problem.Reason != test.reason || problem.Status != test.status || problem.Title == "" || !strings.Contains(s.Log.String(), problem.Reference) {
				t.Errorf("got %+v, want %s", problem, test.reason)
			}
			if test.status == 401 && !strings.HasPrefix(problem.LoginURL, s.URL+"/login") {
				t.Errorf("where to sign in: %q", problem.LoginURL)
			}
		})
	}
	if p := s.Browser().SendBody("POST", "/probe/raw", "application/json", strings.NewReader("{}"), "Accept", "text/html,*/*"); !strings.HasPrefix(p.Header.Get("Content-Type"), "text/html") {
		t.Errorf("who wants a page got %s", p.Header.Get("Content-Type"))
	}
}

// TestBodyRefused: a body that is too large, or of a kind that the route does not
// accept, is refused in a page, or in a fragment that leaves the form where it is.
func TestBodyRefused(t *testing.T) {
	t.Parallel()
	s := startFiles(t, routestest.Options{})
	s.App.Handle("POST /probe/form", s.App.Auth.Required(func(w http.ResponseWriter, r *http.Request, _ *session.Session) error {
		return web.JSON(w, r, r.PostForm)
	}))
	b := s.Browser()
	token := b.SignIn("rosalind").Token()
	const max = web.DefaultMaxBody
	unknownLength := func(n int64) io.Reader { return struct{ io.Reader }{letters(n)} } // sent in chunks
	tests := []struct {
		name, path, media string
		body              io.Reader
		status            int
		reason            string
	}{
		{"just fits", "/probe/raw", "text/plain", bytes.NewReader(make([]byte, max)), 200, ""},
		{"too large, and says so", "/probe/raw", "text/plain", bytes.NewReader(make([]byte, max+1)), 413, "too_long"},
		{"just fits, in chunks", "/probe/raw", "text/plain", unknownLength(max), 200, ""},
		{"too large, in chunks", "/probe/raw", "text/plain", unknownLength(max + 1), 413, "too_long"},
		{"a form that is too large, in chunks", "/probe/form", "application/x-www-form-urlencoded", unknownLength(max + 1), 413, "too_long"},
		{"a kind that is not accepted", "/probe/raw", "image/png", strings.NewReader("x"), 415, "media_type"},
		{"a form where none is accepted", "/probe/raw", "application/x-www-form-urlencoded", strings.NewReader("a=1"), 415, "media_type"},
		{"JSON where a form is", "/probe/form", "application/json", strings.NewReader("{}"), 415, "media_type"},
		{"no kind", "/probe/raw", "", strings.NewReader("x"), 415, "media_type"},
		{"a kind with a parameter", "/probe/raw", "Text/Plain; charset=utf-8", strings.NewReader("x"), 200, ""},
		{"a form that cannot be read", "/probe/form", "application/x-www-form-urlencoded", strings.NewReader("a=%zz"), 400, "form_unreadable"},
	}
	for _, test := range tests {
		for _, htmx := range []bool{false, true} {
			if seeker, ok := test.body.(io.Seeker); htmx && ok {
				_, _ = seeker.Seek(0, io.SeekStart)
			} else if htmx {
				continue // it is spent
			}
			headers := []string{"X-CSRF-Token", token, "Accept", "text/html"}
			if htmx {
				headers = append(headers, routestest.Htmx...)
			}
			p := b.SendBody(http.MethodPost, test.path, test.media, test.body, headers...)
			if p.Status != test.status || p.Reason() != test.reason {
				t.Errorf("%s: got %d %s, want %d %s:\n%s", test.name, p.Status, p.Reason(), test.status, test.reason, p.Body)
			}
			if htmx && test.reason != "" && (p.Header.Get("HX-Reswap") != "beforebegin" || strings.Contains(p.Body, "<html")) {
				t.Errorf("%s: the form is not left alone:\n%s", test.name, p.Body)
			}
		}
	}
}

// TestAllowedFirst: whether a person may send something is decided before it is
// read: the answer comes while the browser still sends.
func TestAllowedFirst(t *testing.T) {
	t.Parallel()
	s := startFiles(t, routestest.Options{})
	signedIn := s.Browser()
	token := signedIn.SignIn("rosalind").Token()
	tests := []struct {
		name   string
		b      *routestest.Browser
		path   string
		length int64 // that is announced; -1 sends chunks
		status int
	}{
		{"signed out", s.Browser(), "/probe/large", 100 << 20, 401},
		{"signed out, in chunks", s.Browser(), "/probe/large", -1, 401},
		{"for somebody else", signedIn, "/probe/nobody", 100 << 20, 403},
		{"too large", signedIn, "/probe/large", 300 << 20, 413},
		{"nowhere", signedIn, "/nowhere", 100 << 20, 404},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			body, out := io.Pipe() // into which nothing is written
			defer out.Close()
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+test.path, body)
			if err != nil {
				t.Fatal(err)
			}
			req.ContentLength = test.length
			req.Header = http.Header{"Content-Type": {"text/plain"}, "X-Csrf-Token": {token}, "Origin": {s.URL}}
			resp, err := test.b.Client.Do(req)
			if err != nil {
				t.Fatalf("no answer before the body: %v", err)
			}
			resp.Body.Close()
			if resp.StatusCode != test.status {
				t.Errorf("got %d, want %d", resp.StatusCode, test.status)
			}
		})
	}
}

// TestSlowUpload: a route that takes large bodies waits for them longer than the
// server does for others, but not for ever.
func TestSlowUpload(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(nil)
	server.Config.ReadHeaderTimeout, server.Config.ReadTimeout, server.Config.WriteTimeout = time.Minute, 100*time.Millisecond, time.Minute
	s := routestest.Start(t, routestest.Options{Server: server})
	read := web.HandlerFunc(func(w http.ResponseWriter, r *http.Request) error { return sum(w, r, r.Body) })
	s.App.Handle("POST /probe/small", read, web.Accept("text/plain", "multipart/form-data"))
	s.App.Handle("POST /probe/large", read, web.Accept("text/plain"), web.MaxBody(web.DefaultMaxBody+1))
	b := s.Browser()
	token := b.SignIn("rosalind").Token()
	name, value := b.Cookie("csrf")
	send := func(path, media, with string) net.Conn {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: %s=%s\r\n%sOrigin: %s\r\nContent-Type: %s\r\nContent-Length: 9\r\n\r\na=", path, name, value, with, s.URL, media)
		return conn
	}
	answer := func(conn net.Conn) string {
		text, err := io.ReadAll(conn)
		if err != nil {
			t.Error(err)
		}
		return string(text)
	}
	header := "X-CSRF-Token: " + token + "\r\n"

	patient := send("/probe/large", "text/plain", header)
	for _, test := range []struct{ name, media, with string }{
		{"a body", "text/plain", header},
		{"a multipart form, of which the token is read first", "multipart/form-data; boundary=x", ""},
	} {
		if got := answer(send("/probe/small", test.media, test.with)); !strings.HasPrefix(got, "HTTP/1.1 408 ") || !strings.Contains(got, `data-reason="too_slow"`) {
			t.Errorf("%s: got %q", test.name, got)
		}
	}
	// What was typed by somebody who is signed out is read, to be kept for them.
	if got := answer(send("/tokens/show", "application/x-www-form-urlencoded", header)); !strings.HasPrefix(got, "HTTP/1.1 401 ") || !strings.Contains(got, `data-reason="session_ended"`) {
		t.Errorf("signed out: got %q", got)
	}
	fmt.Fprint(patient, "1234567") // by now the server's own time is up
	if got := answer(patient); !strings.HasPrefix(got, "HTTP/1.1 200 ") || !strings.Contains(got, `"9 `) {
		t.Errorf("where a large one may come: got %q", got)
	}
	if os.Getenv("PORTAL_LONG") == "1" {
		if got := answer(send("/probe/large", "text/plain", header)); !strings.HasPrefix(got, "HTTP/1.1 408 ") || !strings.Contains(got, `data-reason="too_slow"`) {
			t.Errorf("where a large one never comes: got %q", got)
		}
	}
}

// TestDeleteButton: a stale button that is no form gets a fragment that leaves it
// where it is, and offers no form, which could only be sent to where none is taken.
func TestDeleteButton(t *testing.T) {
	t.Parallel()
	s := startFiles(t, routestest.Options{})
	b := s.Browser()
	b.SignIn("rosalind")
	stale := b.Get("/").Token()
	b.SignIn("ada")
	s.App.Handle("DELETE /probe/form", s.App.Auth.Required(func(w http.ResponseWriter, r *http.Request, _ *session.Session) error {
		return web.JSON(w, r, "gone")
	}))
	for _, headers := range [][]string{routestest.Htmx, {"HX-Request", "true", "HX-Request-Type", "full"}} {
		for _, body := range []url.Values{nil, {"a": {"1"}}} {
			p := b.Send(http.MethodDelete, "/probe/form", body, append([]string{"X-CSRF-Token", stale, "Origin", s.URL, "HX-Current-URL", s.URL + "/files"}, headers...)...)
			if p.Status != 403 || p.Reason() != "form_old" || p.Has(".send-again") || p.Link(".way") != "/files" {
				t.Errorf("got %d:\n%s", p.Status, p.Body)
			}
			if &headers[0] == &routestest.Htmx[0] && p.Header.Get("HX-Reswap") != "beforebegin" {
				t.Error("the button is replaced")
			}
		}
	}
}

// TestErrorsOfBodies: what a handler returns of a body that it cannot read is the
// right page, whatever the libraries between made of it.
func TestErrorsOfBodies(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	s.App.HandleFunc("POST /probe/json", func(w http.ResponseWriter, r *http.Request) error {
		var v any
		if err := json.NewDecoder(r.Body).Decode(&v); err != nil {
			return fmt.Errorf("decode: %w", err)
		}
		return web.JSON(w, r, v)
	}, web.Accept("application/json"))
	b := s.Browser()
	token := b.SignIn("rosalind").Token()
	long := struct{ io.Reader }{strings.NewReader(`"` + strings.Repeat("x", web.DefaultMaxBody) + `"`)}
	if p := b.SendBody(http.MethodPost, "/probe/json", "application/json", long, "X-CSRF-Token", token); p.Status != 413 {
		t.Errorf("too long: got %d:\n%s", p.Status, p.Body)
	}
}
