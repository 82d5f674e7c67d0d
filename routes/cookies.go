package routes

import (
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

// newCookieNames derives the names from where browsers reach the app. On https
// the prefix __Host- keeps sibling hosts from planting a cookie; it demands
// Path=/, so a path of the app's own goes into the name. On http, which is
// loopback only, the port does: localhost shares its cookies over all ports.
func newCookieNames(public *url.URL) cookieNames {
	suffix := strings.ReplaceAll(public.Path, "/", ".")
	if public.Scheme == "https" {
		return cookieNames{"__Host-", suffix, true}
	}
	port := public.Port()
	if port == "" {
		port = "80"
	}
	return cookieNames{"portal-" + port + "-", suffix, false}
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
