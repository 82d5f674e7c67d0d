package globus_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.org/portal/globus/globustest"
)

// The program of the example, which people copy, signs in those whom it should,
// and shows them their transfers.
func TestProgram(t *testing.T) {
	f := newFlow(t)
	app := httptest.NewServer(login(f.client))
	defer app.Close()
	f.Cleanup(http.DefaultClient.CloseIdleConnections)

	tests := []struct {
		name  string
		other bool // another browser brings the answer than the one that began
		param string
		value string // of param, in the answer
		down  bool   // Transfer is
		want  int
		text  string
	}{
		{"signs in", false, "", "", false, http.StatusOK, "Hello Rosalind Franklin!\nACTIVE Photo 51"},
		{"signs in while Transfer is down", false, "", "", true, http.StatusOK, "Transfer does not answer"},
		{"another browser's answer", true, "", "", false, http.StatusBadRequest, "not begun here"},
		{"forged state", false, "state", "forged", false, http.StatusBadRequest, "not begun here"},
		{"empty state", false, "state", "", false, http.StatusBadRequest, "not begun here"},
		{"empty state of another browser", true, "state", "", false, http.StatusBadRequest, "not begun here"},
		{"error", false, "error", "access_denied", false, http.StatusForbidden, "did not sign"},
		{"unknown code", false, "code", "unknown", false, http.StatusServiceUnavailable, "could not"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBrowser(t)
			f.auth.Lie(globustest.Lie{})
			if tt.down {
				f.auth.Lie(fault(globustest.TaskListPath, globustest.Fault{Status: 503}))
			}
			visit := func(b *http.Client, query string) (*http.Response, string) {
				resp, err := b.Get(app.URL + "/login" + query)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				text, err := io.ReadAll(resp.Body)
				if err != nil {
					t.Fatal(err)
				}
				return resp, string(text)
			}
			begun, _ := visit(b, "")
			q := choose(t, begun.Header.Get("Location"), "rosalind")
			if tt.param != "" {
				q.Set(tt.param, tt.value)
			}
			from := b
			if tt.other {
				from = newBrowser(t)
			}
			if got, text := visit(from, "?"+q.Encode()); got.StatusCode != tt.want || !strings.Contains(text, tt.text) {
				t.Errorf("got %d %s, want %d and %q", got.StatusCode, text, tt.want, tt.text)
			}
			if got, _ := visit(from, "?"+q.Encode()); tt.want == http.StatusOK && got.StatusCode != http.StatusBadRequest {
				t.Errorf("again: got %d, want %d", got.StatusCode, http.StatusBadRequest)
			}
		})
	}
}
