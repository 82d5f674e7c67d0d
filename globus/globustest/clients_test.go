package globustest_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"example.org/portal/globus/globustest"
)

const (
	publicID = "9f3d6f0a-0000-4000-8000-00000000b11c"
	serverID = "9f3d6f0a-0000-4000-8000-0000000005e1"
	analyze  = "https://auth.globus.org/scopes/" + serverID + "/analyze"
)

// newClients starts an emulator with a public client, and a resource server whose
// scope needs two of other services.
func newClients(t *testing.T, strict bool) *flow {
	t.Helper()
	f := newFlow(t, globustest.Config{Strict: strict, Scopes: []globustest.Scope{
		{Name: analyze, ResourceServer: "analysis.example.edu", Description: "Analyze <data>", Dependencies: []string{transferScope, groupsScope}},
		{Name: "urn:globus:auth:scope:bare.example.edu:all", ResourceServer: "bare.example.edu"},
	}})
	f.Register(globustest.Client{ID: publicID, RedirectURIs: []string{"https://app.example/cb"}})
	f.Register(globustest.Client{ID: serverID, Secret: "server-secret", ResourceServer: "analysis.example.edu"})
	return f
}

// TestWhatClientsSend has authorization requests of clients that work with Globus,
// and that Config.Strict refuses.
func TestWhatClientsSend(t *testing.T) {
	bare := url.Values{"client_id": {clientID}, "redirect_uri": {redirectURI}, "response_type": {"code"}, "scope": {"openid"}}
	tests := []struct {
		name    string
		params  url.Values
		ignored string // what is noted
		strict  bool   // Config.Strict takes it, too
	}{
		{"Tornado: no state, no PKCE", bare, "", false},
		{"social-auth: no PKCE", with(request(), "code_challenge", "", "code_challenge_method", ""), "", false},
		{"globus-sdk-python: a constant state", with(request(), "state", "_default", "nonce", ""), "", true},
		{"oauth2-proxy: approval_prompt", with(request(), "approval_prompt", "force", "login_hint", "ada"), "approval_prompt login_hint", false},
		{"empty parameters", with(url.Values{"prompt": {""}, "login_hint": {""}, "session_required_mfa": {""}, "session_required_identities": {""}, "access_type": {""}}, pairs(bare)...), "login_hint", false},
		{"access_type=online", with(request(), "access_type", "online"), "", true},
		{"an access_type of another provider", with(request(), "access_type", "forever"), "access_type=forever", false},
		{"a prompt of another provider", with(request(), "prompt", "consent login"), "prompt=consent", false},
		{"plain PKCE", with(request(), "code_challenge", verifier, "code_challenge_method", ""), "", false},
		{"SDKs: the members of a 502, empty ones included", with(request(), "session_required_identities", ",", "session_required_single_domain", "example.edu", "session_required_mfa", "False"), "", true},
		{"SDKs: MFA as Python writes it", with(request(), "session_required_mfa", "True"), "", true},
		{"an identity by its user name", with(request(), "session_required_identities", "rosalind@example.edu"), "", false},
		{"an identity by its URN", with(request(), "session_required_identities", "urn:globus:auth:identity:"+rosalind), "", false},
		{"@globus/sdk: offline_access", with(request(), "access_type", "", "scope", "openid offline_access "+transferScope), "", true},
		{"globus-cli: all that it asks for", with(request(), "scope", strings.Join([]string{
			"openid profile email " + identitySet, transferScope, "urn:globus:auth:scope:groups.api.globus.org:all", "urn:globus:auth:scope:search.api.globus.org:all",
			"https://auth.globus.org/scopes/524230d7-ea86-4a52-8312-86065a9e0417/timer[" + transferScope + "]",
			"https://auth.globus.org/scopes/eec9b274-0c81-4334-bdc2-54e90e689b9a/all",
		}, " ")), "", true},
		{"a collection's https", with(request(), "scope", "openid https://auth.globus.org/scopes/"+collection(t, "Tape")+"/https"), "", true},
		{"scopes of the tester's own", with(request(), "scope", analyze+" urn:globus:auth:scope:bare.example.edu:all"), "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newClients(t, false)
			page := f.authorize(tt.params)
			if page.status != http.StatusOK || !strings.Contains(page.body, "Choose who signs in") {
				t.Fatalf("got %d %s, want the page", page.status, page.body)
			}
			back := f.back(f.choose(tt.params, "person", "rosalind"))
			if back.Get("state") != tt.params.Get("state") || back.Has("error") {
				t.Errorf("got %v, want a code, and the state if there was one", back)
			}
			form := with(exchange(back.Get("code")), "data", "None") // oauthenticator's
			if tt.params.Get("code_challenge") == "" {
				form.Del("code_verifier")
			}
			r := f.token(form)
			if r.status != http.StatusOK {
				t.Errorf("got %d %s, want tokens", r.status, r.body)
			}
			offline := tt.params.Get("access_type") == "offline" || strings.Contains(tt.params.Get("scope"), "offline_access")
			if got := str(r.json["refresh_token"]) != ""; got != offline {
				t.Errorf("got a refresh token: %t", got)
			}
			if _, has := r.json["state"]; has != tt.params.Has("state") {
				t.Errorf("got %s, want the state if there was one", r.body)
			}
			if got := strings.Join(f.Ignored(globustest.AuthorizePath), " "); got != tt.ignored {
				t.Errorf("noted %q, want %q", got, tt.ignored)
			}
			if got := f.Ignored(globustest.TokenPath); !slices.Equal(got, []string{"data"}) {
				t.Errorf("noted %q at the token endpoint", got)
			}
			strict := newClients(t, true).authorize(tt.params)
			if got := strict.status == http.StatusOK; got != tt.strict {
				t.Errorf("strictly: got %d, %s %s", strict.status, strict.header.Get("Location"), strict.body)
			}
		})
	}
}

// pairs lists values as with takes them.
func pairs(values url.Values) (list []string) {
	for name := range values {
		list = append(list, name, values.Get(name))
	}
	return list
}

// What the emulator asks of a session, an SDK sends back as it came.
func TestRequirementsOfItsOwn(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	token := str(others(f.signIn(request()))[0]["access_token"])
	for _, spelled := range []func(any) string{
		func(v any) string { return fmt.Sprint(v) },                                     // JavaScript's true
		func(v any) string { return strings.ReplaceAll(fmt.Sprint(v), "true", "True") }, // Python's
	} {
		demanded := f.list(token, collection(t, "scratch")).json["authorization_parameters"].(map[string]any)
		params := with(request(), "prompt", "login")
		for name, value := range demanded {
			text := spelled(value)
			if list, ok := value.([]any); ok {
				text = strings.Trim(strings.ReplaceAll(fmt.Sprint(list...), " ", ","), "[]")
			}
			params.Set(name, text)
		}
		granted := f.tokens(f.press(params, "person", "rosalind", "mfa", "1"))
		if r := f.list(str(others(granted)[0]["access_token"]), collection(t, "scratch")); r.status != http.StatusOK {
			t.Errorf("%v: got %d %s", params, r.status, r.body)
		}
	}
	// The factor is wanted, however it is written.
	f.ForgetPeople()
	f.press(request(), "person", "rosalind")
	if r := f.authorize(with(request(), "session_required_mfa", "TRUE", "prompt", "none")); f.back(r).Get("error") != "login_required" {
		t.Errorf("got %v", r.header)
	}
	if r := f.authorize(with(request(), "session_required_mfa", "maybe")); f.back(r).Get("error") != "invalid_request" {
		t.Errorf("got %v", r.header)
	}
}

func TestPublicClients(t *testing.T) {
	f := newClients(t, false)
	app := with(request(), "client_id", publicID)
	redirects := []struct {
		uri  string
		want bool
	}{
		{"https://app.example/cb", true},
		{"http://localhost:51234", true},
		{"http://127.0.0.1:51235/done", true},
		{f.URL + globustest.AuthCodePath, true},
		{"https://app.example/other", false},
		{"http://app.example/cb", false},
		{"https://localhost/", false},
		{"http://localhost:1/#x", false},
		{"", false},
	}
	for _, tt := range redirects {
		r := f.authorize(with(app, "redirect_uri", tt.uri))
		if got := r.status == http.StatusOK; got != tt.want {
			t.Errorf("%s: got %d", tt.uri, r.status)
		}
		if r := f.authorize(with(request(), "redirect_uri", tt.uri)); r.status == http.StatusOK {
			t.Errorf("%s: a confidential client may have it", tt.uri)
		}
	}
	if q := f.back(f.authorize(with(app, "redirect_uri", "http://localhost:1/cb", "code_challenge", "", "code_challenge_method", ""))); q.Get("error") != "invalid_request" {
		t.Errorf("without PKCE: got %v", q)
	}

	// The page shows the code, to be copied.
	uri := f.URL + globustest.AuthCodePath
	app = with(request(), "client_id", publicID, "redirect_uri", uri)
	to, _ := url.Parse(f.choose(app, "person", "ada").header.Get("Location"))
	code := to.Query().Get("code")
	if page := f.get(to.RequestURI()); code == "" || !strings.Contains(page.body, "<code>"+code+"</code>") {
		t.Errorf("got %d %s, want the code %q", page.status, page.body, code)
	}

	form := url.Values{"grant_type": {"authorization_code"}, "client_id": {publicID}, "code": {code}, "redirect_uri": {uri}, "code_verifier": {verifier}}
	granted := f.token(form)
	if granted.status != http.StatusOK {
		t.Fatalf("got %d %s, want tokens", granted.status, granted.body)
	}
	refreshed := f.token(url.Values{"grant_type": {"refresh_token"}, "client_id": {publicID}, "refresh_token": {str(granted.json["refresh_token"])}})
	if refreshed.status != http.StatusOK {
		t.Errorf("refresh: got %d %s", refreshed.status, refreshed.body)
	}
	revoked := f.send(http.MethodPost, globustest.RevokePath, url.Values{"client_id": {publicID}, "token": {str(granted.json["access_token"])}})
	if revoked.status != http.StatusOK || f.Live(str(granted.json["access_token"])) {
		t.Errorf("revocation: got %d %s", revoked.status, revoked.body)
	}

	// It cannot say who it is, and so it gets nothing by itself.
	for _, grant := range []string{"client_credentials", "urn:globus:auth:grant_type:dependent_token"} {
		r := f.token(url.Values{"grant_type": {grant}, "client_id": {publicID}, "scope": {"openid"}, "token": {str(refreshed.json["access_token"])}})
		if r.status != http.StatusBadRequest || r.json["error"] != "unauthorized_client" {
			t.Errorf("%s: got %d %s", grant, r.status, r.body)
		}
	}
	r := f.send(http.MethodPost, globustest.IntrospectPath, url.Values{"client_id": {publicID}, "token": {str(refreshed.json["access_token"])}})
	if r.status != http.StatusUnauthorized {
		t.Errorf("introspection: got %d %s", r.status, r.body)
	}
}

// Pages of any site may call what programs call, and none of what people visit.
func TestCORS(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	wanted := []string{"x-globus-client-info", "authorization", "content-type", "accept"}
	paths := []string{
		globustest.DiscoveryPath, globustest.KeysPath, globustest.TokenPath, globustest.UserInfoPath, globustest.RevokePath, globustest.IntrospectPath,
		globustest.TaskListPath, globustest.TaskPath + "x", globustest.ListPath + "x/ls", globustest.MyGroupsPath, globustest.GetIdentitiesPath, "/nowhere",
	}
	for _, path := range paths {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, f.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Origin", "http://localhost:3000")
		req.Header.Set("Access-Control-Request-Method", "POST")
		req.Header.Set("Access-Control-Request-Headers", "x-of-my-own")
		r := f.do(req)
		allowed := strings.Split(strings.ToLower(r.header.Get("Access-Control-Allow-Headers")), ", ")
		for _, name := range append(wanted, "x-of-my-own") {
			if !slices.Contains(allowed, name) {
				t.Errorf("%s: a preflight lets %v through, but not %s", path, allowed, name)
			}
		}
		if r.status != http.StatusNoContent || r.header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(r.header.Get("Access-Control-Allow-Methods"), "POST") {
			t.Errorf("%s: got %d %v", path, r.status, r.header)
		}
		if r := f.get(path); r.header.Get("Access-Control-Allow-Origin") != "*" { // an error, too
			t.Errorf("%s: got %v", path, r.header)
		}
	}
	for _, path := range []string{globustest.AuthorizePath, globustest.ConsentsPath, globustest.LogoutPath, "/"} {
		if r := f.get(path); r.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: got %v", path, r.header)
		}
	}
	if got := f.Requests(globustest.TokenPath); got != 1 {
		t.Errorf("got %d requests, want one: preflights are none", got)
	}
	f.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.TokenPath: {Status: 503}}})
	if r := f.get(globustest.TokenPath); r.status != 503 || r.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("a fault: got %d %v", r.status, r.header)
	}
}

// Clients join a base URL that ends in a slash, and a path that begins with one.
func TestDoubledSlashes(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	token := str(others(f.signIn(request()))[0]["access_token"])
	for _, path := range []string{"/" + globustest.DiscoveryPath, "//v2//oauth2/authorize?" + request().Encode()} {
		if r := f.get(path); r.status != http.StatusOK && r.status != http.StatusFound {
			t.Errorf("%s: got %d %s", path, r.status, r.body)
		}
	}
	p := &portal{flow: f}
	if r := p.transfer("/v0.10//task_list", "Bearer "+token); r.status != http.StatusOK {
		t.Errorf("got %d %s", r.status, r.body)
	}
	if got := f.Requests(globustest.DiscoveryPath); got != 1 {
		t.Errorf("counted %d", got)
	}
}

// A look ahead is answered where nothing comes of it.
func TestHead(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	for path, want := range map[string]int{
		globustest.DiscoveryPath: 200, globustest.KeysPath: 200, "/": 200,
		globustest.AuthorizePath + "?" + request().Encode(): 405, globustest.LogoutPath: 405, globustest.TokenPath: 405,
	} {
		if r := f.send(http.MethodHead, path, nil); r.status != want || r.body != "" {
			t.Errorf("%s: got %d %q, want %d", path, r.status, r.body, want)
		}
	}
}

// TestClientAuthentication has the ways in which clients say who they are.
func TestClientAuthentication(t *testing.T) {
	encoded := url.QueryEscape(secret)
	tests := []struct {
		name         string
		basic        string // id:secret
		id, secret   string // in the form
		want, strict int
		ignored      string
	}{
		{"in the form", "", clientID, secret, 200, 200, ""},
		{"Basic, as it is", clientID + ":" + secret, "", "", 200, 200, ""},
		{"Basic, percent-encoded", clientID + ":" + encoded, "", "", 200, 401, "percent-encoding of the client secret"},
		{"Basic, wrong", clientID + ":x" + encoded, "", "", 401, 401, ""},
		{"Basic, and the id in the form", clientID + ":" + secret, clientID, "", 200, 400, ""},
		{"both, the same", clientID + ":" + secret, clientID, secret, 200, 400, ""},
		{"both, and they differ", clientID + ":" + secret, "other", "", 400, 400, ""},
		{"both, the secrets differ", clientID + ":" + secret, clientID, "x", 400, 400, ""},
		{"percent-encoded in the form", "", clientID, encoded, 401, 401, ""},
		{"nothing", "", "", "", 401, 401, ""},
		{"a public client", "", publicID, "", 200, 200, ""},
		{"a public client with Basic", publicID + ":", "", "", 200, 200, ""},
		{"a public client with a secret", "", publicID, "x", 200, 401, "client_secret"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, strict := range []bool{false, true} {
				f := newClients(t, strict)
				form := with(url.Values{"token": {"x"}}, "client_id", tt.id, "client_secret", tt.secret)
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.URL+globustest.RevokePath, strings.NewReader(form.Encode()))
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				if tt.basic != "" {
					req.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(tt.basic)))
				}
				want := map[bool]int{false: tt.want, true: tt.strict}[strict]
				if r := f.do(req); r.status != want {
					t.Errorf("strict %t: got %d %s, want %d", strict, r.status, r.body, want)
				}
				if got := strings.Join(f.Ignored(globustest.RevokePath), " "); !strict && got != tt.ignored {
					t.Errorf("noted %q, want %q", got, tt.ignored)
				}
			}
		})
	}
}

func TestRefreshWithScope(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	granted := f.signIn(request())
	r := f.token(with(refresh(str(granted["refresh_token"])), "scope", "openid "+transferScope))
	if r.status != 200 || r.json["scope"] != granted["scope"] || !slices.Equal(f.Ignored(globustest.TokenPath), []string{"scope"}) {
		t.Errorf("got %d %s, noted %v", r.status, r.body, f.Ignored(globustest.TokenPath))
	}
}

func TestClientCredentials(t *testing.T) {
	f := newClients(t, false)
	access := "https://auth.globus.org/scopes/" + collection(t, "Storage") + "/data_access"
	ask := func(scope string) response {
		return f.token(url.Values{"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {secret}, "scope": {scope}})
	}
	r := ask("openid profile " + transferScope + "[*" + access + "]")
	for _, one := range append(others(r.json), r.json) {
		if one["refresh_token"] != nil || one["state"] != nil {
			t.Errorf("got %v, want no refresh token and no state", one)
		}
	}
	info := f.userInfo(str(r.json["access_token"])).json
	if info["sub"] != clientID || info["preferred_username"] != clientID+"@clients.auth.globus.org" {
		t.Errorf("got %v, want the app itself", info)
	}
	claims, err := f.verified(str(r.json["id_token"]))
	if err != nil || claims["sub"] != clientID {
		t.Errorf("got %v, %v", claims, err)
	}
	if r := f.list(str(others(r.json)[0]["access_token"]), collection(t, "Storage")); r.status != 200 {
		t.Errorf("got %d %s, want the files", r.status, r.body)
	}
	for _, scope := range []string{"", "urn:nonsense"} {
		if r := ask(scope); r.status != 400 || r.json["error"] != "invalid_scope" {
			t.Errorf("%q: got %d %s", scope, r.status, r.body)
		}
	}
}

// A resource server gets tokens for what its scope needs, and its tokens get it no
// more than the person has allowed.
func TestDependentTokens(t *testing.T) {
	f := newClients(t, false)
	access := "https://auth.globus.org/scopes/" + collection(t, "Storage") + "/data_access"
	page := f.authorize(with(request(), "scope", analyze)).body
	for _, want := range []string{"Analyze &lt;data&gt;", "Manage your data transfers", "See the groups that you belong to"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	ask := func(token string, pairs ...string) (response, []map[string]any) {
		form := url.Values{"grant_type": {"urn:globus:auth:grant_type:dependent_token"}, "client_id": {serverID}, "client_secret": {"server-secret"}, "token": {token}}
		r := f.token(with(form, pairs...))
		var list []map[string]any
		_ = json.Unmarshal([]byte(r.body), &list)
		return r, list
	}
	called := f.signIn(with(request(), "scope", analyze))
	if called["resource_server"] != "analysis.example.edu" {
		t.Fatalf("got %v", called)
	}
	token := str(called["access_token"])
	r, list := ask(token)
	if len(list) != 2 || list[0]["resource_server"] != "groups.api.globus.org" || list[1]["scope"] != transferScope || list[1]["refresh_token"] != nil {
		t.Fatalf("got %d %s", r.status, r.body)
	}
	if r := f.myGroups(str(list[0]["access_token"]), ""); r.status != 200 || !strings.Contains(r.body, globustest.DemoLab) {
		t.Errorf("got %d %s, want rosalind's groups", r.status, r.body)
	}
	transfer := str(list[1]["access_token"])
	if r := f.list(transfer, collection(t, "Storage")); r.json["code"] != "ConsentRequired" {
		t.Errorf("got %d %s, want that consent is missing", r.status, r.body)
	}
	f.signIn(with(request(), "scope", analyze+"["+transferScope+"[*"+access+"]]"))
	if r := f.list(transfer, collection(t, "Storage")); r.status != 200 {
		t.Errorf("with consent: got %d %s", r.status, r.body)
	}
	if r, list = ask(token, "scope", transferScope, "access_type", "offline"); len(list) != 1 || list[0]["refresh_token"] == nil {
		t.Errorf("got %d %s, want one, with a refresh token", r.status, r.body)
	}
	if r, _ = ask(token, "scope", "urn:globus:auth:scope:search.api.globus.org:all"); r.status != 403 || r.json["error"] != "dependent_consent_required" {
		t.Errorf("got %d %s, want that consent is missing", r.status, r.body)
	}
	for name, token := range map[string]string{"none": "x", "another's": transfer, "for another server": str(f.signIn(request())["access_token"])} {
		if r, _ := ask(token); r.status != 400 || r.json["error"] != "invalid_grant" {
			t.Errorf("%s: got %d %s", name, r.status, r.body)
		}
	}

	// It may introspect what it was called with, and nobody else may.
	server := []string{"client_id", serverID, "client_secret", "server-secret", "include", "identity_set"}
	doc := f.introspect(token, server...).json
	if doc["active"] != true || doc["username"] != "rosalind@example.edu" || fmt.Sprint(doc["aud"]) != "[analysis.example.edu "+serverID+"]" || doc["client_id"] != clientID || doc["identity_set"] == nil {
		t.Errorf("got %v", doc)
	}
	if doc := f.introspect(token).json; doc["active"] != false {
		t.Errorf("the app: got %v", doc)
	}
	// What the person takes back, it loses.
	f.send(http.MethodPost, globustest.ConsentsPath, url.Values{"rescind": {clientID}})
	if f.Live(transfer) {
		t.Error("a dependent token outlives the consent")
	}
}

func TestGetIdentities(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	token := str(f.signIn(request())["access_token"])
	ask := func(path, token string) response {
		p := &portal{flow: f}
		if token == "" {
			return p.transfer(path)
		}
		return p.transfer(path, "Bearer "+token)
	}
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(clientID+":"+secret))
	ids := func(r response) string {
		var all []string
		list, _ := r.json["identities"].([]any)
		for _, one := range list {
			one := one.(map[string]any)
			all = append(all, str(one["username"])+" "+str(one["status"]))
		}
		return strings.Join(all, ", ")
	}
	tests := []struct{ query, want string }{
		{"usernames=ADA@example.edu,nobody@example.edu", "ada@example.edu used"},
		{"ids=" + adaAtGoogle + "," + rosalind, "ada@globus.org@accounts.google.com used, rosalind@example.edu used"},
		{"ids=" + clientID, clientID + "@clients.auth.globus.org used"},
		{"usernames=new@example.edu", ""},
		{"usernames=new@example.edu&provision=true", "new@example.edu unused"},
		{"usernames=new@example.edu", "new@example.edu unused"},
		{"usernames=new@nowhere.example&provision=true", ""},
	}
	for _, tt := range tests {
		if r := ask(globustest.GetIdentitiesPath+"?"+tt.query, token); r.status != 200 || ids(r) != tt.want {
			t.Errorf("%s: got %d %s, want %s", tt.query, r.status, r.body, tt.want)
		}
	}
	p := &portal{flow: f}
	if r := p.transfer(globustest.GetIdentitiesPath+"?usernames=ada@example.edu&include=identity_provider", basic); !strings.Contains(r.body, `"included":{"identity_providers":[{`) {
		t.Errorf("by Basic: got %d %s", r.status, r.body)
	}
	if r := ask(globustest.GetIdentitiesPath+"/"+ada, token); r.status != 200 || r.json["identity"].(map[string]any)["username"] != "ada@example.edu" {
		t.Errorf("one: got %d %s", r.status, r.body)
	}
	refusals := []struct {
		path, token string
		want        int
	}{
		{"?usernames=a@b", "", 401},
		{"?usernames=a@b", "x", 401},
		{"?usernames=a@b", str(others(f.signIn(request()))[0]["access_token"]), 403},
		{"", token, 400},
		{"?ids=x&usernames=y", token, 400},
		{"/" + publicID, token, 404},
		{"/" + ada + "/something", token, 404},
	}
	for _, tt := range refusals {
		if r := ask(globustest.GetIdentitiesPath+tt.path, tt.token); r.status != tt.want {
			t.Errorf("%s: got %d %s, want %d", tt.path, r.status, r.body, tt.want)
		}
	}
	if r := ask(globustest.IdentityProvidersPath+"?domains=orcid.org,globusid.org", token); strings.Count(r.body, `"short_name"`) != 2 {
		t.Errorf("providers: got %d %s", r.status, r.body)
	}
	strict := newFlow(t, globustest.Config{Strict: true})
	strictly := &portal{flow: strict}
	for scope, want := range map[string]int{"openid": 403, "openid " + identitySet: 200} {
		token := str(strict.signIn(with(request(), "scope", scope))["access_token"])
		if r := strictly.transfer(globustest.GetIdentitiesPath+"?ids="+ada, "Bearer "+token); r.status != want {
			t.Errorf("strictly, %s: got %d, want %d", scope, r.status, want)
		}
	}
}

func TestGetConsents(t *testing.T) {
	f := newClients(t, false)
	access := "https://auth.globus.org/scopes/" + collection(t, "Storage") + "/data_access"
	granted := f.signIn(with(request(), "scope", "openid urn:globus:auth:scope:auth.globus.org:view_consents "+transferScope+"[*"+access+"]"))
	token := str(granted["access_token"])
	consents := func(path, token string) (list []map[string]any, status int) {
		r := (&portal{flow: f}).transfer(globustest.GetIdentitiesPath+path, "Bearer "+token)
		all, _ := r.json["consents"].([]any)
		for _, one := range all {
			list = append(list, one.(map[string]any))
		}
		return list, r.status
	}
	own, _ := consents("/"+rosalind+"/consents", token)
	byName := map[string]map[string]any{}
	for _, c := range own {
		byName[str(c["scope_name"])] = c
	}
	above, below := byName[transferScope], byName[access]
	if len(own) != 4 || above == nil || below == nil || below["atomically_revocable"] != true || above["client"] != clientID ||
		fmt.Sprint(below["dependency_path"]) != fmt.Sprint([]any{above["id"], below["id"]}) || above["allows_refresh"] != true {
		t.Errorf("got %v", own)
	}
	f.codeOf("rosalind", with(request(), "client_id", "other", "scope", "openid"))
	if got, _ := consents("/"+rosalind+"/consents", token); len(got) != 4 {
		t.Errorf("got %d, want those of the app alone", len(got))
	}
	if got, _ := consents("/"+rosalind+"/consents?all=true", token); len(got) != 5 {
		t.Errorf("got %d, want those of all apps", len(got))
	}
	plain := str(f.signIn(with(request(), "scope", "openid"))["access_token"])
	if _, status := consents("/"+rosalind+"/consents?all=true", plain); status != 403 {
		t.Errorf("without the scope for it: got %d", status)
	}
	if _, status := consents("/"+ada+"/consents", token); status != 403 {
		t.Errorf("somebody else's: got %d", status)
	}
}

// Everybody whom a person can choose in the demo has what Globus always sends.
func TestDemoPeopleHaveUserNames(t *testing.T) {
	for _, p := range globustest.DemoPeople() {
		f := newFlow(t, globustest.Config{})
		granted := f.token(exchange(f.codeOf(p.Key, request()))).json
		if name := str(f.userInfo(str(granted["access_token"])).json["preferred_username"]); !strings.Contains(name, "@") {
			t.Errorf("%s: got preferred_username %q", p.Key, name)
		}
	}
}

func TestOwnScopes(t *testing.T) {
	for name, scopes := range map[string][]globustest.Scope{
		"no name":                {{ResourceServer: "x"}},
		"no resource server":     {{Name: "x"}},
		"brackets":               {{Name: "x[y]", ResourceServer: "x"}},
		"a dependency of nobody": {{Name: "x", ResourceServer: "x", Dependencies: []string{"y"}}},
		"a dependency in pieces": {{Name: "x", ResourceServer: "x", Dependencies: []string{"openid["}}},
	} {
		if _, err := globustest.New(globustest.Config{Issuer: "http://127.0.0.1:1", Key: sharedKey(), Scopes: scopes}); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	// Two that need each other do not go on for ever.
	f := newFlow(t, globustest.Config{Scopes: []globustest.Scope{
		{Name: "a", ResourceServer: "a.example", Dependencies: []string{"b"}}, {Name: "b", ResourceServer: "b.example", Dependencies: []string{"a"}},
	}})
	if r := f.authorize(with(request(), "scope", "a")); r.status != 200 || !strings.Contains(r.body, "<code>a[b]</code>") {
		t.Errorf("got %d %s", r.status, r.body)
	}
	f.ExpireAccessTokens("b.example") // is known, and so does not panic
}

// What is ignored is noted by endpoint; nothing is, where nothing was.
func TestIgnored(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	f.signIn(request())
	for _, path := range []string{globustest.AuthorizePath, globustest.TokenPath, "/nowhere"} {
		if got := f.Ignored(path); len(got) != 0 {
			t.Errorf("%s: got %q", path, got)
		}
	}
	f.authorize(with(request(), "b", "1", "a", "2"))
	f.authorize(with(request(), "b", "2"))
	if got := f.Ignored(globustest.AuthorizePath); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("got %q", got)
	}
}
