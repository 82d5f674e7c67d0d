package globustest

import (
	"io"
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
	var names []string
	for name, values := range params {
		if len(values) > 1 {
			names = append(names, name)
		}
	}
	if names == nil {
		return ""
	}
	return slices.Min(names)
}
