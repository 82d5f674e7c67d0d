package globus_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

// TestReadFile: of what a server sends, at most the beginning of the file is read, and
// nothing from elsewhere.
func TestReadFile(t *testing.T) {
	t.Parallel()
	const content = "0123456789"
	var elsewhere atomic.Int64
	other := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	t.Cleanup(other.Close)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		send := func(status int, header, value, body string) {
			w.Header().Set(header, value)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
		switch r.URL.Path {
		case "/plain", "/odd ?#%2F\"ü":
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(content))
		case "/empty":
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(""))
		case "/all", "/chunked":
			if r.URL.Path == "/chunked" {
				w.(http.Flusher).Flush()
			}
			_, _ = w.Write([]byte(content))
		case "/endless":
			for block := make([]byte, 1<<20); r.Context().Err() == nil; {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		case "/elsewhere":
			http.Redirect(w, r, other.URL, http.StatusFound)
		case "/squeezed":
			send(200, "Content-Encoding", "gzip", "\x1f\x8b")
		case "/middle":
			send(206, "Content-Range", "bytes 5-9/10", "56789")
		case "/unknown":
			send(206, "Content-Range", "bytes 0-3/*", "0123")
		case "/short":
			send(200, "Content-Length", "10", "01")
		case "/slow":
			<-r.Context().Done()
		case "/token":
			send(401, "Content-Type", "application/json", `{"code": "ConsentRequired", "authorization_parameters": {"required_scopes": ["`+globus.HTTPSScope("c0111111-0000-4000-8000-000000000001")+`"]}}`)
		case "/denied":
			send(403, "Content-Type", "text/html", "<html>")
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	client, err := globus.New(globus.Config{ClientID: "id", ClientSecret: "secret", RedirectURL: "http://localhost:8888/login", Transport: server.Client().Transport})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/plain": "0123 of 10, cut: true", "plain": "0123 of 10, cut: true", "/odd ?#%2F\"ü": "0123 of 10, cut: true", "/../a/../plain": "0123 of 10, cut: true",
		"/all": "0123 of 10, cut: true", "/chunked": "0123 of -1, cut: true", "/endless": "\x00\x00\x00\x00 of -1, cut: true", "/unknown": "0123 of 4, cut: false", "/empty": " of 0, cut: false",
		"/elsewhere": "redirect no_answer", "/squeezed": "malformed no_answer", "/middle": "status ", "/short": "malformed no_answer", "/slow": "timeout no_answer",
		"/token": "refused requirements", "/denied": "status denied", "/none": "status not_found",
	} {
		ctx, cancel := t.Context(), context.CancelFunc(func() {})
		if path == "/slow" {
			ctx, cancel = context.WithTimeout(ctx, 50*time.Millisecond)
		}
		part, err := client.ReadFile(ctx, globus.FileQuery{Server: server.URL + "/", Path: path, Max: 4}, nil)
		cancel()
		got := ""
		if e, ok := err.(*globus.Error); ok {
			got = fmt.Sprint(e.Reason, " ", globus.KindOf(e))
		} else if err == nil {
			got = fmt.Sprintf("%s of %d, cut: %t", part.Content, part.Size, part.Cut())
		}
		if got != want {
			t.Errorf("%s: got %q (%v), want %q", path, got, err, want)
		}
	}
	if elsewhere.Load() > 0 {
		t.Error("a redirect was followed")
	}
	for _, base := range []string{"", "x", "http://example.org", "ftp://example.org", "https://u:p@example.org", "https://example.org?x", strings.Replace(server.URL, "https", "http", 1)} {
		if _, err := client.ReadFile(t.Context(), globus.FileQuery{Server: base, Path: "/plain"}, nil); globus.KindOf(err) != globus.KindNoAnswer {
			t.Errorf("%q: got %v", base, err)
		}
	}
}

// TestReadFilePrivate: whoever runs a collection chooses the address of its server; it is
// not used to reach into the app's own network.
func TestReadFilePrivate(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var connections atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			c.Close()
		}
	}()
	client, err := globus.New(globus.Config{ClientID: "id", ClientSecret: "secret", RedirectURL: "http://localhost:8888/login"})
	if err != nil {
		t.Fatal(err)
	}
	q := globus.FileQuery{Server: "https://" + listener.Addr().String(), Path: "/"}
	_, refused := client.ReadFile(t.Context(), q, nil)
	before := connections.Load()
	q.AllowPrivate = true
	_, failed := client.ReadFile(t.Context(), q, nil)
	listener.Close()
	<-done
	if refused == nil || before != 0 || failed == nil || connections.Load() == 0 {
		t.Errorf("got %v with %d connections, and %v with %d if it is allowed", refused, before, failed, connections.Load())
	}
	for address, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1": true, "10.0.0.1": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false, "100.64.0.1": false, "0.0.0.0": false, "0.0.0.1": false,
		"255.255.255.255": false, "224.0.0.1": false, "127.0.0.1": false, "::1": false, "::": false, "fe80::1": false, "fd00::1": false, "ff02::1": false, "::ffff:10.0.0.1": false, "::ffff:8.8.8.8": true,
		"64:ff9b::a00:1": false, "2002:a00:1::": false, "::10.0.0.1": false,
	} {
		if got := globus.IsPublic(address); got != want {
			t.Errorf("%s: got %t, want %t", address, got, want)
		}
	}
}

// TestReadFileEmulated: what everybody may read needs no token, other files one of the
// collection, and its owner's permission.
func TestReadFileEmulated(t *testing.T) {
	t.Parallel()
	const open, lab = "c0111111-0000-4000-8000-00000000000a", "c0111111-0000-4000-8000-00000000000b"
	f := newFlowAt(t, nil, []globustest.Collection{
		{ID: open, AnonymousRead: true, Closed: []string{"/closed/"}, Files: []globustest.File{{Path: "/a.txt", Content: "text"}, {Path: "/closed/b", Size: 1}, {Path: "/zeros", Size: 1 << 40}}},
		{ID: lab, SharedWith: []string{"rosalind"}, Files: []globustest.File{{Path: "/a.txt", Content: "secret"}}},
	})
	tokens := func(person string) globus.TokenFunc {
		scopes, err := globus.ParseScopes(strings.Join(globus.DefaultScopes(), " "), globus.HTTPSScope(lab))
		if err != nil {
			t.Fatal(err)
		}
		attempt := globus.NewAttempt()
		back := choose(t, f.client.AuthCodeURL(attempt, scopes.AuthCodeOption()), person)
		login, err := f.client.Exchange(t.Context(), back.Get("code"), attempt)
		if err != nil {
			t.Fatal(err)
		}
		return f.client.Source(login.Tokens, lab, nil).Fresh
	}
	rosalind, ada := tokens("rosalind"), tokens("ada")
	for _, tt := range []struct {
		collection, path string
		token            globus.TokenFunc
		want             string
	}{
		{open, "/a.txt", nil, "text"},
		{open, "/none", nil, "not_found"},
		{open, "/", nil, "not_found"},
		{open, "/zeros", nil, strings.Repeat("\x00", 64<<10)},
		{open, "/closed/b", nil, "requirements"},
		{open, "/a.txt", rosalind, "requirements"}, // the token is another collection's
		{lab, "/a.txt", nil, "requirements"},
		{lab, "/a.txt", rosalind, "secret"},
		{lab, "/a.txt", ada, "denied"},
	} {
		part, err := f.client.ReadFile(t.Context(), globus.FileQuery{Server: f.auth.HTTPSServer(tt.collection), Path: tt.path}, tt.token)
		got := string(globus.KindOf(err))
		if err == nil {
			got = string(part.Content)
		}
		if got != tt.want {
			t.Errorf("%s%s: got %.40q, want %.40q", tt.collection, tt.path, got, tt.want)
		}
	}
}
