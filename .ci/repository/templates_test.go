package repository

import (
	"regexp"
	"strings"
	"testing"
)

// TestTemplates: our templates use none of the ways around templ's escaping, nor
// the kinds of template that write inline scripts and styles.
func TestTemplates(t *testing.T) {
	onlyOurs(t)
	bad := regexp.MustCompile(`templ\.Raw|SafeURL|JSExpression|JSUnsafeFuncCall|SafeCSS|SafeScript|(?m)^(script|css) |<style|\{ \w+\.\.\. \}`)
	templates := strings.ReplaceAll(read(t, "*.templ"), "{ children... }", "")
	if !strings.Contains(templates, "\ntempl ") {
		t.Fatal("found no templates")
	}
	if got := bad.FindString(templates); got != "" {
		t.Errorf("a template uses %s", strings.TrimSpace(got))
	}
}
