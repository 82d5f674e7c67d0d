package routes_test

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var listCall = regexp.MustCompile(`^/v0\.10/operation/endpoint/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/ls$`)

// FuzzBrowse: whatever is in the address of a folder, Globus is asked for a page
// of one.
func FuzzBrowse(f *testing.F) {
	const folder = "/files/7a1c2e40-3b5d-4f6e-8a90-0123456789ab"
	fuzzRequests(f, []string{
		folder, folder + "?path=/~/&offset=100", folder + "?path=~", folder + "?path=/%00", folder + "?path=/%ff", folder + "?path=/a%26limit=1", folder + "?offset=2000000", folder + "?name=a,size:>1/", folder + "?path=/a/&name=%00%ff", "/files/" + strings.ToUpper(folder[7:]), "/files/x", "/files/..%2f..%2fx", folder + "%2f..",
	}, func(t *testing.T, asked *http.Request) {
		if !strings.HasSuffix(asked.URL.Path, "/ls") {
			return // by another page
		}
		q := asked.URL.Query()
		offset, err := strconv.Atoi(q.Get("offset"))
		if filter := q.Get("filter"); strings.HasPrefix(filter, "name:~*") && !strings.ContainsAny(filter, ",/") {
			q.Del("filter")
		}
		isPage := listCall.MatchString(asked.URL.Path) && (len(q) == 4 || len(q) == 5 && strings.HasPrefix(q.Get("path"), "/"))
		if asked.Method != http.MethodGet || !isPage || err != nil || offset < 0 || offset > 1_000_000 || len(q["limit"]) != 1 {
			t.Errorf("Globus is asked %s %s", asked.Method, asked.URL)
		}
	})
}
