package routes_test

import (
	"net/http"
	"strings"
	"testing"

	"example.org/portal/globus/globustest"
)

func TestSignIn(t *testing.T) {
	s := start(t, options{})
	tests := []struct {
		person string
		want   []string
	}{
		{"rosalind", []string{"Hello <bdi>Rosalind Franklin</bdi>!", "rosalind@example.edu", "Example University", "Log out", "Refresh token"}},
		{"ada", []string{"Hello <bdi>Ada Lovelace</bdi>!"}},
		{"sub-only", []string{"Hello!", "not given"}},
		{"markup", []string{"&lt;script&gt;alert(1)&lt;/script&gt;"}},
	}
	for _, test := range tests {
		t.Run(test.person, func(t *testing.T) {
			p := s.browser().signIn(test.person)
			if p.status != http.StatusOK || p.url != s.url+"/" {
				t.Errorf("got %d at %s, want 200 at home", p.status, p.url)
			}
			for _, want := range test.want {
				if !strings.Contains(p.body, want) {
					t.Errorf("the page lacks %q:\n%s", want, p.body)
				}
			}
			if strings.Contains(p.body, "<script>alert") {
				t.Error("a name became markup")
			}
		})
	}
	if got, want := s.auth.Requests(globustest.TokenPath), len(tests); got != want {
		t.Errorf("%d exchanges, want %d", got, want)
	}
}
