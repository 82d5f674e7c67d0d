package globustest

import (
	"crypto/sha256"
	"crypto/subtle"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
)

const maxForm = 64 << 10

// readForm reads the body of a POST, which is a form.
func readForm(r *http.Request) (url.Values, error) {
	bad := func(why string) (url.Values, error) {
		return nil, oauthRefusal(http.StatusBadRequest, "invalid_request", why)
	}
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/x-www-form-urlencoded" {
		return bad("The body must be application/x-www-form-urlencoded")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxForm+1))
	if err != nil || len(body) > maxForm {
		return bad("The body is too long, or broke off")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return bad("The form is malformed")
	}
	return form, nil
}

// repeated returns the name of a parameter that was sent more than once, the
// first in the alphabet, or "".
func repeated(params url.Values) string {
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if len(params[name]) > 1 {
			return name
		}
	}
	return ""
}

// known returns those of params that have one of names and a value: RFC 6749,
// sections 3.1 and 3.2, has a parameter without a value count as absent, and one
// that nobody knows ignored. What is ignored is noted; with Config.Strict the
// first of it is returned as unknown, to be refused.
func (e *Emulator) known(r *http.Request, params url.Values, names []string) (known url.Values, unknown string) {
	known = url.Values{}
	for _, name := range slices.Sorted(maps.Keys(params)) {
		values := slices.DeleteFunc(params[name], func(v string) bool { return v == "" })
		switch {
		case slices.Contains(names, name):
			if len(values) > 0 {
				known[name] = values
			}
		case e.strict && unknown == "":
			unknown = name
		case !e.strict:
			recordOf(r).ignore(name)
		}
	}
	return known, unknown
}

// readCall reads what an app posts to an OAuth endpoint, all of it in the body
// (RFC 6749, section 2.3.1), and tells which app that is. Beside the client's id
// and secret the parameters are those with these names.
func (e *Emulator) readCall(r *http.Request, names ...string) (Client, url.Values, error) {
	all, err := readForm(r)
	if err != nil {
		return Client{}, nil, err
	}
	bad := func(why string) (Client, url.Values, error) {
		return Client{}, nil, oauthRefusal(http.StatusBadRequest, "invalid_request", why)
	}
	form, unknown := e.known(r, all, append(names, "client_id", "client_secret"))
	if name := repeated(form); name != "" {
		return bad("Repeated parameter: " + name)
	}
	if _, name := e.known(r, r.URL.Query(), nil); name != "" {
		return bad("Parameters belong in the body: " + name)
	}
	client, err := e.authenticate(r, form)
	if err != nil {
		return Client{}, nil, err
	}
	if unknown != "" {
		return bad("Unknown parameter: " + unknown)
	}
	return client, form, nil
}

// authenticate finds the app that calls, by HTTP Basic, or by client_id and
// client_secret in the form. A public client has its client_id alone.
func (e *Emulator) authenticate(r *http.Request, form url.Values) (Client, error) {
	id, secret := form.Get("client_id"), form.Get("client_secret")
	refused := oauthRefusal(http.StatusUnauthorized, "invalid_client", "")
	if r.Header.Get("Authorization") != "" {
		basicID, basicSecret, _ := r.BasicAuth()
		if e.strict && (id != "" || secret != "") {
			return Client{}, oauthRefusal(http.StatusBadRequest, "invalid_request", "Two ways of client authentication")
		}
		if id != "" && id != basicID || secret != "" && secret != basicSecret {
			return Client{}, oauthRefusal(http.StatusBadRequest, "invalid_request", "Two ways of client authentication, and they differ")
		}
		id, secret = basicID, basicSecret
		refused.basic = true
	}
	client, ok := e.client(id)
	if !ok || !e.isSecret(r, client, secret, refused.basic) {
		return Client{}, refused
	}
	recordOf(r).client = client.ID
	return client, nil
}

// isSecret compares a secret with that of an app. By HTTP Basic, RFC 6749, section
// 2.3.1, has it percent-encoded; Globus's own SDKs send it as it is, and whether
// Globus decodes it is not known. So both will do, and the one is noted; with
// Config.Strict it is taken as it is.
func (e *Emulator) isSecret(r *http.Request, c Client, secret string, basic bool) bool {
	if equal(c.Secret, secret) {
		return true
	}
	if e.strict || c.Secret != "" && !basic {
		return false
	}
	if c.Secret == "" {
		recordOf(r).ignore("client_secret")
		return true
	}
	decoded, err := url.QueryUnescape(secret)
	if err != nil || !equal(c.Secret, decoded) {
		return false
	}
	recordOf(r).ignore("percent-encoding of the client secret")
	return true
}

// equal compares secrets in a time that tells nothing, not even their lengths.
func equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
