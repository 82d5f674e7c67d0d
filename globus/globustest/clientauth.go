package globustest

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/url"
)

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
