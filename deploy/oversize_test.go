package deploy_test

import (
	"net/http"
	"strings"
	"testing"

	"example.org/portal/routes/routestest"
)

// TestOversize sends more than the app as it is shipped takes. It is refused,
// and the session of the browser that sent it does not notice.
func TestOversize(t *testing.T) {
	t.Parallel()
	s := startBinary(t)
	b := s.Browser()
	b.SignIn("rosalind")
	_, session := b.Cookie("session")
	long := func(n int) string { return strings.Repeat("x", n) }
	form := b.Get("/").Form()
	form.Set("x", long(1<<20))
	many := b.Get("/").Form()
	many["x"] = make([]string, 22_000)
	tests := []struct {
		name string
		ask  func(path string) routestest.Page
		want int
	}{
		{"a header of 40 KB", func(path string) routestest.Page { return b.Get(path, "X-Long", long(40<<10)) }, 431},
		{"a cookie of 900 KB", func(path string) routestest.Page { return b.Get(path, "Cookie", "a="+long(900<<10)) }, 431},
		{"a cookie of 20 KB", func(path string) routestest.Page { return b.Get(path, "Cookie", "a="+long(20<<10)) }, 400},
		{"4,000 cookies", func(path string) routestest.Page { return b.Get(path, "Cookie", strings.Repeat("a=b; ", 4000)) }, 400},
		{"a query of 100 KB", func(path string) routestest.Page { return b.Get(path + "?" + long(100<<10)) }, 431},
		{"a query of 20 KB", func(path string) routestest.Page { return b.Get(path + "?code=" + long(20<<10)) }, 414},
		{"a query of 11,000 parameters", func(path string) routestest.Page { return b.Get(path + "?" + strings.Repeat("a&", 11_000)) }, 414},
		{"a form of 22,000 parameters", func(path string) routestest.Page { return b.Send(http.MethodPost, path, many) }, 413},
		{"a form of 1 MB", func(path string) routestest.Page { return b.Send(http.MethodPost, path, form) }, 413},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, path := range []string{"/", "/user", "/login", "/logout"} {
				p := test.ask(path)
				want := test.want
				if want == http.StatusRequestEntityTooLarge && path != "/logout" {
					want = http.StatusMethodNotAllowed
				}
				if p.Status != want {
					t.Errorf("%s: got %d, want %d", path, p.Status, want)
				}
				if set := p.Header.Values("Set-Cookie"); len(set) > 0 {
					t.Errorf("%s sets %q", path, set)
				}
			}
			if _, after := b.Cookie("session"); after != session || !b.SignedIn() {
				t.Error("the session that the browser had did not survive")
			}
		})
	}
}
