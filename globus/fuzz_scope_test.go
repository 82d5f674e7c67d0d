package globus_test

import (
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.org/portal/globus"
)

// FuzzScopes: what is read as scopes prints to text that is read as the same,
// and nothing is read that the rules, told anew in isScopes, do not allow.
func FuzzScopes(f *testing.F) {
	for _, text := range []string{
		"", " ", "openid", "openid profile  email ", transferScope + "[*https://auth.globus.org/scopes/7a1c2e40-3b5d-4f6e-8a90-0123456789ab/data_access]",
		"a[b c] a[*d] *a", "a[b[c[d[e[f[g[h[i]]]]]]]]", "a[b[c[d[e[f[g[h[i[j]]]]]]]]]", "a[a]", "a[b[a]]", "a[b] b[a]", "a[]", "a[ b ]", "a[*b *b[c]]",
		"*", "**a", "a*b", "[a]", "a]", "a[b", "a[b]c", "a[b] c", "a [b]", `a"b`, `a\b`, "a\tb", "a\nb", "é", "\x7f", strings.Repeat("s", 512), strings.Repeat("s", 513),
		strings.Repeat("a[", 4000), strings.Repeat("x ", 4096), strings.Repeat("x ", 4097), strings.Repeat("*a ", 2000) + "a",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		scopes, err := globus.ParseScopes(text)
		if want := isScopes(text); (err == nil) != want {
			t.Fatalf("%q: got %v, want it accepted: %t", text, err, want)
		}
		if err != nil {
			return
		}
		checkScopes(t, scopes)
		if len(scopes.String()) > len(text) {
			t.Errorf("%q grows to %q", text, scopes)
		}
		if twice := scopes.Merge(scopes); twice.String() != scopes.String() {
			t.Errorf("%q merged with itself is %q", scopes, twice)
		}
		again, err := globus.ParseScopes(scopes.Texts()...)
		if err != nil || !reflect.DeepEqual(again, scopes) {
			t.Errorf("%q one by one is read as %q, %v", scopes, again, err)
		}
	})
}

// checkScopes wants scopes that survive being written down, with no name twice
// in one list.
func checkScopes(t *testing.T, scopes globus.Scopes) {
	t.Helper()
	again, err := globus.ParseScopes(scopes.String())
	if err != nil || !reflect.DeepEqual(again, scopes) {
		t.Errorf("%q is read as %q, %v", scopes, again, err)
	}
	var kept globus.Scopes
	text, err := json.Marshal(scopes)
	if err == nil {
		err = json.Unmarshal(text, &kept)
	}
	if err != nil || !reflect.DeepEqual(kept, scopes) {
		t.Errorf("%q comes out of JSON as %q, %v", scopes, kept, err)
	}
	names := map[string]bool{}
	for _, s := range scopes {
		if names[s.Name] {
			t.Errorf("%q has %s twice", scopes, s.Name)
		}
		names[s.Name] = true
		checkScopes(t, s.Dependencies)
	}
}

// What cannot stand in scopes, wherever it is: other characters, something right
// behind a bracket that closes, one that opens without a name, a lone or
// misplaced *, and empty brackets.
var noScopes = regexp.MustCompile(`[^!-~ ]|["\\]|\][^\] ]|(^|[ [\]*])\[|\*($|[ [\]*])|[^ [*]\*|\[ *\]`)

// isScopes tells scopes from other text with a list of the names whose brackets
// are open, where ParseScopes calls itself.
func isScopes(text string) bool {
	if len(text) > 8<<10 || noScopes.MatchString(text) {
		return false
	}
	var above []string
	needs := map[string]map[string]bool{} // by name, what it depends on, directly or not
	name := ""
	for _, word := range strings.Fields(strings.NewReplacer("[", " [ ", "]", " ] ", "*", "").Replace(text)) {
		switch {
		case word == "[":
			above = append(above, name)
		case word == "]" && len(above) > 0:
			above = above[:len(above)-1]
		case word == "]" || len(word) > 512 || len(above) > 8 || slices.Contains(above, word):
			return false
		default:
			name = word
			if len(above) > 0 {
				from := above[len(above)-1]
				if needs[from] == nil {
					needs[from] = map[string]bool{}
				}
				needs[from][word] = true
			}
		}
	}
	for grown := true; grown; {
		grown = false
		for from, list := range needs {
			for to := range list {
				for next := range needs[to] {
					grown, needs[from][next] = grown || !needs[from][next], true
				}
			}
			if needs[from][from] {
				return false
			}
		}
	}
	return len(above) == 0
}
