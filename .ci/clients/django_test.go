package clients

import (
	"os"
	"os/exec"
	"slices"
	"testing"

	"example.org/portal/routes/routestest"
)

// TestDjango signs in by the Globus backend of social-auth, which verifies the ID
// token and its nonce.
func TestDjango(t *testing.T) {
	t.Parallel()
	interpreter := python(t, "django", "social_django", "social_core.backends.globus")
	port := routestest.FreePort(t)
	site := "http://localhost:" + port
	globus := startEmulator(t, "-client", clientID+":"+clientSecret, "-redirect", site+"/complete/globus/")
	cmd := exec.Command(interpreter, "django_site.py", t.TempDir())
	cmd.Env = append(os.Environ(), "GLOBUS_URL="+globus.url, "CLIENT_ID="+clientID, "CLIENT_SECRET="+clientSecret, "PORT="+port)
	start(t, cmd).listens("127.0.0.1:" + port)

	type facts struct {
		Username, Email, Name, Sub string
		Token                      string `json:"access_token"`
		Tasks                      []string
	}
	b := globus.browser(t, site)
	home := b.Follow(b.Choose(b.Follow(b.Get("/")), "rosalind"))
	first := decode[facts](t, home)
	want := []string{"rosalind@example.edu", "rosalind@example.edu", "Rosalind Franklin", "7a1c2e40-3b5d-4f6e-8a90-1920072501aa"}
	if got := []string{first.Username, first.Email, first.Name, first.Sub}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if len(first.Tasks) != 3 {
		t.Errorf("got tasks %q, want three", first.Tasks)
	}
	second := decode[facts](t, b.Follow(b.Get("/refresh"))).Token
	if second == first.Token || !globus.good(second) {
		t.Error("refreshing brought no token that is new and good")
	}
}
