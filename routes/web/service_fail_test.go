package web_test

import (
	"net/http"
	"strings"
	"testing"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// TestServiceFails: whatever is wrong with Transfer, the person stays signed in
// and reads what to do.
func TestServiceFails(t *testing.T) {
	t.Parallel()
	fault := func(f globustest.Fault) globustest.Lie {
		return globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.TaskListPath: f}}
	}
	const consent = `{"code":"ConsentRequired","message":"Missing required data_access consent","request_id":"abcDEF123","resource":"/x","required_scopes":["a[*b]"]}`
	tests := []struct {
		name       string
		lie        globustest.Lie
		wantStatus int
		want       string // its reason; of a page that is well, its id
	}{
		{"down", fault(globustest.Fault{Status: 503, Body: "<h1>canary</h1>"}), 503, "globus_unavailable"},
		{"an error without a body", fault(globustest.Fault{Status: 500}), 503, "globus_unavailable"},
		{"hangs up", fault(globustest.Fault{HangUp: true}), 503, "globus_unavailable"},
		{"garbage", fault(globustest.Fault{Body: `{"DATA":"canary"}`}), 503, "globus_unavailable"},
		{"no JSON", fault(globustest.Fault{Header: http.Header{"Content-Type": {"text/html"}}, Body: "canary"}), 503, "globus_unavailable"},
		{"without end", fault(globustest.Fault{Endless: true}), 503, "globus_unavailable"},
		{"elsewhere", fault(globustest.Fault{Status: 302, Header: http.Header{"Location": {"http://127.0.0.1:1/"}}}), 503, "globus_unavailable"},
		{"a token refused for good", fault(globustest.Fault{Status: 401, Body: `{"code":"AuthenticationFailed","message":"The token is not one"}`}), 403, "token_rejected"},
		{"a token refused once", fault(globustest.Fault{Status: 401, Body: `{"code":"AuthenticationFailed"}`, Times: 1}), 200, "tasks"},
		{"consent missing", fault(globustest.Fault{Status: 403, Body: consent}), 403, "requirements"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := routestest.StartWithProbes(t, routestest.Options{})
			b := s.Browser()
			b.SignIn("rosalind")
			s.Globus.Lie(test.lie)
			p := b.Get("/probe/tasks", routestest.Htmx...)
			if p.Status != test.wantStatus || p.Reason() != test.want && (p.Reason() != "" || !p.Has(test.want)) {
				t.Errorf("got %d %s, want %d %s:\n%s\n%s", p.Status, p.Reason(), test.wantStatus, test.want, p.Body, s.Log)
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

// TestFolderFails: whatever is wrong with a collection, the person reads what it is.
func TestFolderFails(t *testing.T) {
	t.Parallel()
	refusal := func(status int, code string) globustest.Fault {
		return globustest.Fault{Status: status, Body: `{"code":"` + code + `","message":"It <b>says</b> so","request_id":"abcDEF123","resource":"/x"}`}
	}
	tests := []struct {
		name       string
		fault      globustest.Fault
		wantStatus int
		want       string // the reason
	}{
		{"no permission", refusal(403, "PermissionDenied"), 403, "not_permitted"},
		{"no permission, says the collection", refusal(502, "ExternalError.DirListingFailed.PermissionDenied"), 403, "not_permitted"},
		{"no permission for the collection", refusal(403, "EndpointPermissionDenied"), 403, "not_permitted"},
		{"403 of another form", globustest.Fault{Status: 403, Body: `{}`}, 403, "not_permitted"},
		{"no local account", refusal(502, "ExternalError.DirListingFailed.LoginFailed"), 403, "no_local_account"},
		{"a policy", refusal(403, "AuthPolicyFailed"), 403, "auth_policy"},
		{"a file", refusal(502, "ExternalError.DirListingFailed.NotDirectory"), 404, "not_a_folder"},
		{"too many entries", refusal(502, "ExternalError.DirListingFailed.SizeLimit"), 400, "folder_too_large"},
		{"a bad path", refusal(400, "InvalidPath"), 400, "bad_path"},
		{"deleted", refusal(404, "EndpointDeleted"), 404, "collection_gone"},
		{"unknown", refusal(404, "EndpointNotFound"), 404, "collection_gone"},
		{"of an old kind", refusal(409, "NotSupported"), 404, "collection_gone"},
		{"paused", refusal(409, "OperationPaused"), 403, "paused"},
		{"switched off", refusal(502, "ExternalError.DirListingFailed.GCDisconnected"), 503, "collection_offline"},
		{"cannot be reached", refusal(502, "ExternalError.DirListingFailed.ConnectFailed"), 503, "collection_offline"},
		{"not connected", refusal(502, "ExternalError.DirListingFailed.GCNotConnected"), 503, "collection_offline"},
		{"broken", refusal(502, "EndpointError"), 503, "collection_error"},
		{"no such folder, says the collection", refusal(502, "ExternalError.DirListingFailed.NotFound"), 404, "not_found"},
		{"no such folder", refusal(404, "ClientError.NotFound"), 404, "not_found"},
		{"404 of another form", globustest.Fault{Status: 404, Body: `{}`}, 404, "not_found"},
		{"busy", refusal(503, "ServiceUnavailable"), 503, "globus_unavailable"},
		{"too many requests", globustest.Fault{Status: 429}, 503, "globus_unavailable"},
		{"a proxy's page", globustest.Fault{Status: 502, Body: "<h1>a proxy</h1>"}, 503, "globus_unavailable"},
		{"hangs up", globustest.Fault{HangUp: true}, 503, "globus_unavailable"},
		{"consent to nothing", refusal(403, "ConsentRequired"), 403, "consent"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := routestest.StartWithProbes(t, routestest.Options{})
			b := s.Browser()
			b.SignIn("rosalind")
			s.Globus.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.ListPath: test.fault}})
			p := b.Get("/probe/folder/" + routestest.Place(t, "Example Light").ID)
			if p.Status != test.wantStatus || p.Reason() != test.want || !b.SignedIn() {
				t.Errorf("got %d %q, want %d %q:\n%s", p.Status, p.Reason(), test.wantStatus, test.want, p.Body)
			}
			theirs := strings.Contains(test.fault.Body, "It <b>says</b> so") && test.want != "globus_unavailable"
			if strings.Contains(p.Body, "<bdi>It &lt;b&gt;says&lt;/b&gt; so</bdi>") != theirs || strings.Contains(p.Body, "a proxy") {
				t.Errorf("want the service's own words shown, escaped: %t\n%s", theirs, p.Body)
			}
			if (p.Header.Get("Retry-After") != "") != (test.wantStatus == 503) {
				t.Errorf("Retry-After is %q", p.Header.Get("Retry-After"))
			}
		})
	}
}
