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

// readForm reads the body of a POST: a form, each parameter at most once.
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
	if name := repeated(form); name != "" {
		return bad("Repeated parameter: " + name)
	}
	return form, nil
}

// repeated returns the name of a parameter that was sent more than once, the
// first in the alphabet, or "".
func repeated(params url.Values) string {
	return firstWhere(params, func(name string) bool { return len(params[name]) > 1 })
}

// unknown returns the name of a parameter that is none of names, likewise.
func unknown(params url.Values, names []string) string {
	return firstWhere(params, func(name string) bool { return !slices.Contains(names, name) })
}

func firstWhere(params url.Values, is func(name string) bool) string {
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if is(name) {
			return name
		}
	}
	return ""
}

// readCall reads what an app posts to an OAuth endpoint, none of it in the URL
// (RFC 6749, section 3.2), and tells which app that is. Beside the client's id
// and secret the parameters are those with these names: to ignore others, as the
// RFC says, would hide what an app got wrong.
func (e *Emulator) readCall(r *http.Request, names ...string) (Client, url.Values, error) {
	form, err := readForm(r)
	if err != nil {
		return Client{}, nil, err
	}
	if r.URL.RawQuery != "" {
		return Client{}, nil, oauthRefusal(http.StatusBadRequest, "invalid_request", "Parameters belong in the body")
	}
	client, err := e.authenticate(r, form)
	if err != nil {
		return Client{}, nil, err
	}
	if name := unknown(form, append(names, "client_id", "client_secret")); name != "" {
		return Client{}, nil, oauthRefusal(http.StatusBadRequest, "invalid_request", "Unknown parameter: "+name)
	}
	return client, form, nil
}

// authenticate finds the app that calls, by HTTP Basic or by client_id and
// client_secret in the form. With Basic, id and secret are taken as they are:
// that is how Globus's own SDKs send them, and whether Globus would also decode
// them, as RFC 6749 asks, is not known.
func (e *Emulator) authenticate(r *http.Request, form url.Values) (Client, error) {
	id, secret := form.Get("client_id"), form.Get("client_secret")
	if r.Header.Get("Authorization") != "" {
		if id != "" || secret != "" {
			return Client{}, oauthRefusal(http.StatusBadRequest, "invalid_request", "Two ways of client authentication")
		}
		id, secret, _ = r.BasicAuth()
	}
	client, ok := e.client(id)
	if !ok || !equal(client.Secret, secret) {
		refused := oauthRefusal(http.StatusUnauthorized, "invalid_client", "")
		refused.basic = r.Header.Get("Authorization") != ""
		return Client{}, refused
	}
	recordOf(r).client = client.ID
	return client, nil
}

// equal compares secrets in a time that tells nothing, not even their lengths.
func equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
