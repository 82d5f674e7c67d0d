package auth_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// TestRemedies makes sign-ins fail for reasons that only the operator can repair. The
// log says how; the page does not.
func TestRemedies(t *testing.T) {
	t.Parallel()
	answer := func(status int, body string) globustest.Lie {
		return globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.TokenPath: {Status: status, Body: body}}}
	}
	tests := []struct {
		name       string
		damage     func(s *routestest.Site) // between the way to Globus and the way back
		ahead      time.Duration            // of Globus's clock
		wantReason string
		wantRemedy string
	}{
		{"secret deleted", func(s *routestest.Site) {
			s.Globus.Register(globustest.Client{ID: routestest.ClientID, Secret: "another", RedirectURIs: []string{s.URL + "/login"}})
		}, 0, "token: refused invalid_client (HTTP 401)", "The client secret is mistyped, was deleted"},
		{"another kind of registration", func(s *routestest.Site) { s.Globus.Lie(answer(400, `{"error":"unauthorized_client"}`)) }, 0,
			"token: refused unauthorized_client", "Register a portal"},
		{"another redirect URI", func(s *routestest.Site) { s.Globus.Lie(answer(400, `{"error":"invalid_request"}`)) }, 0,
			"token: refused invalid_request", "the redirect URI is not registered"},
		{"clock 2 h behind", nil, 2 * time.Hour, "it was issued 2h0m0s from now by this machine's clock", "chrony"},
		{"clock 3 days ahead", nil, -72 * time.Hour, "it was issued -72h0m0s from now by this machine's clock", "chrony"},
		{"Globus down", func(s *routestest.Site) { s.Globus.Close() }, 0, "token: unreachable: dial tcp", "HTTPS_PROXY="},
		{"Globus ill", func(s *routestest.Site) { s.Globus.Lie(answer(503, "canary")) }, 0, "token: status (HTTP 503)", "https://status.globus.org"},
		{"a proxy's page", func(s *routestest.Site) { s.Globus.Lie(answer(200, "<html>canary")) }, 0, "token: malformed", "no proxy answers with a page of its own"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			begin := time.Now().Truncate(time.Second) // as an ID token has it
			auth := globustest.NewServer(globustest.Config{Key: routestest.SigningKey(), Now: func() time.Time { return begin.Add(test.ahead) }})
			t.Cleanup(auth.Close)
			s := routestest.Start(t, routestest.Options{Globus: auth, Now: func() time.Time { return begin }})
			b := s.Browser()
			callback := b.Callback("rosalind")
			if test.damage != nil {
				test.damage(s)
			}
			p := b.Get(callback)
			if p.Status != 503 || strings.Contains(p.Body, test.wantReason) || strings.Contains(p.Body, test.wantRemedy) {
				t.Errorf("%d:\n%s", p.Status, p.Body)
			}
			var reason, remedy string
			routestest.Await(t, "the reason is logged", func() bool {
				for _, line := range s.LogLines("request") {
					if line["reason"] != nil {
						reason, remedy = fmt.Sprint(line["reason"]), fmt.Sprint(line["remedy"])
					}
				}
				return reason != ""
			})
			if !strings.Contains(reason, test.wantReason) || !strings.Contains(strings.ToLower(remedy), strings.ToLower(test.wantRemedy)) {
				t.Errorf("got reason %q, remedy %q, want %q, %q", reason, remedy, test.wantReason, test.wantRemedy)
			}
		})
	}
}

// TestServiceRemedies: whatever Transfer answers, someone who is signed in reads
// what to do, and whoever runs the site too.
func TestServiceRemedies(t *testing.T) {
	t.Parallel()
	const proxy, sorry = "no proxy answers with a page of its own", "globus_unavailable"
	tests := []struct {
		name       string
		fault      globustest.Fault
		wantStatus int
		wantPage   string // its reason
		wantReason string
		wantRemedy string
	}{
		{"a redirect", globustest.Fault{Status: 307, Header: http.Header{"Location": {"https://elsewhere.example"}}}, 503, sorry, "transfer: redirect (HTTP 307)", proxy},
		{"too much", globustest.Fault{Endless: true}, 503, sorry, "transfer: too_large", proxy},
		{"a page", globustest.Fault{Header: http.Header{"Content-Type": {"text/html"}}, Body: "canary"}, 503, sorry, "transfer: malformed", proxy},
		{"a gateway", globustest.Fault{Status: 502, Body: "canary"}, 503, sorry, "transfer: status (HTTP 502)", "https://status.globus.org"},
		{"refused", globustest.Fault{Status: 403, Body: `{"code":"PermissionDenied","message":"It says so"}`}, 403, "not_permitted", "transfer: refused PermissionDenied (HTTP 403)", ""},
	}
	s := routestest.StartWithProbes(t, routestest.Options{})
	b := s.Browser()
	b.Enter("/login", routestest.As("rosalind"))
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s.Globus.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.TaskListPath: test.fault}})
			p := b.Get("/probe/tasks")
			if p.Status != test.wantStatus || p.Reason() != test.wantPage || strings.Contains(p.Body, "canary") {
				t.Errorf("got %d, want %d and %q:\n%s", p.Status, test.wantStatus, test.wantPage, p.Body)
			}
			var told []routestest.LogLine
			routestest.Await(t, "the reason is logged", func() bool {
				told = slices.DeleteFunc(s.LogLines("request"), func(line routestest.LogLine) bool { return line["reason"] == nil })
				return len(told) > i
			})
			line := told[i]
			remedy, _ := line["remedy"].(string)
			if !strings.Contains(fmt.Sprint(line["reason"]), test.wantReason) || !strings.Contains(remedy, test.wantRemedy) || (remedy == "") != (test.wantRemedy == "") {
				t.Errorf("got reason %v, remedy %q, want %q, %q", line["reason"], remedy, test.wantReason, test.wantRemedy)
			}
		})
	}
}

// What a person did needs no remedy.
func TestNoRemedy(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	b := s.Browser()
	b.Get(b.Callback("deny"))
	b.Get("/login?code=x&state=y")
	b.Get("/no/such/page")
	routestest.Await(t, "all is logged", func() bool { return strings.Count(s.Log.String(), `"route":"none"`) == 1 })
	if strings.Contains(s.Log.String(), `"remedy"`) {
		t.Errorf("the log has a remedy:\n%s", s.Log)
	}
}
