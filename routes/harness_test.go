package routes_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"html"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
	"example.org/portal/routes"
)

const (
	clientID     = "c11e0000-0000-4000-8000-000000000000"
	clientSecret = "canary-client-secret+/="
)

// options vary a site; the zero value is the usual one.
type options struct {
	publicURL string // where browsers reach it, PORT standing for the port it listens on; "" is its own address
	dir       string // of its session store; "" is a new one
	store     string // of its sessions; "" is a file in dir
	auth      *globustest.Server
	policy    globus.Policy
	people    []globustest.Person
	places    []globustest.Collection
	now       func() time.Time
	transport http.RoundTripper // to Globus; nil is the usual one
	textLog   bool              // as on a terminal, instead of JSON
}

// A site is the whole app on a real listener, with an emulated Globus beside it.
type site struct {
	t    testing.TB
	url  string // PublicURL
	http *httptest.Server
	app  *routes.App
	auth *globustest.Server
	dir  string
	log  *logBuffer

	metrics *httptest.Server
}

// signingKey makes the emulators of all tests share a key, which is slow to make.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func start(t testing.TB, o options) *site {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	s := &site{t: t, http: server, auth: o.auth, dir: o.dir, log: &logBuffer{}}
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	s.url = strings.ReplaceAll(cmp.Or(o.publicURL, "http://127.0.0.1:PORT"), "PORT", port)
	if s.dir == "" {
		s.dir = t.TempDir()
	}
	if s.auth == nil {
		s.auth = globustest.NewServer(globustest.Config{Key: signingKey(), People: o.people, Collections: o.places, Now: o.now})
		t.Cleanup(s.auth.Close)
	}
	redirectURI := strings.TrimSuffix(s.url, "/") + "/login"
	s.auth.Register(globustest.Client{ID: clientID, Secret: clientSecret, Name: "Test portal", RedirectURIs: []string{redirectURI}})

	metrics := routes.NewMetrics("4041c0b9e1d2")
	s.metrics = httptest.NewServer(metrics.Handler())
	t.Cleanup(s.metrics.Close)
	client, err := globus.New(globus.Config{
		ClientID: clientID, ClientSecret: clientSecret, RedirectURL: redirectURI, Issuer: s.auth.URL, TransferURL: s.auth.URL + globustest.TransferPath,
		GroupsURL: s.auth.URL + globustest.GroupsPath, Now: o.now, Scopes: append(globus.DefaultScopes(), o.policy.Scopes().Texts()...),
		Observe: metrics.GlobusCall, Transport: o.transport,
	})
	if err != nil {
		t.Fatal(err)
	}
	public, err := routes.ParsePublicURL(s.url)
	if err != nil {
		t.Fatal(err)
	}
	opts := &slog.HandlerOptions{Level: slog.LevelDebug}
	var handler slog.Handler = slog.NewJSONHandler(s.log, opts)
	if o.textLog {
		handler = slog.NewTextHandler(s.log, opts)
	}
	s.app, err = routes.New(routes.Config{
		PublicURL: public, Globus: client, SessionStore: cmp.Or(o.store, "sqlite:"+filepath.Join(s.dir, "sessions.db")),
		Policy: o.policy, SessionLifetime: 7 * 24 * time.Hour, Audience: s.auth.URL + " " + clientID,
		Metrics: metrics, Log: slog.New(handler), Now: o.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = s.app
	server.Config.ErrorLog = slog.NewLogLogger(handler, slog.LevelWarn)
	server.Start()
	t.Cleanup(func() {
		server.Close()
		if err := s.app.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// A logBuffer is what the app has logged so far.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// A browser keeps cookies, and follows no redirect unless told to.
type browser struct {
	t    testing.TB
	site *site
	http *http.Client
}

func (s *site) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &browser{t: s.t, site: s, http: &http.Client{
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// cookies returns the app's cookies in the browser, by name.
func (b *browser) cookies() map[string]string {
	u, _ := url.Parse(b.site.url)
	all := map[string]string{}
	for _, c := range b.http.Jar.Cookies(u) {
		if strings.HasPrefix(c.Name, "portal-") || strings.HasPrefix(c.Name, "__Host-") {
			all[c.Name] = c.Value
		}
	}
	return all
}

// cookie returns the name and value of the cookie of one kind: session, csrf, login.
func (b *browser) cookie(kind string) (name, value string) {
	for name, value := range b.cookies() {
		if strings.Contains(name, kind) {
			return name, value
		}
	}
	return "", ""
}

// A page is an answer, read to its end.
type page struct {
	url    string
	status int
	header http.Header
	body   string
}

// send sends one request. Headers are given as name, value, name, value …
func (b *browser) send(method, target string, form url.Values, headers ...string) page {
	b.t.Helper()
	p, err := b.try(b.t.Context(), method, target, form, headers...)
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

func (b *browser) try(ctx context.Context, method, target string, form url.Values, headers ...string) (page, error) {
	if strings.HasPrefix(target, "/") {
		target = b.site.url + target
	}
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return page{}, err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", req.URL.Scheme+"://"+req.URL.Host)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
	}
	resp, err := b.http.Do(req)
	if err != nil {
		return page{}, err
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	return page{target, resp.StatusCode, resp.Header, string(content)}, err
}

func (b *browser) get(target string, headers ...string) page {
	b.t.Helper()
	return b.send(http.MethodGet, target, nil, headers...)
}

// htmx marks a request as one that htmx makes for a fragment.
var htmx = []string{"HX-Request", "true", "HX-Request-Type", "partial"}

// follow goes where p redirects to, until there is a page.
func (b *browser) follow(p page) page {
	b.t.Helper()
	for range 10 {
		location := p.header.Get("Location")
		if location == "" {
			return p
		}
		base, _ := url.Parse(p.url)
		next, err := base.Parse(location)
		if err != nil {
			b.t.Fatal(err)
		}
		p = b.get(next.String())
	}
	b.t.Fatalf("redirected without end; last to %s", p.url)
	return p
}

// choose answers the emulator's page: as the person with this key, or "deny".
// It returns the redirect back to the app, not yet followed.
func (b *browser) choose(chooser page, person string) page {
	b.t.Helper()
	if !strings.HasPrefix(chooser.url, b.site.auth.URL) || chooser.status != http.StatusOK {
		b.t.Fatalf("at %s (%d), want the page to choose a person", chooser.url, chooser.status)
	}
	answer := url.Values{"person": {person}}
	if person == "deny" {
		answer = url.Values{"deny": {"1"}}
	}
	return b.send(http.MethodPost, chooser.url, answer)
}

// callback begins a sign-in and returns the URL that Globus sends the browser
// back to, not yet visited.
func (b *browser) callback(person string) string {
	b.t.Helper()
	back := b.choose(b.follow(b.get("/login?prompt=login")), person)
	return back.header.Get("Location")
}

// signIn signs in and returns the page that the person comes to.
func (b *browser) signIn(person string) page {
	b.t.Helper()
	return b.follow(b.get(b.callback(person)))
}

var csrfField = regexp.MustCompile(`name="csrf_token" value="([^"]+)"`)

// form returns the fields of a form on the page: its token and those given as
// name, value, name, value …
func (p page) form(fields ...string) url.Values {
	form := url.Values{}
	if m := csrfField.FindStringSubmatch(p.body); m != nil {
		form.Set("csrf_token", html.UnescapeString(m[1]))
	}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return form
}

// signedIn reports whether the browser is signed in, by asking the app.
func (b *browser) signedIn() bool {
	b.t.Helper()
	return strings.Contains(b.get("/user").body, "Log out")
}

// program returns the path of a program that a test needs. It skips the test if
// there is none.
func program(t testing.TB, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
		for _, dir := range []string{"/usr/sbin", "/sbin"} {
			if path := filepath.Join(dir, name); isFile(path) {
				return path
			}
		}
	}
	skip(t, "needs "+names[0]+", which is not installed")
	return ""
}

// skip skips the test, or fails it where REQUIRE_ALL=1.
func skip(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("REQUIRE_ALL") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// freePort returns a port on loopback that nobody listens on. It is not one that
// the system gives to clients, as it does from 32768 on: those may be taken
// before a server listens, or while it is started again.
func freePort(t testing.TB) string {
	t.Helper()
	for range 100 {
		port := strconv.Itoa(20_000 + (os.Getpid()+int(portsGiven.Add(1)))%10_000)
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("there is no free port")
	return ""
}

var portsGiven atomic.Int64

// await polls until ok, for what happens by itself.
func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	awaitFor(t, 20*time.Second, what, ok)
}

// awaitFor is await for what takes longer by its nature.
func awaitFor(t testing.TB, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
}
