package routes_test

import (
	"crypto/rand"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"example.org/portal/globus/globustest"
)

// metricsPage returns what Prometheus gets.
func (s *site) metricsPage() string {
	s.t.Helper()
	resp, err := http.Get(s.metrics.URL + "/metrics")
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("got %s, %v", resp.Status, err)
	}
	return string(body)
}

// TestMetrics goes through the app and looks for what was counted.
func TestMetrics(t *testing.T) {
	s := start(t, options{})
	b := s.browser()
	b.signIn("rosalind")
	b.get("/transfers")
	home := b.get("/")
	b.send(http.MethodPost, "/tokens/refresh", home.form("server", "auth.globus.org"))
	b.send(http.MethodPost, "/logout", home.form())
	b.signIn("deny")
	b.get("/login?code=x&state=y")
	callback := b.callback("rosalind")
	s.auth.Lie(brokenToken(globustest.Fault{HangUp: true}))
	b.get(callback)
	b.get("/nowhere")

	for _, want := range []string{
		`portal_http_request_duration_seconds_count{method="GET",route="/transfers",status="200"} 1`,
		`portal_http_request_duration_seconds_count{method="POST",route="/logout",status="303"} 1`,
		`portal_http_request_duration_seconds_count{method="GET",route="none",status="404"} 1`,
		`portal_http_requests_in_flight 0`,
		`portal_signins_total{outcome="ok",reason=""} 1`,
		`portal_signins_total{outcome="refused",reason="access_denied"} 1`,
		`portal_signins_total{outcome="refused",reason="link"} 1`,
		`portal_signins_total{outcome="failed",reason="unreachable"} 1`,
		`portal_refreshes_total{outcome="ok"} 1`,
		`portal_globus_request_duration_seconds_count{call="token",status="200"} 2`,
		`portal_globus_request_duration_seconds_count{call="token",status="unreachable"} 1`,
		`portal_globus_request_duration_seconds_count{call="userinfo",status="200"} 1`,
		`portal_globus_request_duration_seconds_count{call="keys",status="200"} 1`,
		`portal_globus_request_duration_seconds_count{call="revoke",status="200"} `,
		`portal_globus_request_duration_seconds_count{call="transfer",status="200"} 1`,
		`portal_store_call_duration_seconds_count{operation="find",outcome="ok"} `,
		`portal_store_call_duration_seconds_count{operation="insert",outcome="ok"} 1`,
		`portal_store_call_duration_seconds_count{operation="swap",outcome="ok"} 1`,
		`portal_store_call_duration_seconds_count{operation="take",outcome="ok"} 1`,
		`revision="4041c0b9e1d2",version="`,
		"\ngo_goroutines ", "\nprocess_",
	} {
		await(t, want, func() bool { return strings.Contains(s.metricsPage(), want) })
	}
	problems, err := promlint.New(strings.NewReader(s.metricsPage())).Lint() // what promtool check metrics does
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	if err != nil {
		t.Error(err)
	}
	if p := s.browser().get(s.metrics.URL + "/debug/pprof/goroutine?debug=1"); !strings.Contains(p.body, "goroutine profile") {
		t.Errorf("no profile: %d\n%s", p.status, p.body)
	}
	for _, path := range []string{"/metrics", "/debug/pprof/"} {
		if p := b.get(path); p.status != http.StatusNotFound {
			t.Errorf("the site itself answers %s with %d", path, p.status)
		}
	}
}

// TestSeries: strangers cannot make the metrics grow.
func TestSeries(t *testing.T) {
	s := start(t, options{})
	b := s.browser()
	hostile := func(n int) {
		for i := range n {
			x := rand.Text()
			switch i % 7 {
			case 0:
				b.get("/" + x + "?" + x)
			case 1:
				b.send(x[:10], s.url+"/"+x, nil)
			case 2:
				b.get("/static/" + x)
			case 3:
				b.get("/login?code=" + x + "&state=" + x)
			case 4:
				b.get("/login?error=" + x + "&state=" + x)
			case 5:
				b.get("/login?code="+x+"&code="+x, "X-Forwarded-For", x, "User-Agent", x, "Host", x)
			case 6:
				begun := b.get("/login")
				_, state, _ := strings.Cut(begun.header.Get("Location"), "state=")
				state, _, _ = strings.Cut(state, "&")
				b.get("/login?error=" + strings.Map(letter, x) + "&state=" + state)
			}
		}
		await(t, "all are counted", func() bool { return strings.Contains(s.metricsPage(), "portal_http_requests_in_flight 0") })
	}
	hostile(21)
	few := s.series()
	hostile(1000)
	many := s.series()
	if !slices.Equal(few, many) || len(few) > 300 {
		t.Errorf("%d series became %d, want no more than were there:\n%s", len(few), len(many), strings.Join(many, "\n"))
	}
}

// letter keeps letters, so that an error code looks like one.
func letter(r rune) rune {
	if r >= 'A' && r <= 'Z' {
		return r
	}
	return -1
}

// series lists the app's own series.
func (s *site) series() []string {
	var all []string
	for line := range strings.Lines(s.metricsPage()) {
		if strings.HasPrefix(line, "portal_") {
			all = append(all, line[:strings.LastIndex(line, " ")])
		}
	}
	slices.Sort(all)
	return all
}
