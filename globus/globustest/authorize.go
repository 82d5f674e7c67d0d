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

// An authRequest is an authorization request.
type authRequest struct {
	params      url.Values // known parameters with a value
	client      Client
	redirectURI string
	scopes      []requestedScope
	offline     bool
	prompt      string // login, none, or empty
	requirement requirement
	wrong       authError // the error response to the app; zero: none
}

// An authError is an error response to the app (RFC 6749, section 4.1.2.1).
type authError struct{ code, description string }

// authorizeParameters are the parameters that Globus is known to use. Globus may ignore
// others, such as login_hint, unnoticed; the emulator records them.
func authorizeParameters() []string {
	return []string{
		"client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge", "code_challenge_method",
		"access_type", "prompt", "session_message", "session_required_identities", "session_required_policies",
		"session_required_single_domain", "session_required_mfa", "prefill_named_grant", "signup",
	}
}

// newAuthRequest reads an authorization request. It returns an *errorPage if the browser must
// not be sent back to the app; the app does not learn about that. Other errors are in wrong.
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
	if !e.isRedirectURI(client, uri) || len(params["redirect_uri"]) > 1 {
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
	q := authRequest{params: params, client: client, redirectURI: uri, scopes: all, offline: offline || params.Get("access_type") == "offline"}
	q.wrong = cmp.Or(e.readOptions(r, &q), q.check(unknown, e.strict))
	return q, nil
}

func badRequest(message string) *errorPage {
	return &errorPage{Code: "OAUTH_AUTH_REQUEST_FAILURE", Message: message}
}

// isRedirectURI reports whether a browser may be sent back to uri: to a registered redirect
// URI, character for character. A public client may also use loopback with any port, and
// the page that shows the code (globus/globus-sdk-python,
// local_server_login_flow_manager.py and flow_managers/native_app.py).
func (e *Emulator) isRedirectURI(c Client, uri string) bool {
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

// readOptions reads prompt, access_type and the session_ parameters. Unknown values are
// ignored and recorded.
func (e *Emulator) readOptions(r *http.Request, q *authRequest) (wrong authError) {
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

// challengeForm is the base64url form of a SHA-256 hash (RFC 7636, section 4.2).
var challengeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// check returns an error if a required parameter is missing or invalid. Globus requires PKCE
// only of public clients, and state of nobody; with Config.Strict every client must send
// both.
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
	case len(q.scopes) == 0:
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

// sendBack redirects the browser to the app with the response, and with the state of the
// request if there was exactly one.
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

// authorize is the authorization endpoint. The app sends GET, and the page that the endpoint
// shows sends POST. Both are checked in full.
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
	s, ok := e.usableSession(r, q)
	if ok && e.consented(s.Person, q) {
		return e.sendCode(w, r, q, s)
	}
	if q.prompt == "none" {
		q.sendError(w, r, "login_required", "A page is needed, and none may be shown")
		return nil
	}
	page := choosePage{
		App:      q.client.title(),
		Action:   AuthorizePath + "?" + r.URL.RawQuery,
		Scopes:   q.scopes,
		People:   e.people,
		Required: q.requirement,
	}
	if ok { // only consent is missing
		page.As, _ = e.person(s.Person)
		return render(w, http.StatusOK, "consent", page)
	}
	return render(w, http.StatusOK, "choose", page)
}

// usableSession returns the browser's session. It is ok if the person need not sign in again
// for q.
func (e *Emulator) usableSession(r *http.Request, q authRequest) (session, bool) {
	s, ok := e.session(r)
	if !ok || q.prompt == "login" {
		return s, false
	}
	person, _ := e.person(s.Person)
	return s, q.requirement.metBy(person, s.Used[q.client.ID])
}

// choose reads the person's choice on the page: a person or an identity, consent, or denial.
// It does not check that the identity meets the app's requirement: the app must do that.
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
		s, ok := e.usableSession(r, q)
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
		scopes:      topScopes(q.scopes),
		offline:     q.offline,
		expiry:      now.Add(e.codeLifetime),
	}
	e.consent(s.Person, q.client.ID, q.scopes, q.offline)
	if err := e.state.save(); err != nil {
		return err
	}
	q.sendBack(w, r, url.Values{"code": {secret}})
	return nil
}

// consented reports whether a person has consented to all scopes of a request.
func (e *Emulator) consented(person string, q authRequest) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !slices.ContainsFunc(q.scopes, func(a requestedScope) bool { return !e.state.allows(person, q.client.ID, a.Path...) })
}

// consent stores a person's consent to scopes for an app. It needs e.mu, and a save after
// it.
func (e *Emulator) consent(person, clientID string, all []requestedScope, offline bool) {
	now := e.now()
	for _, a := range all {
		e.state.allow(person, clientID, consent{Path: a.Path, Optional: a.Optional, Refresh: offline, Created: now})
	}
}
