package provider_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/routes/routestest"
)

// rosalindsFacts is what the card says of Rosalind.
var rosalindsFacts = []string{"Rosalind Franklin", "rosalind@example.edu", "Example University", "7a1c2e40-3b5d-4f6e-8a90-1920072501aa"}

// TestSignIn: all that a person does, in and out, after they have said no at first.
func TestSignIn(t *testing.T) {
	t.Parallel()
	for name, variant := range map[string]settings{
		"iss in the callback, claims in userinfo alone":  {"iss": true, "id_token_claims": false}, // RFC 9207
		"no iss in the callback, claims in the ID token": {"iss": false, "id_token_claims": true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, p := start(t, variant)
			b := s.Person(t).Tab()

			b.Expect("status of 403")
			b.GoTo("/login")
			b.Click("[name=deny]")
			b.Shows("[data-reason=denied]")
			p.holds("after a refusal", 0, 0)

			b.GoTo("/")
			b.Click(routestest.SignedOut)
			b.Click("[value=rosalind]")
			b.Shows(routestest.SignedIn)
			b.Sees(rosalindsFacts...)
			b.Sees("Photo 51")
			p.holds("after the sign-in", 2, 2)

			refreshTokens(b)
			if got, want := p.tell("state").Rotated, 4; got != want {
				t.Errorf("%d refresh tokens were rotated, want %d", got, want)
			}
			b.GoTo("/")
			b.Sees(rosalindsFacts...)
			b.Sees("Photo 51")

			b.Click("#logout")
			b.Shows("#signed-out")
			b.HoldsNothingPersonal()
			p.holds("after the sign-out", 0, 0)

			b.Click("#globus-logout")
			b.Click("[name=logout]")
			b.Shows("#forgotten")
			b.GoTo("/")
			b.Click(".login")
			b.Shows("[value=rosalind]") // it asks who it is
			p.answered("authorization: access_denied: The person refused")
		})
	}
}

// refreshTokens refreshes the tokens of each resource server on the account page, twice:
// so those that came by a refresh can be refreshed.
func refreshTokens(b *routestest.Tab) {
	b.T.Helper()
	b.GoTo("/account")
	for _, server := range []string{globus.AuthServer, globus.AuthServer, globus.TransferServer, globus.TransferServer} {
		b.Mark()
		b.Click(`[id="refresh-` + server + `"]`)
		b.Swapped(b.Site.URL + "/account")
	}
}

// TestSignInAgain: who signs in again, as themselves or as someone else, can work
// with the tokens that came last; after the sign-out none is good.
func TestSignInAgain(t *testing.T) {
	t.Parallel()
	s, p := start(t, nil)
	b := s.Person(t).Tab()
	for _, person := range []string{"rosalind", "rosalind", "gosling"} {
		b.SignInAs(person)
		b.Sees("Photo 51")
		if person == "gosling" {
			p.holds("after somebody else has signed in", 2, 2)
		}
		refreshTokens(b)
		b.GoTo("/")
		b.Sees("Photo 51")
	}
	b.Click("#logout")
	b.Shows("#signed-out")
	p.holds("after the sign-out", 0, 0)
	p.answered()
}

// TestKeysRotated: other keys than those that the app has fetched are no reason to
// wait, neither for who signs in nor for who is signed in.
func TestKeysRotated(t *testing.T) {
	t.Parallel()
	s, p := start(t, nil)
	for range 3 {
		b := s.Browser()
		if home := b.SignIn("rosalind"); !home.Has("user-card") {
			t.Fatalf("got %d:\n%s", home.Status, home.Body)
		}
		p.tell("rotate")
		p.clock.Pass(time.Second) // the app fetches keys at most once in it
		home := b.Get("/")
		if card := b.Send(http.MethodPost, "/tokens/refresh", home.Form("server", globus.AuthServer), routestest.Htmx...); card.Status != http.StatusOK {
			t.Errorf("got %d for a refresh:\n%s", card.Status, card.Body)
		}
		p.tell("rotate")
		p.clock.Pass(time.Second)
	}
	p.answered()
}

// TestShortLifetime: tokens that are always about to end are refreshed at each
// use, once for all who want one then, or the provider would end the grant: it
// takes a refresh token that comes twice for stolen.
func TestShortLifetime(t *testing.T) {
	t.Parallel()
	s, p := start(t, settings{"lifetime": 30})
	b := s.Browser()
	if home := b.SignIn("rosalind"); !home.Has("user-card") {
		t.Fatalf("got %d:\n%s", home.Status, home.Body)
	}
	for round := range 3 {
		var wg sync.WaitGroup
		for range 8 {
			for path, want := range map[string]string{"/transfers": "Photo 51", "/user": "Rosalind Franklin"} {
				wg.Go(func() {
					got, err := b.Try(t.Context(), http.MethodGet, path, nil)
					if err != nil || got.Status != http.StatusOK || !strings.Contains(got.Body, want) {
						t.Errorf("%s: got %d, %v, want %q:\n%s", path, got.Status, err, want, got.Body)
					}
				})
			}
		}
		wg.Wait()
		if got := p.tell("state").Rotated; got <= round {
			t.Errorf("%d refresh tokens were rotated in %d rounds", got, round+1)
		}
	}
	b.Send(http.MethodPost, "/logout", b.Get("/").Form())
	p.holds("after the sign-out", 0, 0)
	p.answered()
}

// TestDown: the app starts, and serves what it can, while the provider is down;
// when it is back everything works, and those who were signed in are.
func TestDown(t *testing.T) {
	t.Parallel()
	s, p := startApp(t, nil)
	b := s.Browser()
	for _, path := range []string{"/", "/readyz"} {
		if page := b.Get(path); page.Status != http.StatusOK {
			t.Errorf("%s: got %d:\n%s", path, page.Status, page.Body)
		}
	}
	begun := b.Get("/login")
	p.start()
	if home := b.Follow(b.Get(b.Choose(b.Follow(begun), "rosalind").Header.Get("Location"))); !home.Has("user-card") {
		t.Fatalf("got %d:\n%s", home.Status, home.Body)
	}

	halfway := s.Browser()
	goOn := halfway.Callback("rosalind") // at the provider
	callback := halfway.Get(goOn).Header.Get("Location")
	refresh := b.Get("/").Form("server", globus.TransferServer)
	p.tell("down")
	if page := halfway.Get(callback); page.Status != http.StatusServiceUnavailable || page.Reason() != "globus_unreachable" {
		t.Errorf("got %d, %q for a sign-in:\n%s", page.Status, page.Reason(), page.Body)
	}
	if page := b.Get("/transfers"); page.Status != http.StatusServiceUnavailable || page.Reason() != "globus_unavailable" {
		t.Errorf("got %d, %q for the transfers:\n%s", page.Status, page.Reason(), page.Body)
	}
	if page := b.Send(http.MethodPost, "/tokens/refresh", refresh); page.Status != http.StatusServiceUnavailable {
		t.Errorf("got %d for a refresh:\n%s", page.Status, page.Body)
	}
	if !b.SignedIn() {
		t.Error("a provider that is down signed somebody out")
	}

	p.tell("up")
	if page := b.Get("/transfers"); !strings.Contains(page.Body, "Photo 51") {
		t.Errorf("got %d for the transfers:\n%s", page.Status, page.Body)
	}
	if home := halfway.SignIn("rosalind"); !home.Has("user-card") {
		t.Errorf("got %d for a sign-in:\n%s", home.Status, home.Body)
	}
	p.answered()
}

// TestCheck: what "portal -check" asks of Globus goes well where a sign-in would.
func TestCheck(t *testing.T) {
	t.Parallel()
	s, p := start(t, nil)
	client := func(secret, redirectURL string) *globus.Client {
		c, err := globus.New(globus.Config{ClientID: routestest.ClientID, ClientSecret: secret, RedirectURL: redirectURL, Issuer: p.url})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := client(routestest.ClientSecret, s.URL+"/login")
	if differences, err := c.CheckDiscovery(t.Context()); err != nil || len(differences) > 0 {
		t.Errorf("discovery: %q, %v", differences, err)
	}
	if n, err := c.CheckKeys(t.Context()); err != nil || n != 1 {
		t.Errorf("%d keys, %v; want 1", n, err)
	}
	if _, err := c.CheckClock(t.Context()); err != nil {
		t.Errorf("clock: %v", err)
	}
	if err := c.CheckCredentials(t.Context()); err != nil {
		t.Errorf("credentials: %v", err)
	}
	if err := c.CheckAuthorize(t.Context()); err != nil {
		t.Errorf("the authorization endpoint: %v", err)
	}
	wrong := client("wrong", s.URL+"/elsewhere")
	if err := wrong.CheckCredentials(t.Context()); err == nil || globus.Remedy(err) == "" {
		t.Errorf("got %v, and %q, for a wrong secret", err, globus.Remedy(err))
	}
	if err := wrong.CheckAuthorize(t.Context()); err == nil {
		t.Error("a redirect URI that is not registered passes")
	}
}
