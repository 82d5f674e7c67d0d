package deploy_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/portal/routes/routestest"
)

// BenchmarkMemory measures how much memory the app holds while eight clients request
// pages, and whether that grows: -benchtime 10m says how long. "later-MB" is the most
// of the last quarter of the time, "earlier-MB" of the second. Then 10,000 people read a
// page each, and keep their connections.
func BenchmarkMemory(b *testing.B) {
	s, app := startServed(b)
	person := s.Browser()
	person.SignIn("rosalind")
	headers := cookieHeader(person)
	b.Run("under load", func(b *testing.B) {
		var spans []time.Duration
		var sizes []int
		for b.Loop() {
			for _, path := range []string{"/", "/user", "/account"} {
				load(b, s.URL+path, headers, nil, &spans)
			}
			load(b, s.URL+"/", nil, nil, &spans)
			spans = spans[:0]
			sizes = append(sizes, residentKB(b, app))
		}
		n := len(sizes)
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(slices.Max(sizes))/1024, "most-MB")
		b.ReportMetric(float64(slices.Max(sizes[n/4:n/2+1]))/1024, "earlier-MB")
		b.ReportMetric(float64(slices.Max(sizes[n*3/4:]))/1024, "later-MB")
	})
	const connections = 10_000
	b.Run("idle connections", func(b *testing.B) {
		before, after := residentKB(b, app), 0
		for once := true; b.Loop(); once = false {
			if once {
				idle := keepAlive(b, s, "/", headers, connections)
				after = residentKB(b, app)
				for _, c := range idle {
					c.Close()
				}
			}
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(after-before)*1.024/connections, "kB/connection")
		b.ReportMetric(float64(after)/1024, "all-MB")
	})
}

// keepAlive requests a page by n connections, eight at a time, and returns them open.
func keepAlive(b *testing.B, s *routestest.Site, path string, headers []string, n int) []net.Conn {
	b.Helper()
	idle := make([]net.Conn, n)
	var all sync.WaitGroup
	const clients = 8
	for first := range clients {
		all.Go(func() {
			r := bufio.NewReader(nil)
			for i := first; i < n; i += clients {
				req, err := http.NewRequest(http.MethodGet, s.URL+path, nil)
				if err != nil {
					b.Error(err)
					return
				}
				for j := 0; j < len(headers); j += 2 {
					req.Header.Set(headers[j], headers[j+1])
				}
				conn, err := net.Dial("tcp", req.URL.Host)
				if err != nil {
					b.Error(err)
					return
				}
				idle[i] = conn
				if err := req.Write(conn); err != nil {
					b.Error(err)
					return
				}
				r.Reset(conn)
				resp, err := http.ReadResponse(r, req)
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				if resp.StatusCode != http.StatusOK || resp.Close {
					b.Errorf("got %d, %t", resp.StatusCode, resp.Close)
					return
				}
			}
		})
	}
	all.Wait()
	return slices.DeleteFunc(idle, func(c net.Conn) bool { return c == nil })
}

// cookieHeader returns the header with all cookies of a browser.
func cookieHeader(p *routestest.Browser) []string {
	var cookies []string
	for name, value := range p.Cookies() {
		cookies = append(cookies, name+"="+value)
	}
	return []string{"Cookie", strings.Join(cookies, "; ")}
}
