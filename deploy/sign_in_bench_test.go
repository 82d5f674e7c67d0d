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
// page after the callback, is not counted.
func BenchmarkSignIn(b *testing.B) {
	for _, atOnce := range []int{1, 16} {
		b.Run(fmt.Sprint(atOnce), func(b *testing.B) {
			const people = 64
			s, app := startServed(b)
			s.Browser().SignIn("rosalind") // what is made once
			var login, callback, spent time.Duration
			var n int
			for b.Loop() {
				var callbacks [people]func()
				before := cpuTime(b, app.Process.Pid)
				for i := range callbacks {
					person := s.Browser()
					location := person.Callback("rosalind")
					callbacks[i] = func() {
						if p := person.Get(location); p.Status != http.StatusSeeOther {
							b.Errorf("got %d", p.Status)
						}
						person.Client.CloseIdleConnections()
					}
				}
				between, begun := cpuTime(b, app.Process.Pid), time.Now()
				inParallel(atOnce, callbacks[:])
				spent += time.Since(begun)
				login += between - before
				callback += cpuTime(b, app.Process.Pid) - between
				n += people
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(login.Microseconds())/float64(n), "login-cpu-µs")
			b.ReportMetric(float64(callback.Microseconds())/float64(n), "callback-cpu-µs")
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
