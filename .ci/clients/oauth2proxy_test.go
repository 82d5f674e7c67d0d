package clients

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"example.org/portal/routes/routestest"
)

// oauth2Proxy is the version that the test runs.
const oauth2Proxy = "github.com/oauth2-proxy/oauth2-proxy/v7@v7.15.6"

// TestOAuth2Proxy signs in to an app behind oauth2-proxy, which verifies the ID
// token, and refreshes the tokens by itself.
func TestOAuth2Proxy(t *testing.T) {
	t.Parallel()
	program := installOAuth2Proxy(t)
	app, port := echoHeaders(t), routestest.FreePort(t)
	site := "http://localhost:" + port
	globus := startEmulator(t, "-client", clientID+":"+clientSecret, "-redirect", site+"/oauth2/callback")
	proxy := start(t, exec.Command(program,
		"--provider=oidc", "--oidc-issuer-url="+globus.url, "--client-id="+clientID, "--client-secret="+clientSecret,
		"--redirect-url="+site+"/oauth2/callback", "--scope=openid email profile offline_access", "--email-domain=example.edu",
		"--http-address=127.0.0.1:"+port, "--upstream="+app, "--pass-access-token", "--skip-provider-button",
		"--cookie-secret=0123456789abcdef0123456789abcdef", "--cookie-secure=false", "--cookie-refresh=1s"))
	proxy.listens("127.0.0.1:" + port)

	b := globus.browser(t, site)
	home := decode[http.Header](t, b.Follow(b.Choose(b.Follow(b.Get("/")), "rosalind")))
	if got, want := home.Get("X-Forwarded-Email"), "rosalind@example.edu"; got != want {
		t.Errorf("X-Forwarded-Email: got %q, want %q", got, want)
	}
	if got, want := home.Get("X-Forwarded-Preferred-Username"), "rosalind@example.edu"; got != want {
		t.Errorf("X-Forwarded-Preferred-Username: got %q, want %q", got, want)
	}
	first := home.Get("X-Forwarded-Access-Token")
	if !globus.good(first) {
		t.Error("the access token is not good")
	}
	routestest.Await(t, "the proxy refreshes the token", func() bool {
		second := decode[http.Header](t, b.Get("/")).Get("X-Forwarded-Access-Token")
		return second != first && globus.good(second)
	})
	if !strings.Contains(globus.output.String(), "ignored=[approval_prompt]") {
		t.Error("the emulator does not say that it ignored approval_prompt")
	}
	proxy.stop()
}

// installOAuth2Proxy installs the program, if that version is not there yet, into
// the user's cache: to build it takes minutes.
func installOAuth2Proxy(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "portal-clients")
	cmd := exec.Command("go", "install", oauth2Proxy)
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		routestest.Skip(t, "cannot install "+oauth2Proxy+": "+string(out))
	}
	return filepath.Join(dir, "oauth2-proxy")
}
