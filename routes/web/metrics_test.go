package web_test

import (
	"crypto/rand"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// TestMetrics goes through the app and looks for what was counted.
func TestMetrics(t *testing.T) {
	t.Parallel()
	s := routestest.StartWithProbes(t, routestest.Options{})
	b := s.Browser()
	b.SignIn("rosalind")
	b.Get("/probe/tasks")
	home := b.Get("/")
	b.Send(http.MethodPost, "/tokens/refresh", home.Form("server", "auth.globus.org"))
	b.Send(http.MethodPost, "/logout", home.Form())
	b.SignIn("deny")
	b.Get("/login?code=x&state=y")
	callback := b.Callback("rosalind")
	s.Globus.Lie(routestest.BrokenToken(globustest.Fault{HangUp: true}))
	b.Get(callback)
	b.Get("/nowhere")

	for _, want := range []string{
		`portal_http_request_duration_seconds_count{method="GET",route="/probe/tasks",status="200"} 1`,
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
		`portal_build_info{revision="4041c0b9e1d2"} 1`,
		"\ngo_goroutines ", "\nprocess_",
	} {
		routestest.Await(t, want, func() bool { return strings.Contains(s.MetricsPage(), want) })
	}
	problems, err := promlint.New(strings.NewReader(s.MetricsPage())).Lint() // what promtool check metrics does
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	if err != nil {
		t.Error(err)
	}
	if p := s.Browser().Get(s.Metrics.URL + "/debug/pprof/goroutine?debug=1"); !strings.Contains(p.Body, "goroutine profile") {
		t.Errorf("no profile: %d\n%s", p.Status, p.Body)
	}
	for _, path := range []string{"/metrics", "/debug/pprof/"} {
		if p := b.Get(path); p.Status != http.StatusNotFound {
			t.Errorf("the site itself answers %s with %d", path, p.Status)
		}
	}
}

// TestSeries: strangers cannot make the metrics grow.
func TestSeries(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	b := s.Browser()
	hostile := func(n int) {
		for i := range n {
			x := rand.Text()
			switch i % 7 {
			case 0:
				b.Get("/" + x + "?" + x)
			case 1:
				b.Send(x[:10], s.URL+"/"+x, nil)
			case 2:
				b.Get("/static/" + x)
			case 3:
				b.Get("/login?code=" + x + "&state=" + x)
			case 4:
				b.Get("/login?error=" + x + "&state=" + x)
			case 5:
				b.Get("/login?code="+x+"&code="+x, "X-Forwarded-For", x, "User-Agent", x, "Host", x)
			case 6:
				begun := b.Get("/login")
				_, state, _ := strings.Cut(begun.Header.Get("Location"), "state=")
				state, _, _ = strings.Cut(state, "&")
				b.Get("/login?error=" + strings.Map(letter, x) + "&state=" + state)
			}
		}
		routestest.Await(t, "all are counted", func() bool { return strings.Contains(s.MetricsPage(), "portal_http_requests_in_flight 0") })
	}
	hostile(21)
	few := series(s)
	hostile(1000)
	many := series(s)
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
func series(s *routestest.Site) []string {
	var all []string
	for line := range strings.Lines(s.MetricsPage()) {
		if strings.HasPrefix(line, "portal_") {
			all = append(all, line[:strings.LastIndex(line, " ")])
		}
	}
	slices.Sort(all)
	return all
}
