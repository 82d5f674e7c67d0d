package deploy_test

import (
	"bufio"
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
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// BenchmarkServed measures the app as it is shipped, over loopback, beside a
// bare net/http server in a process of its own that writes the same status,
// headers and body. The two take turns within one run; "ratio" is the app's
// requests per second to the other's. Clients share the machine with both.
func BenchmarkServed(b *testing.B) {
	s, app := startServed(b)
	person := s.Browser()
	person.SignIn("rosalind")
	var cookies []string
	for name, value := range person.Cookies() {
		cookies = append(cookies, name+"="+value)
	}
	pages := []struct {
		name, path string
		headers    []string
	}{
		{"home, signed in", "/", []string{"Cookie", strings.Join(cookies, "; ")}},
		{"card", "/user", append([]string{"Cookie", strings.Join(cookies, "; ")}, routestest.Htmx...)},
		{"home, signed out", "/", nil},
	}
	for _, page := range pages {
		b.Run(page.name, func(b *testing.B) {
			bare := startBare(b, s.Browser().Get(page.path, page.headers...))
			var mine, theirs []time.Duration
			var spentOnMine, spentOnTheirs time.Duration
			for b.Loop() {
				spentOnMine += load(b, s.URL+page.path, page.headers, nil, &mine)
				spentOnTheirs += load(b, bare+page.path, page.headers, nil, &theirs)
			}
			perSecond := float64(len(mine)) / spentOnMine.Seconds()
			b.ReportMetric(0, "ns/op")
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
	b.Logf("the app holds %d MB of memory in the end", residentKB(b, app)>>10)
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

// startServed runs the binary beside an emulated Globus.
func startServed(b *testing.B) (*routestest.Site, *process) {
	auth := globustest.NewServer(globustest.Config{Key: routestest.SigningKey()})
	b.Cleanup(auth.Close)
	dir, port := b.TempDir(), routestest.FreePort(b)
	s := &routestest.Site{T: b, URL: "http://localhost:" + port, Globus: auth, Dir: dir, Log: &routestest.Log{}}
	auth.Register(globustest.Client{ID: routestest.ClientID, Secret: routestest.ClientSecret, RedirectURIs: []string{s.URL + "/login"}})
	return s, run(b, dir, []string{"GLOBUS_CLIENT_ID=" + routestest.ClientID, "GLOBUS_CLIENT_SECRET=" + routestest.ClientSecret, "GLOBUS_ISSUER=" + auth.URL, "LISTEN=127.0.0.1:" + port})
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

// startBare serves the page again, and again, and returns where.
func startBare(b *testing.B, p routestest.Page) string {
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
	return "http://" + strings.TrimSpace(addr)
}
