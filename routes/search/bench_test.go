package search_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/portal/routes/routestest"
)

// A tape is a way to Globus Search that answers what it was asked before as it did then,
// so that a benchmark does not measure the emulator. It counts queries.
type tape struct {
	mu      sync.Mutex
	answers map[string][]byte
	queries int
}

func (t *tape) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/search") {
		return http.DefaultTransport.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	key := r.Header.Get("Authorization") + string(body)
	t.mu.Lock()
	t.queries++
	answer, known := t.answers[key]
	t.mu.Unlock()
	if !known {
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil || resp.StatusCode != http.StatusOK {
			return resp, err
		}
		answer, err = io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			return nil, err
		}
		t.mu.Lock()
		t.answers[key] = answer
		t.mu.Unlock()
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(answer)), Request: r}, nil
}

// BenchmarkSearchPage is a search with choices in three facets, without the network: what
// it costs the app, and how many queries it sends, for people who are signed in, who are
// not, and who are not and ask what somebody has just asked.
func BenchmarkSearchPage(b *testing.B) {
	var clock routestest.Clock
	globus := &tape{answers: map[string][]byte{}}
	s := routestest.Start(b, routestest.Options{Now: clock.Now, Transport: globus})
	request := httptest.NewRequest(http.MethodGet, s.URL+"/search?q=at&site.region=Amazon&site.region=Arctic&taken.from=2020&depth_cm.from=1", nil)
	person := s.Browser()
	person.SignIn("rosalind")
	person.Enter(stepUp(b, person, "/search/private"), map[string][]string{"allow": {"1"}})
	name, session := person.Cookie("session")
	signedIn := request.Clone(b.Context())
	signedIn.Header.Set("Cookie", name+"="+session)
	for _, bm := range []struct {
		name    string
		request *http.Request
		passes  time.Duration // between two requests
	}{{"signed in", signedIn, 0}, {"signed out", request, time.Minute}, {"signed out, again", request, 0}} {
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			ask := func() {
				w := httptest.NewRecorder()
				if s.App.ServeHTTP(w, bm.request.Clone(b.Context())); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `data-total="`) {
					b.Fatalf("got %d:\n%s", w.Code, w.Body)
				}
				clock.Pass(bm.passes)
			}
			ask()
			before := globus.queries
			for b.Loop() {
				ask()
			}
			b.ReportMetric(float64(globus.queries-before)/float64(b.N), "queries/op")
		})
	}
}
