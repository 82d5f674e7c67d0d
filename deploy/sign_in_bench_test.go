package deploy_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"
)

// BenchmarkSignIn measures the processor time that the app takes for a sign-in, with
// SQLite on the disk: for the request that begins it, and for its callback, with 1 and
// with 16 callbacks at once. That of the emulated Globus and of the browsers, and the
// page after the callback, is not counted. "bare-cpu-µs" is what a bare net/http server
// takes in the same run for two requests by one new connection, which is what a sign-in
// is, and "cpu-ratio" the processor time of both requests to that.
func BenchmarkSignIn(b *testing.B) {
	for _, atOnce := range []int{1, 16} {
		b.Run(fmt.Sprint(atOnce), func(b *testing.B) {
			const people = 64
			s, app := startServed(b)
			s.Browser().SignIn("rosalind") // what is made once
			bare, server := startBare(b, s.Browser().Get("/login?prompt=login"))
			bareBefore := cpuTime(b, server)
			var login, callback, spent time.Duration
			var n int
			for b.Loop() {
				var callbacks, again [people]func()
				before := cpuTime(b, app.Process.Pid)
				for i := range callbacks {
					person, other := s.Browser(), s.Browser()
					location := person.Callback("rosalind")
					other.Get(bare)
					callbacks[i] = func() {
						if p := person.Get(location); p.Status != http.StatusSeeOther {
							b.Errorf("got %d", p.Status)
						}
						person.Client.CloseIdleConnections()
					}
					again[i] = func() {
						other.Get(bare)
						other.Client.CloseIdleConnections()
					}
				}
				between, begun := cpuTime(b, app.Process.Pid), time.Now()
				inParallel(atOnce, callbacks[:])
				spent += time.Since(begun)
				login += between - before
				callback += cpuTime(b, app.Process.Pid) - between
				inParallel(atOnce, again[:])
				n += people
			}
			bareCPU := cpuTime(b, server) - bareBefore
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(login.Microseconds())/float64(n), "login-cpu-µs")
			b.ReportMetric(float64(callback.Microseconds())/float64(n), "callback-cpu-µs")
			b.ReportMetric(float64(bareCPU.Microseconds())/float64(n), "bare-cpu-µs")
			b.ReportMetric((login+callback).Seconds()/bareCPU.Seconds(), "cpu-ratio")
			b.ReportMetric(float64(n)/spent.Seconds(), "callbacks/s")
		})
	}
}

// inParallel calls all functions, some at once.
func inParallel(atOnce int, calls []func()) {
	todo := make(chan func(), len(calls))
	for _, call := range calls {
		todo <- call
	}
	close(todo)
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for call := range todo {
				call()
			}
		})
	}
	all.Wait()
}
