package auth_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
	"example.org/portal/routes/session"
)

// wanting adds pages that require of everybody what want returns; nil is nothing.
func wanting(s *routestest.Site, want func() *globus.Requirements) {
	h := func(w http.ResponseWriter, r *http.Request, _ *session.Session) error {
		if r := want(); r != nil {
			return fmt.Errorf("wrapped: %w", &globus.Error{Call: "transfer", Reason: globus.BadStatus, Status: 502, Requirements: r})
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	s.App.Handle("GET /probe/wanting", s.App.Auth.Required(h))
	s.App.Handle("POST /probe/wanting", s.App.Auth.Required(h))
}

func domain(name string) *globus.Requirements {
	return &globus.Requirements{Code: "AuthorizationRequired", Message: "Who are you?", Domains: []string{name}}
}

// TestStepUp: what a service wants is on a card with one button, which asks Globus
// for exactly that and leads back; then the page is there.
func TestStepUp(t *testing.T) {
	t.Parallel()
	places := globustest.DemoCollections()
	i := slices.IndexFunc(places, func(c globustest.Collection) bool { return c.DataAccess })
	consent := globus.TransferScope + "[*https://auth.globus.org/scopes/" + places[i].ID + "/data_access]"
	scopes, err := globus.ParseScopes(consent)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		want globus.Requirements
		at   []string // done at Globus
		asks url.Values
	}{
		{"consent", globus.Requirements{Scopes: scopes}, []string{"allow", "1"}, url.Values{"scope": {consent}}},
		{"a scope of another service", globus.Requirements{Scopes: globus.Scopes{{Name: "urn:globus:auth:scope:auth.globus.org:view_identity_set"}}}, []string{"allow", "1"},
			url.Values{"scope": {"urn:globus:auth:scope:auth.globus.org:view_identity_set"}}},
		{"an identity", globus.Requirements{Domains: []string{"lab.example.org"}, SessionMessage: "Who are you?"},
			[]string{"identity", "7a1c2e40-3b5d-4f6e-8a90-1815121005aa"}, url.Values{"session_required_single_domain": {"lab.example.org"}, "session_message": {"Who are you?"}}},
		{"a second factor", globus.Requirements{MFA: true}, []string{"person", "ada", "mfa", "1"}, url.Values{"session_required_mfa": {"true"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := routestest.Start(t, routestest.Options{})
			wanted := &test.want
			wanting(s, func() *globus.Requirements { return wanted })
			b := s.Browser()
			b.SignIn("ada")
			_, before := b.Cookie("session")
			csrf, _ := b.Cookie("csrf")
			const path = "/probe/wanting?a=b&c=%2F"
			card := b.Get(path)
			if card.Status != http.StatusForbidden || card.Reason() != "requirements" || strings.Count(card.Body, "step-up") != 1 {
				t.Fatalf("got %d, want a card with one button:\n%s", card.Status, card.Body)
			}
			begun := b.Get(card.Link(".step-up"))
			asked := begun.AuthorizeRequest(t, s)
			for name, want := range test.asks {
				if got := asked.Get(name); name == "scope" && !slices.Contains(strings.Split(got, " "), want[0]) || name != "scope" && got != want[0] {
					t.Errorf("%s is %q, want %q", name, got, want[0])
				}
			}
			for _, scope := range []string{"openid", "email", "profile", globus.TransferScope} {
				if !strings.Contains(asked.Get("scope"), scope) {
					t.Errorf("it asks for %q, without %s", asked.Get("scope"), scope)
				}
			}
			back := b.AtGlobus(begun, test.at...)
			if got := back.Header.Get("Location"); got != s.URL+path {
				t.Fatalf("it ends with %d, at %q:\n%s", back.Status, got, back.Body)
			}
			wanted = nil
			if p := b.Get(path); p.Status != http.StatusNoContent {
				t.Errorf("then the page answers %d", p.Status)
			}
			if _, after := b.Cookie("session"); after != before {
				t.Error("the session is another one")
			}
			if after, _ := b.Cookie("csrf"); after != csrf {
				t.Error("forms that are open have become too old")
			}
		})
	}
}

// TestStepUpIsNeverByItself: however often a service wants something, nobody is
// sent anywhere without a click.
func TestStepUpIsNeverByItself(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	wanting(s, func() *globus.Requirements { return domain("example.edu") })
	b := s.Browser()
	b.SignIn("rosalind")
	for range 3 {
		card := b.Get("/probe/wanting")
		if card.Status != http.StatusForbidden {
			t.Fatalf("got %d, want a card", card.Status)
		}
		if back := b.AtGlobus(b.Get(card.Link(".step-up")), "person", "rosalind"); back.Header.Get("Location") != s.URL+"/probe/wanting" {
			t.Fatalf("got %d to %q", back.Status, back.Header.Get("Location"))
		}
	}
	if !b.SignedIn() {
		t.Error("the person was signed out")
	}
}

// TestStepUpRequests: a card is a page or a fragment, as what was asked for; a form
// that was refused can be sent again, by one click.
func TestStepUpRequests(t *testing.T) {
	t.Parallel()
	fetch := []string{"Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"}
	tests := []struct {
		name, method string
		headers      []string
		wantPage     bool
		wantForm     bool
		wantNext     string
	}{
		{"a navigation", "GET", nil, true, false, "/probe/wanting?x=1"},
		{"htmx", "GET", routestest.Htmx, false, false, "/probe/wanting?x=1"},
		{"htmx for a whole page", "GET", []string{"HX-Request", "true"}, true, false, "/probe/wanting?x=1"},
		{"a script", "GET", fetch, true, false, "/probe/wanting?x=1"},
		{"a form", "POST", nil, true, true, "/user"},
		{"a form by htmx", "POST", routestest.Htmx, false, false, "/user"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := routestest.Start(t, routestest.Options{})
			calls := 0
			wanted := domain("example.edu")
			wanting(s, func() *globus.Requirements { calls++; return wanted })
			b := s.Browser()
			home := b.SignIn("rosalind")
			var form url.Values
			if test.method == "POST" {
				form = home.Form("typed", "words & more")
			}
			card := b.Send(test.method, "/probe/wanting?x=1", form, append(test.headers, "Referer", s.URL+"/user")...)
			if card.Status != http.StatusForbidden || card.Reason() != "requirements" || calls != 1 || strings.Contains(card.Body, "<html") != test.wantPage {
				t.Fatalf("got %d after %d calls; want a page: %t\n%s", card.Status, calls, test.wantPage, card.Body)
			}
			if !strings.Contains(card.Body, "Who are you?") || !strings.Contains(card.Body, "<bdi>example.edu</bdi>") {
				t.Errorf("it does not say what is wanted, in the service's words:\n%s", card.Body)
			}
			if again := strings.Contains(card.Body, "send-again"); again != test.wantForm || again && !strings.Contains(card.Body, `value="words &amp; more"`) {
				t.Errorf("it offers the form again: %t\n%s", again, card.Body)
			}
			if by := card.Header.Get("HX-Reswap"); (by == "beforebegin") != (form != nil && !test.wantPage) {
				t.Errorf("it is swapped %q", by)
			}
			if back := b.AtGlobus(b.Get(card.Link(".step-up")), "person", "rosalind"); back.Header.Get("Location") != s.URL+test.wantNext || calls != 1 {
				t.Errorf("it leads to %s after %d calls, want %s and 1", back.Header.Get("Location"), calls, test.wantNext)
			}
			wanted = nil
			if form == nil {
				return
			}
			if p := b.Send("POST", "/probe/wanting?x=1", home.Form("typed", "words & more")); p.Status != http.StatusNoContent {
				t.Errorf("the same form, sent again: got %d:\n%s", p.Status, p.Body)
			}
		})
	}
}

// TestStepUpLinks: only a link that this very session signed leads to Globus; any
// other leads to where it says, if that is here.
func TestStepUpLinks(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	wanting(s, func() *globus.Requirements { return domain("example.edu") })
	link := func(b *routestest.Browser) string { return b.Get("/probe/wanting").Link(".step-up") }
	rosalind, ada := s.Browser(), s.Browser()
	rosalind.SignIn("rosalind")
	ada.SignIn("ada")
	good := link(rosalind)
	signed := must(url.Parse(good)).Query().Get("step_up")
	payload, mac, _ := strings.Cut(signed, ".")
	tests := []struct{ name, link, want string }{
		{"another's", link(ada), "/probe/wanting"},
		{"no signature", strings.Replace(good, "."+mac, "", 1), "/probe/wanting"},
		{"an empty signature", strings.Replace(good, "."+mac, ".", 1), "/probe/wanting"},
		{"other requirements", strings.Replace(good, payload, payload[1:], 1), "/probe/wanting"},
		{"nothing", "/login?step_up=&next=/user", "/user"},
		{"elsewhere", "/login?step_up=x&next=https://example.com/", "/"},
	}
	for _, test := range tests {
		if p := rosalind.Get(test.link); p.Status != http.StatusSeeOther || p.Header.Get("Location") != s.URL+test.want {
			t.Errorf("%s: got %d to %q, want %s", test.name, p.Status, p.Header.Get("Location"), test.want)
		}
	}
	rosalind.Get(good).AuthorizeRequest(t, s)
	if p := s.Browser().Get(good); p.AuthorizeRequest(t, s).Has("session_required_single_domain") {
		t.Error("nobody is signed in, and Globus is asked for more than a sign-in")
	}
}

// TestStepUpManyScopes: consent for many collections at once fits into the link;
// for more than an address can hold nobody is sent to Globus.
func TestStepUpManyScopes(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]bool{1: true, 30: true, 500: false} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s := routestest.Start(t, routestest.Options{})
			transfer := globus.Scope{Name: globus.TransferScope}
			for i := range n {
				transfer.Dependencies = append(transfer.Dependencies, globus.Scope{Name: fmt.Sprintf("https://auth.globus.org/scopes/7a1c2e40-3b5d-4f6e-8a90-%012d/data_access", i), Optional: true})
			}
			wanting(s, func() *globus.Requirements { return &globus.Requirements{Scopes: globus.Scopes{transfer}} })
			b := s.Browser()
			b.SignIn("rosalind")
			path := "/probe/wanting?" + strings.Repeat("x", 1800)
			p := b.Get(path)
			if !want {
				if p.Status != http.StatusForbidden || p.Reason() != "requirements_too_large" {
					t.Errorf("got %d, %s", p.Status, p.Reason())
				}
				return
			}
			if got := strings.Count(b.Get(p.Link(".step-up")).AuthorizeRequest(t, s).Get("scope"), "data_access"); got != n {
				t.Errorf("it asks for %d scopes, want %d", got, n)
			}
		})
	}
}
