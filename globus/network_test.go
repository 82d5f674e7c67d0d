package globus_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

const bombSize = 64 << 20 // bytes, once it is unpacked

// bomb is a small body that gzip makes a large one of.
func bomb() string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	block := bytes.Repeat([]byte(" "), 1<<20)
	if _, err := w.Write(block); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return strings.Repeat(b.String(), bombSize/len(block)) // members, which count as one body (RFC 1952, section 2.2)
}

// What comes does not decide how much memory is used, by the transport that
// apps have: one that Config does not name.
func TestAnswerInMemory(t *testing.T) {
	endless := func(w http.ResponseWriter, block string) {
		for {
			if _, err := io.WriteString(w, block); err != nil {
				return
			}
		}
	}
	packed, block := bomb(), strings.Repeat(" ", 32<<10)
	tests := []struct {
		name   string
		answer func(http.ResponseWriter)
		want   globus.Reason
	}{
		{"a gzip bomb", func(w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, packed)
		}, globus.TooLarge},
		{"endless", func(w http.ResponseWriter) { endless(w, block) }, globus.TooLarge},
		{"1 MB of headers", func(w http.ResponseWriter) {
			for _, letter := range "abcdefghij" {
				w.Header().Set("X-"+string(letter), strings.Repeat("c", 100<<10))
			}
		}, globus.Unreachable},
		{"endless headers", func(w http.ResponseWriter) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				panic(err)
			}
			defer conn.Close()
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
			for {
				if _, err := io.WriteString(conn, "X-Canary: "+block+"\r\n"); err != nil {
					return
				}
			}
		}, globus.Unreachable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { tt.answer(w) }))
			defer srv.Close()
			client, err := globus.New(globus.Config{ClientID: clientID, ClientSecret: clientSecret, RedirectURL: redirectURI, Issuer: srv.URL})
			if err != nil {
				t.Fatal(err)
			}
			before := allocated()
			_, err = client.Exchange(t.Context(), "code", globus.NewAttempt())
			if e := asError(t, err); e.Reason != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if got := allocated() - before; got > 8<<20 {
				t.Errorf("%d bytes were allocated over it, those of the server included", got)
			}
		})
	}
}

// allocated returns how many bytes were ever allocated.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// A connection that is reset in the middle of an answer.
func TestReset(t *testing.T) {
	for _, c := range calls {
		t.Run(c.name, func(t *testing.T) {
			f := newFlow(t)
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				conn, _, err := w.(http.Hijacker).Hijack()
				if err != nil {
					panic(err)
				}
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"canary\":")
				_ = conn.(*net.TCPConn).SetLinger(0) // what makes Close a reset
				conn.Close()
			}))
			defer srv.Close()
			e := c.fails(t.Context(), f, f.diverted(c.path, srv.Listener.Addr().String()), globus.Unreachable)
			if !strings.Contains(e.Detail, "reset") {
				t.Errorf("got %q, want what the network said", e.Detail)
			}
		})
	}
}

// nameServer answers no question for an address. Each is handed to asked; with
// silent it answers nothing at all.
func nameServer(t *testing.T, asked chan<- struct{}, silent bool) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		packet := make([]byte, 1<<10)
		for {
			n, from, err := conn.ReadFrom(packet)
			if err != nil {
				return
			}
			select {
			case asked <- struct{}{}:
			default:
			}
			if !silent {
				packet[2] |= 0x80                 // it is an answer (RFC 1035, section 4.1.1)
				packet[3] = packet[3]&0xf0 | 0x03 // there is no such name
				_, _ = conn.WriteTo(packet[:n], from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func TestNoSuchName(t *testing.T) {
	const nowhere = "nowhere.example:80"
	for _, c := range calls {
		for name, want := range map[string]globus.Reason{"not found": globus.Unreachable, "no answer": globus.Timeout} {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				f := newFlow(t)
				asked := make(chan struct{}, 1)
				names := nameServer(t, asked, want == globus.Timeout)
				f.wire.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
					if address != nowhere {
						return (&net.Dialer{}).DialContext(ctx, network, address)
					}
					return (&net.Dialer{Resolver: names}).DialContext(ctx, network, address)
				}
				ctx := lateContext{context.Background(), make(chan struct{})}
				if want == globus.Timeout {
					go func() { <-asked; close(ctx.late) }()
				}
				e := c.fails(ctx, f, f.diverted(c.path, nowhere), want)
				if want == globus.Unreachable && !strings.Contains(e.Detail, "no such host") {
					t.Errorf("got %q, want what the network said", e.Detail)
				}
				if got := f.auth.Requests(globustest.RevokePath); c.name == "token" && got != 0 {
					t.Errorf("%d tokens were revoked, though none came", got)
				}
			})
		}
	}
}
