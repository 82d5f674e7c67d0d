package routes_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// place returns the demo collection whose name begins so.
func place(t *testing.T, name string) globustest.Collection {
	t.Helper()
	all := globustest.DemoCollections()
	i := slices.IndexFunc(all, func(c globustest.Collection) bool { return strings.HasPrefix(c.Name, name) })
	if i < 0 {
		t.Fatal("no collection " + name)
	}
	return all[i]
}

// TestStepUp: what a collection wants of the person, they do at Globus, and
// then the list is there that they wanted to see.
func TestStepUp(t *testing.T) {
	t.Parallel()
	storage, cluster, archive := place(t, "Example University Research"), place(t, "Example Supercomputer"), place(t, "Tape")
	both := cluster
	both.DataAccess = true
	places := []globustest.Collection{storage, both, archive}
	const transfer = globus.TransferScope
	consent := func(c globustest.Collection) string {
		return transfer + "[*https://auth.globus.org/scopes/" + c.ID + "/data_access]"
	}
	campus := []string{"person", "ada", "mfa", "1"}
	tests := []struct {
		name  string
		path  string
		steps [][]string // done at Globus, one visit each
		want  []url.Values
		see   string
	}{
		{"consent", "/probe/folder/" + storage.ID + "?path=%2Fhome%2F", [][]string{{"allow", "1"}},
			[]url.Values{{"scope": {consent(storage)}}}, "notes.txt"},
		{"an identity", "/probe/folder/" + archive.ID + "?path=/1952/", [][]string{{"identity", "7a1c2e40-3b5d-4f6e-8a90-1815121005aa"}},
			[]url.Values{{"session_required_single_domain": {"lab.example.org"}, "session_message": {"Tape archive asks who you are"}}}, "tape-1.tar"},
		{"two in a row", "/probe/folder/" + both.ID + "?path=/scratch/", [][]string{{"allow", "1"}, campus},
			[]url.Values{{"scope": {consent(both)}}, {"session_required_single_domain": {"example.edu"}, "session_required_mfa": {"true"}}}, "run-1.out"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := start(t, routestest.Options{Collections: places})
			b := s.Browser()
			b.SignIn("ada")
			p := b.Get(test.path)
			for i, step := range test.steps {
				q := p.AuthorizeRequest(t, s)
				for name, want := range test.want[i] {
					if name == "scope" && !strings.Contains(" "+q.Get("scope")+" ", " "+want[0]+" ") || name != "scope" && q.Get(name) != want[0] {
						t.Errorf("visit %d: %s is %q, want %q", i, name, q.Get(name), want)
					}
				}
				for _, scope := range []string{"openid", "email", "profile", transfer} {
					if !strings.Contains(q.Get("scope"), scope) {
						t.Errorf("visit %d asks for %q, without %s", i, q.Get("scope"), scope)
					}
				}
				if q.Has("prompt") {
					t.Errorf("visit %d has a prompt", i)
				}
				back := b.AtGlobus(p, step...)
				if got := back.Header.Get("Location"); got != s.URL+test.path {
					t.Fatalf("visit %d ends with %d, at %q:\n%s", i, back.Status, got, back.Body)
				}
				p = b.Get(test.path)
			}
			if p.Status != http.StatusOK || !strings.Contains(p.Body, test.see) {
				t.Errorf("got %d, want %q:\n%s", p.Status, test.see, p.Body)
			}
		})
	}
}

// wanting adds pages that want of everybody what want returns; nil: nothing.
func wanting(s *routestest.Site, want func() *globus.Requirements) {
	h := func(w http.ResponseWriter, r *http.Request) error {
		if r := want(); r != nil {
			return fmt.Errorf("wrapped: %w", &globus.Error{Call: "transfer", Reason: globus.BadStatus, Status: 502, Requirements: r})
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	s.App.HandleSignedIn("GET /wanting", h)
	s.App.HandleSignedIn("POST /wanting", h)
}

func domain(name string) *globus.Requirements {
	return &globus.Requirements{Code: "AuthorizationRequired", Message: "Who are you?", Domains: []string{name}}
}

// TestStepUpEnds: whatever a service wants, and however often, nobody is sent in
// circles; and everybody may try again by hand.
func TestStepUpEnds(t *testing.T) {
	t.Parallel()
	mfa := &globus.Requirements{MFA: true}
	n := 0
	tests := []struct {
		name string
		want func() *globus.Requirements
		max  int // visits to Globus before it ends
	}{
		{"always the same", func() *globus.Requirements { return mfa }, 1},
		{"the same in other words", func() *globus.Requirements {
			n++
			return &globus.Requirements{MFA: true, Message: fmt.Sprint(n)}
		}, 1},
		{"two by turns", func() *globus.Requirements {
			n++
			return []*globus.Requirements{mfa, domain("example.edu")}[n%2]
		}, 2},
		{"always something else", func() *globus.Requirements {
			n++
			return domain(fmt.Sprintf("d%d.example", n))
		}, 5},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var c routestest.Clock
			s := routestest.Start(t, routestest.Options{Now: c.Now})
			wanting(s, test.want)
			b := s.Browser()
			b.SignIn("rosalind")
			visits := func() (n int, p routestest.Page) {
				for p = b.Get("/wanting"); p.Status == http.StatusSeeOther && n < 20; p = b.Get("/wanting") {
					p.AuthorizeRequest(t, s)
					if back := b.AtGlobus(p, "person", "rosalind", "mfa", "1"); back.Status != http.StatusSeeOther {
						t.Fatalf("the callback answers %d:\n%s", back.Status, back.Body)
					}
					n++
				}
				return n, p
			}
			n, p := visits()
			if n != test.max || p.Status != http.StatusForbidden || !p.Has(".again") {
				t.Errorf("ended after %d visits, want %d, with %d:\n%s", n, test.max, p.Status, p.Body)
			}
			if p := b.Get("/wanting", routestest.Htmx...); p.Status != http.StatusForbidden || p.Link(".step-up") != s.URL+"/login?again=1&next=%2Fwanting" {
				t.Errorf("htmx gets %d:\n%s", p.Status, p.Body)
			}
			again := b.Get(p.Link(".step-up"))
			if again.Status != http.StatusSeeOther || again.Header.Get("Location") != s.URL+"/wanting" {
				t.Fatalf("trying again: %d to %s", again.Status, again.Header.Get("Location"))
			}
			if n, _ := visits(); n != test.max {
				t.Errorf("by hand it ends after %d visits, want %d", n, test.max)
			}
			c.Pass(5 * time.Minute)
			if n, _ := visits(); n != test.max {
				t.Errorf("five minutes later it ends after %d visits, want %d", n, test.max)
			}
			if !b.SignedIn() {
				t.Error("the person was signed out")
			}
		})
	}
}

// TestStepUpRequests: only a page that the person opens leads to Globus by
// itself; anything else gets words and a link, and nothing is done twice.
func TestStepUpRequests(t *testing.T) {
	t.Parallel()
	fetch := []string{"Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"}
	from := func(s *routestest.Site, headers ...string) []string { return append(headers, "Referer", s.URL+"/user") }
	tests := []struct {
		name, method string
		headers      []string
		wantStatus   int
		wantLink     string // "": none
		want         []string
		unwanted     []string
	}{
		{"a navigation", "GET", nil, 303, "", nil, nil},
		{"a prefetch", "GET", []string{"Sec-Purpose", "prefetch"}, 204, "", nil, nil},
		{"its head", "HEAD", nil, 403, "", nil, nil},
		{"htmx", "GET", routestest.Htmx, 403, "/wanting?x=1", []string{"Who are you?", "<bdi>example.edu</bdi>"}, []string{"<html", "hx-", `target="_blank"`, "send-again"}},
		{"htmx for a whole page", "GET", []string{"HX-Request", "true"}, 403, "/wanting?x=1", []string{"<html"}, nil},
		{"a script", "GET", fetch, 403, "/wanting?x=1", []string{"<html"}, nil},
		{"a form", "POST", nil, 403, "/login?again=1&next=%2Fuser", []string{"<html", `target="_blank"`, "send-again", `name="typed" value="words &amp; more"`}, nil},
		{"a form by htmx", "POST", routestest.Htmx, 403, "/login?again=1&next=%2Fuser", []string{`target="_blank"`}, []string{"<html", "send-again"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := routestest.Start(t, routestest.Options{})
			calls := 0
			wanting(s, func() *globus.Requirements { calls++; return domain("example.edu") })
			b := s.Browser()
			home := b.SignIn("rosalind")
			_, before := b.Cookie("session")
			var form url.Values
			if test.method == "POST" {
				form = home.Form("typed", "words & more")
			}
			p := b.Send(test.method, "/wanting?x=1", form, from(s, test.headers...)...)
			link := strings.TrimPrefix(p.Link(".step-up"), s.URL)
			if refused := p.Status == http.StatusForbidden && test.method != "HEAD"; refused && p.Reason() != "requirements" {
				t.Errorf("the reason is %q", p.Reason())
			}
			if p.Status != test.wantStatus || link != test.wantLink || calls != 1 {
				t.Errorf("got %d after %d calls, with a link to %q, want %d, 1 and %q:\n%s", p.Status, calls, link, test.wantStatus, test.wantLink, p.Body)
			}
			for _, want := range test.want {
				if !strings.Contains(p.Body, want) {
					t.Errorf("it lacks %q:\n%s", want, p.Body)
				}
			}
			for _, unwanted := range test.unwanted {
				if strings.Contains(p.Body, unwanted) {
					t.Errorf("it has %q:\n%s", unwanted, p.Body)
				}
			}
			if form != nil { // the page that it came from wants nothing by itself
				if by := p.Header.Get("HX-Reswap"); (by == "beforebegin") != (len(test.headers) > 0) {
					t.Errorf("it is swapped %q", by)
				}
				asked := b.Get(p.Link(".step-up"))
				if got := asked.AuthorizeRequest(t, s).Get("session_required_single_domain"); got != "example.edu" {
					t.Errorf("the link asks for %q", got)
				}
				if back := b.AtGlobus(asked, "person", "rosalind"); back.Header.Get("Location") != s.URL+"/user" || calls != 1 {
					t.Errorf("it ends at %s after %d calls", back.Header.Get("Location"), calls)
				}
				return
			}
			if _, after := b.Cookie("session"); after != before || !b.SignedIn() {
				t.Error("the session changed")
			}
		})
	}
}

// TestStepUpFragment: a part of a page, which Transfer wants consent for, has a
// link to Globus in its place, and is there afterwards.
func TestStepUpFragment(t *testing.T) {
	t.Parallel()
	wanted := globus.TransferScope + "[*https://auth.globus.org/scopes/" + place(t, "Example University Research").ID + "/data_access]"
	s := start(t, routestest.Options{})
	b := s.Browser()
	b.SignIn("rosalind")
	s.Globus.Lie(globustest.Lie{ConsentRequired: []string{wanted}})
	card := b.Get("/probe/tasks?x=1", routestest.Htmx...)
	if card.Status != http.StatusForbidden || card.Link(".step-up") != "/probe/tasks?x=1" || strings.Contains(card.Body, "<html") {
		t.Fatalf("got %d:\n%s", card.Status, card.Body)
	}
	p := b.Get(card.Link(".step-up"))
	if got := p.AuthorizeRequest(t, s).Get("scope"); !strings.Contains(got, wanted) {
		t.Errorf("asks for %q", got)
	}
	back := b.AtGlobus(p, "allow", "1")
	s.Globus.Lie(globustest.Lie{})
	if p := b.Follow(back); p.URL != s.URL+"/probe/tasks?x=1" || !p.Has("tasks") {
		t.Errorf("ends with %d at %s:\n%s", p.Status, p.URL, p.Body)
	}
}

// TestStepUpReachesFarther: what a service wants for other services is not asked
// of a person because of a link, but when they have read it and clicked.
func TestStepUpReachesFarther(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	more := "urn:globus:auth:scope:auth.globus.org:manage_projects"
	wanting(s, func() *globus.Requirements { return &globus.Requirements{Scopes: globus.Scopes{{Name: more}}} })
	b := s.Browser()
	b.SignIn("rosalind")
	p := b.Get("/wanting")
	if p.Status != http.StatusForbidden || !strings.Contains(p.Body, more) {
		t.Fatalf("got %d, want a page that says what is wanted:\n%s", p.Status, p.Body)
	}
	link := p.Link(".step-up")
	if !strings.Contains(link, "again=1") {
		t.Fatalf("the way on is %q:\n%s", link, p.Body)
	}
	if p := b.Get(link, "Sec-Fetch-Site", "cross-site"); strings.Contains(p.Header.Get("Location"), globustest.AuthorizePath) {
		t.Errorf("a link of another site leads to Globus: %s", p.Header.Get("Location"))
	}
	if got := b.Get(link).AuthorizeRequest(t, s).Get("scope"); !strings.Contains(got, more) {
		t.Errorf("Globus is asked for %q, want %s too", got, more)
	}
}
