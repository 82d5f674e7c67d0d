package globustest

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const stylePath = "/style.css"

var (
	//go:embed pages.html
	pagesHTML string
	//go:embed style.css
	styleCSS []byte

	pages = template.Must(template.New("pages").Funcs(template.FuncMap{
		"title":          Person.title,
		"join":           strings.Join,
		"appTitle":       Client.title,
		"membershipNote": Membership.note,
		"stylePath":      func() string { return stylePath },
	}).Parse(pagesHTML))
)

// A choosePage asks who is to sign in.
type choosePage struct {
	App    string
	Action string // where the choice is sent: this very request
	Scopes []requestedScope
	People []Person

	Required requirement // of the session
	As       Person      // who is signed in and must only consent; zero: nobody
}

// An errorPage is an error that the person sees, but not the app.
type errorPage struct {
	Code        string
	Message     string
	RedirectURI string // the unregistered redirect URI; empty: another error
	ErrorID     string // set when the page is shown
}

func (p *errorPage) Error() string { return fmt.Sprintf("globustest: %s: %s", p.Code, p.Message) }

// show adapts an endpoint that browsers visit. An endpoint that returns an error must not
// have written anything.
func show(h func(http.ResponseWriter, *http.Request) error, methods ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !allowed(w, r, methods) {
			return
		}
		setPageHeaders(w.Header())
		err := h(w, r)
		if err == nil {
			return
		}
		page, ok := errors.AsType[*errorPage](err)
		if !ok {
			refuse(w, r, err)
			return
		}
		recordOf(r).refuse(page)
		page.ErrorID = newUUID()
		if err := render(w, http.StatusBadRequest, "error", page); err != nil {
			refuse(w, r, err)
		}
	})
}

// setPageHeaders sets no form-action, because browsers would also apply it to the redirect
// back to the app.
func setPageHeaders(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
}

func render(w http.ResponseWriter, status int, name string, data any) error {
	var page bytes.Buffer
	if err := pages.ExecuteTemplate(&page, name, data); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(page.Bytes())
	return nil
}

func serveStyle(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Write(styleCSS)
	return nil
}

// A returnLink is the link of Globus's helper pages to the app that sent the browser there.
// They show it if the request has a URL of the app and a name for the link. They never
// redirect.
type returnLink struct {
	App          string // empty: unknown
	ContinueTo   string // empty: no link
	ContinueName string
}

func (e *Emulator) returnLink(params url.Values) returnLink {
	var back returnLink
	client, ok := e.client(params.Get("client_id"))
	if !ok {
		return back
	}
	back.App = client.title()
	uri, name := params.Get("redirect_uri"), params.Get("redirect_name")
	if name != "" && client.hasOrigin(uri) {
		back.ContinueTo, back.ContinueName = uri, name
	}
	return back
}

// hasOrigin reports whether uri has the origin of one of the app's redirect URIs. Whether
// Globus checks that is not known, so an app should not rely on more.
func (c Client) hasOrigin(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && slices.ContainsFunc(c.RedirectURIs, func(registered string) bool {
		r, err := url.Parse(registered)
		return err == nil && r.Scheme == u.Scheme && r.Host == u.Host
	})
}

// logout ends the browser's single sign-on session. It revokes nothing.
func (e *Emulator) logout(w http.ResponseWriter, r *http.Request) error {
	if err := e.endSession(w, r); err != nil {
		return err
	}
	return render(w, http.StatusOK, "signed-out", e.returnLink(r.URL.Query()))
}

// authCode shows an authorization code, which people copy into a program without a redirect
// URI of its own.
func (e *Emulator) authCode(w http.ResponseWriter, r *http.Request) error {
	return render(w, http.StatusOK, "auth-code", r.URL.Query())
}

// An identitiesPage lists the identity set of the person who is signed in.
type identitiesPage struct {
	returnLink
	Identities []string // user names; empty: nobody is signed in
}

func (e *Emulator) identities(w http.ResponseWriter, r *http.Request) error {
	page := identitiesPage{returnLink: e.returnLink(r.URL.Query())}
	if s, ok := e.session(r); ok {
		p, _ := e.person(s.Person)
		page.Identities = append(page.Identities, p.title())
		for _, l := range p.Claims.Linked {
			page.Identities = append(page.Identities, l.Username)
		}
	}
	return render(w, http.StatusOK, "identities", page)
}

// A consentsPage lists the apps that hold tokens of the person who is signed in.
type consentsPage struct {
	returnLink
	Action   string
	SignedIn bool
	Apps     []Client
}

// consents shows the apps that a person has consented to, and lets them rescind the consent,
// which revokes the app's tokens.
func (e *Emulator) consents(w http.ResponseWriter, r *http.Request) error {
	page := consentsPage{returnLink: e.returnLink(r.URL.Query()), Action: r.URL.RequestURI()}
	s, ok := e.session(r)
	if page.SignedIn = ok; ok {
		if err := e.rescind(s.Person, r.PostFormValue("rescind")); err != nil {
			return err
		}
		page.Apps = e.appsOf(s.Person)
	}
	return render(w, http.StatusOK, "consents", page)
}

// rescind ends a person's consents for an app; "" is no app.
func (e *Emulator) rescind(person, clientID string) error {
	if clientID == "" {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.state.Consents[person], clientID)
	maps.DeleteFunc(e.state.Tokens, func(_ string, t token) bool {
		return t.Grant.Person == person && t.Grant.root() == clientID
	})
	return e.state.save()
}

// appsOf lists the apps that hold a token of a person.
func (e *Emulator) appsOf(person string) []Client {
	e.mu.Lock()
	defer e.mu.Unlock()
	apps := map[string]Client{}
	for _, t := range e.state.Tokens {
		if t.Grant.Person == person && e.alive(t) {
			apps[t.Grant.root()], _ = e.client(t.Grant.root())
		}
	}
	var list []Client
	for _, id := range slices.Sorted(maps.Keys(apps)) {
		list = append(list, apps[id])
	}
	return list
}

const indexPath = "/"

// An indexPage shows the endpoints, the registered apps and the people. It shows no secret.
type indexPage struct {
	Issuer    string
	Endpoints []indexEndpoint
	Clients   []Client
	People    []Person
}

type indexEndpoint struct{ Name, Path string }

// index is a page of the emulator; Globus has no such page.
func (e *Emulator) index(w http.ResponseWriter, _ *http.Request) error {
	page := indexPage{
		Issuer: e.issuer,
		Endpoints: []indexEndpoint{
			{"Discovery", DiscoveryPath},
			{"Authorize", AuthorizePath},
			{"Token", TokenPath},
			{"Userinfo", UserInfoPath},
			{"Introspect", IntrospectPath},
			{"Revoke", RevokePath},
			{"Globus Transfer", TransferPath},
			{"Globus Groups", GroupsPath},
		},
		People: e.people,
	}
	e.clientsMu.RLock()
	for _, id := range slices.Sorted(maps.Keys(e.clients)) {
		page.Clients = append(page.Clients, e.clients[id])
	}
	e.clientsMu.RUnlock()
	return render(w, http.StatusOK, "index", page)
}
