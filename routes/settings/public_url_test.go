package settings_test

import (
	"strings"
	"testing"

	"example.org/portal/routes/settings"
)

func TestParsePublicURL(t *testing.T) {
	t.Parallel()
	tests := []struct{ raw, want string }{
		{"https://portal.example.edu", "https://portal.example.edu"},
		{"https://portal.example.edu/", "https://portal.example.edu"},
		{"https://Portal.Example.EDU:443/Our/portal/", "https://portal.example.edu/Our/portal"},
		{"https://portal.example.edu:8443", "https://portal.example.edu:8443"},
		{"http://localhost:8888", "http://localhost:8888"},
		{"http://127.0.0.1:80", "http://127.0.0.1"},
		{"http://[::1]:8888", "http://[::1]:8888"},
		{"https://portal.example.edu:0443", "https://portal.example.edu"},
		{"http://localhost:08888", "http://localhost:8888"},
		{"http://[0:0::1]:8888", "http://[::1]:8888"},
		{"https://192.0.2.1", "https://192.0.2.1"},
		{"", ""},
		{"https://192.0.2", ""},
		{"https://0xc0.0.2.1", ""},
		{"https://192.0.02.1", ""},
		{"https://portal.example.1", ""},
		{"http://[::ffff:127.0.0.1]", ""},
		{"portal.example.edu", ""},
		{"http://portal.example.edu", ""},
		{"ftp://localhost", ""},
		{"https://user:hunter2@portal.example.edu", ""},
		{"https://user:hunter2@portal.example.edu:bad", ""},
		{"https://portal.example.edu?", ""},
		{"https://portal.example.edu#", ""},
		{"https://portal.example.edu/?x", ""},
		{"https://:8443", ""},
		{"https://portal.example.edu:", ""},
		{"https://portal.example.edu:0", ""},
		{"https://portal.example.edu:999999", ""},
		{"https://pörtal.example.edu", ""},
		{`https://a"b;c`, ""},
		{"https://portal.example.edu/{x}", ""},
		{"https://portal.example.edu/a//b", ""},
		{"https://portal.example.edu/a/../b", ""},
		{"https://portal.example.edu/a%2fb", ""},
	}
	for _, test := range tests {
		got, err := settings.ParsePublicURL(test.raw)
		if test.want == "" && err == nil {
			t.Errorf("%q is taken for %s", test.raw, got)
		}
		if test.want != "" && (err != nil || got.String() != test.want) {
			t.Errorf("%q is read as %v, %v; want %s", test.raw, got, err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error repeats a password: %v", err)
		}
	}
}
