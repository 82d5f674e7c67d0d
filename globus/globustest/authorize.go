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
)

// An authRequest is what an app sends a browser to the authorization endpoint
// with.
type authRequest struct {
	params      url.Values
	client      Client
	redirectURI string
	scopes      []scope
	dependent   []scope // those that scopes depend on, each with the scope above it for a name
	requirement requirement
}

// newAuthRequest checks what must be right before the browser may be sent back
// to the app. If something is not, Globus shows a page of its own, and the app
// never hears of it.
func (e *Emulator) newAuthRequest(rawQuery string) (authRequest, error) {
	params, err := url.ParseQuery(rawQuery)
	if err != nil {
		return authRequest{}, badRequest("Malformed query.")
	}
	client, ok := e.client(params.Get("client_id"))
	switch {
	case !params.Has("client_id"):
		return authRequest{}, badRequest("Missing client_id parameter.")
	case !ok || len(params["client_id"]) > 1:
		return authRequest{}, badRequest("Invalid client_id parameter value.")
	}
	uri := params.Get("redirect_uri")
	if !slices.Contains(client.RedirectURIs, uri) || len(params["redirect_uri"]) > 1 {
		page := badRequest("Mismatching redirect URI.")
		page.RedirectURI = cmp.Or(uri, "none")
		return authRequest{}, page
	}
	scopes, dependent, unknown := e.parseScopes(strings.Join(params["scope"], " "))
	if len(unknown) > 0 {
		return authRequest{}, &errorPage{
			Code:    "UNKNOWN_SCOPE_ERROR",
			Message: "Unknown scope(s): " + strings.Join(unknown, " "),
		}
	}
	req, _ := readRequirement(params) // check looks for what is malformed
	return authRequest{params, client, uri, scopes, dependent, req}, nil
}

func badRequest(message string) *errorPage {
	return &errorPage{Code: "OAUTH_AUTH_REQUEST_FAILURE", Message: message}
}

// A challenge is the base64url form of a SHA-256 sum (RFC 7636, section 4.2).
var challengeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// authorizeParameters are those that a portal can count on. Others, login_hint
// among them, Globus may ignore, and then nobody notices; here it shows.
func authorizeParameters() []string {
	return []string{
		"client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge", "code_challenge_method",
		"access_type", "prompt", "session_message", "session_required_identities", "session_required_policies",
		"session_required_single_domain", "session_required_mfa",
	}
}

// check returns the code and description of the error that the app is told of,
// or "". Globus takes a request without PKCE or state; the emulator does not.
func (q authRequest) check() (code, description string) {
	get := q.params.Get
	_, malformed := readRequirement(q.params)
	switch name := repeated(q.params); {
	case name != "":
		return "invalid_request", "Repeated parameter: " + name
	case unknown(q.params, authorizeParameters()) != "":
		return "invalid_request", "Unknown parameter: " + unknown(q.params, authorizeParameters())
	case get("state") == "":
		return "invalid_request", "Missing state parameter"
	case get("response_type") == "":
		return "invalid_request", "Missing response_type parameter"
	case get("response_type") != "code":
		return "unsupported_response_type", "response_type must be code"
	case len(q.scopes) == 0:
		return "invalid_scope", "Missing scope parameter"
	case get("code_challenge_method") != "S256":
		return "invalid_request", "code_challenge_method must be S256"
	case !challengeForm.MatchString(get("code_challenge")):
		return "invalid_request", "code_challenge must be a SHA-256 sum in base64url"
	case !slices.Contains([]string{"", "login", "none"}, get("prompt")):
		return "invalid_request", "prompt must be login or none"
	case !slices.Contains([]string{"", "online", "offline"}, get("access_type")):
		return "invalid_request", "access_type must be online or offline"
	case malformed != "":
		return "invalid_request", "Malformed parameter: " + malformed
	}
	return "", ""
}

// sendBack redirects the browser to the app with the answer, and with the state
// that came, if there was just one.
func (q authRequest) sendBack(w http.ResponseWriter, r *http.Request, answer url.Values) {
	if state := q.params["state"]; len(state) == 1 && state[0] != "" {
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

// consented reports whether a person has allowed an app all that it asks for.
func (e *Emulator) consented(person string, q authRequest) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	allowed := e.state.Consents[person][q.client.ID]
	return !slices.ContainsFunc(slices.Concat(q.scopes, q.dependent), func(s scope) bool {
		return !slices.Contains(allowed, s.Name)
	})
}

// consent remembers that a person has allowed an app what it asks for, and
// returns all that they have allowed it. It needs e.mu, and a save after it.
func (e *Emulator) consent(person string, q authRequest) []string {
	allowed := slices.Clone(e.state.Consents[person][q.client.ID])
	for _, s := range slices.Concat(q.scopes, q.dependent) {
		if !slices.Contains(allowed, s.Name) {
			allowed = append(allowed, s.Name)
		}
	}
	if e.state.Consents[person] == nil {
		e.state.Consents[person] = map[string][]string{}
	}
	e.state.Consents[person][q.client.ID] = allowed
	return allowed
}
