package routes_test

import (
	"net/http"
	"strings"
	"testing"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// TestTransfersFail: whatever is wrong with Transfer, the person stays signed
// in and reads what to do.
func TestTransfersFail(t *testing.T) {
	t.Parallel()
	fault := func(f globustest.Fault) globustest.Lie {
		return globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.TaskListPath: f}}
	}
	const consent = `{"code":"ConsentRequired","message":"Missing required data_access consent","request_id":"abcDEF123","resource":"/x","required_scopes":["a[*b]"]}`
	tests := []struct {
		name       string
		lie        globustest.Lie
		wantStatus int
		want       string
	}{
		{"down", fault(globustest.Fault{Status: 503, Body: "<h1>canary</h1>"}), 503, "does not answer"},
		{"an error without a body", fault(globustest.Fault{Status: 500}), 503, "does not answer"},
		{"hangs up", fault(globustest.Fault{HangUp: true}), 503, "does not answer"},
		{"garbage", fault(globustest.Fault{Body: `{"DATA":[{"task_id":5}]}`}), 503, "does not answer"},
		{"no JSON", fault(globustest.Fault{Header: http.Header{"Content-Type": {"text/html"}}, Body: "canary"}), 503, "does not answer"},
		{"without end", fault(globustest.Fault{Endless: true}), 503, "does not answer"},
		{"elsewhere", fault(globustest.Fault{Status: 302, Header: http.Header{"Location": {"http://127.0.0.1:1/"}}}), 503, "does not answer"},
		{"a token refused for good", fault(globustest.Fault{Status: 401, Body: `{"code":"AuthenticationFailed","message":"canary"}`}), 403, "did not accept"},
		{"a token refused once", fault(globustest.Fault{Status: 401, Body: `{"code":"AuthenticationFailed"}`, Times: 1}), 200, "Recent transfers"},
		{"consent missing", fault(globustest.Fault{Status: 403, Body: consent}), 403, "Missing required data_access consent"},
		{"nothing but nulls", fault(globustest.Fault{Body: `{"DATA":[{"task_id":"x","status":"ACTIVE","label":null,"files":null,"request_time":null,"completion_time":null,"fatal_error":null,"new":{}}],"total":1}`}), 200, "Recent transfers"},
		{"times with a blank", fault(globustest.Fault{Body: `{"DATA":[{"task_id":"x","status":"ACTIVE","request_time":"2021-01-15 01:45:50+00:00"}],"total":1}`}), 200, "2021-01-15"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := routestest.Start(t, routestest.Options{})
			b := s.Browser()
			b.SignIn("rosalind")
			s.Globus.Lie(test.lie)
			p := b.Get("/transfers", routestest.Htmx...)
			if p.Status != test.wantStatus || !strings.Contains(p.Body, test.want) {
				t.Errorf("got %d, want %d and %q:\n%s\n%s", p.Status, test.wantStatus, test.want, p.Body, s.Log)
			}
			if strings.Contains(p.Body, "<html") || strings.Contains(p.Body+s.Log.String(), "canary") {
				t.Errorf("not a fragment of ours:\n%s\n%s", p.Body, s.Log)
			}
			if !b.SignedIn() {
				t.Error("the person was signed out")
			}
		})
	}
}
