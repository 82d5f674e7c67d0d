package globustest

import (
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
