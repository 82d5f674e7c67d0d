package web_test

import (
	"net/http"
	"strings"
	"testing"

	"example.org/portal/routes/routestest"
)

// TestOffice: programs that fetch the links in a document themselves, and hand on
// the last address, get a page that reloads itself at the address in the link.
func TestOffice(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	for _, agent := range []string{
		"Mozilla/4.0 (compatible; ms-office; MSOffice 16)",
		"Microsoft Office/16.0 (Windows NT 10.0; Microsoft Word 16.0.17328; Pro)",
		"Microsoft Office PowerPoint 2014",
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			for _, path := range []string{"/", "/login", "/account?x=1"} {
				p := s.Browser().Send(method, path, nil, "User-Agent", agent)
				if p.Status != http.StatusOK || p.Header.Get("Location") != "" || len(p.Header.Values("Set-Cookie")) > 0 {
					t.Errorf("%s %s: got %d, to %q, cookies %q", method, path, p.Status, p.Header.Get("Location"), p.Header.Values("Set-Cookie"))
				}
				if method == http.MethodGet && !strings.Contains(p.Body, `http-equiv="refresh" content="0"`) {
					t.Errorf("%s does not reload itself:\n%s", path, p.Body)
				}
			}
		}
	}
}
