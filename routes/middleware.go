package routes

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"example.org/portal/globus"
)

const csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"

const permissions = "accelerometer=(), browsing-topics=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), " +
	"hid=(), magnetometer=(), microphone=(), midi=(), payment=(), publickey-credentials-get=(), serial=(), usb=()"

// outermost gives every answer the headers that keep it safe, and every
// request a name.
func (a *App) outermost(next http.Handler) http.Handler {
	_, host, _ := strings.Cut(a.origin, "://")
	// A portal under a path, or on a port of its own, must not decide for its
	// neighbours on the host.
	hsts := a.cookies.secure && a.site.BasePath == "" && !strings.Contains(host, ":")
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
		h.Set("Portal-Answer", "1") // an error without it is not the app's: app.js swaps none in
		if hsts {
			h.Set("Strict-Transport-Security", "max-age=63072000")
		}
		if len(r.TransferEncoding) > 0 {
			// It may have named a length too, which net/http does not tell. A
			// proxy that went by that would take what follows for another's
			// request, or the reverse (RFC 9112, section 6.1).
			h.Set("Connection", "close")
		}
		r = newVisit(r)
		// A proxy may have changed it, and a stranger can write what they
		// like: the checks behind compare a request's origin with this.
		r.Host = host
		next.ServeHTTP(w, r)
	})
}

// clientIP returns where a request came from, for the log alone. Only a proxy
// on this machine is believed about it.
func clientIP(r *http.Request) string {
	peer, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || !globus.IsLoopback(peer) {
		return peer
	}
	forwarded := strings.Join(r.Header.Values("X-Forwarded-For"), ",")
	last := strings.TrimSpace(forwarded[strings.LastIndex(forwarded, ",")+1:])
	if withPort, err := netip.ParseAddrPort(last); err == nil { // as some proxies write it
		return withPort.Addr().WithZone("").String()
	}
	if ip, err := netip.ParseAddr(strings.Trim(last, "[]")); err == nil {
		return ip.WithZone("").String()
	}
	return peer
}
