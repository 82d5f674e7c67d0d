package routes_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"example.org/portal/routes/routestest"
)

// BenchmarkHome is a page of someone who is signed in, without the network,
// beside a handler that does nothing but write the same bytes.
func BenchmarkHome(b *testing.B) {
	s := routestest.Start(b, routestest.Options{})
	person := s.Browser()
	person.SignIn("rosalind")
	name, session := person.Cookie("session")
	csrf, token := person.Cookie("csrf")
	request := httptest.NewRequest(http.MethodGet, s.URL+"/", nil)
	request.Header.Set("Cookie", name+"="+session+"; "+csrf+"="+token)

	w := httptest.NewRecorder()
	s.App.ServeHTTP(w, request.Clone(b.Context()))
	page := w.Body.Bytes()
	if len(page) < 1000 || w.Code != http.StatusOK {
		b.Fatalf("got %d with %d bytes", w.Code, len(page))
	}
	bare := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page)
	})
	for name, h := range map[string]http.Handler{"app": s.App, "bare": bare} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(httptest.NewRecorder(), request.Clone(b.Context()))
			}
		})
		server := httptest.NewServer(h)
		defer server.Close()
		b.Run(name+", over loopback", func(b *testing.B) {
			b.ReportAllocs()
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					r, _ := http.NewRequest(http.MethodGet, server.URL+"/", nil)
					r.Header = request.Header
					resp, err := client.Do(r)
					if err != nil {
						b.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
			})
		})
	}
}
