package web

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"
)

// Cookies makes the app's cookies, with names that no other app can set or use by
// chance.
type Cookies struct {
	prefix, suffix string
	secure         bool
}

// newCookies derives the names from where browsers reach the app. All ports of a
// host share their cookies, so the port is part of the name; all paths do too,
// because the prefix __Host- demands Path=/, so the path is part of it. On https
// that prefix keeps sibling hosts from setting a cookie.
func newCookies(public *url.URL) Cookies {
	c := Cookies{prefix: "portal-", suffix: strings.ReplaceAll(public.Path, "/", "."), secure: public.Scheme == "https"}
	port := public.Port()
	if c.secure {
		c.prefix = "__Host-portal-"
	} else {
		port = cmp.Or(port, "80")
	}
	if port != "" {
		c.prefix += port + "-"
	}
	return c
}

// Name returns the name of the app's cookie of a kind, such as "session".
func (c Cookies) Name(kind string) string { return c.prefix + kind + c.suffix }

// New returns a cookie of a kind with the attributes that all of the app's cookies
// have. maxAge is in seconds: 0 keeps the cookie until the browser ends, and a
// negative value expires it.
func (c Cookies) New(kind, value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name:     c.Name(kind),
		Value:    value,
		Path:     "/",
		MaxAge:   maxAge,
		Secure:   c.secure,
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode, // Strict would withhold it on the way back from Globus
	}
}
