package globustest

import (
	"cmp"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"
)

// An Emulator is Globus Auth, and a little of Globus Transfer and Groups, as an
// http.Handler, to be served at the root of its issuer. Make one with New or
// NewServer; it is safe for concurrent use.
type Emulator struct {
	issuer        string
	people        []Person
	collections   []Collection
	tokenLifetime time.Duration
	codeLifetime  time.Duration
	now           func() time.Time
	log           *slog.Logger
	endpoints     map[string]http.Handler
	foreignKey    func() *rsa.PrivateKey // in no key set

	mu        sync.Mutex // guards all that follows
	clients   map[string]Client
	codes     map[string]code // by hash
	state     *state
	lie       Lie
	faulted   map[string]int       // requests that met with a fault since the last Lie, by endpoint
	requests  map[string]int       // by endpoint
	refreshes map[string]int       // by resource server
	shown     map[string]time.Time // when a person, by key, was first shown their tasks
}

// New returns an emulator that knows what cfg and its StateFile say. It fails if
// cfg is not sound, or if the file cannot be read.
func New(cfg Config) (*Emulator, error) {
	if err := checkIssuer(cfg.Issuer); err != nil {
		return nil, err
	}
	e := &Emulator{
		issuer:        cfg.Issuer,
		people:        slices.Clone(cfg.People),
		collections:   slices.Clone(cfg.Collections),
		tokenLifetime: cmp.Or(cfg.TokenLifetime, 48*time.Hour),
		codeLifetime:  cmp.Or(cfg.CodeLifetime, time.Minute),
		now:           cfg.Now,
		log:           cmp.Or(cfg.Log, slog.New(slog.DiscardHandler)),
		foreignKey:    sync.OnceValue(newKey),
		clients:       map[string]Client{},
		codes:         map[string]code{},
		faulted:       map[string]int{},
		requests:      map[string]int{},
		refreshes:     map[string]int{},
		shown:         map[string]time.Time{},
	}
	if cfg.People == nil {
		e.people = DemoPeople()
	}
	if cfg.Collections == nil {
		e.collections = DemoCollections()
	}
	if cfg.Now == nil {
		e.now = time.Now
	}
	if err := checkPeople(e.people); err != nil {
		return nil, err
	}
	if err := checkCollections(e.collections); err != nil {
		return nil, err
	}
	if err := fillTasks(e.people); err != nil {
		return nil, err
	}
	for _, c := range cfg.Clients {
		if err := c.check(); err != nil {
			return nil, err
		}
		e.clients[c.ID] = c
	}
	var err error
	if e.state, err = openState(cfg.StateFile, cfg.Key); err != nil {
		return nil, fmt.Errorf("globustest: state file %s: %w", cfg.StateFile, err)
	}
	e.endpoints = e.routes()
	return e, nil
}

// routes is the map of the site. Whatever is not in it is 404; a path is
// matched exactly, but for the id in TaskPath and ListPath, and never cleaned or
// redirected.
func (e *Emulator) routes() map[string]http.Handler {
	return map[string]http.Handler{
		DiscoveryPath: answer(e.discovery, http.MethodGet),
		KeysPath:      answer(e.keys, http.MethodGet),
		AuthorizePath: show(e.authorize, http.MethodGet, http.MethodPost),
		TokenPath:     answer(e.token, http.MethodPost),
		UserInfoPath:  answer(e.userInfo, http.MethodGet, http.MethodPost),
		RevokePath:    answer(e.revoke, http.MethodPost),
		LogoutPath:    show(e.logout, http.MethodGet),

		IntrospectPath: answer(e.introspect, http.MethodPost),
		MyGroupsPath:   answer(e.myGroups, http.MethodGet),

		IdentitiesPath: show(e.identities, http.MethodGet),
		ConsentsPath:   show(e.consents, http.MethodGet, http.MethodPost),
		TaskListPath:   e.transfer(e.taskList),
		TaskPath:       e.transfer(e.task),
		ListPath:       e.transfer(e.list),
		indexPath:      show(e.index, http.MethodGet),
		stylePath:      show(serveStyle, http.MethodGet),
	}
}

// ServeHTTP answers as Globus would, or as Lie says.
func (e *Emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = recorded(r)
	answered := &statusWriter{ResponseWriter: w}
	w = answered
	defer func() { e.logRequest(r, answered.status) }()
	path := endpointPath(r.URL.Path)
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

// fault returns what goes wrong with one more request. It needs e.mu.
func (e *Emulator) fault(path string) Fault {
	f, ok := e.lie.Endpoints[path]
	if !ok || f.Times > 0 && e.faulted[path] >= f.Times {
		return Fault{}
	}
	e.faulted[path]++
	return f
}

func (e *Emulator) client(id string) (Client, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, ok := e.clients[id]
	return c, ok
}

func (e *Emulator) person(key string) (Person, bool) {
	i := slices.IndexFunc(e.people, func(p Person) bool { return p.Key == key })
	if i < 0 {
		return Person{}, false
	}
	return e.people[i], true
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
