package routes_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestOversize sends more than the app as it is shipped takes. It is refused,
// and the session of the browser that sent it does not notice.
func TestOversize(t *testing.T) {
	s := startBinary(t)
	b := s.browser()
	b.signIn("rosalind")
	_, session := b.cookie("session")
	long := func(n int) string { return strings.Repeat("x", n) }
	form := b.get("/").form()
	form.Set("x", long(1<<20))
	many := url.Values{"x": make([]string, 11_000)}
	tests := []struct {
		name string
		ask  func(path string) page
		want int
	}{
		{"a header of 40 KB", func(path string) page { return b.get(path, "X-Long", long(40<<10)) }, 431},
		{"a cookie of 900 KB", func(path string) page { return b.get(path, "Cookie", "a="+long(900<<10)) }, 431},
		{"a cookie of 20 KB", func(path string) page { return b.get(path, "Cookie", "a="+long(20<<10)) }, 400},
		{"4,000 cookies", func(path string) page { return b.get(path, "Cookie", strings.Repeat("a=b; ", 4000)) }, 400},
		{"a query of 100 KB", func(path string) page { return b.get(path + "?" + long(100<<10)) }, 431},
		{"a query of 20 KB", func(path string) page { return b.get(path + "?code=" + long(20<<10)) }, 414},
		{"a query of 11,000 parameters", func(path string) page { return b.get(path + "?" + strings.Repeat("a&", 11_000)) }, 414},
		{"a form of 11,000 parameters", func(path string) page { return b.send(http.MethodPost, path, many) }, 413},
		{"a form of 1 MB", func(path string) page { return b.send(http.MethodPost, path, form) }, 413},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, path := range []string{"/", "/user", "/login", "/logout"} {
				p := test.ask(path)
				if p.status != test.want {
					t.Errorf("%s: got %d, want %d", path, p.status, test.want)
				}
				if set := p.header.Values("Set-Cookie"); len(set) > 0 {
					t.Errorf("%s sets %q", path, set)
				}
			}
			if _, after := b.cookie("session"); after != session || !b.signedIn() {
				t.Error("the session that the browser had did not survive")
			}
		})
	}
}
