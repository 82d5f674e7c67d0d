package globustest_test

import (
	"strings"
	"testing"

	"example.org/portal/globus/globustest"
)

func TestIndex(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	f.Register(globustest.Client{ID: "another", Secret: "its-secret", Name: "<b>Another</b>", RedirectURIs: []string{"https://another.example/callback"}})
	page := f.get("/")
	for _, want := range []string{
		"another", "&lt;b&gt;Another&lt;/b&gt;", "https://another.example/callback", f.Server.URL + globustest.TransferPath,
		"Rosalind Franklin", "rosalind@example.edu", "lovelace@lab.example.org",
	} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page.body, "its-secret") {
		t.Error("the page shows a secret")
	}
}
