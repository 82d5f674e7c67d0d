package globustest

import (
	"maps"
	"net/http"
	"net/url"
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
	if code, description := q.check(); code != "" {
		q.sendError(w, r, code, description)
		return nil
	}
	if r.Method == http.MethodPost {
		return e.choose(w, r, q)
	}
	prompt := q.params.Get("prompt")
	if s, ok := e.session(r); ok && prompt != "login" {
		return e.sendCode(w, r, q, s)
	}
	if prompt == "none" {
		q.sendError(w, r, "login_required", "Nobody is signed in, and no page may be shown")
		return nil
	}
	return render(w, http.StatusOK, "choose", choosePage{
		App:    q.client.title(),
		Action: AuthorizePath + "?" + r.URL.RawQuery,
		Scopes: q.scopes,
		People: e.people,
	})
}

// choose takes what the person did on the page: chose who to be, or refused.
func (e *Emulator) choose(w http.ResponseWriter, r *http.Request, q authRequest) error {
	if q.params.Get("prompt") == "none" {
		q.sendError(w, r, "login_required", "No page may be shown")
		return nil
	}
	form, err := readForm(r)
	if err != nil || form.Has("deny") == form.Has("person") {
		return badRequest("Choose one person, or refuse.")
	}
	if form.Has("deny") {
		q.sendError(w, r, "access_denied", "The person refused")
		return nil
	}
	person, ok := e.person(form.Get("person"))
	if !ok {
		return badRequest("No such person.")
	}
	s, err := e.beginSession(w, r, person)
	if err != nil {
		return err
	}
	return e.sendCode(w, r, q, s)
}

// sendCode sends the browser back to the app with a new code.
func (e *Emulator) sendCode(w http.ResponseWriter, r *http.Request, q authRequest, s session) error {
	secret := randomText(30)
	e.mu.Lock()
	now := e.now()
	maps.DeleteFunc(e.codes, func(_ string, c code) bool { return !now.Before(c.expiry) })
	id := fingerprint(secret)
	e.codes[id] = code{
		grant: grant{
			CodeHash:      id,
			ClientID:      q.client.ID,
			Person:        s.Person,
			Authenticated: s.Began,
		},
		redirectURI: q.redirectURI,
		challenge:   q.params.Get("code_challenge"),
		nonce:       q.params.Get("nonce"),
		state:       q.params.Get("state"),
		scopes:      q.scopes,
		offline:     q.params.Get("access_type") == "offline",
		expiry:      now.Add(e.codeLifetime),
	}
	e.mu.Unlock()
	q.sendBack(w, r, url.Values{"code": {secret}})
	return nil
}
