package globus_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"example.org/portal/globus"
)

func TestParseScopes(t *testing.T) {
	tests := []struct {
		name  string
		texts []string
		want  string // "error": it fails
	}{
		{"nothing", nil, ""},
		{"blank", []string{"  "}, ""},
		{"one", []string{"openid"}, "openid"},
		{"several", []string{" openid  email ", "profile"}, "openid email profile"},
		{"dependent", []string{"a[b *c]"}, "a[b *c]"},
		{"nested", []string{"a[*b[c d[*e]] f] g"}, "a[*b[c d[*e]] f] g"},
		{"blanks within", []string{"a[ b  c ]"}, "a[b c]"},
		{"optional at the top", []string{"*a"}, "*a"},
		{"twice", []string{"a[*b] a", "a[c]"}, "a[*b c]"},
		{"required wins", []string{"a[*b] a[b]"}, "a[b]"},
		{"twice below", []string{"a[*b[c] b[*c *d]]"}, "a[b[c *d]]"},
		{"below another is another", []string{"a[b] b"}, "a[b] b"},
		{"Globus's", []string{globus.TransferScope + "[*https://auth.globus.org/scopes/x/data_access]"},
			globus.TransferScope + "[*https://auth.globus.org/scopes/x/data_access]"},

		{"unclosed", []string{"a[b"}, "error"},
		{"unopened", []string{"a]"}, "error"},
		{"closed twice", []string{"a[b]]"}, "error"},
		{"empty brackets", []string{"a[]"}, "error"},
		{"blank brackets", []string{"a[ ]"}, "error"},
		{"nobody's brackets", []string{"[a]"}, "error"},
		{"blank before brackets", []string{"a [b]"}, "error"},
		{"text after brackets", []string{"a[b]c"}, "error"},
		{"star alone", []string{"a *"}, "error"},
		{"star and blank", []string{"* a"}, "error"},
		{"two stars", []string{"**a"}, "error"},
		{"star after", []string{"a*"}, "error"},
		{"cycle", []string{"a[b[a]]"}, "error"},
		{"itself", []string{"a[a]"}, "error"},
		{"cycle in two parts", []string{"a[b] b[a]"}, "error"},
		{"cycle in three texts", []string{"a[b]", "c[a]", "b[d[c]]"}, "error"},
		{"the same below two", []string{"a[c] b[c[d]] c[d]"}, "a[c] b[c[d]] c[d]"},
		{"tab", []string{"a\tb"}, "error"},
		{"line", []string{"a\n&state=x"}, "error"},
		{"quote", []string{`a"b`}, "error"},
		{"backslash", []string{`a\b`}, "error"},
		{"not ASCII", []string{"é"}, "error"},
		{"not UTF-8", []string{"a\xff"}, "error"},
		{"deep", []string{strings.Join(strings.Split("abcdefghij", ""), "[") + strings.Repeat("]", 9)}, "error"},
		{"deep enough", []string{strings.Join(strings.Split("abcdefghi", ""), "[") + strings.Repeat("]", 8)}, "a[b[c[d[e[f[g[h[i]]]]]]]]"},
		{"a long name", []string{strings.Repeat("a", 513)}, "error"},
		{"too much", []string{strings.Repeat("a ", 5000)}, "error"},
		{"too deep to recurse", []string{strings.Repeat("a[", 4000)}, "error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			scopes, err := globus.ParseScopes(tt.texts...)
			got := scopes.String()
			if err != nil {
				got = "error"
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestMergeScopes(t *testing.T) {
	tests := []struct{ a, b, want string }{
		{"", "", ""},
		{"a", "", "a"},
		{"", "*a[b]", "*a[b]"},
		{"openid a", "a[*b]", "openid a[*b]"},
		{"a[*b]", "a[*c]", "a[*b *c]"},
		{"*a", "a", "a"},
		{"*a", "*a", "*a"},
		{"a[b[*c]]", "a[*b[c d]]", "a[b[c d]]"},
	}
	for _, tt := range tests {
		t.Run(tt.a+" and "+tt.b, func(t *testing.T) {
			a, b := mustParse(t, tt.a), mustParse(t, tt.b)
			if got := a.Merge(b).String(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if a.String() != tt.a || b.String() != tt.b {
				t.Errorf("they became %q and %q", a, b)
			}
		})
	}
}

func TestScopesAsJSON(t *testing.T) {
	want := mustParse(t, "openid a[*b c]")
	text, err := json.Marshal(want)
	if err != nil || string(text) != `"openid a[*b c]"` {
		t.Fatalf("got %s, %v", text, err)
	}
	var got globus.Scopes
	if err := json.Unmarshal(text, &got); err != nil || got.String() != want.String() {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if err := json.Unmarshal([]byte(`"a["`), &got); err == nil {
		t.Error("no error for what are no scopes")
	}
}

func mustParse(t *testing.T, text string) globus.Scopes {
	t.Helper()
	scopes, err := globus.ParseScopes(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return scopes
}

// Whoever sends scopes does not decide how long they take to read: 1,200 that one
// depends on, named one by one, do not take a thousand times what as many others do.
func TestScopesThatDependOnMany(t *testing.T) {
	var many, one strings.Builder
	for i := range 1200 {
		fmt.Fprintf(&many, "%x ", i)
		fmt.Fprintf(&one, "z[%x] ", i)
	}
	read := func(text string) time.Duration {
		least := time.Hour
		for range 3 {
			begun := time.Now()
			if scopes, err := globus.ParseScopes(text); err != nil || len(scopes) == 0 {
				t.Fatal(scopes, err)
			}
			least = min(least, time.Since(begun))
		}
		return least
	}
	if flat, deep := read(many.String()), read(one.String()); deep > 200*flat { // 50 times; 700 if each is merged anew
		t.Errorf("they take %s, and others %s", deep, flat)
	}
}
