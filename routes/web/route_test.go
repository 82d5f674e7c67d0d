package web_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"example.org/portal/globus"
	"example.org/portal/routes/routestest"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

// TestAllowBeforeBody: whether a person may use a route is decided before their
// body is read. Each of these requests announces a body, waits to be asked for it,
// and is not.
func TestAllowBeforeBody(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	var served atomic.Int64
	handler := func(w http.ResponseWriter, r *http.Request, _ *session.Session) error {
		served.Add(1)
		return web.JSON(w, r, "done")
	}
	s.App.Handle("POST /probe/upload", s.App.Auth.Required(handler), web.MaxBody(1<<30), web.Accept("*/*"))
	s.App.Handle("PUT /probe/form", s.App.Auth.Required(handler))
	s.App.Handle("POST /probe/curators", s.App.Auth.Require(globus.Policy{MFA: true}, handler), web.MaxBody(1<<30), web.Accept("*/*"))
	b := s.Browser()
	b.SignIn("rosalind")
	name, session := b.Cookie("session")
	cookie := "Cookie: " + name + "=" + session + "\r\n"
	tests := []struct {
		name, request string
		want          string // status and reason
	}{
		{"nobody is signed in", "POST /probe/upload HTTP/1.1\r\nContent-Type: image/tiff\r\nContent-Length: 1000000\r\n", "401 session_ended"},
		{"nobody is signed in, and it is too much", "PUT /probe/form HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000000\r\n", "401 session_ended"},
		{"nobody is signed in, and it is no form", "PUT /probe/form HTTP/1.1\r\nContent-Type: image/tiff\r\nContent-Length: 10\r\n", "401 session_ended"},
		{"the policy of the route says no", "POST /probe/curators HTTP/1.1\r\n" + cookie + "Content-Type: image/tiff\r\nContent-Length: 1000000\r\n", "403 policy_unverifiable"},
		{"signed in, and it is too much", "PUT /probe/form HTTP/1.1\r\n" + cookie + "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000000\r\n", "413 too_long"},
		{"signed in, and it is no form", "PUT /probe/form HTTP/1.1\r\n" + cookie + "Content-Type: image/tiff\r\nContent-Length: 10\r\n", "415 media_type"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			answer := s.Raw(test.request + "Host: x\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n")
			status, reason, _ := strings.Cut(test.want, " ")
			if !strings.HasPrefix(answer, "HTTP/1.1 "+status+" ") || !strings.Contains(answer, `data-reason="`+reason+`"`) {
				t.Errorf("got %q\nwant %s", answer, test.want)
			}
		})
	}
	if n := served.Load(); n != 0 {
		t.Errorf("%d requests came to the handler", n)
	}
}
