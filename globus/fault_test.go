package globus_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	pathpkg "path"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

// A call is one of those that the client makes of Globus.
type call struct {
	name string // as in globus.Error
	path string
	most int // bytes of an answer
	do   func(context.Context, *flow, *globus.Client) error
}

func exchange(ctx context.Context, f *flow, client *globus.Client) error {
	_, err := f.exchange(ctx, client, "rosalind")
	return err
}

func userInfo(ctx context.Context, _ *flow, client *globus.Client) error {
	_, err := client.UserInfo(ctx, "canary-access-token")
	return err
}

func revoke(ctx context.Context, _ *flow, client *globus.Client) error {
	return client.Revoke(ctx, "canary-access-token")
}

func refresh(ctx context.Context, _ *flow, client *globus.Client) error {
	_, err := client.Refresh(ctx, globus.AuthServer, globus.Token{RefreshToken: "canary-refresh-token"}, "")
	return err
}

func introspect(ctx context.Context, _ *flow, client *globus.Client) error {
	_, err := client.Introspect(ctx, "canary-access-token")
	return err
}

func discovery(ctx context.Context, _ *flow, client *globus.Client) error {
	_, err := client.CheckDiscovery(ctx)
	return err
}

func taskList(ctx context.Context, _ *flow, client *globus.Client) error {
	for _, err := range client.Transfer(aToken).TaskList(ctx, globus.TaskQuery{}) {
		return err
	}
	return nil
}

func task(ctx context.Context, _ *flow, client *globus.Client) error {
	_, err := client.Transfer(aToken).Task(ctx, uuid1)
	return err
}

func list(ctx context.Context, _ *flow, client *globus.Client) error {
	_, err := client.Transfer(aToken).List(ctx, uuid1, globus.ListQuery{})
	return err
}

func myGroups(ctx context.Context, _ *flow, client *globus.Client) error {
	_, err := client.Groups(aToken).Mine(ctx)
	return err
}

func submit(ctx context.Context, _ *flow, client *globus.Client) error {
	_, err := client.Transfer(aToken).SubmitTransfer(ctx, globus.TransferRequest{SubmissionID: uuid1, Source: uuid1, Destination: uuid1})
	return err
}

func submitDelete(ctx context.Context, _ *flow, client *globus.Client) error {
	_, err := client.Transfer(aToken).SubmitDelete(ctx, globus.DeleteRequest{SubmissionID: uuid1, Collection: uuid1})
	return err
}

func submissionID(ctx context.Context, _ *flow, client *globus.Client) error {
	_, err := client.Transfer(aToken).SubmissionID(ctx)
	return err
}

func cancel(ctx context.Context, _ *flow, client *globus.Client) error {
	_, err := client.Transfer(aToken).CancelTask(ctx, uuid1)
	return err
}

func events(ctx context.Context, _ *flow, client *globus.Client) error {
	return firstError(client.Transfer(aToken).TaskEvents(ctx, uuid1, globus.EventQuery{}))
}

func skippedErrors(ctx context.Context, _ *flow, client *globus.Client) error {
	return firstError(client.Transfer(aToken).SkippedErrors(ctx, uuid1))
}

func firstError[T any](all iter.Seq2[T, error]) error {
	for _, err := range all {
		return err
	}
	return nil
}

func oneCollection(ctx context.Context, _ *flow, client *globus.Client) error {
	_, err := client.Transfer(aToken).Collection(ctx, uuid1)
	return err
}

func search(ctx context.Context, _ *flow, client *globus.Client) error {
	return firstError(client.Transfer(aToken).SearchCollections(ctx, globus.CollectionQuery{Text: "x"}))
}

func stat(ctx context.Context, _ *flow, client *globus.Client) error {
	_, err := client.Transfer(aToken).Stat(ctx, uuid1, "/x")
	return err
}

func mkdir(ctx context.Context, _ *flow, client *globus.Client) error {
	return client.Transfer(aToken).Mkdir(ctx, uuid1, "/x")
}

func identities(ctx context.Context, _ *flow, client *globus.Client) error {
	_, err := client.Identities(ctx, uuid1)
	return err
}

func asItself(ctx context.Context, _ *flow, client *globus.Client) error {
	_, err := client.ClientCredentials(ctx, globus.TransferScope)
	return err
}

const (
	ofAuth    = 256 << 10
	ofService = 4 << 20 // a directory of 5000 entries, or a person's 1000 tasks, are more than 256 KiB
)

var calls = []call{
	{"token", globustest.TokenPath, ofAuth, exchange},
	{"keys", globustest.KeysPath, ofAuth, exchange}, // fetched by the first sign-in
	{"userinfo", globustest.UserInfoPath, ofAuth, userInfo},
	{"revoke", globustest.RevokePath, ofAuth, revoke},
	{"refresh", globustest.TokenPath, ofAuth, refresh},
	{"introspect", globustest.IntrospectPath, ofAuth, introspect},
	{"discovery", globustest.DiscoveryPath, ofAuth, discovery},
	{"transfer", globustest.TaskListPath, ofService, taskList},
	{"transfer", globustest.TaskPath, ofService, task},
	{"transfer", globustest.ListPath, ofService, list},
	{"transfer", globustest.SubmissionIDPath, ofService, submissionID},
	{"transfer", globustest.SubmitTransferPath, ofService, submit},
	{"transfer", globustest.SubmitDeletePath, ofService, submitDelete},
	{"transfer", globustest.CancelPath, ofService, cancel},
	{"transfer", globustest.EventListPath, ofService, events},
	{"transfer", globustest.SkippedErrorsPath, ofService, skippedErrors},
	{"transfer", globustest.CollectionPath, ofService, oneCollection},
	{"transfer", globustest.SearchPath, ofService, search},
	{"transfer", globustest.StatPath, ofService, stat},
	{"transfer", globustest.MkdirPath, ofService, mkdir},
	{"groups", globustest.MyGroupsPath, ofService, myGroups},
	{"identities", globustest.GetIdentitiesPath, ofAuth, identities},
	{"client_credentials", globustest.TokenPath, ofAuth, asItself},
}

// fails makes the call and wants an error for the reason want, which tells
// nothing, after one single request.
func (c call) fails(ctx context.Context, f *flow, client *globus.Client, want globus.Reason) *globus.Error {
	f.Helper()
	err := c.do(ctx, f, client)
	if err == nil {
		f.Fatalf("got no error, want %s", want)
	}
	f.checkTellsNothing(err)
	e := asError(f.T, err)
	if e.Call != c.name || e.Reason != want {
		f.Errorf("got %v, want %s: %s", err, c.name, want)
	}
	if c.name == "keys" && f.auth.LiveTokens() != 0 {
		f.Errorf("%d tokens live on", f.auth.LiveTokens())
	}
	return e
}

func fault(path string, x globustest.Fault) globustest.Lie {
	return globustest.Lie{Endpoints: map[string]globustest.Fault{path: x}}
}

// A late context is one whose deadline passes when late is closed: what a
// short deadline would do, without waiting for it.
type lateContext struct {
	context.Context
	late chan struct{}
}

func (c lateContext) Done() <-chan struct{} { return c.late }

func (c lateContext) Err() error {
	select {
	case <-c.late:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

func TestNeverAnswers(t *testing.T) {
	for _, c := range calls {
		t.Run(c.name+c.path, func(t *testing.T) {
			f := newFlow(t)
			arrived := make(chan struct{})
			f.auth.Lie(fault(c.path, globustest.Fault{Arrived: arrived, Wait: make(chan struct{})}))
			ctx := lateContext{context.Background(), make(chan struct{})}
			go func() { <-arrived; close(ctx.late) }()
			c.fails(ctx, f, f.client, globus.Timeout)
		})
		t.Run(c.name+c.path+"/cancelled", func(t *testing.T) {
			f := newFlow(t)
			arrived := make(chan struct{})
			f.auth.Lie(fault(c.path, globustest.Fault{Arrived: arrived, Wait: make(chan struct{})}))
			ctx, cancel := context.WithCancel(t.Context())
			go func() { <-arrived; cancel() }()
			c.fails(ctx, f, f.client, globus.Unreachable)
		})
	}
}

// diverted returns a client whose calls to path go to another address.
func (f *flow) diverted(path, address string) *globus.Client {
	f.Helper()
	return f.newClient(globus.Config{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
		if fits, _ := pathpkg.Match(path, r.URL.Path); fits || strings.HasSuffix(path, "/") && strings.HasPrefix(r.URL.Path, path) {
			r = r.Clone(r.Context())
			r.URL.Host = address
		}
		return f.wire.RoundTrip(r)
	})})
}

func TestNobodyListens(t *testing.T) {
	const nobody = "127.0.0.1:1" // a port that was free might be the next emulator's
	for _, c := range calls {
		t.Run(c.name+c.path, func(t *testing.T) {
			f := newFlow(t)
			e := c.fails(t.Context(), f, f.diverted(c.path, nobody), globus.Unreachable)
			if !strings.Contains(e.Detail, "refused") {
				t.Errorf("got %q, want what the network said", e.Detail)
			}
		})
	}
}

// What is no HTTP is not quoted either.
func TestNoHTTP(t *testing.T) {
	tests := []struct{ name, answer string }{
		{"no status line", "canary\r\n\r\n"},
		{"bad status", "HTTP/1.1 canary\r\n\r\n"},
		{"bad header", "HTTP/1.1 200 OK\r\ncanary\r\n\r\n"},
		{"bad length", "HTTP/1.1 200 OK\r\nContent-Length: canary\r\n\r\n"},
		{"bad chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\ncanary\r\n"},
		{"bad Location", "HTTP/1.1 302 Found\r\nLocation: http://canary host/%zz\r\nContent-Length: 0\r\n\r\n"},
	}
	for _, c := range calls {
		for _, tt := range tests {
			t.Run(c.name+c.path+"/"+tt.name, func(t *testing.T) {
				f := newFlow(t)
				srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					conn, _, err := w.(http.Hijacker).Hijack()
					if err != nil {
						panic(err)
					}
					defer conn.Close()
					io.WriteString(conn, tt.answer)
				}))
				defer srv.Close()
				c.fails(t.Context(), f, f.diverted(c.path, srv.Listener.Addr().String()), globus.Unreachable)
			})
		}
	}
}

// The largest answer that fits, fits.
func TestLargestAnswer(t *testing.T) {
	for _, c := range calls {
		t.Run(c.name+c.path, func(t *testing.T) {
			f := newFlow(t)
			f.auth.Lie(fault(c.path, globustest.Fault{Body: strings.Repeat("x", c.most)}))
			if e, ok := errors.AsType[*globus.Error](c.do(t.Context(), f, f.client)); ok && e.Reason == globus.TooLarge {
				t.Error(e)
			}
		})
	}
}

// However a transport behaves, a call ends after 10 s.
func TestCallEnds(t *testing.T) {
	stalls := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	tests := []struct {
		name      string
		transport roundTripFunc
	}{
		{"no answer", func(r *http.Request) (*http.Response, error) { return nil, stalls(r.Context()) }},
		{"half an answer", func(r *http.Request) (*http.Response, error) {
			body := io.MultiReader(strings.NewReader(`{"a":`), readFunc(func([]byte) (int, error) { return 0, stalls(r.Context()) }))
			return &http.Response{StatusCode: 200, Body: io.NopCloser(body), Request: r}, nil
		}},
		{"a byte a second", func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Request: r, Body: io.NopCloser(readFunc(func(p []byte) (int, error) {
				select {
				case <-time.After(time.Second):
					p[0] = ' '
					return 1, nil
				case <-r.Context().Done():
					return 0, r.Context().Err()
				}
			}))}, nil
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, err := globus.New(globus.Config{ClientID: clientID, ClientSecret: clientSecret, RedirectURL: redirectURI, Transport: tt.transport})
				if err != nil {
					t.Fatal(err)
				}
				_, exchangeErr := client.Exchange(context.Background(), "code", globus.NewAttempt())
				_, userInfoErr := client.UserInfo(context.Background(), "token")
				begin := time.Now()
				revokeErr := client.Revoke(context.Background(), "token")
				if got := time.Since(begin); got != 10*time.Second {
					t.Errorf("it took %s, want 10 s", got)
				}
				for _, err := range []error{exchangeErr, userInfoErr, revokeErr} {
					if e := asError(t, err); e.Reason != globus.Timeout {
						t.Errorf("got %v, want a timeout", err)
					}
				}
			})
		})
	}
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

// Whether a grant is spent is for Globus to say, not for a gateway that is ill.
func TestIsInvalidGrant(t *testing.T) {
	tests := []struct {
		status int
		body   string
		want   bool
	}{
		{400, `{"error":"invalid_grant"}`, true},
		{401, `{"error":"invalid_grant"}`, true},
		{400, `{"error":"invalid_client"}`, false},
		{400, `invalid_grant`, false},
		{500, `{"error":"invalid_grant"}`, false},
		{302, `{"error":"invalid_grant"}`, false},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.status, " ", tt.body), func(t *testing.T) {
			f := newFlow(t)
			f.auth.Lie(fault(globustest.TokenPath, globustest.Fault{Status: tt.status, Body: tt.body}))
			_, err := f.signIn("rosalind")
			if got := globus.IsInvalidGrant(fmt.Errorf("wrapped: %w", err)); got != tt.want {
				t.Errorf("got %t for %v, want %t", got, err, tt.want)
			}
		})
	}
	if globus.IsInvalidGrant(nil) || globus.IsInvalidGrant(errors.New("invalid_grant")) {
		t.Error("another error is taken for invalid_grant")
	}
}
