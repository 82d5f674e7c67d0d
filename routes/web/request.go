package web

import (
	"context"
	"crypto/rand"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"example.org/portal/components"
	"example.org/portal/globus"
)

// A request is the state of an HTTP request while it is answered.
type request struct {
	site    *Server
	id      string             // names the request in the log and on error pages
	client  string             // the client's address, for the log
	pattern string             // of its route; "" if it has not come to one
	result  error              // of its route
	answer  *recorder          // what has been answered so far
	err     error              // why it was refused, for the log; nil if it was not
	session string             // stands for the session in the log; "" if there is none
	visitor components.Visitor // who is signed in
	flash   string             // the message for this page; "" if there is none
	flashed bool               // the answer brings a message for the next page
	csrfErr error              // why the CSRF token was refused
	tooSlow bool               // the body did not arrive in time
	maxBody int64              // of the route; 0 if there is none
}

type requestKey struct{}

func (s *Server) newRequest(r *http.Request) *http.Request {
	state := &request{site: s, id: rand.Text()[:12], client: clientIP(r), visitor: components.Visitor{Site: s.Site, Unknown: true}}
	return r.WithContext(context.WithValue(r.Context(), requestKey{}, state))
}

func stateOf(r *http.Request) *request {
	state, _ := r.Context().Value(requestKey{}).(*request)
	return state
}

// ID returns the name of r in the log, which error pages show too.
func ID(r *http.Request) string { return stateOf(r).id }

// Client returns the IP address that r came from, for the log and for limits.
func Client(r *http.Request) string { return stateOf(r).client }

// SetVisitor says who sent r: the header of the page names them. session stands
// for their session in the log; it is "" where there is none.
func SetVisitor(r *http.Request, v components.Visitor, session string) {
	state := stateOf(r)
	v.Site = state.site.Site
	state.visitor, state.session = v, session
}

// Visitor returns who sent r, as SetVisitor was told.
func Visitor(r *http.Request) components.Visitor { return stateOf(r).visitor }

// SetReason sets the reason that the log line of r gives for its answer.
func SetReason(r *http.Request, err error) { stateOf(r).err = err }

// clientIP returns the address that r came from. X-Forwarded-For counts only if a
// proxy on this machine sent it.
func clientIP(r *http.Request) string {
	peer, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || !globus.IsLoopback(peer) {
		return peer
	}
	forwarded := strings.Join(r.Header.Values("X-Forwarded-For"), ",")
	last := strings.TrimSpace(forwarded[strings.LastIndex(forwarded, ",")+1:])
	if withPort, err := netip.ParseAddrPort(last); err == nil { // some proxies add the port
		return withPort.Addr().WithZone("").String()
	}
	if ip, err := netip.ParseAddr(strings.Trim(last, "[]")); err == nil {
		return ip.WithZone("").String()
	}
	return peer
}

// IsHtmx reports whether htmx sent r. It decides how to answer, never whether.
func IsHtmx(r *http.Request) bool { return r.Header.Get("HX-Request") == "true" }

// WantsFragment reports whether htmx will put the answer into a page. htmx asks
// for whole pages too: for the body, and when it restores history.
func WantsFragment(r *http.Request) bool {
	return IsHtmx(r) && r.Header.Get("HX-Request-Type") == "partial"
}

// lastOffset is beyond every list that people page through: what is asked for such
// pages, a service or a database counts from the start.
const lastOffset = 1_000_000

// Paging returns which part of a long list r asks for by ?offset= in its address. A page
// shows size entries; anything but a number means the first page.
func Paging(r *http.Request, size int) components.Paging {
	offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
	return components.Paging{Self: r.URL.RequestURI(), Offset: min(max(0, offset), lastOffset), Size: size}
}

// WantsJSON reports whether r prefers JSON to a page: it says so in Accept, or it sends
// JSON itself.
func WantsJSON(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	json := strings.Contains(accept, "json") || strings.HasSuffix(mediaType(r), "json")
	return json && !IsHtmx(r) && !strings.Contains(accept, "text/html")
}

// IsNavigation reports whether the browser will show the answer to r as a page.
// Sec-Fetch-Dest does not tell: a service worker that fetches the page on the
// browser's behalf changes it, and keeps the mode.
func IsNavigation(r *http.Request) bool {
	mode := r.Header.Get("Sec-Fetch-Mode")
	return mode == "navigate" || mode == "" && !IsHtmx(r) && !WantsJSON(r)
}

// IsPrefetch reports whether the browser asks before the person has clicked.
func IsPrefetch(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Sec-Purpose"), "prefetch") || r.Header.Get("Purpose") == "prefetch"
}

// isRead reports whether r only reads (RFC 9110, section 9.2.1).
func isRead(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodHead
}
