package routes

import (
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/portal/components"
	"example.org/portal/globus"
)

const (
	fuzzClient = "c11e0000-0000-4000-8000-000000000000"
	fuzzSecret = "canary7-client-secret"
)

// fuzzNow is when all of this happens.
var fuzzNow = time.Unix(1_800_000_000, 0).UTC()

// A wire answers every call to Globus alike, and keeps what was asked.
type wire struct {
	status int
	body   string

	mu    sync.Mutex
	asked []*http.Request
	forms []url.Values
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var form url.Values
	if r.Body != nil {
		body, _ := io.ReadAll(r.Body)
		form, _ = url.ParseQuery(string(body))
	}
	w.asked, w.forms = append(w.asked, r), append(w.forms, form)
	return &http.Response{
		StatusCode: w.status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(w.body)),
	}, nil
}

// A lockedBuilder is a log.
type lockedBuilder struct {
	mu sync.Mutex
	strings.Builder
}

func (b *lockedBuilder) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Builder.Write(p)
}

// fuzzApp returns an app at a public URL that talks to w instead of Globus, and
// what it logs.
func fuzzApp(t testing.TB, public string, w *wire) (*App, *lockedBuilder) {
	t.Helper()
	where, err := ParsePublicURL(public)
	if err != nil {
		t.Fatal(err)
	}
	client, err := globus.New(globus.Config{
		ClientID: fuzzClient, ClientSecret: fuzzSecret, RedirectURL: public + "/login", Transport: w, Now: func() time.Time { return fuzzNow },
	})
	if err != nil {
		t.Fatal(err)
	}
	log := &lockedBuilder{}
	a, err := New(Config{
		PublicURL: where, Globus: client, SessionStore: "memory:", SessionLifetime: time.Hour, Audience: "fuzz",
		Log: slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})), Now: func() time.Time { return fuzzNow },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a, log
}

// lands says where a browser at https://portal.example.edu goes that is told to
// go to target: the path on this site, or false for another site. It follows
// the URL Standard (url.spec.whatwg.org, sections 4.4 and 4.5), which differs from
// RFC 3986 in what net/url knows nothing of: \ is /, and tabs and line ends are
// nothing.
func lands(target string) (path string, here bool) {
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

// staysHere reports why a browser that is sent to target would come to another
// site, out of the app, or to where people are signed in or out; "" if it stays.
func staysHere(base, target string) string {
	if u, err := url.Parse("https://portal.example.edu" + target); err != nil || u.Host != "portal.example.edu" || u.User != nil {
		return "elsewhere, says net/url"
	}
	for range 2 { // as it is, and as it is to whoever decodes it once more
		path, here := lands(target)
		if !here {
			return "to another site"
		}
		if !strings.HasPrefix(path, base+"/") {
			return "out of the app, to " + path
		}
		plain, err := url.PathUnescape(path)
		if err != nil {
			plain = path
		}
		if end := strings.TrimRight(plain, "/"); end == base+"/login" || end == base+"/logout" {
			return "to " + end
		}
		if target = plain; plain == path {
			break
		}
	}
	return ""
}

func fuzzSite(base string) *App {
	return &App{site: components.Site{PublicURL: "https://portal.example.edu" + base, BasePath: base}, origin: "https://portal.example.edu"}
}
