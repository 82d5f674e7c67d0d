package globustest

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// A code is an authorization code and what it is bound to.
type code struct {
	grant       grant
	redirectURI string
	challenge   string
	nonce       string
	state       string
	scopes      []scope
	offline     bool
	expiry      time.Time
}

// authorize is the authorization endpoint: GET comes from the app, POST from
// the page that it shows. Both are checked in full.
func (e *Emulator) authorize(w http.ResponseWriter, r *http.Request) error {
	q, err := e.newAuthRequest(r.URL.RawQuery)
	if err != nil {
		return err
	}
	recordOf(r).client = q.client.ID
	if code, description := q.check(); code != "" {
		q.sendError(w, r, code, description)
		return nil
	}
	if r.Method == http.MethodPost {
		return e.choose(w, r, q)
	}
	s, passes := e.passes(r, q)
	if passes && e.consented(s.Person, q) {
		return e.sendCode(w, r, q, s)
	}
	if q.params.Get("prompt") == "none" {
		q.sendError(w, r, "login_required", "A page is needed, and none may be shown")
		return nil
	}
	page := choosePage{
		App:      q.client.title(),
		Action:   AuthorizePath + "?" + r.URL.RawQuery,
		Scopes:   slices.Concat(q.scopes, q.dependent),
		People:   e.people,
		Required: q.requirement,
	}
	if passes { // all that is missing is their consent
		page.As, _ = e.person(s.Person)
		return render(w, http.StatusOK, "consent", page)
	}
	return render(w, http.StatusOK, "choose", page)
}

// passes returns the browser's session, and whether nobody has to sign in for q.
func (e *Emulator) passes(r *http.Request, q authRequest) (session, bool) {
	s, ok := e.session(r)
	if !ok || q.params.Get("prompt") == "login" {
		return s, false
	}
	person, _ := e.person(s.Person)
	return s, q.requirement.metBy(person, s.Used[q.client.ID])
}

// choose takes what the person did on the page: chose who to be and with which
// identity, allowed what was asked for, or refused. Whether an identity is what
// the app wanted is for the app to find out.
func (e *Emulator) choose(w http.ResponseWriter, r *http.Request, q authRequest) error {
	if q.params.Get("prompt") == "none" {
		q.sendError(w, r, "login_required", "No page may be shown")
		return nil
	}
	form, err := readForm(r)
	if err != nil || choices(form) != 1 {
		return badRequest("Choose one person, or refuse.")
	}
	if form.Has("deny") {
		q.sendError(w, r, "access_denied", "The person refused")
		return nil
	}
	if form.Has("allow") {
		s, ok := e.passes(r, q)
		if !ok {
			return badRequest("Sign in first.")
		}
		return e.sendCode(w, r, q, s)
	}
	person, ok := e.person(form.Get("person"))
	identity := person.Claims.Sub
	if form.Has("identity") {
		identity = form.Get("identity")
		person, ok = e.owner(identity)
	}
	if !ok {
		return badRequest("No such person.")
	}
	s, err := e.beginSession(w, r, q, person, identity, form.Get("mfa") == "1")
	if err != nil {
		return err
	}
	return e.sendCode(w, r, q, s)
}

// choices counts the buttons that were pressed.
func choices(form url.Values) (n int) {
	for _, name := range []string{"person", "identity", "allow", "deny"} {
		if form.Has(name) {
			n++
		}
	}
	return n
}

// sendCode sends the browser back to the app with a new code.
func (e *Emulator) sendCode(w http.ResponseWriter, r *http.Request, q authRequest, s session) error {
	secret := randomText(30)
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.now()
	maps.DeleteFunc(e.codes, func(_ string, c code) bool { return !now.Before(c.expiry) })
	id := fingerprint(secret)
	e.codes[id] = code{
		grant: grant{
			CodeHash:      id,
			ClientID:      q.client.ID,
			Person:        s.Person,
			Authenticated: s.Began,
			Used:          s.Used[q.client.ID],
			Consents:      e.consent(s.Person, q),
		},
		redirectURI: q.redirectURI,
		challenge:   q.params.Get("code_challenge"),
		nonce:       q.params.Get("nonce"),
		state:       q.params.Get("state"),
		scopes:      q.scopes,
		offline:     q.params.Get("access_type") == "offline",
		expiry:      now.Add(e.codeLifetime),
	}
	if err := e.state.save(); err != nil {
		return err
	}
	q.sendBack(w, r, url.Values{"code": {secret}})
	return nil
}
