//go:build unix

package routes_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// BenchmarkMuch measures what a page costs if there is much of something, beside the same
// page where there is little: without the network, and in turn within one run. "ratio" is
// that of the processor time.
func BenchmarkMuch(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // as in main.go
	one := globustest.DemoPeople()[0]
	one.Tasks = one.Tasks[:15] // more than a page of them
	busy := one
	busy.Tasks = nil
	for i := range 500 {
		task := one.Tasks[i%15]
		task.ID = fmt.Sprintf("5a5a0000-0000-4000-8000-%012d", i)
		busy.Tasks = append(busy.Tasks, task)
	}
	for _, bm := range []struct {
		name, path string
		person     globustest.Person
		routes     int // more
	}{
		{"500 transfers", "/", busy, 0},
		{"500 transfers, their list", "/transfers", busy, 0},
		{"200 more routes", "/", one, 200},
	} {
		b.Run(bm.name, func(b *testing.B) {
			little, much := siteOf(b, one, 0, bm.path), siteOf(b, bm.person, bm.routes, bm.path)
			var cpu [2]time.Duration
			const each = 100 // requests, in turn
			for b.Loop() {
				for i, ask := range []func(){little, much} {
					before := cpuTime(b)
					for range each {
						ask()
					}
					cpu[i] += cpuTime(b) - before
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(cpu[0].Microseconds())/float64(b.N*each), "cpu-µs/req-of-little")
			b.ReportMetric(float64(cpu[1].Microseconds())/float64(b.N*each), "cpu-µs/req-of-much")
			b.ReportMetric(cpu[1].Seconds()/cpu[0].Seconds(), "ratio")
		})
	}
}

// siteOf starts a site with more routes, signs the person in, and returns what requests
// the page.
func siteOf(b *testing.B, person globustest.Person, routes int, path string) func() {
	s := routestest.Start(b, routestest.Options{People: []globustest.Person{person}, Transport: &replay{answers: map[string][]byte{}}})
	for i := range routes {
		s.App.HandleFunc(fmt.Sprintf("GET /samples%d/{id}", i), func(http.ResponseWriter, *http.Request) error { return nil })
	}
	browser := s.Browser()
	browser.SignIn(person.Key)
	request := httptest.NewRequest(http.MethodGet, s.URL+path, nil)
	for name, value := range browser.Cookies() {
		request.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return func() {
		w := httptest.NewRecorder()
		if s.App.ServeHTTP(w, request.Clone(b.Context())); w.Code != http.StatusOK {
			b.Fatalf("got %d:\n%s", w.Code, w.Body)
		}
		s.Log.Forget()
	}
}

// A replay is a way to Globus that gives the first answer to a request for a list of
// tasks again, so that a benchmark does not measure the emulator.
type replay struct {
	mu      sync.Mutex
	answers map[string][]byte // by address
}

func (t *replay) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, globustest.TaskListPath) {
		return http.DefaultTransport.RoundTrip(r)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.answers[r.URL.String()] == nil {
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil || resp.StatusCode != http.StatusOK {
			return resp, err
		}
		defer resp.Body.Close()
		if t.answers[r.URL.String()], err = io.ReadAll(resp.Body); err != nil {
			return nil, err
		}
	}
	body := io.NopCloser(bytes.NewReader(t.answers[r.URL.String()]))
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: body, Request: r}, nil
}

// cpuTime returns the processor time that this process has taken.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
