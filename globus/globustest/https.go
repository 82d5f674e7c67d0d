package globustest

import (
	"cmp"
	"io"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"example.org/portal/globus"
)

// The files of collections over HTTPS (Globus Connect Server, "HTTPS Access to
// Collections"): the https_server of a collection is the issuer, a slash and a host name,
// which globus.Client.ServiceURL turns into the same address. A GET without a token reads
// what is AnonymousRead, and one with a token of the collection's scope https what the
// person may read, in parts too (RFC 9110, section 14).
//
// What the facts leave open is lenient: the https scope of a mapped collection needs no
// data_access, and the documents of errors have few members.
const httpsDomain = ".data.example.org"

// httpsHost is the host name of the HTTPS server of the collection; empty: it has none.
func (c Collection) httpsHost() string {
	if c.personal() {
		return ""
	}
	return "g-" + nameUUID(c.ID)[:8] + httpsDomain
}

// HTTPSServer returns the https_server of the collection with an ID. It panics if there is
// no such collection.
func (e *Emulator) HTTPSServer(id string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.place(id)
	if p == nil {
		panic("globustest: no collection " + id)
	}
	return e.httpsServer(p)
}

func (e *Emulator) httpsServer(p *place) string {
	if p.httpsHost() == "" {
		return ""
	}
	return e.issuer + "/" + p.httpsHost()
}

// serveFile responds with a file of a collection.
func (e *Emulator) serveFile(w http.ResponseWriter, r *http.Request) {
	if !allowed(w, r, []string{http.MethodGet, http.MethodHead}) {
		return
	}
	n, err := e.readFile(r)
	if err != nil {
		refused, ok := err.(*refusal)
		if ok && refused.status == http.StatusUnauthorized && r.Header.Get("X-Requested-With") == "" {
			recordOf(r).refuse(err)
			http.Redirect(w, r, e.issuer+AuthorizePath, http.StatusFound) // a browser would sign in there
			return
		}
		refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", cmp.Or(mime.TypeByExtension(path.Ext(n.name)), "application/octet-stream"))
	if r.URL.Query().Has("download") {
		w.Header().Set("Content-Disposition", "attachment")
	}
	http.ServeContent(w, r, "", n.changed.Truncate(time.Second), n.reader())
}

// readFile returns a copy of the file that is requested.
func (e *Emulator) readFile(r *http.Request) (node, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	host, at, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	i := slices.IndexFunc(e.places, func(p *place) bool { return p.httpsHost() == host })
	if i < 0 || e.places[i].Deleted {
		return node{}, httpsRefusal(http.StatusNotFound, "not_found", "There is no such collection")
	}
	p := e.places[i]
	at = clean(at)
	known, err := e.mayRead(r, p)
	switch {
	case err != nil:
		return node{}, err
	case p.Offline || p.Paused != "":
		return node{}, httpsRefusal(http.StatusServiceUnavailable, "unavailable", "The collection cannot be reached")
	case p.isClosed(at) && !known:
		return node{}, p.needsToken()
	case p.isClosed(at):
		return node{}, httpsRefusal(http.StatusForbidden, "permission_denied", "Permission denied")
	}
	n, err := p.files().find(at)
	if err != nil || n.dir {
		return node{}, httpsRefusal(http.StatusNotFound, "not_found", "No such file")
	}
	return *n, nil
}

// mayRead reports whether a person reads, and not just anybody. It returns an error if the
// caller may not read the collection's files. It needs e.mu.
func (e *Emulator) mayRead(r *http.Request, p *place) (known bool, err error) {
	if r.Header.Get("Authorization") == "" {
		if !p.AnonymousRead {
			return false, p.needsToken()
		}
		return false, nil
	}
	secret, _ := e.bearer(r)
	t, ok := e.liveToken(secret)
	person, isPerson := e.person(t.Grant.Person)
	switch {
	case !ok || t.Refresh || t.ResourceServer != p.ID || !slices.Contains(t.Scopes, globus.HTTPSScope(p.ID)) || !isPerson:
		return false, p.needsToken()
	case !p.mayUse(t.Grant.Person) || p.NoAccount || !p.requirement().metBy(person, t.Grant.Used):
		return true, httpsRefusal(http.StatusForbidden, "permission_denied", "Permission denied")
	}
	return true, nil
}

// needsToken has the requirements that @globus/sdk reads.
func (c Collection) needsToken() *refusal {
	refused := httpsRefusal(http.StatusUnauthorized, "ConsentRequired", "Authentication is required")
	refused.body["authorization_parameters"] = map[string]any{"session_message": c.Name + " asks who you are", "required_scopes": []string{globus.HTTPSScope(c.ID)}}
	return refused
}

func httpsRefusal(status int, code, message string) *refusal {
	return &refusal{status: status, body: map[string]any{"code": code, "message": message}}
}

// reader returns the content of a file. One without a Content has zeros.
func (n node) reader() io.ReadSeeker {
	if n.data != "" {
		return strings.NewReader(n.data)
	}
	return io.NewSectionReader(zeros{}, 0, n.size)
}

// zeros is an endless file.
type zeros struct{}

func (zeros) ReadAt(b []byte, _ int64) (int, error) {
	clear(b)
	return len(b), nil
}
