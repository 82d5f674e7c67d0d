package routes

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// The port of plain http is not one that a test can have, so this is called by
// itself.
func TestCheckPlainHTTP(t *testing.T) {
	tests := []struct {
		name   string
		answer http.Handler
		want   string
	}{
		{"leads to https", http.RedirectHandler("https://portal.example.edu/", http.StatusMovedPermanently), "✓ Plain http"},
		{"leads to another host", http.RedirectHandler("https://www.example.edu/", http.StatusFound), "! Plain http"},
		{"leads to plain http", http.RedirectHandler("http://portal.example.edu/", http.StatusFound), "! Plain http"},
		{"a page", http.NotFoundHandler(), "! Plain http"},
		{"nothing", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), "! Plain http"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(test.answer)
			defer server.Close()
			var out strings.Builder
			d := &doctor{Checkup: Checkup{PublicURL: &url.URL{Scheme: "https", Host: "portal.example.edu"}}, out: &out, http: directClient()}
			d.checkUpgrade(t.Context(), server.URL+"/")
			if !strings.HasPrefix(out.String(), test.want) || d.faults != 0 {
				t.Errorf("got %q and %d faults, want %q", out.String(), d.faults, test.want)
			}
		})
	}
}
