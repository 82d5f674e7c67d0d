package routes

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"
)

// cookieNames makes the names of the app's cookies, such that no other app can
// set them or meet them by chance.
type cookieNames struct {
	prefix, suffix string
	secure         bool
}

// newCookieNames derives the names from where browsers reach the app. A host
// shares its cookies over all ports, so the port goes into the name; and over all
// paths, for Path=/ is what the prefix __Host- demands, so a path of the app's own
// goes into it too. On https that prefix keeps sibling hosts from planting a cookie.
func newCookieNames(public *url.URL) cookieNames {
	names := cookieNames{prefix: "portal-", suffix: strings.ReplaceAll(public.Path, "/", "."), secure: public.Scheme == "https"}
	port := public.Port()
	if names.secure {
		names.prefix = "__Host-portal-"
	} else {
		port = cmp.Or(port, "80")
	}
	if port != "" {
		names.prefix += port + "-"
	}
	return names
}

func (c cookieNames) name(kind string) string { return c.prefix + kind + c.suffix }

// cookie returns a cookie with the attributes that all of ours have. maxAge is
// in seconds: 0 for as long as the browser runs, negative to expire it.
func (c cookieNames) cookie(name, value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name:     name,
		Value:    value,
		Path:     "/",
		MaxAge:   maxAge,
		Secure:   c.secure,
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode, // Strict would withhold it on the way back from Globus
	}
}
