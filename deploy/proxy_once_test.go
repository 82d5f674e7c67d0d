package deploy_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// An upstream is the app as a proxy reaches it. It remembers what it was asked,
// and a code may tell it to answer by itself.
type upstream struct {
	t    *testing.T
	app  http.Handler
	addr string
	http *httptest.Server

	mu    sync.Mutex
	asked []*http.Request
}

func newUpstream(t *testing.T, app http.Handler) *upstream {
	u := &upstream{t: t, app: app, addr: "127.0.0.1:0"}
	u.start()
	t.Cleanup(u.stop)
	return u
}

func (u *upstream) start() {
	u.t.Helper()
	l, err := net.Listen("tcp", u.addr)
	if err != nil {
		u.t.Fatal(err)
	}
	u.addr = l.Addr().String()
	u.http = &httptest.Server{Listener: l, Config: &http.Server{Handler: u}}
	u.http.Start()
}

func (u *upstream) stop() { u.http.Close() }

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/readyz" { // the proxy's own question, at any time
		u.mu.Lock()
		u.asked = append(u.asked, r.Clone(r.Context()))
		u.mu.Unlock()
	}
	switch code := r.URL.Query().Get("code"); code {
	case "hang-up":
		panic(http.ErrAbortHandler)
	case "500", "502", "503", "504":
		status, _ := strconv.Atoi(code)
		w.WriteHeader(status)
	case "long-answer": // many scopes make such a Location
		w.Header().Set("Set-Cookie", "neighbour="+strings.Repeat("x", 6<<10))
	default:
		u.app.ServeHTTP(w, r)
	}
}

// last returns what the app was asked last.
func (u *upstream) last() *http.Request {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.asked[len(u.asked)-1]
}

// count returns how many requests brought the query.
func (u *upstream) count(query string) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	n := 0
	for _, r := range u.asked {
		if r.URL.RawQuery == query {
			n++
		}
	}
	return n
}

// once: a code that the app fails over reaches it one time. The client here
// asks one time too, where a browser whose connection breaks may ask again.
func (s *proxied) once(t *testing.T) {
	tests := []struct {
		code       string
		used       bool // the connection has served a request before
		wantStatus int  // 0: an answer, or none
	}{
		{"hang-up", false, http.StatusBadGateway},
		{"hang-up", true, 0}, // Apache hangs up too
		{"500", false, http.StatusInternalServerError},
		{"502", false, http.StatusBadGateway},
		{"503", true, http.StatusServiceUnavailable},
		{"504", false, http.StatusGatewayTimeout},
	}
	for _, test := range tests {
		conn, err := tls.Dial("tcp", strings.TrimPrefix(s.httpsURL, "https://"), s.tls)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		answers := bufio.NewReader(conn)
		if test.used {
			if got, err := ask(conn, answers, s.URL+"/robots.txt"); err != nil {
				t.Fatalf("the connection is of no use: %d, %v", got, err)
			}
		}
		query := "state=" + strconv.FormatBool(test.used) + "&code=" + test.code
		got, err := ask(conn, answers, s.URL+"/login?"+query)
		if test.wantStatus != 0 && (err != nil || got != test.wantStatus) {
			t.Errorf("%s: got %d, %v; want %d", query, got, err, test.wantStatus)
		}
		if n := s.upstream.count(query); n != 1 {
			t.Errorf("%s: the app was asked %d times, want once", query, n)
		}
	}
}

// ask sends one request and reads the answer, if there is one.
func ask(conn net.Conn, answers *bufio.Reader, url string) (status int, err error) {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	if err := r.Write(conn); err != nil {
		return 0, err
	}
	resp, err := http.ReadResponse(answers, r)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}
