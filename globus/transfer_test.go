package globus_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

// TestHTTPClient: the token goes to one origin, and to no other.
func TestHTTPClient(t *testing.T) {
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	var refused atomic.Int64 // how many requests are still to be refused
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case refused.Add(-1) >= 0:
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/elsewhere":
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		default:
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %s", r.Header.Get("Authorization"), body)
		}
	}))
	defer api.Close()

	f := newFlow(t)
	gone := errors.New("no more tokens")
	tests := []struct {
		name    string
		url     string
		body    io.Reader
		refused int64
		fail    error // of the TokenFunc, when asked for another
		want    string
		wantErr error
	}{
		{"a call", api.URL + "/x", nil, 0, nil, "200 Bearer first ", nil},
		{"a call with a body", api.URL + "/x", strings.NewReader("body"), 0, nil, "200 Bearer first body", nil},
		{"refused once", api.URL + "/x", nil, 1, nil, "200 Bearer second ", nil},
		{"refused once, with a body", api.URL + "/x", strings.NewReader("body"), 1, nil, "200 Bearer second body", nil},
		{"refused once, with a body that is gone", api.URL + "/x", io.MultiReader(strings.NewReader("body")), 1, nil, "401 ", nil},
		{"refused twice", api.URL + "/x", nil, 2, nil, "401 ", nil},
		{"refused, and no other token", api.URL + "/x", nil, 1, gone, "", gone},
		{"a redirect", api.URL + "/elsewhere", nil, 0, nil, "307 ", nil},
		{"another host", other.URL, nil, 0, nil, "", nil},
		{"another name for the host", strings.Replace(api.URL, "127.0.0.1", "localhost", 1), nil, 0, nil, "", nil},
		{"another scheme", strings.Replace(api.URL, "http:", "https:", 1), nil, 0, nil, "", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			refused.Store(test.refused)
			client := f.client.HTTPClient(api.URL+"/v1", func(_ context.Context, rejected string) (globus.Token, error) {
				if rejected == "" {
					return globus.Token{AccessToken: "first"}, nil
				}
				return globus.Token{AccessToken: "second"}, test.fail
			})
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, test.url, test.body)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.Do(req)
			if test.want == "" {
				if err == nil || test.wantErr != nil && !errors.Is(err, test.wantErr) || strings.Contains(err.Error(), "first") {
					t.Errorf("got %v, want that it fails by %v", err, test.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, _ := io.ReadAll(resp.Body)
			if got := fmt.Sprintf("%d %s", resp.StatusCode, strings.TrimPrefix(string(body), "<")); !strings.HasPrefix(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	if elsewhere.Load() != 0 {
		t.Error("another host was asked")
	}
}

func TestTaskList(t *testing.T) {
	const n = 250
	people := []globustest.Person{{Key: "busy", Claims: globustest.Claims{Sub: "5d9ba3c4-0000-4000-8000-000000000001"}}}
	for i := range n {
		people[0].Tasks = append(people[0].Tasks, globustest.Task{Label: fmt.Sprint(i), Ago: time.Duration(i+1) * time.Minute})
	}
	f := newFlowWith(t, people)
	transfer := f.client.Transfer(f.client.Source(f.tokens("busy"), globus.TransferServer, nil).Fresh)
	path := globustest.TaskListPath

	tests := []struct {
		name         string
		query        globus.TaskQuery
		take         int
		want         int // tasks
		wantRequests int
	}{
		{"all", globus.TaskQuery{}, n + 1, n, 3},
		{"in small pages", globus.TaskQuery{PageSize: 25}, n + 1, n, 10},
		{"the last ones", globus.TaskQuery{Offset: 240}, n + 1, 10, 1},
		{"beyond the last", globus.TaskQuery{Offset: 1000}, n + 1, 0, 1},
		{"as many as wanted", globus.TaskQuery{PageSize: 10}, 15, 15, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before, got := f.auth.Requests(path), 0
			for task, err := range transfer.TaskList(t.Context(), test.query) {
				if err != nil {
					t.Fatal(err)
				}
				if want := fmt.Sprint(test.query.Offset + got); task.Label != want {
					t.Fatalf("task %d is %q, want %q", got, task.Label, want)
				}
				if got++; got == test.take {
					break
				}
			}
			if got != test.want {
				t.Errorf("%d tasks, want %d", got, test.want)
			}
			if got := f.auth.Requests(path) - before; got != test.wantRequests {
				t.Errorf("%d requests, want %d", got, test.wantRequests)
			}
		})
	}

	var first globus.Task
	for task, err := range transfer.TaskList(t.Context(), globus.TaskQuery{PageSize: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		first = task
		break
	}
	if task, err := transfer.Task(t.Context(), first.ID); err != nil || task.Label != first.Label || task.Requested.IsZero() {
		t.Errorf("one task: got %+v, %v", task, err)
	}
	_, err := transfer.Task(t.Context(), "5d9ba3c4-0000-4000-8000-00000000dead")
	if e, ok := errors.AsType[*globus.Error](err); !ok || e.Status != 404 || e.Code != "ClientError.NotFound" || e.RequestID == "" {
		t.Errorf("no such task: got %+v", err)
	}

	f.auth.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{path: {Status: 503}}})
	for _, err := range transfer.TaskList(t.Context(), globus.TaskQuery{}) {
		if e, ok := errors.AsType[*globus.Error](err); !ok || e.Call != "transfer" || e.Status != 503 {
			t.Errorf("got %v, want a 503", err)
		}
	}
}

// TestTaskOptions: a task says how it was sent, as its TransferRequest did.
func TestTaskOptions(t *testing.T) {
	for doc, want := range map[string]globus.Task{
		`{}`: {},
		`{"sync_level":null,"verify_checksum":true}`: {},
		`{"sync_level":0,"verify_checksum":false}`:   {Sync: globus.SyncMissing, SkipVerify: true},
		`{"sync_level":3}`:                           {Sync: globus.SyncChecksum},
		`{"sync_level":"x","verify_checksum":"x"}`:   {},
	} {
		var got globus.Task
		if err := json.Unmarshal([]byte(doc), &got); err != nil || got != want {
			t.Errorf("%s: got %+v, %v", doc, got, err)
		}
	}
}

// TestErrorBodies: an error is known by its body, in whichever of Globus's shapes,
// and its text repeats nothing of it but code and request id.
func TestErrorBodies(t *testing.T) {
	f := newFlow(t)
	transfer := f.client.Transfer(f.client.Source(f.tokens("rosalind"), globus.TransferServer, nil).Fresh)
	tests := []struct {
		name     string
		status   int
		body     string
		wantCode string
		wantText string
	}{
		{"Transfer's", 403, `{"code":"ConsentRequired","message":"canary","request_id":"abcDEF123","resource":"/canary","required_scopes":["canary"]}`,
			"ConsentRequired", "globus: transfer: refused ConsentRequired (HTTP 403) request abcDEF123"},
		{"Transfer's, as a gateway's", 502, `{"code":"ExternalError.DirListingFailed.LoginFailed","message":"canary"}`,
			"ExternalError.DirListingFailed.LoginFailed", "globus: transfer: status ExternalError.DirListingFailed.LoginFailed (HTTP 502)"},
		{"Globus Auth's", 403, `{"errors":[{"status":"403","id":"7a1c2e40-3b5d-4f6e-8a90-1920072501aa","code":"FORBIDDEN","detail":"canary"}]}`,
			"FORBIDDEN", "globus: transfer: refused FORBIDDEN (HTTP 403) request 7a1c2e40-3b5d-4f6e-8a90-1920072501aa"},
		{"Globus Auth's, in both forms", 401, `{"errors":[{"id":"7a1c2e40-3b5d-4f6e-8a90-1920072501aa","code":"UNAUTHORIZED","detail":"canary"}],"error":"unauthorized","error_description":"canary"}`,
			"unauthorized", "globus: transfer: refused unauthorized (HTTP 401) request 7a1c2e40-3b5d-4f6e-8a90-1920072501aa"},
		{"Groups's", 403, `{"code":"FORBIDDEN_TOKEN_MISSING_SCOPES","detail":"canary","id":"canary123"}`, "FORBIDDEN_TOKEN_MISSING_SCOPES", "globus: transfer: refused FORBIDDEN_TOKEN_MISSING_SCOPES (HTTP 403)"},
		{"Flows's", 404, `{"error":{"code":"NOT_FOUND","detail":"canary"}}`, "NOT_FOUND", "globus: transfer: refused NOT_FOUND (HTTP 404)"},
		{"OAuth's", 400, `{"error":"invalid_request","error_description":"canary"}`, "invalid_request", "globus: transfer: refused invalid_request (HTTP 400)"},
		{"of wrong types", 400, `{"code":5,"message":["canary"],"errors":"canary","required_scopes":"canary"}`, "", "globus: transfer: status (HTTP 400)"},
		{"a code with a secret", 400, `{"code":"canary 123","request_id":"canary canary"}`, "", "globus: transfer: status (HTTP 400)"},
		{"HTML", 502, `<h1>canary</h1>`, "", "globus: transfer: status (HTTP 502)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f.auth.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.TaskListPath: {Status: test.status, Body: test.body}}})
			for _, err := range transfer.TaskList(t.Context(), globus.TaskQuery{}) {
				e, ok := errors.AsType[*globus.Error](err)
				if !ok || e.Code != test.wantCode || e.Error() != test.wantText {
					t.Errorf("got code %q, text %q; want %q, %q", e.Code, e, test.wantCode, test.wantText)
				}
			}
		})
	}
}
