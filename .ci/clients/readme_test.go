package clients

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestReadme holds what globus/README.md says of these programs to what is run
// here: the names of their settings must be the same. A README that does not speak
// of one is right, too.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../globus/README.md")
	if os.IsNotExist(err) {
		return // a copy may do without
	}
	if err != nil {
		t.Fatal(err)
	}
	settings := regexp.MustCompile(`(?m)^OIDC\w+|SOCIAL_AUTH_\w+|window\.GLOBUS_\w+|--[a-z-]+=`)
	for _, name := range settings.FindAllString(string(readme), -1) {
		name = strings.TrimPrefix(name, "window.")
		if !strings.Contains(everything(t), name) {
			t.Errorf("the README names %s, and no client here is told it", name)
		}
	}
}

// everything is what the clients here are told.
func everything(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, file := range []string{"apache.conf", "django_site.py", "oauth2proxy_test.go", "sdk_test.go"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}
