package components_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const checker = "../.ci/node_modules/vnu-jar/build/dist/vnu.jar"

// A skeleton is the page around a fragment that is checked by itself.
const skeleton = "<!DOCTYPE html><html lang=\"en\"><head><title>A fragment</title></head><body><main><h1>A fragment</h1>\n"

// unknown is what the checker says about htmx's attributes, which it does not know.
const unknown = `Attribute .hx-[a-z0-9:-]+. not allowed on element .*`

// The Nu HTML checker finds nothing in any page, or in any fragment within one,
// whatever the data.
func TestMarkup(t *testing.T) {
	if _, err := os.Stat(checker); err != nil {
		skip(t, "needs the Nu HTML checker: npm ci --ignore-scripts --prefix .ci")
	}
	java, err := exec.LookPath("java")
	if err != nil {
		skip(t, "needs java, which is not installed")
	}
	dir := t.TempDir()
	for name, c := range all() {
		html := render(t, c)
		if !strings.HasPrefix(html, "<!doctype") {
			html = skeleton + html + "</main></body></html>"
		}
		if err := os.WriteFile(filepath.Join(dir, strings.ReplaceAll(name, "/", ", ")+".html"), []byte(html), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	planted := filepath.Join(dir, "planted.html")
	if err := os.WriteFile(planted, []byte(skeleton+`<p hx-get="/x"><p><div id="a" id="a"></main>`), 0o600); err != nil {
		t.Fatal(err)
	}

	cmd := exec.Command(java, "-jar", checker, "--format", "json", "--exit-zero-always", "--filterpattern", unknown, dir)
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, &said)
	}
	var report struct {
		Messages []struct{ Type, SubType, URL, Message, Extract string }
	}
	if err := json.Unmarshal([]byte(said.String()), &report); err != nil {
		t.Fatalf("%v: %s", err, &said)
	}
	found := 0
	for _, m := range report.Messages {
		if strings.HasSuffix(m.URL, "/planted.html") {
			found++
			continue
		}
		t.Errorf("%s: %s %s: %s\n%s", filepath.Base(m.URL), m.Type, m.SubType, m.Message, m.Extract)
	}
	if found == 0 {
		t.Error("the checker finds no fault in a page that has some")
	}
}

// skip skips the test, or fails it where REQUIRE_ALL=1.
func skip(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("REQUIRE_ALL") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}
