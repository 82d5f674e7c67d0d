package deploy_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
	"example.org/portal/routes/routestest/programs"
)

// BenchmarkServed measures the app as it is shipped, over loopback, beside a
// bare net/http server in a process of its own that writes the same status,
// headers and body. The two take turns within one run; "ratio" is the app's
// requests per second to the other's, "cpu-ratio" its processor time per request to the
// other's. Clients share the machine with both.
func BenchmarkServed(b *testing.B) {
	s, app := startServed(b)
	person := s.Browser()
	person.SignIn("rosalind")
	cookies := cookieHeader(person)
	pages := []struct {
		name, path string
		headers    []string
	}{
		{"home, signed in", "/", cookies},
		{"card", "/user", slices.Concat(cookies, routestest.Htmx)},
		{"home, signed out", "/", nil},
	}
	for _, page := range pages {
		b.Run(page.name, func(b *testing.B) {
			bare, server := startBare(b, s.Browser().Get(page.path, page.headers...))
			var mine, theirs []time.Duration
			var spentOnMine, spentOnTheirs time.Duration
			appBefore, bareBefore := cpuTime(b, app.Process.Pid), cpuTime(b, server)
			for b.Loop() {
				spentOnMine += load(b, s.URL+page.path, page.headers, nil, &mine)
				spentOnTheirs += load(b, bare+page.path, page.headers, nil, &theirs)
			}
			perSecond := float64(len(mine)) / spentOnMine.Seconds()
			cpu, bareCPU := cpuTime(b, app.Process.Pid)-appBefore, cpuTime(b, server)-bareBefore
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(cpu.Microseconds())/float64(len(mine)), "cpu-µs/req")
			b.ReportMetric(cpu.Seconds()/bareCPU.Seconds(), "cpu-ratio")
			b.ReportMetric(perSecond, "req/s")
			b.ReportMetric(perSecond/(float64(len(theirs))/spentOnTheirs.Seconds()), "ratio")
			slices.Sort(mine)
			b.ReportMetric(float64(mine[len(mine)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(mine[len(mine)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
	b.Run("whole sign-ins", func(b *testing.B) {
		for b.Loop() {
			if p := s.Browser().SignIn("rosalind"); p.Status != http.StatusOK {
				b.Fatalf("got %d", p.Status)
			}
		}
	})
	b.Logf("the app holds %d MB of memory in the end", residentKB(b, app.Process.Pid)>>10)
}

// BenchmarkStores measures the processor time that the app takes for a signed-in page
// with each session store, in turn within one run. That of the store's server, and of
// the clients, is not counted.
func BenchmarkStores(b *testing.B) {
	redis, _ := programs.StartRedis(b)
	type measured struct {
		name, url string
		headers   []string
		app       *process
		spans     []time.Duration
		cpu       time.Duration
	}
	var all []*measured
	for _, store := range []string{"sqlite:sessions.db", "memory:", "redis://" + redis, startPostgres(b).URL()} {
		s, app := startServed(b, "SESSION_STORE="+store)
		person := s.Browser()
		person.SignIn("rosalind")
		name, session := person.Cookie("session")
		kind, _, _ := strings.Cut(store, ":")
		all = append(all, &measured{name: kind, url: s.URL + "/", headers: []string{"Cookie", name + "=" + session}, app: app})
	}
	for b.Loop() {
		for _, m := range all {
			before := cpuTime(b, m.app.Process.Pid)
			load(b, m.url, m.headers, nil, &m.spans)
			m.cpu += cpuTime(b, m.app.Process.Pid) - before
		}
	}
	b.ReportMetric(0, "ns/op")
	for _, m := range all {
		b.ReportMetric(float64(m.cpu.Microseconds())/float64(len(m.spans)), m.name+"-cpu-µs/req")
	}
}

// BenchmarkIdentities measures the processor time of a page for somebody with 50 linked
// identities and for somebody with one, in turn within one run. All of them are in the
// record of the session, which is read for each page.
func BenchmarkIdentities(b *testing.B) {
	s, app := startServed(b)
	var headers [2][]string
	var cpu [2]time.Duration
	var spans []time.Duration
	for i, key := range []string{"rosalind", "many"} {
		person := s.Browser()
		person.SignIn(key)
		headers[i] = cookieHeader(person)
	}
	for b.Loop() {
		for i := range headers {
			before := cpuTime(b, app.Process.Pid)
			load(b, s.URL+"/", headers[i], nil, &spans)
			cpu[i] += cpuTime(b, app.Process.Pid) - before
		}
	}
	requests := float64(len(spans)) / 2
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(cpu[0].Microseconds())/requests, "cpu-µs/req-of-one")
	b.ReportMetric(float64(cpu[1].Microseconds())/requests, "cpu-µs/req-of-50")
	b.ReportMetric(cpu[1].Seconds()/cpu[0].Seconds(), "ratio")
}

// manyIdentities returns somebody like Rosalind with 50 identities, whose key is many.
func manyIdentities() globustest.Person {
	p := globustest.DemoPeople()[0]
	p.Key, p.Claims.Sub, p.Claims.Linked = "many", "7a1c2e40-3b5d-4f6e-8a90-505050505050", nil
	for i := range 49 {
		p.Claims.Linked = append(p.Claims.Linked, globustest.LinkedIdentity{
			Sub: fmt.Sprintf("7a1c2e40-3b5d-4f6e-8a90-5050505002%02x", i), Username: fmt.Sprintf("franklin%d@lab.example.org", i), Name: p.Claims.Name,
			Email: new(fmt.Sprintf("franklin%d@lab.example.org", i)), IdentityProvider: *p.Claims.IdentityProvider, IdentityProviderDisplayName: "Example Laboratory",
		})
	}
	return p
}

// cpuTime returns the processor time that a process has taken, to 10 ms.
func cpuTime(b *testing.B, pid int) time.Duration {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)) // proc_pid_stat(5)
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	var ticks int
	for _, field := range fields[11:13] { // utime and stime, in USER_HZ, which is 100
		n, err := strconv.Atoi(field)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// BenchmarkInstances measures one, two and three instances behind HAProxy, all on
// this machine, in turn within one run; "ratio" is to one instance. Redis,
// HAProxy and the clients share the processors with them.
func BenchmarkInstances(b *testing.B) {
	type measured struct {
		*fleet
		headers []string
		spans   []time.Duration
		spent   time.Duration
	}
	var all [instances]*measured
	for i := range all {
		all[i] = &measured{fleet: startFleet(b, i+1)}
		person := all[i].browser(b)
		person.SignIn("rosalind")
		name, session := person.Cookie("session")
		all[i].headers = []string{"Cookie", name + "=" + session}
	}
	for b.Loop() {
		for _, m := range all {
			m.spent += load(b, m.URL+"/", m.headers, m.tls, &m.spans)
		}
	}
	b.ReportMetric(0, "ns/op")
	perSecond := func(m *measured) float64 { return float64(len(m.spans)) / m.spent.Seconds() }
	for i, m := range all {
		b.ReportMetric(perSecond(m), fmt.Sprintf("req/s-of-%d", i+1))
		b.ReportMetric(perSecond(m)/perSecond(all[0]), fmt.Sprintf("ratio-of-%d", i+1))
	}
}

// startServed runs the binary beside an emulated Globus, with more settings.
func startServed(b *testing.B, settings ...string) (*routestest.Site, *process) {
	auth := globustest.NewServer(globustest.Config{Key: routestest.SigningKey(), People: append(globustest.DemoPeople(), manyIdentities())})
	b.Cleanup(auth.Close)
	dir, port := b.TempDir(), routestest.FreePort(b)
	s := &routestest.Site{T: b, URL: "http://localhost:" + port, Globus: auth, Dir: dir, Log: &routestest.Log{}}
	auth.Register(globustest.Client{ID: routestest.ClientID, Secret: routestest.ClientSecret, RedirectURIs: []string{s.URL + "/login"}})
	return s, run(b, dir, append(settings, "GLOBUS_CLIENT_ID="+routestest.ClientID, "GLOBUS_CLIENT_SECRET="+routestest.ClientSecret, "GLOBUS_ISSUER="+auth.URL, "LISTEN=127.0.0.1:"+port))
}

// load sends some hundred requests from eight clients, and returns how long that
// took; it adds how long each took to spans.
func load(b *testing.B, url string, headers []string, trust *tls.Config, spans *[]time.Duration) time.Duration {
	const clients, each = 8, 100
	transport := &http.Transport{MaxIdleConnsPerHost: clients, TLSClientConfig: trust}
	defer transport.CloseIdleConnections()
	var mu sync.Mutex
	var all sync.WaitGroup
	begun := time.Now()
	for range clients {
		all.Go(func() {
			var mine []time.Duration
			for range each {
				req, _ := http.NewRequestWithContext(b.Context(), http.MethodGet, url, nil)
				for i := 0; i < len(headers); i += 2 {
					req.Header.Set(headers[i], headers[i+1])
				}
				sent := time.Now()
				resp, err := transport.RoundTrip(req)
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					b.Errorf("%s: got %d", url, resp.StatusCode)
					return
				}
				mine = append(mine, time.Since(sent))
			}
			mu.Lock()
			defer mu.Unlock()
			*spans = append(*spans, mine...)
		})
	}
	all.Wait()
	return time.Since(begun)
}

// bareServer is a program that serves what the file beside it holds.
const bareServer = `package main

import ("fmt"; "net"; "net/http"; "os"; "strings")

func main() {
	raw, _ := os.ReadFile(os.Args[1])
	head, body, _ := strings.Cut(string(raw), "\n\n")
	header := http.Header{}
	for _, line := range strings.Split(head, "\n") {
		name, value, _ := strings.Cut(line, ": ")
		header.Add(name, value)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil { panic(err) }
	fmt.Println(l.Addr())
	panic(http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, values := range header { for _, v := range values { w.Header().Add(name, v) } }
		w.Write([]byte(body))
	})))
}
`

// startBare serves the page again, and again, and returns where, and the process's id.
func startBare(b *testing.B, p routestest.Page) (url string, pid int) {
	b.Helper()
	dir := b.TempDir()
	var raw strings.Builder
	for _, name := range slices.Sorted(maps.Keys(p.Header)) {
		for _, value := range p.Header[name] {
			fmt.Fprintf(&raw, "%s: %s\n", name, value)
		}
	}
	raw.WriteString("\n" + p.Body)
	source, saved, program := filepath.Join(dir, "bare.go"), filepath.Join(dir, "page"), filepath.Join(dir, "bare")
	for name, text := range map[string]string{source: bareServer, saved: raw.String()} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	if out, err := exec.Command("go", "build", "-o", program, source).CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	cmd := exec.Command(program, saved)
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	if _, _, err := net.SplitHostPort(strings.TrimSpace(addr)); err != nil {
		b.Fatal(err)
	}
	return "http://" + strings.TrimSpace(addr), cmd.Process.Pid
}
