package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"

const permissions = "accelerometer=(), browsing-topics=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), " +
	"hid=(), magnetometer=(), microphone=(), midi=(), payment=(), publickey-credentials-get=(), serial=(), usb=()"

// cspWith returns the content security policy with exceptions: sources that are
// added to a directive. It panics if one is not a directive with sources.
func cspWith(exceptions []string) string {
	directives := strings.Split(csp, "; ")
	for _, exception := range exceptions {
		name, sources, _ := strings.Cut(strings.TrimSpace(exception), " ")
		if !strings.HasSuffix(name, "-src") && name != "form-action" && name != "frame-ancestors" || sources == "" || strings.ContainsAny(exception, ";,\r\n") {
			panic("web: AllowSource takes a directive and its sources, such as \"img-src https://tiles.example.org\", not " + strconv.Quote(exception))
		}
		i := slices.IndexFunc(directives, func(d string) bool { return strings.HasPrefix(d, name+" ") })
		if i < 0 {
			directives, i = append(directives, name+" 'none'"), len(directives)
		}
		directives[i] = strings.TrimSuffix(directives[i], " 'none'") + " " + sources
	}
	return strings.Join(directives, "; ")
}

// securityHeaders sets the headers that protect every answer.
func (s *Server) securityHeaders(next http.Handler) http.Handler {
	// A portal under a path or on a port must not decide for the other sites of
	// the host.
	hsts := s.secure() && s.BasePath == "" && !strings.Contains(s.host, ":")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", csp)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Origin-Agent-Cluster", "?1")
		h.Set("Permissions-Policy", permissions)
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		h.Set("Portal-Answer", "1") // app.js does not swap in an error without it: a proxy sent that
		if hsts {
			h.Set("Strict-Transport-Security", "max-age=63072000")
		}
		if len(r.TransferEncoding) > 0 {
			// The request may have had a Content-Length too, which net/http hides.
			// A proxy that went by the length would take the rest of the body for
			// another request, or the reverse (RFC 9112, section 6.1).
			h.Set("Connection", "close")
		}
		r = s.newRequest(r)
		// A proxy may have changed it, and anybody can send any: the checks of a
		// request's origin compare with this.
		r.Host = s.host
		next.ServeHTTP(w, r)
	})
}
