package components_test

import (
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
	return components.Card{Site: site, CSRFToken: "tok+en==", Identity: id, AccessToken: access, RefreshToken: refresh}
}

func page(title string) components.Page {
	return components.Page{Site: site, Title: title, Visitor: visitor("Rosalind Franklin")}
}

func visitor(name string) components.Visitor {
	return components.Visitor{Site: site, SignedIn: true, Name: name, Left: 90*time.Minute + 100*time.Millisecond}
}

func problem(text, url string) components.Problem {
	return components.Problem{Site: site, Heading: text, Message: text, Reference: text, LoginURL: url, Retry: url, Facts: []components.Fact{{Label: text, Value: text}},
		Form: &components.Form{Action: url, CSRFToken: "fresh", Label: text, Fields: []components.Field{{Name: "token", Value: text}}}}
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

func folder(entries ...globus.Entry) components.Folder {
	return components.Folder{Site: site, Collection: subject, Path: "/home/my files/", Entries: entries, Now: now}
}

var now = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func transfers(tasks ...globus.Task) components.Transfers {
	return components.Transfers{Site: site, Now: now, Tasks: tasks}
}

func tasks() map[string]globus.Task {
	active := globus.Task{
		ID: "a1", Type: "TRANSFER", Status: globus.TaskActive, Label: "Run 42", Source: "Beamline", SourceID: "s1", Destination: "Archive", DestinationID: "d1",
		Files: 1200, FilesDone: 12, FilesSkipped: 3, Bytes: 1234567890, BytesPerSecond: 87_300_000, Faults: 1, NiceStatus: "CONNECT", NiceStatusShort: "connecting",
		Requested: now.Add(-3*time.Minute - 5*time.Second),
	}
	paused, inactive, succeeded, failed := active, active, active, active
	paused.Paused = true
	inactive.Status, inactive.ID = globus.TaskInactive, "a/../1"
	succeeded.Status, succeeded.Completed = globus.TaskSucceeded, now.Add(-time.Minute).In(time.FixedZone("", 3600))
	failed.Status, failed.FatalError = globus.TaskFailed, &globus.FatalError{Code: "PERMISSION_DENIED", Description: "No write access"}
	deletion := globus.Task{Type: "DELETE", Status: globus.TaskSucceeded, SourceID: "s1", Files: 1}
	hostile := globus.Task{
		ID: attackJ, Type: attack, Status: attack, Label: attack, Source: attack, SourceID: attack, Destination: attack, DestinationID: attack,
		Files: -1, FilesDone: -1, FilesSkipped: -1, Bytes: -1, BytesPerSecond: -1, Faults: -1, FatalError: &globus.FatalError{Code: attack, Description: attack},
		Requested: now.Add(time.Hour), Completed: now.AddDate(-900, 0, 0),
	}
	hostile2 := hostile
	hostile2.Status, hostile2.FatalError, hostile2.NiceStatus = globus.TaskInactive, nil, attack
	return map[string]globus.Task{
		"active": active, "paused": paused, "inactive": inactive, "succeeded": succeeded, "failed": failed,
		"deletion": deletion, "nulls": {}, "hostile": hostile, "hostile2": hostile2,
	}
}

// all is every component, with all, little, and hostile data.
func all() map[string]templ.Component {
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
	tokens := full
	tokens.Now, tokens.SignedIn, tokens.Ends = now, now.Add(-time.Minute), now.Add(7*24*time.Hour-time.Second)
	linked := tokens
	linked.Identity = &globus.Identity{Subject: subject, Username: "r@example.edu", ProviderName: "Example University", Linked: []globus.LinkedIdentity{
		{Subject: subject, Username: "r@example.edu", Name: "Rosalind Franklin", ProviderName: "Example University"},
		{Subject: "other", Username: "0000-0001@orcid.org", ProviderName: "ORCID"}, {Subject: "bare"}, {},
	}}
	tokens.Tokens = []components.TokenRow{
		{Server: "auth.globus.org", Scopes: []string{"openid", "email"}, Expiry: now.Add(47*time.Hour + time.Minute), Refreshes: true},
		{Server: "transfer.api.globus.org", Scopes: []string{"https://example.org/scope"}, Expiry: now},
	}
	hostile.GlobusLogoutURL, hostile.IdentitiesURL, hostile.ConsentsURL = attackJ, attackJ, attackJ
	hostile.SignedIn, hostile.Now, hostile.Ends = now, now, now.Add(-time.Hour)
	oneShown := tokens
	oneShown.TokensOpen = true
	oneShown.Tokens = []components.TokenRow{tokens.Tokens[0], {Server: "transfer.api.globus.org", Shown: "transfer-token-shown"}}
	hostile.Tokens = []components.TokenRow{{Server: attack, Scopes: []string{attack}, Shown: attack, Refreshes: true}, {Server: attackJ, Scopes: []string{attackJ}}, {Server: "0"}}
	task := tasks()
	mfa := components.Required{Site: site, URL: "/app/x", Requirements: &globus.Requirements{MFA: true}, Again: true}
	sent := required("Sent", site.AskAgainURL("/app/x"))
	sent.Form = &components.Form{Action: "/app/x", CSRFToken: "fresh", Label: "Send it again", Fields: []components.Field{{Name: "typed", Value: attack}}}
	files := folder(
		globus.Entry{Name: "per%20cent?#&=+", Type: globus.EntryDir, Size: 4096, Modified: now.Add(-time.Hour)},
		globus.Entry{Name: " two  blanks ", Type: globus.EntryFile, Size: 1200},
	)
	files.Next = 100
	badFiles := folder(globus.Entry{Name: attack, Type: globus.EntryDir, Size: -1}, globus.Entry{Name: attackJ, Type: attack, Size: -1, Modified: now.AddDate(-900, 0, 0)}, globus.Entry{Type: globus.EntryDir})
	badFiles.Collection, badFiles.Path, badFiles.Offset = attack, "/"+attack+"//../", 100
	nowhereFiles := folder(globus.Entry{Name: "sub", Type: globus.EntryDir})
	nowhereFiles.Path = ""
	beyondFiles := folder()
	beyondFiles.Offset = 100
	older := transfers(task["active"])
	older.Offset, older.Next = 20, 40
	beyond := transfers()
	beyond.Offset = 60
	return map[string]templ.Component{
		"Home/full":               components.Home(page(""), full),
		"Home/signed out":         components.Home(page(""), signedOut),
		"UserCard/full":           components.UserCard(full),
		"UserCard/shown":          components.UserCard(shown),
		"UserCard/only sub":       components.UserCard(onlySub),
		"UserCard/hostile":        components.UserCard(hostile),
		"UserCard/signed out":     components.UserCard(signedOut),
		"UserCard/tokens":         components.UserCard(tokens),
		"UserCard/linked":         components.UserCard(linked),
		"UserCard/one shown":      components.UserCard(oneShown),
		"TransferList/active":     components.TransferList(transfers(task["succeeded"], task["active"])),
		"TransferList/paused":     components.TransferList(transfers(task["paused"])),
		"TransferList/inactive":   components.TransferList(transfers(task["inactive"])),
		"TransferList/succeeded":  components.TransferList(transfers(task["succeeded"])),
		"TransferList/failed":     components.TransferList(transfers(task["failed"])),
		"TransferList/deletion":   components.TransferList(transfers(task["deletion"])),
		"TransferList/nulls":      components.TransferList(transfers(task["nulls"])),
		"TransferList/hostile":    components.TransferList(transfers(task["hostile"], task["hostile2"])),
		"TransferList/empty":      components.TransferList(transfers()),
		"TransferList/older":      components.TransferList(older),
		"TransferList/beyond":     components.TransferList(beyond),
		"FolderList/files":        components.FolderList(files),
		"FolderList/empty":        components.FolderList(folder()),
		"FolderList/beyond":       components.FolderList(beyondFiles),
		"FolderList/no path":      components.FolderList(nowhereFiles),
		"FolderList/hostile":      components.FolderList(badFiles),
		"RequiredCard/full":       components.RequiredCard(required("Please", "/app/x")),
		"RequiredCard/again":      components.RequiredCard(mfa),
		"RequiredCard/sent":       components.RequiredCard(sent),
		"RequiredCard/hostile":    components.RequiredCard(required(attack, attackJ)),
		"RequiredPage/sent":       components.RequiredPage(page("One more thing"), sent),
		"RequiredPage/hostile":    components.RequiredPage(page(attack), required(attack, attackJ)),
		"LazyTransfers":           components.LazyTransfers(site),
		"Frame/transfers":         components.Frame(page("Your transfers"), components.TransferList(transfers(task["active"]))),
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
		"SignedInAs/nobody":       components.SignedInAs(components.Visitor{Site: site}),
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
		{"Home/full", []string{"<!doctype html>", "<title>" + components.AppName + "</title>", "<h1>" + components.AppName + "</h1>", `id="user-card"`, `id="transfers"`, "Not affiliated with Globus"}, []string{"not signed in"}},
		{"Home/signed out", []string{"Log in with Globus", `href="https://portal.example.edu/app/login"`}, []string{"Log out", subject, "csrf_token", "transfers\""}},
		{"UserCard/full", []string{"Hello <bdi>Rosalind Franklin</bdi>!", "<dt>Username</dt>", "<dt>Email</dt>", "<dt>UUID</dt>", "<dt>Organization</dt>", "<dt>Access token</dt>", "<dt>Refresh token</dt>",
			subject, "r@example.edu", "rf@example.edu", "King&#39;s College", `aria-hidden="true">RF</span>`, "<dt>Identity provider</dt>", `<bdi id="uuid">` + subject + `</bdi>`, `data-copy="uuid"`, "Log in as someone else", "prompt=login", "••••••••", `action="/app/logout"`, `hx-post="/app/logout"`, `hx-get="/app/user"`, `hx-trigger="tab-visible from:body"`, ">Refresh <span"},
			[]string{"<html", "delay:60s", "Hide", "<details", `name="server"`, "Signed in at"}},
		{"UserCard/shown", []string{"<code>access-token-shown</code>", "load delay:60s", "Hide", "••••••••"}, nil},
		{"UserCard/only sub", []string{"Hello!", "not given", "none"}, []string{"<bdi></bdi>", "Hello <bdi>", "initials", "Linked"}},
		{"UserCard/signed out", []string{"Log in with Globus", `id="user-card"`}, []string{" hx-", "<form"}},
		{"UserCard/hostile", []string{"<bdi>&#34;&gt;&lt;script&gt;", "<code>" + attackJ + "</code>"}, nil},
		{"UserCard/tokens", []string{`<details id="tokens">`, "<bdi>auth.globus.org</bdi>", ">47 hours left</time>", `title="2026-03-06 11:01:00 UTC"`, "refreshes by itself",
			"<li><bdi>use the scope https://example.org/scope</bdi></li>", ">expired</time>", "cannot be refreshed", `action="/app/tokens/show"`, `hx-post="/app/tokens/refresh"`,
			`name="server" value="transfer.api.globus.org"`, `id="show-transfer.api.globus.org"`, `id="refresh-auth.globus.org"`}, []string{"delay:60s", `data-copy="token`, `id="refresh-transfer.api.globus.org"`}},
		{"UserCard/linked", []string{"<details id=\"identities\">", "Linked identities (4)", "In use here", "<bdi>0000-0001@orcid.org</bdi>", "<bdi>ORCID</bdi>", "<bdi>bare</bdi>", "nothing more is known",
			`href="https://auth.globus.org/v2/web/identities?client_id=x&amp;redirect_name=y"`, "/v2/web/consents", `data-local="text">2026-03-04 11:59:00 UTC</time>`, `title="2026-03-11 11:59:59 UTC">7 days</time>`}, []string{"<bdi></bdi>"}},
		{"UserCard/one shown", []string{`<details id="tokens" open>`, `<code id="token-transfer.api.globus.org">transfer-token-shown</code>`, `data-copy="token-transfer.api.globus.org"`, `id="show-transfer.api.globus.org"`, "load delay:60s"},
			[]string{`datetime="0001`}},
		{"TransferList/active", []string{`id="transfers"`, `</bdi> <span aria-hidden="true">→</span><span class="visually-hidden">to</span> <bdi>`, `hx-get="/app/transfers"`, `hx-trigger="tick from:body, tab-visible from:body"`, `hx-status:5xx="swap:none"`, "<bdi>Run 42</bdi>", "<bdi>Beamline</bdi>", "<bdi>Archive</bdi>",
			`<span class="badge active">Active</span>`, "12 of 1,200 files", "3 skipped", `title="1,234,567,890 bytes">1.2 GB<`, "87.3 MB/s", "1 fault<", `Started <time datetime="2026-03-04T11:56:55Z" data-local="title" title="2026-03-04 11:56:55 UTC">3 minutes ago`, "<bdi>connecting</bdi>"},
			[]string{">Older<", ">Newest<", "<html", "<form", "Paused"}},
		{"TransferList/paused", []string{`<span class="badge attention">Paused</span>`, "tick from:body"}, []string{">Active<", "Finished"}},
		{"TransferList/inactive", []string{`<span class="badge attention">Needs attention</span>`, `href="https://app.globus.org/activity/a%2F..%2F1"`, "connecting"}, []string{"tick"}},
		{"TransferList/succeeded", []string{`<span class="badge succeeded">Succeeded</span>`, `Finished <time datetime="2026-03-04T11:59:00Z"`, ">1 minute ago<"}, []string{"tick", "connecting"}},
		{"TransferList/failed", []string{`<span class="badge failed">Failed</span>`, "<bdi>No write access</bdi>"}, []string{"tick", "connecting"}},
		{"TransferList/deletion", []string{"<bdi>Deletion</bdi>", "<bdi>s1</bdi>", "1 file<"}, []string{"→", " of ", " B<"}},
		{"TransferList/nulls", []string{"<bdi>Transfer</bdi>", "<bdi>an unknown collection</bdi>", "<bdi>Unknown</bdi>", "0 of 0 files"}, []string{"<time", "fault", "/s<", "Globus says", "<bdi></bdi>", `facts-line"></ul>`}},
		{"TransferList/hostile", []string{"<bdi>&#34;&gt;&lt;script&gt;", "just now", "https://app.globus.org/activity/javascript:alert%281%29"}, []string{"<img", "<script"}},
		{"TransferList/empty", []string{"You have no transfers yet", `href="https://app.globus.org/file-manager"`, "tab-visible from:body", ">Refresh<"}, []string{"<ul", "tick"}},
		{"TransferList/older", []string{`hx-get="/app/transfers?offset=20"`, `href="/app/transfers?offset=40" hx-get="/app/transfers?offset=40"`, ">Older<", `href="/app/transfers" hx-get="/app/transfers"`, ">Newest<"}, nil},
		{"TransferList/beyond", []string{"There are no older transfers", ">Newest<", `hx-get="/app/transfers?offset=60"`}, []string{"no transfers yet", ">Older<"}},
		{"FolderList/files", []string{`id="browse"`, `href="/app/browse/` + subject + `?path=%2F" hx-get=`, `?path=%2Fhome%2F"`, `<span aria-current="page"><bdi>my files</bdi></span>`,
			`hx-get="/app/browse/` + subject + `?path=%2Fhome%2Fmy+files%2Fper%2520cent%3F%23%26%3D%2B%2F"`, `<bdi class="name">per%20cent?#&amp;=+</bdi>`, ">1 hour ago<", `<bdi class="name"> two  blanks </bdi>`, `title="1,200 bytes">1.2 kB<`,
			`?offset=100&amp;path=%2Fhome%2Fmy+files%2F"`, ">Next page<", "https://app.globus.org/file-manager?origin_id=" + subject}, []string{"4.1 kB", "First page", "empty", "0001-"}},
		{"FolderList/empty", []string{"This folder is empty."}, []string{`class="rows"`, "Next page"}},
		{"FolderList/beyond", []string{"There is no more in this folder", "First page"}, []string{"empty"}},
		{"FolderList/no path", []string{`<bdi class="name">sub</bdi>`, `<span aria-current="page"><bdi>Root</bdi></span>`}, []string{"origin_path", "hx-get"}},
		{"FolderList/hostile", []string{"<bdi class=\"name\">&#34;&gt;&lt;script&gt;", "/app/browse/%22%3E%3Cscript%3E"}, []string{"<img", "<script"}},
		{"RequiredCard/full", []string{"Globus wants your consent", "The service says: <bdi>Please</bdi>", "reach your files", "<bdi>" + subject + "</bdi>", "with an identity of one of these: <ul><li><bdi>Please</bdi></li><li><bdi>example.edu</bdi></li></ul>", "second factor", "sign in anew", `href="/app/x">Go on at Globus</a>`},
			[]string{"Nothing was done", " hx-", "again", "_blank"}},
		{"RequiredCard/again", []string{"Globus asks for the same again", "Try again at Globus", "second factor"}, []string{"The service says", "with an identity"}},
		{"RequiredCard/sent", []string{"Nothing was done", `target="_blank"`, `href="https://portal.example.edu/app/login?again=1&amp;next=%2Fapp%2Fx"`}, []string{"<form"}},
		{"RequiredPage/sent", []string{"Nothing was done", `action="/app/x"`, `name="typed"`, "Send it again"}, nil},
		{"RequiredCard/hostile", []string{"<bdi>&#34;&gt;&lt;script&gt;"}, []string{"<img", "<script"}},
		{"LazyTransfers", []string{`id="transfers"`, `hx-get="/app/transfers"`, `hx-trigger="load"`, `href="/app/transfers">Show my recent transfers</a>`}, []string{"tick", "5xx"}},
		{"Frame/card", []string{"<title>Your card · " + components.AppName, "<h1>Your card</h1>", `id="user-card"`}, nil},
		{"SignedOut/full", []string{"You are signed out here", "autofocus", "Sign out of Globus too</a>", `logout?client_id=x&amp;redirect_name=y"`, `href="https://portal.example.edu/app/login"`}, []string{"not yet on the server"}},
		{"SignedOut/pending", []string{"not yet on the server"}, []string{"Sign out of Globus too</a>"}},
		{"SessionEnded/sent", []string{"what you typed is still here", `target="_blank"`}, []string{" hx-"}},
		{"SignedInAs/full", []string{`<div id="visitor"`, `data-seconds-left="5401"`, `hx-get="/app/visitor"`, "tab-visible from:body", "<bdi>Rosalind Franklin</bdi>"}, []string{"Log in", "alert"}},
		{"SignedInAs/no name", []string{"Signed in"}, []string{"<bdi>", "Signed in as"}},
		{"SignedInAs/ended", []string{`role="alert"`, "Your session has ended", `href="https://portal.example.edu/app/login?next=%2Ftransfers" target="_blank"`, `hx-get="/app/visitor"`}, []string{"seconds-left"}},
		{"SignedInAs/nobody", nil, []string{"<"}},
		{"SessionEnded/full", []string{"Your session has ended", "login?next=%2Ftransfers%3Fa%3D1%26b%3D2"}, []string{" hx-"}},
		{"ProblemPage/full", []string{"<h1>Too old</h1>", "Go to the home page", `href="/app/"`, "Reference:", `name="token" value="Too old"`, `value="fresh"`, ">Try again</a>"}, []string{`role="alert"`, " hx-post"}},
		{"ProblemPage/little", []string{"Go to the home page"}, []string{"Reference:", "Log in", "<form", "Try again"}},
		{"ProblemFragment/retry", []string{`href="/app/transfers" hx-get="/app/transfers" hx-target="closest .problem" hx-swap="outerHTML">Try again</a>`}, nil},
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

// Text from outside cannot turn the direction of what stands beside it.
func TestIsolated(t *testing.T) {
	isolated := regexp.MustCompile(`(?s)<bdi[ >].*?</bdi>|<code[ >].*?</code>|<[a-zA-Z][^<>]*>`)
	for _, name := range []string{"UserCard/hostile", "TransferList/hostile", "SignedInAs/hostile"} {
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
