package globustest

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"example.org/portal/globus"
)

// An authRequest is what an app sends a browser to the authorization endpoint
// with.
type authRequest struct {
	params      url.Values // those that mean something, and have a value
	client      Client
	redirectURI string
	asked       []asked
	offline     bool
	prompt      string // login, none, or empty
	requirement requirement
	wrong       authError // what the app is told instead of a code; zero: nothing
}

// An authError is what an app is told that gets no code (RFC 6749, section
// 4.1.2.1).
type authError struct{ code, description string }

// authorizeParameters are those that Globus is known to have. Others, login_hint
// among them, it may ignore, and then nobody notices; here it is noted.
func authorizeParameters() []string {
	return []string{
		"client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge", "code_challenge_method",
		"access_type", "prompt", "session_message", "session_required_identities", "session_required_policies",
		"session_required_single_domain", "session_required_mfa", "prefill_named_grant", "signup",
	}
}

// newAuthRequest checks first what must be right before the browser may be sent
// back to the app. If something is not, Globus shows a page of its own, and the
// app never hears of it.
func (e *Emulator) newAuthRequest(r *http.Request) (authRequest, error) {
	params, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return authRequest{}, badRequest("Malformed query.")
	}
	params, unknown := e.known(r, params, authorizeParameters())
	client, ok := e.client(params.Get("client_id"))
	switch {
	case !params.Has("client_id"):
		return authRequest{}, badRequest("Missing client_id parameter.")
	case !ok || len(params["client_id"]) > 1:
		return authRequest{}, badRequest("Invalid client_id parameter value.")
	}
	recordOf(r).client = client.ID
	uri := params.Get("redirect_uri")
	if !e.redirects(client, uri) || len(params["redirect_uri"]) > 1 {
		page := badRequest("Mismatching redirect URI.")
		page.RedirectURI = cmp.Or(uri, "none")
		return authRequest{}, page
	}
	all, offline, unknownScopes := e.parseScopes(strings.Join(params["scope"], " "))
	if len(unknownScopes) > 0 {
		return authRequest{}, &errorPage{
			Code:    "UNKNOWN_SCOPE_ERROR",
			Message: "Unknown scope(s): " + strings.Join(unknownScopes, " "),
		}
	}
	q := authRequest{params: params, client: client, redirectURI: uri, asked: all, offline: offline || params.Get("access_type") == "offline"}
	q.wrong = cmp.Or(e.readChoices(r, &q), q.check(unknown, e.strict))
	return q, nil
}

func badRequest(message string) *errorPage {
	return &errorPage{Code: "OAUTH_AUTH_REQUEST_FAILURE", Message: message}
}

// redirects reports whether a browser may be sent back to uri: to what the app
// has registered, character for character. A public client need not register this
// machine, on whatever port, nor the page that shows a code to copy
// (globus/globus-sdk-python, local_server_login_flow_manager.py and
// flow_managers/native_app.py).
func (e *Emulator) redirects(c Client, uri string) bool {
	if slices.Contains(c.RedirectURIs, uri) {
		return true
	}
	if c.Secret != "" || uri == "" {
		return false
	}
	u, err := url.Parse(uri)
	return uri == e.issuer+AuthCodePath ||
		err == nil && u.Scheme == "http" && globus.IsLoopback(u.Hostname()) && checkRedirectURI(uri) == nil
}

// readChoices reads the parameters that have a few values each. Another value is
// ignored, which is noted.
func (e *Emulator) readChoices(r *http.Request, q *authRequest) (wrong authError) {
	words := strings.Fields(q.params.Get("prompt"))
	if slices.Contains(words, "none") && len(words) > 1 { // OpenID Connect Core 1.0, section 3.1.2.1
		return authError{"invalid_request", "prompt must be login or none"}
	}
	for _, word := range words {
		switch {
		case word == "login" || word == "none":
			q.prompt = word
		case e.strict:
			return authError{"invalid_request", "prompt must be login or none"}
		default:
			recordOf(r).ignore("prompt=" + word)
		}
	}
	if access := q.params.Get("access_type"); !slices.Contains([]string{"", "online", "offline"}, access) {
		if e.strict {
			return authError{"invalid_request", "access_type must be online or offline"}
		}
		recordOf(r).ignore("access_type=" + access)
	}
	var malformed string
	if q.requirement, malformed = readRequirement(q.params, e.strict); malformed != "" {
		return authError{"invalid_request", "Malformed parameter: " + malformed}
	}
	return authError{}
}

// A challenge is the base64url form of a SHA-256 sum (RFC 7636, section 4.2).
var challengeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// check looks at what every app must send. Globus wants PKCE of public clients
// alone, and state of nobody; with Config.Strict both are wanted of all.
func (q authRequest) check(unknown string, strict bool) authError {
	get := q.params.Get
	challenge, method := get("code_challenge"), get("code_challenge_method")
	wantsPKCE := strict || q.client.Secret == ""
	switch name := repeated(q.params); {
	case name != "":
		return authError{"invalid_request", "Repeated parameter: " + name}
	case unknown != "":
		return authError{"invalid_request", "Unknown parameter: " + unknown}
	case strict && get("state") == "":
		return authError{"invalid_request", "Missing state parameter"}
	case get("response_type") == "":
		return authError{"invalid_request", "Missing response_type parameter"}
	case get("response_type") != "code":
		return authError{"unsupported_response_type", "response_type must be code"}
	case len(q.asked) == 0:
		return authError{"invalid_scope", "Missing scope parameter"}
	case wantsPKCE && challenge == "":
		return authError{"invalid_request", "Missing code_challenge parameter"}
	case strict && method != "S256", !slices.Contains([]string{"", "plain", "S256"}, method):
		return authError{"invalid_request", "code_challenge_method must be S256"}
	case method == "S256" && !challengeForm.MatchString(challenge):
		return authError{"invalid_request", "code_challenge must be a SHA-256 sum in base64url"}
	}
	return authError{}
}

// sendBack redirects the browser to the app with the answer, and with the state
// that came, if there was just one.
func (q authRequest) sendBack(w http.ResponseWriter, r *http.Request, answer url.Values) {
	if state := q.params["state"]; len(state) == 1 {
		answer.Set("state", state[0])
	}
	separator := "?"
	if strings.Contains(q.redirectURI, "?") {
		separator = "&"
	}
	status := http.StatusFound
	if r.Method == http.MethodPost {
		status = http.StatusSeeOther
	}
	w.Header().Set("Location", q.redirectURI+separator+answer.Encode())
	w.WriteHeader(status)
}

func (q authRequest) sendError(w http.ResponseWriter, r *http.Request, code, description string) {
	recordOf(r).refused = code + ": " + description
	q.sendBack(w, r, url.Values{"error": {code}, "error_description": {description}})
}

// A code is an authorization code and what it is bound to.
type code struct {
	grant       grant
	redirectURI string
	challenge   string // empty: the app sent none
	plain       bool   // the challenge is the verifier itself
	nonce       string
	state       string
	scopes      []Scope
	offline     bool
	expiry      time.Time
}

// authorize is the authorization endpoint: GET comes from the app, POST from
// the page that it shows. Both are checked in full.
func (e *Emulator) authorize(w http.ResponseWriter, r *http.Request) error {
	q, err := e.newAuthRequest(r)
	if err != nil {
		return err
	}
	if q.wrong.code != "" {
		q.sendError(w, r, q.wrong.code, q.wrong.description)
		return nil
	}
	if r.Method == http.MethodPost {
		return e.choose(w, r, q)
	}
	s, passes := e.passes(r, q)
	if passes && e.consented(s.Person, q) {
		return e.sendCode(w, r, q, s)
	}
	if q.prompt == "none" {
		q.sendError(w, r, "login_required", "A page is needed, and none may be shown")
		return nil
	}
	page := choosePage{
		App:      q.client.title(),
		Action:   AuthorizePath + "?" + r.URL.RawQuery,
		Scopes:   q.asked,
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
	if !ok || q.prompt == "login" {
		return s, false
	}
	person, _ := e.person(s.Person)
	return s, q.requirement.metBy(person, s.Used[q.client.ID])
}

// choose takes what the person did on the page: chose who to be and with which
// identity, allowed what was asked for, or refused. Whether an identity is what
// the app wanted is for the app to find out.
func (e *Emulator) choose(w http.ResponseWriter, r *http.Request, q authRequest) error {
	if q.prompt == "none" {
		q.sendError(w, r, "login_required", "No page may be shown")
		return nil
	}
	form, err := readForm(r)
	if err != nil || repeated(form) != "" || choices(form) != 1 {
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
		},
		redirectURI: q.redirectURI,
		challenge:   q.params.Get("code_challenge"),
		plain:       q.params.Get("code_challenge_method") != "S256",
		nonce:       q.params.Get("nonce"),
		state:       q.params.Get("state"),
		scopes:      topScopes(q.asked),
		offline:     q.offline,
		expiry:      now.Add(e.codeLifetime),
	}
	e.consent(s.Person, q.client.ID, q.asked, q.offline)
	if err := e.state.save(); err != nil {
		return err
	}
	q.sendBack(w, r, url.Values{"code": {secret}})
	return nil
}

// consented reports whether a person has allowed an app all that it asks for.
func (e *Emulator) consented(person string, q authRequest) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !slices.ContainsFunc(q.asked, func(a asked) bool { return !e.state.allows(person, q.client.ID, a.Path...) })
}

// consent remembers that a person has allowed an app what it asks for. It needs
// e.mu, and a save after it.
func (e *Emulator) consent(person, clientID string, all []asked, offline bool) {
	now := e.now()
	for _, a := range all {
		e.state.allow(person, clientID, consent{Path: a.Path, Optional: a.Optional, Refresh: offline, Created: now})
	}
}
