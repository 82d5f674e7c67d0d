package globus_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

const (
	clientID     = "c11e0000-0000-4000-8000-000000000000"
	clientSecret = "canary-client-secret+/= %:é"
	redirectURI  = "http://localhost:8888/login"

	transferScope = "urn:globus:auth:scope:transfer.api.globus.org:all"
)

// signingKey is what the emulators of all tests share: one is slow to make.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey { return newKey(2048) })

func newKey(bits int) *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return key
}

// A clock is what the emulator and the client go by; it is moved by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// A flow is one client at one emulator, and what went over the wire between
// them.
type flow struct {
	*testing.T
	auth   *globustest.Server
	client *globus.Client
	clock  *clock
	wire   *wire
}

func newFlow(t *testing.T) *flow {
	t.Helper()
	return newFlowWith(t, nil)
}

// newFlowWith starts a flow whose emulator knows these people; nil stands for
// those of the demo, and globustest.SubOnly.
func newFlowWith(t *testing.T, people []globustest.Person) *flow {
	t.Helper()
	return newFlowAt(t, people, nil)
}

// newFlowAt likewise, with these collections; nil stands for those of the demo.
func newFlowAt(t *testing.T, people []globustest.Person, places []globustest.Collection) *flow {
	t.Helper()
	c := &clock{now: time.Unix(1_800_000_000, 0)}
	if people == nil {
		people = append(globustest.DemoPeople(), globustest.SubOnly())
	}
	auth := globustest.NewServer(globustest.Config{
		Strict: true,
		Key:    signingKey(),
		Now:    c.Now,
		People: people,

		Collections: places,
		Clients:     []globustest.Client{{ID: clientID, Secret: clientSecret, RedirectURIs: []string{redirectURI}}},
	})
	f := &flow{T: t, auth: auth, clock: c, wire: newWire()}
	t.Cleanup(auth.Close)
	t.Cleanup(f.wire.CloseIdleConnections) // Close waits for what nobody has closed
	f.client = f.newClient(globus.Config{})
	return f
}

// newClient returns a client for the flow's emulator; cfg says how it differs
// from the usual one.
func (f *flow) newClient(cfg globus.Config) *globus.Client {
	f.Helper()
	cfg.ClientID, cfg.ClientSecret, cfg.RedirectURL, cfg.Now = clientID, clientSecret, redirectURI, f.clock.Now
	if cfg.Issuer == "" {
		cfg.Issuer = f.auth.URL
	}
	if cfg.Transport == nil {
		cfg.Transport = f.wire
	}
	cfg.TransferURL = f.auth.URL + globustest.TransferPath
	cfg.GroupsURL = f.auth.URL + globustest.GroupsPath
	c, err := globus.New(cfg)
	if err != nil {
		f.Fatal(err)
	}
	return c
}

// back sends a browser to Globus for the attempt a, chooses a person there, and
// returns what Globus sends it back to the app with.
func (f *flow) back(a globus.Attempt, person string) url.Values {
	f.Helper()
	return choose(f.T, f.client.AuthCodeURL(a), person)
}

func choose(t *testing.T, authCodeURL, person string) url.Values {
	t.Helper()
	resp := post(t, newBrowser(t), authCodeURL, url.Values{"person": {person}})
	u, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || !strings.HasPrefix(u.String(), redirectURI) {
		t.Fatalf("got %s, Location %q, want a redirect to the app", resp.Status, u)
	}
	return u.Query()
}

// newBrowser returns a client that keeps cookies and follows no redirect.
func newBrowser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{
		Jar:           jar,
		Transport:     ownTransport(t),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// ownTransport is like http.DefaultTransport, whose connections any httptest.Server that
// is closed closes, under a request too that has just been given one.
func ownTransport(t *testing.T) *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

func post(t *testing.T, browser *http.Client, target string, form url.Values) *http.Response {
	t.Helper()
	resp, err := browser.PostForm(target, form)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp
}

// signIn goes the whole way for one person.
func (f *flow) signIn(person string) (*globus.Login, error) {
	f.Helper()
	return f.exchange(f.Context(), f.client, person)
}

// exchange is signIn with another client and context. What it is given to keep
// secret must not be in the error.
func (f *flow) exchange(ctx context.Context, client *globus.Client, person string) (*globus.Login, error) {
	f.Helper()
	a := globus.NewAttempt()
	q := f.back(a, person)
	login, err := client.Exchange(ctx, q.Get("code"), a)
	if err != nil {
		if login != nil {
			f.Error("got a login beside the error")
		}
		f.checkTellsNothing(err, a.State, a.Nonce, a.Verifier, q.Get("code"))
	}
	return login, err
}

// mustSignIn signs rosalind in.
func (f *flow) mustSignIn() *globus.Login {
	f.Helper()
	login, err := f.signIn("rosalind")
	if err != nil {
		f.Fatal(err)
	}
	return login
}

// checkTellsNothing fails if err, however it is printed, holds a secret, a
// token that went over the wire, or what a test marked as a canary.
func (f *flow) checkTellsNothing(err error, secrets ...string) {
	f.Helper()
	var record bytes.Buffer
	slog.New(slog.NewJSONHandler(&record, nil)).Info("", "reason", err)
	told := fmt.Sprintf("%s\n%+v\n%#v\n%s", err, err, err, record.String())
	secrets = append(secrets, clientSecret, url.QueryEscape(clientSecret), "canary", "Rosalind", "rosalind@", "7a1c2e40-3b5d-4f6e-8a90", "eyJ")
	for _, secret := range append(secrets, f.wire.tokens()...) {
		if secret != "" && strings.Contains(told, secret) {
			f.Errorf("the error tells %q: %s", secret, told)
		}
	}
}

// asError returns err as the *globus.Error that every failed call must give.
func asError(t *testing.T, err error) *globus.Error {
	t.Helper()
	e, ok := errors.AsType[*globus.Error](err)
	if !ok {
		t.Fatalf("got %v, want a *globus.Error", err)
	}
	if !strings.HasPrefix(err.Error(), "globus: "+e.Call+": "+string(e.Reason)) {
		t.Errorf("the text is %q", err)
	}
	return e
}

// A wire is a transport that remembers the tokens that it carried.
type wire struct {
	*http.Transport
	mu   sync.Mutex
	seen []string
}

func newWire() *wire { return &wire{Transport: new(http.Transport)} }

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := w.Transport.RoundTrip(r)
	if err != nil || r.URL.Path != globustest.TokenPath {
		return resp, err
	}
	head, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	rest := resp.Body
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), errorReader{err}, rest), rest}
	w.remember(head)
	return resp, nil
}

// An errorReader fails with err, or has ended if there is none.
type errorReader struct{ err error }

func (r errorReader) Read([]byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	return 0, io.EOF
}

func (w *wire) remember(answer []byte) {
	type token struct {
		Access  any     `json:"access_token"`
		Refresh any     `json:"refresh_token"`
		ID      any     `json:"id_token"`
		Others  []token `json:"other_tokens"`
	}
	var top token
	_ = json.Unmarshal(answer, &top) // a test may have it broken
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range append(top.Others, top) {
		for _, v := range []any{t.Access, t.Refresh, t.ID} {
			if s, ok := v.(string); ok {
				w.seen = append(w.seen, strings.Split(s, ".")...)
			}
		}
	}
}

func (w *wire) tokens() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.seen), func(s string) bool { return len(s) < 8 })
}

// counter is a server that nobody should come to.
func counter(t *testing.T) (*httptest.Server, *atomic.Int32) {
	t.Helper()
	var n atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { n.Add(1) }))
	t.Cleanup(srv.Close)
	return srv, &n
}
