package globustest_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/portal/globus/globustest"
)

const (
	clientID    = "9f3d6f0a-0000-4000-8000-00000000c11e"
	secret      = "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0+/8="
	redirectURI = "http://localhost:8888/login"
	verifier    = "an-unguessable-verifier-of-more-than-43-characters"

	transferScope = "urn:globus:auth:scope:transfer.api.globus.org:all"
	groupsScope   = "urn:globus:auth:scope:groups.api.globus.org:view_my_groups_and_memberships"
)

var sharedKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// A clock is moved by hand.
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

// everybody is a configuration with the demo people, and the one of whom nothing is
// known.
func everybody() globustest.Config {
	return globustest.Config{People: append(globustest.DemoPeople(), globustest.SubOnly())}
}

// strictly is cfg in its strict form.
func strictly(cfg globustest.Config) globustest.Config {
	cfg.Strict = true
	return cfg
}

// A flow is one browser and one app at one emulator.
type flow struct {
	*testing.T
	*globustest.Server
	clock   *clock
	browser *http.Client // follows no redirect
}

func newFlow(t *testing.T, cfg globustest.Config) *flow {
	t.Helper()
	c := &clock{now: time.Unix(1_800_000_000, 0)}
	cfg.Now = c.Now
	cfg.Clients = []globustest.Client{
		{ID: clientID, Secret: secret, Name: "Test <app>", RedirectURIs: []string{redirectURI, "https://app.example/cb?x=1"}},
		{ID: "other", Secret: "other-secret", RedirectURIs: []string{redirectURI}},
	}
	if cfg.Key == nil && cfg.StateFile == "" {
		cfg.Key = sharedKey()
	}
	srv := globustest.NewServer(cfg)
	t.Cleanup(srv.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	// One of its own: closing any httptest.Server closes connections of the usual one.
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	browser := &http.Client{
		Jar:           jar,
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &flow{t, srv, c, browser}
}

// request is an authorization request that nothing is wrong with.
func request() url.Values {
	sum := sha256.Sum256([]byte(verifier))
	return url.Values{
		"client_id":             {clientID},
		"redirect_uri":          {redirectURI},
		"response_type":         {"code"},
		"scope":                 {"openid profile email " + transferScope},
		"state":                 {"the-state"},
		"nonce":                 {"the-nonce"},
		"access_type":           {"offline"},
		"code_challenge":        {base64.RawURLEncoding.EncodeToString(sum[:])},
		"code_challenge_method": {"S256"},
	}
}

// with returns params with some replaced; an empty value removes one.
func with(params url.Values, pairs ...string) url.Values {
	for i := 0; i < len(pairs); i += 2 {
		params.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			params.Del(pairs[i])
		}
	}
	return params
}

type response struct {
	status int
	header http.Header
	body   string
	json   map[string]any
}

func (f *flow) do(req *http.Request) response {
	f.Helper()
	res, err := f.browser.Do(req)
	if err != nil {
		f.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		f.Fatal(err)
	}
	r := response{status: res.StatusCode, header: res.Header, body: string(body)}
	if strings.HasPrefix(r.body, "{") && res.Header.Get("Content-Type") == "application/json" {
		if err := json.Unmarshal(body, &r.json); err != nil {
			f.Fatalf("%v in %s", err, body)
		}
	}
	return r
}

func (f *flow) send(method, path string, form url.Values) response {
	f.Helper()
	req, err := http.NewRequestWithContext(f.Context(), method, f.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		f.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return f.do(req)
}

func (f *flow) get(path string) response { f.Helper(); return f.send(http.MethodGet, path, nil) }

func (f *flow) authorize(params url.Values) response {
	f.Helper()
	return f.get(globustest.AuthorizePath + "?" + params.Encode())
}

// choose presses a button of the page that params lead to.
func (f *flow) choose(params url.Values, field, value string) response {
	f.Helper()
	return f.send(http.MethodPost, globustest.AuthorizePath+"?"+params.Encode(), url.Values{field: {value}})
}

// back returns the parameters with which the browser is sent back to the app.
func (f *flow) back(r response) url.Values {
	f.Helper()
	u, err := url.Parse(r.header.Get("Location"))
	if err != nil || u.Path != "/login" && u.Path != "/cb" {
		f.Fatalf("got %d, Location %q, want a redirect to the app: %s", r.status, r.header.Get("Location"), r.body)
	}
	return u.Query()
}

// code signs rosalind in and returns her code.
func (f *flow) code(params url.Values) string { f.Helper(); return f.codeOf("rosalind", params) }

func (f *flow) codeOf(person string, params url.Values) string {
	f.Helper()
	code := f.back(f.choose(params, "person", person)).Get("code")
	if code == "" {
		f.Fatal("got no code")
	}
	return code
}

// exchange is a token request that nothing is wrong with.
func exchange(code string) url.Values {
	return url.Values{
		"grant_type":    {"authorization_code"},
		"client_id":     {clientID},
		"client_secret": {secret},
		"code":          {code},
		"redirect_uri":  {redirectURI},
		"code_verifier": {verifier},
	}
}

func (f *flow) token(form url.Values) response {
	f.Helper()
	return f.send(http.MethodPost, globustest.TokenPath, form)
}

// signIn goes the whole way and returns the token endpoint's answer.
func (f *flow) signIn(params url.Values) map[string]any {
	f.Helper()
	r := f.token(exchange(f.code(params)))
	if r.status != http.StatusOK {
		f.Fatalf("got %d %s, want tokens", r.status, r.body)
	}
	return r.json
}

func (f *flow) userInfo(token string) response {
	f.Helper()
	req, err := http.NewRequestWithContext(f.Context(), http.MethodGet, f.URL+globustest.UserInfoPath, nil)
	if err != nil {
		f.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return f.do(req)
}

func str(v any) string { s, _ := v.(string); return s }

func others(granted map[string]any) []map[string]any {
	var all []map[string]any
	list, _ := granted["other_tokens"].([]any)
	for _, o := range list {
		all = append(all, o.(map[string]any))
	}
	return all
}
