package deploy_test

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	statusLine = regexp.MustCompile(`HTTP/1\.[01] (\d{3}) `) // one may follow a page that ends with no line break
	leadsTo    = regexp.MustCompile(`(?m)^Location: (\S*)`)
)

// TestWire sends what no browser does to the app as it is shipped. It answers
// as often as it was asked, and repeats nothing.
func TestWire(t *testing.T) {
	t.Parallel()
	s := startBinary(t)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	const end = "Connection: close\r\n\r\n"
	session := "Cookie: portal-" + u.Port() + "-session=" + strings.Repeat("A", 43) + "\r\n" // or the body would not be read
	post := func(headers, body string) string {
		return "POST /logout HTTP/1.1\r\nHost: x\r\n" + session + "Content-Type: application/x-www-form-urlencoded\r\n" + headers + "\r\n" + body
	}
	smuggled := "GET /canary HTTP/1.1\r\nHost: canary.example\r\n" + end
	tests := []struct {
		name string
		raw  string
		want []int // of the answers, in order
	}{
		{"as it should be", "GET / HTTP/1.1\r\nHost: " + u.Host + "\r\n" + end, []int{200}},
		{"another host", "GET / HTTP/1.1\r\nHost: canary.example\r\n" + end, []int{200}},
		{"an absolute address", "GET http://canary.example/ HTTP/1.1\r\nHost: x\r\n" + end, []int{200}},
		{"an absolute address that disagrees", "GET https://canary:canary@canary.example:1/login HTTP/1.1\r\nHost: x\r\n" + end, []int{303}},
		{"an address of another kind", "GET file:///canary HTTP/1.1\r\nHost: x\r\n" + end, []int{404}},
		{"two slashes", "GET //evil.example/ HTTP/1.1\r\nHost: x\r\n" + end, []int{307}},
		{"dots", "GET /static/../..//evil.example HTTP/1.1\r\nHost: x\r\n" + end, []int{307}},
		{"a proxy's CONNECT", "CONNECT canary.example:443 HTTP/1.1\r\nHost: canary.example\r\n" + end, []int{404}},
		{"an OPTIONS for all", "OPTIONS * HTTP/1.1\r\nHost: x\r\n" + end, []int{200}},
		{"a method in small letters", "get / HTTP/1.1\r\nHost: x\r\n" + end, []int{405}},

		{"HTTP/0.9", "GET /\r\n\r\n", []int{400}},
		{"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", []int{200}},
		{"HTTP/2 without TLS", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []int{400}},
		{"HTTP/3.0", "GET / HTTP/3.0\r\nHost: x\r\n" + end, []int{505}},
		{"no host", "GET / HTTP/1.1\r\n" + end, []int{400}},
		{"two hosts", "GET / HTTP/1.1\r\nHost: x\r\nHost: canary.example\r\n" + end, []int{400}},
		{"a host that is none", "GET / HTTP/1.1\r\nHost: can ary\r\n" + end, []int{400}},

		{"a folded header", "GET / HTTP/1.1\r\nHost: x\r\nX-A: b\r\n canary\r\n" + end, []int{200}},
		{"a folded Host", "GET / HTTP/1.1\r\nHost:\r\n canary.example\r\n" + end, []int{200}},
		{"a folded first header", "GET / HTTP/1.1\r\n Host: canary\r\n" + end, []int{400}},
		{"a blank before the colon", "GET / HTTP/1.1\r\nHost : canary\r\n" + end, []int{400}},
		{"a header without a colon", "GET / HTTP/1.1\r\nHost: x\r\ncanary\r\n" + end, []int{400}},
		{"NUL in a header", "GET / HTTP/1.1\r\nHost: x\r\nX-A: canary\x00\r\n" + end, []int{400}},
		{"NUL in the address", "GET /\x00canary HTTP/1.1\r\nHost: x\r\n" + end, []int{400}},
		{"a line break in the address", "GET /login?code=x%0d%0aSet-Cookie:canary&state=y HTTP/1.1\r\nHost: x\r\n" + end, []int{400}},
		{"a bare CR in a header", "GET / HTTP/1.1\r\nHost: x\r\nX-A: b\rSet-Cookie: canary\r\n" + end, []int{400}},

		// What is one request must not be read as two.
		{"a length and chunks", post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"+end[:len(end)-2], "0\r\n\r\n"+smuggled), []int{403}},
		{"a length and chunks, kept alive", post("Content-Length: "+strconv.Itoa(5+len(smuggled))+"\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"+smuggled), []int{403}},
		{"two lengths", post("Content-Length: 0\r\nContent-Length: "+strconv.Itoa(len(smuggled))+"\r\n", smuggled), []int{400}},
		{"a length with a sign", post("Content-Length: +0\r\n", smuggled), []int{400}},
		{"a list of lengths", post("Content-Length: 0, 0\r\n", smuggled), []int{400}},
		{"chunks of another kind", post("Transfer-Encoding: xchunked\r\n", smuggled), []int{501}},
		{"chunks twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", smuggled), []int{501}},
		{"a chunk with a bare LF", post("Transfer-Encoding: chunked\r\n", "1;a\nx\r\n0\r\n\r\n"+smuggled), []int{400}},
		{"a chunk of a huge size", post("Transfer-Encoding: chunked\r\n", "ffffffffffffffff1\r\n"+smuggled), []int{400}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			answer := exchange(t, u.Host, test.raw)
			var got []int
			for _, m := range statusLine.FindAllStringSubmatch(answer, -1) {
				status, _ := strconv.Atoi(m[1])
				got = append(got, status)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v:\n%.2000s", got, test.want, answer)
			}
			if to := leadsTo.FindStringSubmatch(answer); to != nil && !strings.HasPrefix(to[1], s.Globus.URL+"/") && (to[1][0] != '/' || to[1][1] == '/') {
				t.Errorf("it leads to %s", to[1])
			}
			if strings.Contains(answer, "canary") {
				t.Errorf("it repeats what it was sent:\n%s", answer)
			}
		})
	}
	if p := s.Browser().Get("/"); p.Status != 200 {
		t.Errorf("afterwards others get %d", p.Status)
	}
}

// exchange writes to a new connection and returns all that comes back.
func exchange(t *testing.T, address, raw string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, raw); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil && len(answer) == 0 {
		return fmt.Sprint(err)
	}
	return string(answer)
}
