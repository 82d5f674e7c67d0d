package globustest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// An Emulator emulates Globus Auth, Transfer, Groups and Search as an http.Handler, which must be
// served at the root of its issuer. Make one with New or NewServer. It is safe for
// concurrent use.
type Emulator struct {
	issuer        string
	people        []Person
	scopes        []Scope
	strict        bool
	tokenLifetime time.Duration
	codeLifetime  time.Duration
	now           func() time.Time
	log           *slog.Logger
	endpoints     map[string]http.Handler

	clientsMu sync.RWMutex // guards clients
	clients   map[string]Client

	ignoredMu sync.Mutex                 // guards ignored
	ignored   map[string]map[string]bool // names of parameters, by endpoint

	mu          sync.Mutex      // guards all that follows
	codes       map[string]code // by hash
	state       *state
	lie         Lie
	faulted     map[string]int // requests with a Fault since the last Lie, by endpoint
	requests    map[string]int // by endpoint
	refreshes   map[string]int // by resource server
	provisioned []identity     // by getIdentities

	indexes   map[string]*index // by ID; nil: those of the demo, which nobody has asked for yet
	places    []*place
	tasks     map[string][]*job      // by person, from their first request on
	recent    map[string][]string    // IDs of used collections, by person, the latest first
	bookmarks map[string][]*bookmark // by person, from their first request on
	passed    time.Duration          // the sum of all PassTime
}

// New returns an emulator. It returns an error if cfg is invalid, or if its StateFile
// cannot be read.
func New(cfg Config) (*Emulator, error) {
	if err := checkIssuer(cfg.Issuer); err != nil {
		return nil, err
	}
	e := &Emulator{
		issuer:        cfg.Issuer,
		people:        slices.Clone(cfg.People),
		strict:        cfg.Strict,
		tokenLifetime: cmp.Or(cfg.TokenLifetime, 48*time.Hour),
		codeLifetime:  cmp.Or(cfg.CodeLifetime, time.Minute),
		now:           cfg.Now,
		log:           cmp.Or(cfg.Log, slog.New(slog.DiscardHandler)),

		clients:   map[string]Client{},
		ignored:   map[string]map[string]bool{},
		codes:     map[string]code{},
		faulted:   map[string]int{},
		requests:  map[string]int{},
		refreshes: map[string]int{},
		tasks:     map[string][]*job{},
		recent:    map[string][]string{},
		bookmarks: map[string][]*bookmark{},
	}
	if cfg.People == nil {
		e.people = DemoPeople()
	}
	if cfg.Collections == nil {
		cfg.Collections = DemoCollections()
	}
	if cfg.Now == nil {
		e.now = time.Now
	}
	if err := checkPeople(e.people); err != nil {
		return nil, err
	}
	if err := checkCollections(cfg.Collections); err != nil {
		return nil, err
	}
	var err error
	if cfg.Indexes != nil {
		if e.indexes, err = newIndexes(cfg.Indexes, e.now()); err != nil {
			return nil, err
		}
	}
	for _, c := range cfg.Collections {
		e.places = append(e.places, newPlace(c, e.now()))
	}
	if err := fillTasks(e.people); err != nil {
		return nil, err
	}
	if e.scopes, err = checkScopes(cfg.Scopes); err != nil {
		return nil, err
	}
	for _, c := range cfg.Clients {
		if err := c.check(); err != nil {
			return nil, err
		}
		e.clients[c.ID] = c
	}
	if e.state, err = openState(cfg.StateFile, cfg.Key); err != nil {
		return nil, fmt.Errorf("globustest: state file %s: %w", cfg.StateFile, err)
	}
	e.endpoints = e.routes()
	return e, nil
}

// routes returns the endpoints by path. endpointPath finds the one for a request.
func (e *Emulator) routes() map[string]http.Handler {
	return e.searchRoutes(map[string]http.Handler{
		DiscoveryPath: answer(e.discovery, http.MethodGet),
		KeysPath:      answer(e.keys, http.MethodGet),
		AuthorizePath: show(e.authorize, http.MethodGet, http.MethodPost),
		TokenPath:     answer(e.token, http.MethodPost),
		UserInfoPath:  answer(e.userInfo, http.MethodGet, http.MethodPost),
		RevokePath:    answer(e.revoke, http.MethodPost),
		LogoutPath:    show(e.logout, http.MethodGet),

		IntrospectPath: answer(e.introspect, http.MethodPost),
		MyGroupsPath:   answer(e.myGroups, http.MethodGet),

		GetIdentitiesPath:     answer(e.getIdentities, http.MethodGet),
		IdentityProvidersPath: answer(e.getProviders, http.MethodGet),

		AuthCodePath:   show(e.authCode, http.MethodGet),
		IdentitiesPath: show(e.identities, http.MethodGet),
		ConsentsPath:   show(e.consents, http.MethodGet, http.MethodPost),

		TaskListPath:            e.transfer(e.taskList, http.MethodGet),
		TaskPath:                e.transfer(e.serveTask, http.MethodGet, http.MethodPut),
		CancelPath:              e.transfer(e.cancelTask, http.MethodPost),
		EventListPath:           e.transfer(e.eventList, http.MethodGet),
		SuccessfulTransfersPath: e.transfer(e.successfulTransfers, http.MethodGet),
		SkippedErrorsPath:       e.transfer(e.skippedErrors, http.MethodGet),
		PauseInfoPath:           e.transfer(e.pauseInfo, http.MethodGet),

		SubmissionIDPath:   e.transfer(e.submissionID, http.MethodGet),
		SubmitTransferPath: e.transfer(e.submitTransfer, http.MethodPost),
		SubmitDeletePath:   e.transfer(e.submitDelete, http.MethodPost),

		ListPath:   e.transfer(e.list, http.MethodGet),
		MkdirPath:  e.transfer(e.mkdir, http.MethodPost),
		RenamePath: e.transfer(e.rename, http.MethodPost),
		StatPath:   e.transfer(e.stat, http.MethodGet),

		CollectionPath:      e.transfer(e.collection, http.MethodGet),
		SearchPath:          e.transfer(e.search, http.MethodGet),
		BookmarkListPath:    e.transfer(e.bookmarkList, http.MethodGet),
		BookmarkPath:        e.transfer(e.createBookmark, http.MethodPost),
		BookmarkPath + "/*": e.transfer(e.serveBookmark, http.MethodGet, http.MethodPut, http.MethodDelete),

		HTTPSPath: http.HandlerFunc(e.serveFile),

		indexPath: show(e.index, http.MethodGet, http.MethodHead),
		stylePath: show(serveStyle, http.MethodGet, http.MethodHead),
	})
}

// ServeHTTP responds as Globus does, or as Lie says.
func (e *Emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := e.endpointPath(r)
	r = e.recorded(r, path)
	answered := &statusWriter{ResponseWriter: w}
	w = answered
	defer func() { e.logRequest(r, answered.status) }()
	if !isPage(path) && e.allowOrigins(w, r) {
		return
	}
	endpoint, ok := e.endpoints[path]
	if !ok {
		refuse(w, r, pathRefusal(r, http.StatusNotFound, "Not Found", "No such path"))
		return
	}
	e.mu.Lock()
	e.requests[path]++
	fault := e.fault(path)
	e.mu.Unlock()
	fault.serve(w, r, endpoint)
}

// endpointPath returns the key of a request's endpoint in routes, or else the request's
// own path. Some clients send double slashes, because they join a base URL that ends in a
// slash and a path that begins with one. Whether Globus accepts those is not known, so
// with Config.Strict they are 404.
func (e *Emulator) endpointPath(r *http.Request) string {
	if !e.strict {
		for strings.Contains(r.URL.Path, "//") {
			r.URL.Path = strings.ReplaceAll(r.URL.Path, "//", "/")
		}
	}
	r.URL.Path = strings.TrimPrefix(r.URL.Path, "/"+searchServer) // see globus.Client.ServiceURL
	if _, ok := e.endpoints[r.URL.Path]; ok {
		return r.URL.Path
	}
	if host, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/"); strings.HasSuffix(host, httpsDomain) {
		return HTTPSPath
	}
	if strings.HasPrefix(r.URL.Path, GetIdentitiesPath+"/") {
		return GetIdentitiesPath
	}
	for pattern, endpoint := range map[string]string{TaskPath + "*": TaskPath, CollectionPath + "*": CollectionPath, ListPath + "*/ls": ListPath} {
		if matches(pattern, r.URL.Path) {
			return endpoint
		}
	}
	for endpoint := range e.endpoints {
		if matches(endpoint, r.URL.Path) {
			return endpoint
		}
	}
	return r.URL.Path
}

// matches reports whether a path has the form of a pattern, in which * is an id.
func matches(pattern, p string) bool {
	fits, err := path.Match(pattern, p)
	return fits && err == nil
}

// isPage reports whether people visit the path with a browser.
func isPage(path string) bool {
	pages := []string{AuthorizePath, LogoutPath, AuthCodePath, IdentitiesPath, ConsentsPath, indexPath, stylePath}
	return slices.Contains(pages, path)
}

// fault returns the Fault for one more request, and counts it. It needs e.mu.
func (e *Emulator) fault(path string) Fault {
	f, ok := e.lie.Endpoints[path]
	if !ok || f.Times > 0 && e.faulted[path] >= f.Times {
		return Fault{}
	}
	e.faulted[path]++
	return f
}

func (e *Emulator) client(id string) (Client, bool) {
	e.clientsMu.RLock()
	defer e.clientsMu.RUnlock()
	c, ok := e.clients[id]
	return c, ok
}

// person finds the holder of a token: one of the people, or an app itself.
func (e *Emulator) person(key string) (Person, bool) {
	if i := slices.IndexFunc(e.people, func(p Person) bool { return p.Key == key }); i >= 0 {
		return e.people[i], true
	}
	if c, ok := e.client(strings.TrimSuffix(key, clientDomain)); ok && key == c.ID+clientDomain {
		return c.person(), true
	}
	return Person{}, false
}

const clientDomain = "@clients.auth.globus.org"

// person is the identity that an app has by itself.
func (c Client) person() Person {
	username := c.ID + clientDomain
	return Person{Key: username, Claims: Claims{
		Sub: c.ID, Name: new(c.title()), PreferredUsername: new(username),
		IdentityProvider: new(clientsProvider), IdentityProviderDisplayName: new("Globus Auth Clients"),
	}}
}

func checkPeople(people []Person) error {
	seen := map[string]bool{}
	for _, p := range people {
		if p.Key == "" || p.Claims.Sub == "" || seen[p.Key] {
			return errors.New("globustest: every person needs a Key of their own and a Sub")
		}
		seen[p.Key] = true
	}
	return nil
}

// A Server is an Emulator that listens on a port of its own on 127.0.0.1, for
// tests.
type Server struct {
	*Emulator
	URL string // where it listens; the issuer, unless Config said otherwise

	http   *httptest.Server
	cancel context.CancelFunc
}

// NewServer starts an emulator. The caller closes it when done. Like
// httptest.NewServer it panics if it cannot start; that includes a cfg that New
// would refuse.
func NewServer(cfg Config) *Server {
	ts := httptest.NewUnstartedServer(nil)
	if cfg.Issuer == "" {
		cfg.Issuer = "http://" + ts.Listener.Addr().String()
	}
	e, err := New(cfg)
	if err != nil {
		ts.Listener.Close()
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ts.Config.Handler = e
	ts.Config.BaseContext = func(net.Listener) context.Context { return ctx }
	ts.Start()
	return &Server{Emulator: e, URL: ts.URL, http: ts, cancel: cancel}
}

// Close stops the server and waits for the requests under way. It ends requests that a
// Fault holds.
func (s *Server) Close() {
	s.cancel()
	s.http.Close()
}

// Register adds an app, or replaces the app with the same ID. It panics if c has no ID,
// or a redirect URI that Globus would not register.
func (e *Emulator) Register(c Client) {
	if err := c.check(); err != nil {
		panic(err)
	}
	e.clientsMu.Lock()
	defer e.clientsMu.Unlock()
	e.clients[c.ID] = c
}

// Lie makes responses wrong from now on, as l says. Lie{} makes them right again. The
// maps of l are not copied: do not change them afterwards. It panics if l names an
// endpoint that does not exist.
func (e *Emulator) Lie(l Lie) {
	for path := range l.Endpoints {
		if _, ok := e.endpoints[path]; !ok {
			panic("globustest: a lie about " + path + ", which is no endpoint")
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lie = l
	clear(e.faulted)
}

// RotateKey signs with a new key from now on and no longer serves the old one.
// It panics if the StateFile cannot be written.
func (e *Emulator) RotateKey() {
	key := newKey()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state.Key = jose.JSONWebKey{Key: key}
	e.mustSave()
}

// ForgetPeople ends every single sign-on session, as if each browser had visited the
// logout page. It panics if the StateFile cannot be written.
func (e *Emulator) ForgetPeople() {
	e.mu.Lock()
	defer e.mu.Unlock()
	clear(e.state.Sessions)
	e.mustSave()
}

// ExpireAccessTokens expires all access tokens for a resource server, such as
// transfer.api.globus.org, or for all servers if it is empty. Refresh tokens stay valid.
// It panics if there is no such server, or the StateFile cannot be written.
func (e *Emulator) ExpireAccessTokens(server string) {
	e.expire(server, false)
}

// ExpireRefreshTokens expires all refresh tokens for a resource server, or for all servers
// if it is empty: a refresh gets invalid_grant. Access tokens stay valid, unlike after
// a person has rescinded a consent. It panics as ExpireAccessTokens does.
func (e *Emulator) ExpireRefreshTokens(server string) {
	e.expire(server, true)
}

func (e *Emulator) expire(server string, refresh bool) {
	e.mustKnow(server)
	e.mu.Lock()
	defer e.mu.Unlock()
	maps.DeleteFunc(e.state.Tokens, func(_ string, t token) bool {
		return t.Refresh == refresh && (server == "" || t.ResourceServer == server)
	})
	e.mustSave()
}

// Refreshes returns how many times a refresh token for a resource server, or for all
// servers if it is empty, was exchanged for a new access token. It counts responses that
// a Fault or a Lie replaced. It panics if there is no such server.
func (e *Emulator) Refreshes(server string) int {
	e.mustKnow(server)
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for name, count := range e.refreshes {
		if server == "" || name == server {
			n += count
		}
	}
	return n
}

// Requests returns how many requests the endpoint at path has received, with those that
// were rejected or met a Fault. It is 0 for an unknown path.
func (e *Emulator) Requests(path string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.requests[path]
}

// Ignored returns what the endpoint at path has ignored in its requests, sorted: names of
// unknown parameters, and known names with unknown values, such as "prompt=consent".
// With Config.Strict such requests are rejected instead.
func (e *Emulator) Ignored(path string) []string {
	e.ignoredMu.Lock()
	defer e.ignoredMu.Unlock()
	return slices.Sorted(maps.Keys(e.ignored[path]))
}

// Live reports whether token is an access or refresh token that would still be
// accepted.
func (e *Emulator) Live(token string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, ok := e.liveToken(token)
	return ok
}

// LiveTokens returns how many access and refresh tokens would still be accepted.
func (e *Emulator) LiveTokens() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, t := range e.state.Tokens {
		if e.alive(t) {
			n++
		}
	}
	return n
}

// mustKnow panics at an unknown resource server, so that no test passes because it
// misspelt one.
func (e *Emulator) mustKnow(server string) {
	known := server == "" ||
		slices.ContainsFunc(e.scopes, func(s Scope) bool { return s.ResourceServer == server }) ||
		slices.ContainsFunc(e.places, func(p *place) bool { return p.ID == server })
	if !known {
		panic("globustest: no resource server " + server)
	}
}

// mustSave saves the state in methods that return no error.
func (e *Emulator) mustSave() {
	if err := e.state.save(); err != nil {
		panic(err)
	}
}
