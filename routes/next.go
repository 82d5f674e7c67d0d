package routes

import (
	"net/url"
	"path"
	"strings"
	"unicode"
)

const maxNext = 2 << 10 // bytes

// localPath returns next if it is one of the app's own paths, as a browser
// sees it, to return to after signing in; else "". Whatever a browser might
// read as another host, now or after decoding, is none.
func (a *App) localPath(next string) string {
	if len(next) > maxNext || !strings.HasPrefix(next, a.site.BasePath+"/") {
		return ""
	}
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || strings.ContainsFunc(next, notURL) {
		return ""
	}
	// Decoded, it must be what it seems: no //, no dot segments, nothing hidden.
	clean := path.Clean(u.Path)
	if strings.TrimSuffix(u.Path, "/") != strings.TrimSuffix(clean, "/") || strings.ContainsFunc(u.Path, hidden) {
		return ""
	}
	if clean == a.site.Path("/login") || clean == a.site.Path("/logout") {
		return ""
	}
	return next
}

// notURL reports whether r cannot stand in a URL as browsers send them.
func notURL(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' }

// hidden reports whether r would be read otherwise than it looks.
func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.IsSpace(r) && r != ' ' || r == '\\'
}
