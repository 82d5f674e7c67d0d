package web

import (
	"cmp"
	"net/http"
	"net/url"
	"path"
	"strings"
	"unicode"
)

const maxNext = 2 << 10 // bytes

// LocalPath returns next if it is one of the app's own paths, as a browser sees
// it, that a person can return to; else "". What a browser might read as another
// host, now or after decoding, is not one.
func (s *Server) LocalPath(next string) string {
	if len(next) > maxNext || !strings.HasPrefix(next, s.BasePath+"/") {
		return ""
	}
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || strings.ContainsFunc(next, notInURL) {
		return ""
	}
	// Decoded, it must still be what it looks like: no //, no dot segments, no
	// control characters.
	clean := path.Clean(u.Path)
	if strings.TrimSuffix(u.Path, "/") != strings.TrimSuffix(clean, "/") || strings.ContainsFunc(u.Path, misleading) {
		return ""
	}
	if clean == s.Path("/login") || clean == s.Path("/logout") {
		return ""
	}
	return next
}

// Here returns the local path that r asked for, or "".
func (s *Server) Here(r *http.Request) string { return s.LocalPath(r.URL.RequestURI()) }

// From returns the local path of the page that r was sent from, or "".
func (s *Server) From(r *http.Request) string {
	u, err := url.Parse(cmp.Or(r.Header.Get("HX-Current-URL"), r.Referer()))
	if err != nil || !u.IsAbs() {
		return ""
	}
	return s.LocalPath(u.RequestURI())
}

// notInURL reports whether c cannot stand in a URL as browsers send them.
func notInURL(c rune) bool { return c <= ' ' || c >= 0x7f || c == '\\' }

// misleading reports whether browsers may treat c otherwise than people read it.
func misleading(c rune) bool {
	return unicode.IsControl(c) || unicode.IsSpace(c) && c != ' ' || c == '\\'
}
