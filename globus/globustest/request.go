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

// readForm reads the form in the body of a POST.
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

// repeated returns the name of a parameter that was sent more than once, or "".
func repeated(params url.Values) string {
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if len(params[name]) > 1 {
			return name
		}
	}
	return ""
}

// known returns the params that have one of names and a value. As RFC 6749, sections 3.1
// and 3.2, says, a parameter without a value counts as absent, and an unknown one is
// ignored. known records ignored names. With Config.Strict it returns the first of them as
// unknown instead, and the caller rejects it.
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

// readCall reads the form that an app posts to an OAuth endpoint, and authenticates the app.
// The form may have parameters with these names, client_id and client_secret; the URL has
// none (RFC 6749, section 2.3.1).
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

// authenticate returns the calling app. It authenticates with HTTP Basic, or with client_id
// and client_secret in the form. A public client sends only client_id.
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

// isSecret compares a secret with that of an app. In HTTP Basic, RFC 6749, section 2.3.1,
// wants it percent-encoded, but Globus's own SDKs do not encode it, and whether Globus
// decodes it is not known. isSecret accepts both, and records the encoding as ignored; with
// Config.Strict it does not decode.
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

// equal compares secrets in constant time, whatever their lengths.
func equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
