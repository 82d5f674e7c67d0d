package globustest

import (
	"cmp"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
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
