package components_test

import (
	"maps"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"example.org/portal/components"
	"example.org/portal/globus"
)

var site = components.Site{
	Scopes:     globus.DefaultScopes(),
	PublicURL:  "https://portal.example.edu/app",
	BasePath:   "/app",
	Stylesheet: "/app/static/app.css",
	Htmx:       "/app/static/htmx.js",
	Script:     "/app/static/app.js",
	Icon:       "/app/static/icon.svg",

	GlobusLogoutURL: "https://auth.globus.org/v2/web/logout?client_id=x&redirect_name=y",
	IdentitiesURL:   "https://auth.globus.org/v2/web/identities?client_id=x&redirect_name=y",
	ConsentsURL:     "https://auth.globus.org/v2/web/consents",
}

const (
	subject = "7d2e3f50-5b1c-4f0a-9a63-0d3f1c2b4e5a"
	attack  = "\"><script>alert(1)</script><img src=x onerror='alert(1)'>\u202e{{7*7}} hx-on:click=x"
	attackJ = "javascript:alert(1)"
)

func card(id *globus.Identity, access, refresh components.Secret) components.Card {
	return components.Card{Site: site, Identity: id, AccessToken: access, RefreshToken: refresh}
}

func page(title string) components.Page {
	return components.Page{Site: site, Title: title, Visitor: visitor("Rosalind Franklin")}
}

func visitor(name string) components.Visitor {
	return components.Visitor{Site: site, SignedIn: true, Name: name, Left: 90*time.Minute + 100*time.Millisecond}
}

func problem(text, url string) components.Problem {
	return components.Problem{Site: site, Heading: text, Message: text, Reference: text, LoginURL: url, Retry: url, Facts: []components.Fact{{Label: text, Value: text}},
		Form: &components.Form{Action: url, Label: text, Fields: []components.Field{{Name: "token", Value: text}}}}
}

// required is what a service wants, in text that is what it says.
func required(text, url string) components.Required {
	scopes, err := globus.ParseScopes(globus.TransferScope + "[*https://auth.globus.org/scopes/" + subject + "/data_access]")
	if err != nil {
		panic(err)
	}
	return components.Required{Site: site, URL: url, Requirements: &globus.Requirements{
		Code: text, Message: text, Scopes: append(scopes, globus.Scope{Name: text}), Identities: []string{text}, Policies: []string{text},
		Domains: []string{text, "example.edu"}, MFA: true, Prompt: "login",
	}}
}

var now = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// samples are what the tests look at. The file of a page that a copy of this
// project may not have adds its own.
var samples []func() map[string]templ.Component

var _ = add(engine)

func add(more func() map[string]templ.Component) bool {
	samples = append(samples, more)
	return true
}

// all is every component, with all, little, and hostile data.
func all() map[string]templ.Component {
	m := map[string]templ.Component{}
	for _, some := range samples {
		maps.Copy(m, some())
	}
	return m
}

// engine is every component that no page can do without.
func engine() map[string]templ.Component {
	held, none := components.Secret{Held: true}, components.Secret{}
	full := card(&globus.Identity{Subject: subject, Username: "r@example.edu", Name: "Rosalind Franklin", Email: "rf@example.edu", Organization: "King's College", ProviderName: "Example University", Linked: []globus.LinkedIdentity{{Subject: subject}}}, held, held)
	shown := full
	shown.AccessToken.Shown = "access-token-shown"
	onlySub := card(&globus.Identity{Subject: subject}, held, none)
	hostile := card(&globus.Identity{Subject: attack, Username: attackJ, Name: attack, Email: attack, Organization: attack, ProviderName: attack,
		Linked: []globus.LinkedIdentity{{Subject: attack, Username: attack, Name: attack, ProviderName: attack}, {Username: attackJ}}},
		components.Secret{Held: true, Shown: attack}, components.Secret{Held: true, Shown: attackJ})
	signedOut := card(nil, held, held)
	nowhere := site
	nowhere.GlobusLogoutURL = ""
	account := components.Account{Site: site, Identity: full.Identity, Now: now, SignedIn: now.Add(-time.Minute), Ends: now.Add(7*24*time.Hour - time.Second)}
	tokens, linked := account, account
	linked.Identity = &globus.Identity{Subject: subject, Username: "r@example.edu", ProviderName: "Example University", Linked: []globus.LinkedIdentity{
		{Subject: subject, Username: "r@example.edu", Name: "Rosalind Franklin", ProviderName: "Example University"},
		{Subject: "other", Username: "0000-0001@orcid.org", ProviderName: "ORCID"}, {Subject: "bare"}, {},
	}}
	tokens.Tokens = []components.TokenRow{
		{Server: "auth.globus.org", Scopes: []string{"openid", "email"}, Expiry: now.Add(47*time.Hour + time.Minute), Refreshes: true},
		{Server: "transfer.api.globus.org", Scopes: []string{"https://example.org/scope"}, Expiry: now},
	}
	hostile.GlobusLogoutURL, hostile.IdentitiesURL, hostile.ConsentsURL = attackJ, attackJ, attackJ
	hostileAccount := components.Account{Site: hostile.Site, Identity: hostile.Identity, SignedIn: now, Now: now, Ends: now.Add(-time.Hour)}
	oneShown := account
	oneShown.Tokens = []components.TokenRow{tokens.Tokens[0], {Server: "transfer.api.globus.org", Shown: "transfer-token-shown"}}
	hostileAccount.Tokens = []components.TokenRow{{Server: attack, Scopes: []string{attack}, Shown: attack, Refreshes: true}, {Server: attackJ, Scopes: []string{attackJ}}, {Server: "0"}}
	bareAccount := components.Account{Site: nowhere, Identity: onlySub.Identity, Now: now, SignedIn: now, Ends: now}
	bareAccount.IdentitiesURL, bareAccount.ConsentsURL = "", ""
	onAccount := page("Your account")
	onAccount.Route, onAccount.Visitor.OnAccount = "/account", true
	withMessage, nobody := page("Transfers"), components.Page{Site: site, Route: "/", Visitor: components.Visitor{Site: site, LoginURL: site.LoginURL("/app/")}}
	withMessage.Route, withMessage.Message = "/transfers/7", attack
	unknown := components.Page{Site: site, Visitor: components.Visitor{Site: site, Unknown: true}}
	mfa := components.Required{Site: site, URL: "/app/x", Requirements: &globus.Requirements{MFA: true}}
	sent := required("Sent", site.StepUpURL("signed.mac", "/app/x"))
	sent.Form = &components.Form{Action: "/app/x", Label: "Send it again", Fields: []components.Field{{Name: "typed", Value: attack}}}
	return map[string]templ.Component{
		"Home/full":               components.Home(page(""), full),
		"Home/signed out":         components.Home(nobody, signedOut),
		"Frame/message":           components.Frame(withMessage, components.UserCard(full)),
		"ProblemPage/unknown":     components.ProblemPage(unknown, components.Problem{Site: site, Heading: "Too old"}),
		"UserCard/full":           components.UserCard(full),
		"UserCard/shown":          components.UserCard(shown),
		"UserCard/only sub":       components.UserCard(onlySub),
		"UserCard/hostile":        components.UserCard(hostile),
		"UserCard/signed out":     components.UserCard(signedOut),
		"AccountCards/little":     components.AccountCards(bareAccount),
		"AccountCards/tokens":     components.AccountCards(tokens),
		"AccountCards/linked":     components.AccountCards(linked),
		"AccountCards/one shown":  components.AccountCards(oneShown),
		"AccountCards/hostile":    components.AccountCards(hostileAccount),
		"Frame/account":           components.Frame(onAccount, components.AccountCards(tokens)),
		"RequiredCard/full":       components.RequiredCard(required("Please", "/app/x")),
		"RequiredCard/again":      components.RequiredCard(mfa),
		"RequiredCard/sent":       components.RequiredCard(sent),
		"RequiredCard/hostile":    components.RequiredCard(required(attack, attackJ)),
		"RequiredPage/sent":       components.RequiredPage(page("One more thing"), sent),
		"RequiredPage/hostile":    components.RequiredPage(page(attack), required(attack, attackJ)),
		"Frame/card":              components.Frame(page("Your card"), components.UserCard(full)),
		"Frame/hostile":           components.Frame(page(attack), components.UserCard(hostile)),
		"SignedOut/full":          components.SignedOut(page("Signed out"), false),
		"SignedOut/pending":       components.SignedOut(components.Page{Site: nowhere}, true),
		"SignedOut/hostile":       components.SignedOut(components.Page{Site: hostile.Site, Title: attack}, false),
		"SessionEnded/full":       components.SessionEnded(site.LoginURL("/transfers?a=1&b=2"), false),
		"SessionEnded/sent":       components.SessionEnded(site.LoginURL("/transfers"), true),
		"SessionEnded/hostile":    components.SessionEnded(attackJ, true),
		"SignedInAs/full":         components.SignedInAs(visitor("Rosalind Franklin")),
		"SignedInAs/no name":      components.SignedInAs(visitor("")),
		"SignedInAs/hostile":      components.SignedInAs(visitor(attack)),
		"SignedInAs/ended":        components.SignedInAs(components.Visitor{Site: site, Ended: true, LoginURL: site.LoginURL("/transfers")}),
		"SignedInAs/nobody":       components.SignedInAs(nobody.Visitor),
		"SignedInAs/unknown":      components.SignedInAs(unknown.Visitor),
		"ProblemPage/full":        components.ProblemPage(page("Too old"), problem("Too old", site.LoginURL(""))),
		"ProblemPage/little":      components.ProblemPage(page("Too old"), components.Problem{Site: site, Heading: "Too old"}),
		"ProblemPage/hostile":     components.ProblemPage(page(attack), problem(attack, attackJ)),
		"ProblemFragment/full":    components.ProblemFragment(problem("Too old", site.LoginURL(""))),
		"ProblemFragment/retry":   components.ProblemFragment(components.Problem{Site: site, Heading: "Down", Retry: "/app/transfers"}),
		"ProblemFragment/hostile": components.ProblemFragment(problem(attack, attackJ)),
	}
}

func render(t *testing.T, c templ.Component) string {
	t.Helper()
	var b strings.Builder
	if err := c.Render(components.WithCSRFToken(t.Context(), "fresh"), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A look is at one of the samples, for structure and attributes, for what came as
// data, and for how that is escaped. What a component says beside is its own
// business: it may be said better, or in another language.
type look struct {
	component string
	want      []string
	unwanted  []string
}

func lookAt(t *testing.T, looks []look) {
	t.Helper()
	components := all()
	for _, tt := range looks {
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

func TestComponents(t *testing.T) {
	shortName := templ.EscapeString(components.ShortName)
	lookAt(t, []look{
		{"Home/full", []string{"<!doctype html>", shortName + "</title>", `id="user-card"`, `href="/app/static/app.css"`, `href="/app/account"`, `id="logout"`}, []string{`class="button primary login"`, `id="login"`, `id="message"`}},
		{"Home/signed out", []string{`class="button primary login" href="https://portal.example.edu/app/login"`, `href="/app/" aria-current="page"`}, []string{subject, `id="uuid"`, `id="logout"`, `href="/app/account"`, "csrf_token"}},
		{"UserCard/full", []string{"<bdi>Rosalind Franklin</bdi>", subject, "r@example.edu", "rf@example.edu", "King&#39;s College", `aria-hidden="true">RF</span>`, `<bdi id="uuid">` + subject + `</bdi>`, `data-copy="uuid"`,
			"••••••••", `id="toggle-access"`, `id="toggle-refresh"`, `hx-get="/app/user"`, `hx-trigger="tab-visible from:body"`},
			[]string{"<html", "delay:60s", "<code", `name="server"`, "data-local", `class="missing"`, "/logout"}},
		{"UserCard/shown", []string{"<code>access-token-shown</code>", "load delay:60s", "••••••••"}, nil},
		{"UserCard/only sub", []string{`id="user-card-title"`, `class="missing"`, `id="toggle-access"`}, []string{"<bdi></bdi>", "initials", `id="toggle-refresh"`}},
		{"UserCard/signed out", []string{`id="user-card"`, `class="button primary login"`}, []string{" hx-", "<form", "csrf_token", subject}},
		{"UserCard/hostile", []string{"<bdi>&#34;&gt;&lt;script&gt;", "<code>" + attackJ + "</code>"}, nil},
		{"AccountCards/tokens", []string{`id="account" hx-get="/app/account" hx-trigger="tab-visible from:body"`, `id="tokens"`, `class="button login-other"`, "prompt=login", `logout?client_id=x&amp;redirect_name=y"`, "<bdi>auth.globus.org</bdi>", `title="2026-03-06 11:01:00 UTC"`, "https://example.org/scope</bdi></li>", `title="2026-03-04 12:00:00 UTC"`, `action="/app/tokens/show"`, `hx-post="/app/tokens/refresh"`,
			`name="server" value="transfer.api.globus.org"`, `id="show-transfer.api.globus.org"`, `id="refresh-auth.globus.org"`, `hx-target="#account"`}, []string{"delay:60s", `id="identities"`, `data-copy="token`, `id="refresh-transfer.api.globus.org"`}},
		{"AccountCards/linked", []string{`id="identities"`, `class="badge active"`, "<bdi>0000-0001@orcid.org</bdi>", "<bdi>ORCID</bdi>", "<bdi>bare</bdi>",
			`href="https://auth.globus.org/v2/web/identities?client_id=x&amp;redirect_name=y"`, "/v2/web/consents", `data-local="text">2026-03-04 11:59:00 UTC</time>`, `title="2026-03-11 11:59:59 UTC"`}, []string{"<bdi></bdi>"}},
		{"AccountCards/one shown", []string{`<code id="token-transfer.api.globus.org">transfer-token-shown</code>`, `data-copy="token-transfer.api.globus.org"`, `id="show-transfer.api.globus.org"`, "load delay:60s"},
			[]string{`datetime="0001`}},
		{"AccountCards/little", []string{`id="session"`, `class="missing"`}, []string{`id="at-globus"`, `id="tokens"`, `id="identities"`}},
		{"AccountCards/hostile", []string{"<bdi>&#34;&gt;&lt;script&gt;"}, nil},
		{"Frame/account", []string{`href="/app/account" aria-current="page"`, `id="logout"`, "<h1>Your account</h1>"}, []string{`href="/app/" aria-current`}},
		{"Frame/message", []string{`<p id="message" class="message" role="status"><bdi>&#34;&gt;&lt;script&gt;`}, []string{`href="/app/" aria-current`, `href="/app/account" aria-current`}},
		{"ProblemPage/unknown", nil, []string{`id="login"`, `id="logout"`, `id="visitor"`}},
		{"RequiredCard/full", []string{`data-reason="requirements"`, "<bdi>Please</bdi>", `data-demand="data_access"`, "<bdi>" + subject + "</bdi>", `data-demand="scope"`, `data-demand="domain"`, "<ul><li><bdi>Please</bdi></li><li><bdi>example.edu</bdi></li></ul>",
			`data-demand="identity"`, `data-demand="policy"`, `data-demand="mfa"`, `data-demand="login"`, `class="button primary step-up" href="/app/x">`}, []string{" hx-", "_blank"}},
		{"RequiredCard/again", []string{`data-demand="mfa"`, "step-up"}, []string{`data-demand="domain"`, "<bdi>"}},
		{"RequiredCard/sent", []string{`target="_blank"`, `href="https://portal.example.edu/app/login?step_up=signed.mac&amp;next=%2Fapp%2Fx"`}, []string{"<form"}},
		{"RequiredPage/sent", []string{`target="_blank"`, `action="/app/x"`, `name="typed"`, "send-again"}, nil},
		{"RequiredCard/hostile", []string{"<bdi>&#34;&gt;&lt;script&gt;"}, []string{"<img", "<script"}},
		{"Frame/card", []string{"<title>Your card", shortName + "</title>", "<h1>Your card</h1>", `id="user-card"`}, nil},
		{"SignedOut/full", []string{`<h1 id="signed-out"`, "autofocus", `id="globus-logout"`, `logout?client_id=x&amp;redirect_name=y"`, `class="button primary login" href="https://portal.example.edu/app/login"`}, []string{`id="signed-out-pending"`}},
		{"SignedOut/pending", []string{`id="signed-out-pending"`}, []string{`id="globus-logout"`}},
		{"SessionEnded/sent", []string{`data-reason="session_ended"`, `target="_blank"`}, []string{" hx-"}},
		{"SignedInAs/full", []string{`<div id="visitor"`, `data-seconds-left="5401"`, `hx-get="/app/visitor"`, "tab-visible from:body", `href="/app/account"`, "<bdi>Rosalind Franklin</bdi>", `action="/app/logout"`, `<button id="logout"`}, []string{"login", "alert", "aria-current"}},
		{"SignedInAs/no name", []string{"data-seconds-left", `href="/app/account"`}, []string{"<bdi>"}},
		{"SignedInAs/ended", []string{`role="alert"`, `class="login" href="https://portal.example.edu/app/login?next=%2Ftransfers" target="_blank"`, `hx-get="/app/visitor"`}, []string{"seconds-left"}},
		{"SignedInAs/nobody", []string{`id="login"`, `href="https://portal.example.edu/app/login?next=%2Fapp%2F"`}, []string{" hx-", "<form", "alert"}},
		{"SignedInAs/unknown", nil, []string{"<"}},
		{"SessionEnded/full", []string{`data-reason="session_ended"`, "login?next=%2Ftransfers%3Fa%3D1%26b%3D2"}, []string{" hx-", "_blank"}},
		{"ProblemPage/full", []string{"<h1>Too old</h1>", `class="button home" href="/app/"`, `<code class="reference">Too old</code>`, `name="token" value="Too old"`, `value="fresh"`, `class="button primary retry"`, `class="button primary login"`},
			[]string{`role="alert"`, ` hx-post="/app/login`}},
		{"ProblemPage/little", []string{`class="button home"`}, []string{"reference", `class="button primary login"`, "send-again", "retry"}},
		{"ProblemFragment/retry", []string{`class="button primary retry" href="/app/transfers" hx-get="/app/transfers" hx-target="closest .problem" hx-swap="outerHTML"`}, nil},
		{"ProblemFragment/full", []string{`role="alert"`, "<h2>Too old</h2>"}, []string{"<html", "<h1", " hx-post"}},
	})
}

var (
	tags      = regexp.MustCompile(`<[a-zA-Z][^<>]*>`)
	attribute = regexp.MustCompile(`\s([a-zA-Z][^\s="'<>/]*)(?:="([^"]*)")?`)
	forms     = regexp.MustCompile(`(?s)<form.*?</form>`)
)

// Whatever the data, a page has nothing that the content security policy
// would have to allow; every form that is posted has its own token, and no other.
func TestNothingForbidden(t *testing.T) {
	for name, c := range all() {
		t.Run(name, func(t *testing.T) {
			got := render(t, c)
			for _, f := range forms.FindAllString(got, -1) {
				n := strings.Count(f, `type="hidden" name="csrf_token" value="`)
				if posted := strings.Contains(f, `method="post"`); posted && n != 1 || !posted && n != 0 {
					t.Errorf("%d token fields in %s", n, f)
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

// Text from outside cannot turn the direction of what stands beside it.
func TestIsolated(t *testing.T) {
	wantIsolated(t, "UserCard/hostile", "AccountCards/hostile", "Frame/message", "RequiredCard/hostile", "SignedInAs/hostile")
}

func wantIsolated(t *testing.T, names ...string) {
	t.Helper()
	isolated := regexp.MustCompile(`(?s)<bdi[ >].*?</bdi>|<code[ >].*?</code>|<[a-zA-Z][^<>]*>`)
	for _, name := range names {
		got := render(t, all()[name])
		if !strings.Contains(got, "\u202e") {
			t.Errorf("%s is not hostile", name)
		}
		if rest := isolated.ReplaceAllString(got, ""); strings.Contains(rest, "\u202e") {
			t.Errorf("%s has text outside <bdi> in\n%s", name, rest)
		}
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
