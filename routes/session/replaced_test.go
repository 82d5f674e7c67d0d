package session_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"example.org/portal/globus"
	"example.org/portal/routes/session"
)

// TestReplace: of the tokens that were replaced a record holds the newest, as far
// as there is room, each once, and none that is in use.
func TestReplace(t *testing.T) {
	rec := session.Record{Tokens: globus.Tokens{"s": {AccessToken: "a", RefreshToken: "r"}}}
	rec.Replace(globus.Tokens{"s": {AccessToken: "older", RefreshToken: "r"}})
	rec.Replace(globus.Tokens{"s": {AccessToken: "older"}})
	if want := []string{"older"}; !slices.Equal(rec.Replaced, want) {
		t.Errorf("got %q, want %q", rec.Replaced, want)
	}
	for i := range 30 {
		rec.Replace(globus.Tokens{"s": {AccessToken: strconv.Itoa(i)}})
	}
	if got := rec.Replaced; len(got) != 20 || got[0] != "10" || got[19] != "29" {
		t.Errorf("of many: got %q, want the newest 20", got)
	}
	for _, digit := range []string{"1", "2", "3"} {
		rec.Replace(globus.Tokens{"s": {AccessToken: strings.Repeat(digit, 4000)}})
	}
	if got := rec.Replaced; len(got) != 2 || got[1][0] != '3' {
		t.Errorf("of long ones: got %d, want the newest 2", len(got))
	}
}
