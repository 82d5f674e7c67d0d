package clients

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// sdk is where npm puts @globus/sdk, whose version .ci/package.json pins.
const sdk = "../node_modules/@globus/sdk/dist/umd/globus.production.js"

// TestSDK signs in with @globus/sdk in Chromium, as a public client, meets the
// demands that collections make, and moves files from one to the other.
func TestSDK(t *testing.T) {
	t.Parallel()
	if !routestest.IsFile(sdk) {
		routestest.Skip(t, "needs @globus/sdk: run npm ci --ignore-scripts --prefix .ci")
	}
	pages := http.NewServeMux()
	for path, file := range map[string]string{"/{$}": "sdk.html", "/sdk.js": "sdk.js", "/globus.js": sdk} {
		pages.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) })
	}
	server := httptest.NewServer(pages)
	t.Cleanup(server.Close)
	site := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	globus := startEmulator(t, "-config", "sdk.json", "-client", clientID, "-redirect", site+"/")
	pages.HandleFunc("GET /config.js", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		for name, value := range map[string]string{
			"GLOBUS_SDK_SERVICE_URL_AUTH":     globus.url,
			"GLOBUS_SDK_SERVICE_URL_TRANSFER": globus.url,
			"GLOBUS_SDK_SERVICE_URL_SEARCH":   globus.url,
			"INDEX":                           globustest.DemoIndex,
			"CLIENT_ID":                       clientID,
			"WANTS_CONSENT":                   "c0111111-0000-4000-8000-000000000001",
			"WANTS_SESSION":                   "c0111111-0000-4000-8000-000000000002",
		} {
			fmt.Fprintf(w, "window.%s = %q;\n", name, value)
		}
	})

	grace := (&routestest.Site{T: t, URL: site, Globus: &globustest.Server{URL: globus.url}}).Person(t)
	tab := grace.Tab()
	tab.Calls(globus.url)
	tab.Expect("the server responded with a status of 403")
	tab.Expect("the server responded with a status of 502")
	tab.GoTo("/")
	tab.Click("#login")
	tab.Click(`[value="grace@example.edu"]`)
	tab.Sees("signed in as grace@example.edu", "by the ID token: Grace Hopper", "0 tasks")

	tab.Click("#consent")
	tab.Click(`[name="allow"]`)
	tab.Sees("signed in as grace@example.edu")
	tab.Click("#consent")
	tab.Sees("compiler.tape")

	tab.Click("#session")
	tab.Click("With another identity")
	tab.Click("hopper@lab.example.org")
	tab.Sees("signed in as grace@example.edu")
	tab.Click("#session")
	tab.Sees("moth.tif")

	tab.Click("#send")
	tab.Sees("SUCCEEDED", "1 files", "SUCCEEDED", "STARTED", "compiler.tape")
	tab.Click("#cancel")
	tab.Sees("Canceled", "FAILED", "0 files", "CANCELED", "STARTED")
	tab.Click("#find")
	tab.Sees("Wants an identity of the laboratory", "GCSv5_mapped_collection", "DirectoryCreated", "FileRenamed")

	tab.Click("#search")
	tab.Sees("found 2", "of 48", "in 6 years")

	tab.Click("#refresh")
	tab.Sees("2 tasks", "2 tokens, 2 new")
	token := tab.Text("manager.tokens.auth.access_token")
	if !globus.good(token) {
		t.Error("the new token is not good")
	}
	tab.Click("#logout")
	tab.Sees("signed out")
	if globus.good(token) {
		t.Error("the token is good after signing out")
	}
}
