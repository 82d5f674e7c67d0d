package components_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"example.org/portal/components"
	"example.org/portal/globus"
)

var site = components.Site{
	PublicURL:  "https://portal.example.edu/app",
	BasePath:   "/app",
	Stylesheet: "/app/static/app.css",
	Htmx:       "/app/static/htmx.js",
	Script:     "/app/static/app.js",
	Icon:       "/app/static/icon.svg",
}

const (
	subject = "7d2e3f50-5b1c-4f0a-9a63-0d3f1c2b4e5a"
	attack  = "\"><script>alert(1)</script><img src=x onerror='alert(1)'>\u202e{{7*7}} hx-on:click=x"
	attackJ = "javascript:alert(1)"
)

func card(id *globus.Identity, access, refresh components.Secret) components.Card {
	return components.Card{Site: site, CSRFToken: "tok+en==", Identity: id, AccessToken: access, RefreshToken: refresh}
}

func page(title string) components.Page { return components.Page{Site: site, Title: title} }

func problem(text, url string) components.Problem {
	return components.Problem{Site: site, Heading: text, Message: text, Reference: text, LoginURL: url,
		Form: &components.Form{Action: url, CSRFToken: "fresh", Label: text, Fields: []components.Field{{Name: "token", Value: text}}}}
}

// all is every component, with all, little, and hostile data.
func all() map[string]templ.Component {
	held, none := components.Secret{Held: true}, components.Secret{}
	full := card(&globus.Identity{Subject: subject, Username: "r@example.edu", Name: "Rosalind Franklin", Email: "rf@example.edu", Organization: "King's College"}, held, held)
	shown := full
	shown.AccessToken.Shown = "access-token-shown"
	onlySub := card(&globus.Identity{Subject: subject}, held, none)
	hostile := card(&globus.Identity{Subject: attack, Username: attackJ, Name: attack, Email: attack, Organization: attack},
		components.Secret{Held: true, Shown: attack}, components.Secret{Held: true, Shown: attackJ})
	signedOut := card(nil, held, held)
	return map[string]templ.Component{
		"Home/full":               components.Home(page(""), full),
		"Home/signed out":         components.Home(page(""), signedOut),
		"UserCard/full":           components.UserCard(full),
		"UserCard/shown":          components.UserCard(shown),
		"UserCard/only sub":       components.UserCard(onlySub),
		"UserCard/hostile":        components.UserCard(hostile),
		"UserCard/signed out":     components.UserCard(signedOut),
		"Frame/card":              components.Frame(page("Your card"), components.UserCard(full)),
		"Frame/hostile":           components.Frame(page(attack), components.UserCard(hostile)),
		"SignedOut/full":          components.SignedOut(page("Signed out"), components.SignedOutInfo{GlobusLogoutURL: "https://auth.globus.org/v2/web/logout?client_id=x&redirect_name=y"}),
		"SignedOut/pending":       components.SignedOut(page("Signed out"), components.SignedOutInfo{Pending: true}),
		"SignedOut/hostile":       components.SignedOut(page(attack), components.SignedOutInfo{GlobusLogoutURL: attackJ}),
		"SessionEnded/full":       components.SessionEnded(site.LoginURL("/transfers?a=1&b=2")),
		"SessionEnded/hostile":    components.SessionEnded(attackJ),
		"ProblemPage/full":        components.ProblemPage(page("Too old"), problem("Too old", site.LoginURL(""))),
		"ProblemPage/little":      components.ProblemPage(page("Too old"), components.Problem{Site: site, Heading: "Too old"}),
		"ProblemPage/hostile":     components.ProblemPage(page(attack), problem(attack, attackJ)),
		"ProblemFragment/full":    components.ProblemFragment(problem("Too old", site.LoginURL(""))),
		"ProblemFragment/hostile": components.ProblemFragment(problem(attack, attackJ)),
	}
}

func render(t *testing.T, c templ.Component) string {
	t.Helper()
	var b strings.Builder
	if err := c.Render(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWhatIsSaid(t *testing.T) {
	tests := []struct {
		component string
		want      []string
		unwanted  []string
	}{
		{"Home/full", []string{"<!doctype html>", "<title>" + components.AppName + "</title>", "<h1>" + components.AppName + "</h1>", `id="user-card"`, "Not affiliated with Globus"}, []string{"not signed in"}},
		{"Home/signed out", []string{"Log in with Globus", `href="https://portal.example.edu/app/login"`}, []string{"Log out", subject, "csrf_token"}},
		{"UserCard/full", []string{"Hello <bdi>Rosalind Franklin</bdi>!", "<dt>Username</dt>", "<dt>Email</dt>", "<dt>UUID</dt>", "<dt>Organization</dt>", "<dt>Access token</dt>", "<dt>Refresh token</dt>",
			subject, "r@example.edu", "rf@example.edu", "King&#39;s College", "••••••••", `action="/app/logout"`, `hx-post="/app/logout"`, `hx-get="/app/user"`, `hx-trigger="tab-visible from:body"`, ">Refresh</a>"},
			[]string{"not given", "<html", "delay:60s", "Hide"}},
		{"UserCard/shown", []string{"<code>access-token-shown</code>", "load delay:60s", "Hide", "••••••••"}, nil},
		{"UserCard/only sub", []string{"Hello!", "not given", "none"}, []string{"<bdi></bdi>", "Hello <bdi>"}},
		{"UserCard/signed out", []string{"Log in with Globus", `id="user-card"`}, []string{" hx-", "<form"}},
		{"UserCard/hostile", []string{"<bdi>&#34;&gt;&lt;script&gt;", "<code>" + attackJ + "</code>"}, nil},
		{"Frame/card", []string{"<title>Your card · " + components.AppName, "<h1>Your card</h1>", `id="user-card"`}, nil},
		{"SignedOut/full", []string{"You are signed out here", "autofocus", "Sign out of Globus too</a>", `logout?client_id=x&amp;redirect_name=y"`, `href="https://portal.example.edu/app/login"`}, []string{"not yet on the server"}},
		{"SignedOut/pending", []string{"not yet on the server"}, []string{"Sign out of Globus too</a>"}},
		{"SessionEnded/full", []string{"Your session has ended", "login?next=%2Ftransfers%3Fa%3D1%26b%3D2"}, []string{" hx-"}},
		{"ProblemPage/full", []string{"<h1>Too old</h1>", "Go to the home page", `href="/app/"`, "Reference:", `name="token" value="Too old"`, `value="fresh"`}, []string{`role="alert"`}},
		{"ProblemPage/little", []string{"Go to the home page"}, []string{"Reference:", "Log in", "<form"}},
		{"ProblemFragment/full", []string{`role="alert"`, "<h2>Too old</h2>"}, []string{"<html", "<h1"}},
	}
	components := all()
	for _, tt := range tests {
		t.Run(tt.component, func(t *testing.T) {
			got := render(t, components[tt.component])
			for _, s := range tt.want {
				if !strings.Contains(got, s) {
					t.Errorf("want %q in\n%s", s, got)
				}
			}
			for _, s := range tt.unwanted {
				if strings.Contains(got, s) {
					t.Errorf("do not want %q in\n%s", s, got)
				}
			}
		})
	}
}

var (
	tags      = regexp.MustCompile(`<[a-zA-Z][^<>]*>`)
	attribute = regexp.MustCompile(`\s([a-zA-Z][^\s="'<>/]*)(?:="([^"]*)")?`)
	forms     = regexp.MustCompile(`(?s)<form.*?</form>`)
)

// Whatever the data, a page has nothing that the content security policy
// would have to allow, and every form has its own token.
func TestNothingForbidden(t *testing.T) {
	for name, c := range all() {
		t.Run(name, func(t *testing.T) {
			got := render(t, c)
			for _, f := range forms.FindAllString(got, -1) {
				if n := strings.Count(f, `type="hidden" name="csrf_token" value="`); n != 1 {
					t.Errorf("%d token fields in %s", n, f)
				}
				if !strings.Contains(f, `method="post"`) {
					t.Errorf("not posted: %s", f)
				}
			}
			for _, tag := range tags.FindAllString(got, -1) {
				if strings.HasPrefix(tag, "<style") || strings.HasPrefix(tag, "<script") && !strings.Contains(tag, ` src="/app/static/`) {
					t.Errorf("inline: %s", tag)
				}
				if strings.HasPrefix(tag, "<img") && !strings.Contains(tag, ` src="/app/static/`) {
					t.Errorf("markup from outside: %s", tag)
				}
				for _, a := range attribute.FindAllStringSubmatch(tag, -1) {
					if why := forbidden(a[1], a[2]); why != "" {
						t.Errorf("%s in %s", why, tag)
					}
				}
			}
		})
	}
}

// forbidden says what is wrong with an attribute. htmx would need eval for the last three.
func forbidden(name, value string) string {
	name, value = strings.ToLower(strings.TrimPrefix(name, "data-")), strings.ToLower(strings.TrimSpace(value))
	switch {
	case name == "style", strings.HasPrefix(name, "on"):
		return "inline style or script"
	case name == "hx-boost":
		return "boost, which must not take the log-in link"
	case name == "href" || name == "action" || name == "src":
		if strings.HasPrefix(value, "javascript:") {
			return "javascript: URL"
		}
	case strings.HasPrefix(name, "hx-on"):
		return "hx-on"
	case name == "hx-trigger" && strings.Contains(value, "["):
		return "trigger filter"
	case strings.HasPrefix(name, "hx-") && (strings.HasPrefix(value, "js:") || strings.HasPrefix(value, "javascript:")):
		return "js: value"
	}
	return ""
}

func TestForbidden(t *testing.T) {
	bad := [][2]string{{"onclick", "x"}, {"style", "x"}, {"hx-on:click", "x"}, {"hx-on", "x"}, {"data-hx-on:click", "x"},
		{"hx-trigger", "click[x]"}, {"hx-vals", "js:{}"}, {"hx-confirm", " javascript:x"}, {"href", "JavaScript:x"}, {"hx-boost", "true"}}
	for _, a := range bad {
		if forbidden(a[0], a[1]) == "" {
			t.Errorf("%s=%q passed", a[0], a[1])
		}
	}
}

// The templates use none of the ways around templ's escaping, nor the kinds of
// template that write inline scripts and styles.
func TestSources(t *testing.T) {
	bad := regexp.MustCompile(`templ\.Raw|SafeURL|JSExpression|JSUnsafeFuncCall|SafeCSS|SafeScript|(?m)^(script|css) |<style|\{ \w+\.\.\. \}`)
	names, err := filepath.Glob("*.templ")
	if err != nil || len(names) == 0 {
		t.Fatalf("no templates found: %v", err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		src := strings.ReplaceAll(string(b), "{ children... }", "")
		if got := bad.FindString(src); got != "" {
			t.Errorf("%s uses %s", name, strings.TrimSpace(got))
		}
	}
}
