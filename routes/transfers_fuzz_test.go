package routes_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// FuzzTransfers: whatever is in the address of the list, Globus is asked for a
// page of it.
func FuzzTransfers(f *testing.F) {
	fuzzRequests(f, []string{
		"/transfers", "/transfers?offset=10", "/transfers?offset=-1", "/transfers?offset=99999999999999999999", "/transfers?offset=1e3", "/transfers?offset=10&offset=20", "/transfers?limit=1000",
	}, func(t *testing.T, asked *http.Request) {
		if !strings.HasSuffix(asked.URL.Path, "/task_list") {
			return // by another page
		}
		q := asked.URL.Query()
		offset, err := strconv.Atoi(q.Get("offset"))
		if asked.Method != http.MethodGet || len(q) != 3 || err != nil || offset < 0 || offset > 10_000 || len(q["limit"]) != 1 {
			t.Errorf("Globus is asked %s %s", asked.Method, asked.URL)
		}
	})
}
