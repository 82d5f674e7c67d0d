package globustest_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.org/portal/globus/globustest"
)

const (
	identitySet = "urn:globus:auth:scope:auth.globus.org:view_identity_set"
	rosalind    = "7a1c2e40-3b5d-4f6e-8a90-1920072501aa"
	ada         = "7a1c2e40-3b5d-4f6e-8a90-1815121001aa"
	adaAtGoogle = "7a1c2e40-3b5d-4f6e-8a90-1815121003aa"
	adaAtLab    = "7a1c2e40-3b5d-4f6e-8a90-1815121005aa"
)

// press presses buttons of the page that params lead to.
func (f *flow) press(params url.Values, pairs ...string) response {
	f.Helper()
	return f.send(http.MethodPost, globustest.AuthorizePath+"?"+params.Encode(), with(url.Values{}, pairs...))
}

// tokens returns what the code in r is exchanged for.
func (f *flow) tokens(r response) map[string]any {
	f.Helper()
	granted := f.token(exchange(f.back(r).Get("code")))
	if granted.status != 200 {
		f.Fatalf("got %d %s, want tokens", granted.status, granted.body)
	}
	return granted.json
}

func (f *flow) introspect(token string, pairs ...string) response {
	f.Helper()
	form := url.Values{"token": {token}, "client_id": {clientID}, "client_secret": {secret}, "include": {"session_info,identity_set_detail"}}
	return f.send(http.MethodPost, globustest.IntrospectPath, with(form, pairs...))
}

// used lists, sorted, the identities in the session_info of a token, and how.
func (f *flow) used(granted map[string]any) string {
	f.Helper()
	session, _ := f.introspect(str(granted["access_token"])).json["session_info"].(map[string]any)
	all, _ := session["authentications"].(map[string]any)
	var list []string
	for _, sub := range slices.Sorted(maps.Keys(all)) {
		entry, _ := all[sub].(map[string]any)
		list = append(list, fmt.Sprint(sub[len(sub)-12:], entry["amr"]))
	}
	return strings.Join(list, " ")
}

func TestSessionInfo(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	other := with(request(), "client_id", "other")
	if got := f.used(f.tokens(f.press(request(), "person", "ada"))); got != "1815121001aa<nil>" {
		t.Errorf("as herself: %s", got)
	}
	again := with(request(), "prompt", "login")
	if got := f.used(f.tokens(f.press(again, "identity", adaAtGoogle, "mfa", "1"))); got != "1815121001aa<nil> 1815121003aa[pwd mfa]" {
		t.Errorf("with another identity as well: %s", got)
	}
	if got := f.used(f.tokens(f.authorize(request()))); got != "1815121001aa<nil> 1815121003aa[pwd mfa]" {
		t.Errorf("let through: %s", got)
	}

	// Another app learns nothing of it.
	if r := f.press(other, "allow", "1"); f.back(r).Get("code") == "" {
		t.Errorf("got %v", r)
	}
	form := exchange(f.back(f.authorize(other)).Get("code"))
	granted := f.token(with(form, "client_id", "other", "client_secret", "other-secret")).json
	r := f.introspect(str(granted["access_token"]), "client_id", "other", "client_secret", "other-secret")
	if session, _ := r.json["session_info"].(map[string]any); session["authentications"] != nil || r.json["active"] != true {
		t.Errorf("for another app: got %s", r.body)
	}

	// Another person is another session.
	if got := f.used(f.tokens(f.press(again, "person", "rosalind"))); got != "1920072501aa<nil>" {
		t.Errorf("another person: %s", got)
	}
	if got := f.used(f.tokens(f.press(again, "person", "ada"))); got != "1815121001aa<nil>" {
		t.Errorf("and back: %s", got)
	}
}

// Whichever identity is used, apps see the same person.
func TestStickyIdentity(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	granted := f.tokens(f.press(request(), "identity", adaAtGoogle))
	if info := f.userInfo(str(granted["access_token"])).json; info["sub"] != ada || info["preferred_username"] != "ada@example.edu" {
		t.Errorf("got %v", info)
	}
}

func TestIntrospection(t *testing.T) {
	f := newFlow(t, globustest.Config{Strict: true})
	granted := f.signIn(with(request(), "scope", request().Get("scope")+" "+identitySet))
	token := str(granted["access_token"])
	r := f.introspect(token)
	doc := r.json
	if doc["active"] != true || doc["sub"] != rosalind || doc["username"] != "rosalind@example.edu" || doc["client_id"] != clientID ||
		doc["iss"] != f.URL || doc["iat"] != 1.8e9 || doc["exp"] != 1.8e9+172800 || fmt.Sprint(doc["aud"]) != "[auth.globus.org "+clientID+"]" {
		t.Errorf("got %s", r.body)
	}
	if set, _ := doc["identity_set_detail"].([]any); len(set) != 1 || doc["identity_set"] != nil {
		t.Errorf("got %s", r.body)
	}
	bare := f.introspect(token, "include", "").json
	if _, ok := bare["session_info"]; ok || bare["identity_set_detail"] != nil || bare["active"] != true {
		t.Errorf("unasked: got %v", bare)
	}
	if ids := f.introspect(token, "include", "identity_set").json; fmt.Sprint(ids["identity_set"]) != "["+rosalind+"]" {
		t.Errorf("got %v", ids)
	}
	without := f.signIn(request())
	if doc := f.introspect(str(without["access_token"])).json; doc["identity_set_detail"] != nil || doc["session_info"] == nil {
		t.Errorf("without the scope for it: got %v", doc)
	}

	inactive := []string{"nonsense", str(granted["refresh_token"]), str(others(granted)[0]["access_token"])}
	for _, token := range inactive {
		if r := f.introspect(token); r.status != 200 || r.body != `{"active":false}` {
			t.Errorf("got %d %s, want inactive", r.status, r.body)
		}
	}
	if r := f.introspect(token, "client_id", "other", "client_secret", "other-secret"); r.body != `{"active":false}` {
		t.Errorf("another app: got %s", r.body)
	}
	for _, pairs := range [][]string{{"client_secret", "wrong"}, {"include", "session"}, {"token", ""}} {
		if r := f.introspect(token, pairs...); r.status != 400 && r.status != 401 {
			t.Errorf("%v: got %d %s, want a refusal", pairs, r.status, r.body)
		}
	}
	f.Lie(globustest.Lie{Introspection: globustest.Edit{Set: map[string]any{"sub": "x"}, Drop: []string{"session_info"}}})
	if doc := f.introspect(token).json; doc["sub"] != "x" || doc["session_info"] != nil {
		t.Errorf("the lie: got %v", doc)
	}
	f.ExpireAccessTokens("")
	if r := f.introspect(token); r.body != `{"active":false}` {
		t.Errorf("an ended token: got %s", r.body)
	}
}

// A session passes only if it is what the app requires. What is then chosen is
// not held to it: the app must look.
func TestSessionRequired(t *testing.T) {
	tests := []struct {
		name   string
		before []string // buttons, in an earlier sign-in
		params []string // of the request
		passes bool
	}{
		{"any domain of two", []string{"identity", adaAtLab}, []string{"session_required_single_domain", "x.example,LAB.example.org"}, true},
		{"a domain that is only linked", []string{"person", "ada"}, []string{"session_required_single_domain", "lab.example.org"}, false},
		{"part of a domain", []string{"identity", adaAtLab}, []string{"session_required_single_domain", "example.org"}, false},
		{"two @", []string{"identity", adaAtGoogle}, []string{"session_required_single_domain", "accounts.google.com"}, false},
		{"identity", []string{"identity", adaAtLab}, []string{"session_required_identities", adaAtLab}, true},
		{"one of two identities", []string{"identity", adaAtLab}, []string{"session_required_identities", adaAtLab + "," + ada}, false},
		{"mfa", []string{"person", "ada", "mfa", "1"}, []string{"session_required_mfa", "true"}, true},
		{"no mfa", []string{"person", "ada"}, []string{"session_required_mfa", "true"}, false},
		{"mfa is not required", []string{"person", "ada"}, []string{"session_required_mfa", "false"}, true},
		{"domain and mfa", []string{"person", "ada", "mfa", "1"}, []string{"session_required_mfa", "true", "session_required_single_domain", "example.edu"}, true},
		{"mfa elsewhere", []string{"person", "ada", "mfa", "1"}, []string{"session_required_mfa", "true", "session_required_single_domain", "lab.example.org"}, false},
		{"identity without mfa", []string{"person", "ada"}, []string{"session_required_mfa", "true", "session_required_identities", ada}, false},
		{"a policy", []string{"person", "ada"}, []string{"session_required_policies", ada}, false},
		{"a message alone", []string{"person", "ada"}, []string{"session_message", "Hello"}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFlow(t, globustest.Config{})
			f.back(f.press(request(), tt.before...))
			params := with(request(), tt.params...)
			r := f.authorize(params)
			if got := r.status == http.StatusFound; got != tt.passes {
				t.Errorf("got %d %s, want it to pass: %t", r.status, r.body, tt.passes)
			}
			if tt.passes {
				return
			}
			if !strings.Contains(r.body, "Wanted: ") {
				t.Errorf("the page does not say what is wanted: %s", r.body)
			}
			if q := f.back(f.authorize(with(params, "prompt", "none"))); q.Get("error") != "login_required" {
				t.Errorf("prompt=none: got %v", q)
			}
			if r := f.press(with(params, "prompt", ""), "allow", "1"); r.status != 400 {
				t.Errorf("allowed without signing in: got %d", r.status)
			}
			if f.back(f.press(params, "person", "rosalind")).Get("code") == "" {
				t.Error("what was chosen is held to it")
			}
		})
	}
}

func TestSessionRequiredMalformed(t *testing.T) {
	f := newFlow(t, globustest.Config{Strict: true})
	f.code(request())
	for name, values := range map[string][]string{
		"session_required_identities":    {"ada@example.edu", "urn:globus:auth:identity:" + ada},
		"session_required_policies":      {"x"},
		"session_required_single_domain": {"example", "a b.example", "a@b.example"},
		"session_required_mfa":           {"yes", "2"},
	} {
		for _, value := range values {
			if q := f.back(f.authorize(with(request(), name, value))); q.Get("error") != "invalid_request" {
				t.Errorf("%s=%s: got %v", name, value, q)
			}
		}
	}
}

func TestChoosePageOfRequirement(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	body := f.authorize(with(request(), "session_message", "<b>Use the lab's", "session_required_single_domain", "lab.example.org", "session_required_mfa", "true")).body
	for _, want := range []string{
		"&lt;b&gt;Use the lab&#39;s", "an identity of lab.example.org", "more than one factor", `type="checkbox" name="mfa" value="1"`,
		`name="identity" value="` + adaAtLab + `"`, "<bdi>lovelace@lab.example.org</bdi>", "<bdi>ada@globus.org@accounts.google.com</bdi>",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestChoosingOnce(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	for _, pairs := range [][]string{
		{"mfa", "1"}, {"allow", "1"}, {"identity", "x"}, {"identity", adaAtLab, "person", "ada"}, {"allow", "1", "deny", "1"}, {"identity", adaAtLab, "deny", "1"},
	} {
		if r := f.press(request(), pairs...); r.status != 400 {
			t.Errorf("%v: got %d, want 400", pairs, r.status)
		}
	}
}

// What was allowed once is not asked for again, until it is taken back.
func TestConsents(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	f := newFlow(t, globustest.Config{StateFile: file})
	f.code(request())
	more := with(request(), "scope", "openid "+groupsScope)
	r := f.authorize(more)
	if r.status != 200 || !strings.Contains(r.body, "Allow it?") || !strings.Contains(r.body, "Rosalind Franklin") || !strings.Contains(r.body, "See the groups") {
		t.Fatalf("got %d %s, want to be asked", r.status, r.body)
	}
	if q := f.back(f.authorize(with(more, "prompt", "none"))); q.Get("error") != "login_required" {
		t.Errorf("prompt=none: got %v", q)
	}
	more.Del("prompt")
	if q := f.back(f.press(more, "deny", "1")); q.Get("error") != "access_denied" {
		t.Errorf("refused: got %v", q)
	}
	if f.authorize(more).status != 200 {
		t.Error("what was refused counts as allowed")
	}
	if got := f.used(f.tokens(f.press(more, "allow", "1"))); got != "1920072501aa<nil>" {
		t.Errorf("allowed: %s", got)
	}
	passes := func(f *flow, params url.Values) bool { return f.authorize(params).status == http.StatusFound }
	if !passes(f, more) || !passes(f, request()) {
		t.Error("what was allowed is asked for again")
	}
	after := newFlow(t, globustest.Config{StateFile: file})
	after.takeBrowser(f)
	granted := after.tokens(after.authorize(more))
	if got := after.used(granted); got != "1920072501aa<nil>" {
		t.Errorf("after a restart: %s", got)
	}
	after.send(http.MethodPost, globustest.ConsentsPath, url.Values{"rescind": {clientID}})
	if passes(after, request()) || after.Live(str(granted["access_token"])) {
		t.Error("what was taken back still counts")
	}
}
