package clients

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"testing"

	"example.org/portal/routes/routestest"
)

// modules is where Debian keeps Apache's.
const modules = "/usr/lib/apache2/modules"

// TestApache signs in to an app behind mod_auth_openidc, which refreshes the token
// when the app asks for it, and revokes it at the end.
func TestApache(t *testing.T) {
	t.Parallel()
	program := routestest.Program(t, "apache2")
	if !routestest.IsFile(modules + "/mod_auth_openidc.so") {
		routestest.Skip(t, "needs libapache2-mod-auth-openidc, which is not installed")
	}
	app := echoHeaders(t)
	port, dir := routestest.FreePort(t), t.TempDir()
	site := "http://localhost:" + port
	globus := startEmulator(t, "-client", clientID+":"+clientSecret, "-redirect", site+"/oidc")
	conf, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-D", "FOREGROUND", "-f", conf+"/apache.conf")
	if os.Geteuid() == 0 {
		cmd.Args = append(cmd.Args, "-C", "User www-data", "-C", "Group www-data")
	}
	for name, value := range map[string]string{
		"DIR": dir, "PORT": port, "MODULES": modules, "GLOBUS": globus.url, "APP": app,
		"CLIENT_ID": clientID, "CLIENT_SECRET": clientSecret,
	} {
		cmd.Args = append(cmd.Args, "-C", "Define "+name+" "+value)
	}
	apache := start(t, cmd)
	apache.listens("127.0.0.1:" + port)

	b := globus.browser(t, site)
	home := decode[http.Header](t, b.Follow(b.Choose(b.Follow(b.Get("/", "Accept", "text/html")), "rosalind")))
	for name, want := range map[string]string{
		"OIDC_CLAIM_preferred_username": "rosalind@example.edu",
		"OIDC_CLAIM_organization":       "Example University",
		"OIDC_CLAIM_name":               "Rosalind Franklin",
	} {
		if got := home.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	first := home.Get("OIDC_access_token")
	hook := url.Values{"refresh": {site + "/"}, "access_token": {first}}
	second := decode[http.Header](t, b.Follow(b.Get("/oidc?"+hook.Encode()))).Get("OIDC_access_token")
	if second == first || !globus.good(second) {
		t.Error("refreshing brought no token that is new and good")
	}
	b.Get("/oidc?" + url.Values{"logout": {site + "/signed-out"}}.Encode())
	if globus.good(second) {
		t.Error("the token is good after signing out")
	}
	apache.stop()
}

// echoHeaders starts an app that answers with the headers of the request, and
// returns its address.
func echoHeaders(t *testing.T) string {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(r.Header)
	}))
	t.Cleanup(app.Close)
	return app.URL
}
