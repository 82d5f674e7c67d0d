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
// page each and keep their connections, of the app and of a bare net/http server that
// writes the same.
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
			sizes = append(sizes, residentKB(b, app.Process.Pid))
		}
		n := len(sizes)
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(slices.Max(sizes))/1024, "most-MB")
		b.ReportMetric(float64(slices.Max(sizes[n/4:n/2+1]))/1024, "earlier-MB")
		b.ReportMetric(float64(slices.Max(sizes[n*3/4:]))/1024, "later-MB")
	})
	for _, setting := range []string{"", "GOMEMLIMIT=256MiB"} {
		b.Run(strings.TrimSpace("idle connections "+setting), func(b *testing.B) {
			s, app := startServed(b, setting)
			person := s.Browser()
			person.SignIn("rosalind")
			headers := cookieHeader(person)
			url, bare := startBare(b, s.Browser().Get("/", headers...))
			var mine, theirs idleCost
			for once := true; b.Loop(); once = false {
				if once {
					mine = costOfIdle(b, s.URL+"/", headers, app.Process.Pid)
					theirs = costOfIdle(b, url+"/", headers, bare)
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(mine.kB, "kB/connection")
			b.ReportMetric(theirs.kB, "bare-kB/connection")
			b.ReportMetric(mine.kB/theirs.kB, "ratio")
			b.ReportMetric(float64(mine.cpu.Microseconds()), "cpu-µs/connection")
		})
	}
}

// An idleCost is what a connection costs that is kept after a page.
type idleCost struct {
	kB  float64       // of memory
	cpu time.Duration // until the page is sent
}

// costOfIdle returns what each of 10,000 connections costs a process that has been warm.
func costOfIdle(b *testing.B, url string, headers []string, pid int) idleCost {
	b.Helper()
	const connections = 10_000
	for range 3 {
		load(b, url, headers, nil, new([]time.Duration))
	}
	kB, cpu := residentKB(b, pid), cpuTime(b, pid)
	idle := keepAlive(b, url, headers, connections)
	defer func() {
		for _, c := range idle {
			c.Close()
		}
	}()
	return idleCost{float64(residentKB(b, pid)-kB) * 1.024 / connections, (cpuTime(b, pid) - cpu) / connections}
}

// keepAlive requests a page by n connections, eight at a time, and returns them open.
func keepAlive(b *testing.B, url string, headers []string, n int) []net.Conn {
	b.Helper()
	idle := make([]net.Conn, n)
	var all sync.WaitGroup
	const clients = 8
	for first := range clients {
		all.Go(func() {
			r := bufio.NewReader(nil)
			for i := first; i < n; i += clients {
				req, err := http.NewRequest(http.MethodGet, url, nil)
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
