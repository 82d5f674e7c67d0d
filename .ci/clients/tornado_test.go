package clients

import (
	"os"
	"os/exec"
	"testing"

	"example.org/portal/routes/routestest"
)

// TestTornado signs in to an app like the one of Globus's integration guide.
func TestTornado(t *testing.T) {
	t.Parallel()
	interpreter := python(t, "tornado")
	port := routestest.FreePort(t)
	site := "http://localhost:" + port
	globus := startEmulator(t, "-client", clientID+":"+clientSecret, "-redirect", site+"/login")
	cmd := exec.Command(interpreter, "tornado_app.py")
	cmd.Env = append(os.Environ(), "GLOBUS_URL="+globus.url, "CLIENT_ID="+clientID, "CLIENT_SECRET="+clientSecret, "PORT="+port)
	start(t, cmd).listens("127.0.0.1:" + port)

	b := globus.browser(t, site)
	home := b.SignIn("rosalind")
	type facts struct {
		Name, Email, Sub, Organization string
		Username                       string `json:"preferred_username"`
		Token                          string `json:"access_token"`
	}
	got := decode[facts](t, home)
	first := got.Token
	got.Token = ""
	want := facts{"Rosalind Franklin", "rosalind@example.edu", "7a1c2e40-3b5d-4f6e-8a90-1920072501aa", "Example University", "rosalind@example.edu", ""}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	tasks := decode[struct{ DATA []struct{ Label string } }](t, b.Get("/transfers"))
	if len(tasks.DATA) != 3 || tasks.DATA[0].Label == "" {
		t.Errorf("got %+v, want three tasks", tasks)
	}
	second := decode[facts](t, b.Follow(b.Get("/refresh"))).Token
	if second == first || !globus.good(second) {
		t.Errorf("refreshing brought no token that is new and good")
	}
	out := decode[facts](t, b.Follow(b.Get("/logout")))
	if out != (facts{}) || globus.good(second) {
		t.Errorf("after signing out the app shows %+v; the token is good: %t", out, globus.good(second))
	}
}
