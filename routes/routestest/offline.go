package routestest

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/routes"
	"example.org/portal/routes/session"
	"example.org/portal/routes/settings"
)

// OfflineNow is the time in a site without a network.
var OfflineNow = time.Unix(1_800_000_000, 0).UTC()

// A Wire answers every call to Globus alike, and keeps what was asked.
type Wire struct {
	Status int
	Body   string

	mu    sync.Mutex
	Asked []*http.Request
	Forms []url.Values
}

func (w *Wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var form url.Values
	if r.Body != nil {
		body, _ := io.ReadAll(r.Body)
		form, _ = url.ParseQuery(string(body))
	}
	w.Asked, w.Forms = append(w.Asked, r), append(w.Forms, form)
	return &http.Response{
		StatusCode: w.Status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(w.Body)),
	}, nil
}

// Offline returns an app at a public URL that talks to w instead of Globus, and
// what it logs. Fuzz tests call its ServeHTTP.
func Offline(t testing.TB, public string, w *Wire) (*routes.App, *Log) {
	a, log, _ := OfflineSession(t, public, w, nil)
	return a, log
}

// OfflineSession is Offline with somebody signed in. It returns the session cookie
// too.
func OfflineSession(t testing.TB, public string, w *Wire, rec *session.Record) (*routes.App, *Log, string) {
	t.Helper()
	where, err := settings.ParsePublicURL(public)
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return OfflineNow }
	client, err := globus.New(globus.Config{
		ClientID: ClientID, ClientSecret: ClientSecret, RedirectURL: public + "/login", Transport: w, Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	log := &Log{}
	logger := slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	store := "sqlite:" + filepath.Join(t.TempDir(), "sessions.db")
	a, err := routes.New(routes.Config{
		PublicURL: where, Globus: client, SessionStore: store, Database: "sqlite:" + filepath.Join(t.TempDir(), "app.db"), SessionLifetime: time.Hour, Audience: "offline", Log: logger, Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	AddProbes(a, client)
	if rec == nil {
		return a, log, ""
	}
	sessions, err := session.Open(session.Config{
		Store: store, Lifetime: time.Hour, Cookie: *a.Cookies.New("session", "", 0), Audience: "offline", Log: logger, Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer sessions.Close()
	s, err := sessions.SignIn(t.Context(), *rec)
	if err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	sessions.SetCookie(answer, s)
	cookie, _, _ := strings.Cut(answer.Header().Get("Set-Cookie"), ";")
	return a, log, cookie
}

// Lands says where a browser at https://portal.example.edu goes that is told to
// go to target: the path on this site, or false for another site. It follows
// the URL Standard (url.spec.whatwg.org, sections 4.4 and 4.5), which differs from
// RFC 3986 in what net/url knows nothing of: \ is /, and tabs and line ends are
// nothing.
func Lands(target string) (path string, here bool) {
	target = strings.TrimFunc(target, func(r rune) bool { return r <= ' ' })
	target = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(target)
	if scheme.MatchString(target) {
		return "", false // ours would be taken for a path only without its slashes
	}
	path, _, _ = strings.Cut(target, "#")
	path, _, _ = strings.Cut(path, "?")
	path = strings.ReplaceAll(path, `\`, "/")
	if strings.HasPrefix(path, "//") {
		return "", false
	}
	var steps []string
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, s := range segments {
		last := i == len(segments)-1
		switch strings.ReplaceAll(strings.ToLower(s), "%2e", ".") {
		case "..":
			steps = steps[:max(0, len(steps)-1)]
			s = ""
		case ".":
			s = ""
		default:
			steps = append(steps, s)
			continue
		}
		if last {
			steps = append(steps, s)
		}
	}
	return "/" + strings.Join(steps, "/"), true
}

var scheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:`)

// CheckAnswer wants what every answer has, a Location on this site or at Globus,
// a log of whole lines that name a true client, and no secret in either.
func CheckAnswer(t *testing.T, w *httptest.ResponseRecorder, log string, secrets ...string) {
	t.Helper()
	h := w.Header()
	if !strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'; script-src 'self';") || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") == "" || h.Get("Cache-Control") == "" {
		t.Errorf("%d has the headers %v", w.Code, h)
	}
	told := w.Body.String() + log
	for _, c := range w.Result().Cookies() {
		if c.Name == "__Host-csrf" || strings.HasPrefix(c.Name, "__Host-login-") && c.MaxAge == 600 {
			continue // who has it may know what is in it
		}
		told += c.String()
	}
	location := h.Get("Location")
	if path, ok := strings.CutPrefix(location, "https://portal.example.edu"); ok || location == "" || strings.HasPrefix(location, "/") {
		if _, here := Lands(path); !here {
			t.Errorf("it leads to %q", location)
		}
		told += location
	} else if !strings.HasPrefix(location, globus.Issuer+"/v2/oauth2/authorize?") {
		t.Errorf("it leads to %q", location)
	}
	for _, secret := range secrets {
		if strings.Contains(told, secret) {
			t.Errorf("%q is told: %s", secret, told)
		}
	}
	for line := range strings.Lines(log) {
		var fields struct{ ID, Client, Msg string }
		err := json.Unmarshal([]byte(line), &fields)
		if _, notIP := netip.ParseAddr(fields.Client); err != nil || fields.Msg == "panic" || fields.Client != "" && notIP != nil {
			t.Errorf("it is logged that %s", line)
		}
	}
}
