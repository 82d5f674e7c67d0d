package globustest_test

import (
	"crypto/sha512"
	"net/http"
	"strings"
	"sync"
	"testing"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

func TestNoSuchEndpoint(t *testing.T) {
	tests := []struct {
		method, path string
		want         int
	}{
		{"GET", "/v2/oauth2/authorize/", 404},
		{"GET", "//jwk.json", 404},
		{"GET", "/.well-known/jwks.json", 404},
		{"POST", "/v2/oauth2/token/validate", 404},
		{"GET", globustest.IntrospectPath, 405},
		{"POST", globustest.MyGroupsPath, 405},
		{"POST", globustest.ListPath + "x/ls", 405},
		{"GET", globustest.ListPath + "x/symlink", 404},
		{"GET", globustest.ListPath + "x/y/ls", 404},
		{"GET", globustest.TokenPath, 405},
		{"GET", globustest.RevokePath, 405},
		{"PUT", globustest.UserInfoPath, 405},
		{"POST", globustest.LogoutPath, 405},
		{"POST", globustest.KeysPath, 405},
		{"DELETE", globustest.AuthorizePath, 405},
		{"GET", globustest.TransferPath, 404},
		{"GET", globustest.TaskListPath + "/", 404},
		{"GET", globustest.TaskPath + "x/remove", 404},
		{"POST", globustest.TaskListPath, 405},
		{"DELETE", globustest.TaskPath + "x", 405},
	}
	f := newFlow(t, globustest.Config{Strict: true})
	for _, tt := range tests {
		r := f.send(tt.method, tt.path, nil)
		if r.status != tt.want || errorCode(r) == "" {
			t.Errorf("%s %s: got %d %s, want %d in the shape of Globus", tt.method, tt.path, r.status, r.body, tt.want)
		}
		ofTransfer := strings.HasPrefix(tt.path, globustest.TransferPath+"/")
		if got := r.json["request_id"] != nil; got != ofTransfer {
			t.Errorf("%s %s: got %s, want the shape of Transfer: %t", tt.method, tt.path, r.body, ofTransfer)
		}
	}
	// A look ahead must not hand out a code.
	f.code(request())
	if r := f.send(http.MethodHead, globustest.AuthorizePath+"?"+request().Encode(), nil); r.status != 405 {
		t.Errorf("HEAD: got %d, want 405", r.status)
	}
}

func TestNewRefuses(t *testing.T) {
	client := func(c globustest.Client) globustest.Config {
		return globustest.Config{Issuer: "http://127.0.0.1:8890", Key: sharedKey(), Clients: []globustest.Client{c}}
	}
	redirect := func(uri string) globustest.Config {
		return client(globustest.Client{ID: "a", Secret: "b", RedirectURIs: []string{uri}})
	}
	people := func(p ...globustest.Person) globustest.Config {
		return globustest.Config{Issuer: "http://127.0.0.1:8890", Key: sharedKey(), People: p}
	}
	someone := globustest.Person{Key: "x", Claims: globustest.Claims{Sub: "y"}}
	tasks := func(tasks ...globustest.Task) globustest.Config {
		return people(globustest.Person{Key: "x", Claims: globustest.Claims{Sub: "y"}, Tasks: tasks})
	}
	tests := []struct {
		name string
		cfg  globustest.Config
		want bool // an error
	}{
		{"no issuer", globustest.Config{}, true},
		{"slash at the issuer's end", globustest.Config{Issuer: "http://127.0.0.1:8890/"}, true},
		{"issuer without a scheme", globustest.Config{Issuer: "127.0.0.1:8890"}, true},
		{"public client", client(globustest.Client{ID: "a"}), false},
		{"client without an id", client(globustest.Client{Secret: "a"}), true},
		{"http elsewhere", redirect("http://app.example/login"), true},
		{"fragment", redirect("https://app.example/login#x"), true},
		{"empty fragment", redirect("https://app.example/login#"), true},
		{"relative", redirect("/login"), true},
		{"other scheme", redirect("myapp://login"), true},
		{"https", redirect("https://app.example/login"), false},
		{"loopback", redirect("http://[::1]:8888/login"), false},
		{"person without a sub", people(globustest.Person{Key: "x"}), true},
		{"two of one key", people(someone, someone), true},
		{"task of no type", tasks(globustest.Task{Type: "transfer"}), true},
		{"task of no status", tasks(globustest.Task{Status: "DONE"}), true},
		{"task of the future", tasks(globustest.Task{Ago: -1}), true},
		{"task that takes less than nothing", tasks(globustest.Task{Takes: -1}), true},
		{"task that ended in the future", tasks(globustest.Task{Ago: 1, Takes: 2}), true},
		{"task more than done", tasks(globustest.Task{Done: 1.1}), true},
		{"two tasks of one ID", tasks(globustest.Task{ID: "x"}, globustest.Task{ID: "x"}), true},
		{"own tasks", tasks(globustest.Task{}, globustest.Task{Status: globus.TaskActive, Takes: 2}), false},
		{"own people", people(someone), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := globustest.New(tt.cfg); (err != nil) != tt.want {
				t.Errorf("got %v, want an error: %t", err, tt.want)
			}
		})
	}
}

func TestDemoPeople(t *testing.T) {
	var got []string
	for _, p := range globustest.DemoPeople() {
		got = append(got, p.Key)
	}
	if want := "rosalind ada markup"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

const transferServer = "transfer.api.globus.org"

func TestFaultTimes(t *testing.T) {
	p := newPortal(t, "rosalind", tasksOf(globustest.Task{ID: "x"}, globustest.Task{ID: "y"}))
	key := str(others(p.granted)[0]["refresh_token"])
	list := func() int { return p.ask(globustest.TaskListPath).status }
	task := func() int { return p.ask(globustest.TaskPath + "x").status }
	other := func() int { return p.ask(globustest.TaskPath + "y").status }
	renew := func() int { return p.token(refresh(key)).status }
	tests := []struct {
		name  string
		path  string
		fault globustest.Fault
		calls []func() int
		want  []int
	}{
		{"always", globustest.TaskListPath, globustest.Fault{Status: 503}, []func() int{list, list, list}, []int{503, 503, 503}},
		{"401 once", globustest.TaskListPath, globustest.Fault{Status: 401, Times: 1}, []func() int{list, list, list}, []int{401, 200, 200}},
		{"twice", globustest.TokenPath, globustest.Fault{Status: 500, Times: 2}, []func() int{renew, renew, renew}, []int{500, 500, 200}},
		{"any task", globustest.TaskPath, globustest.Fault{Status: 502, Times: 2}, []func() int{task, other, task}, []int{502, 502, 200}},
		{"elsewhere", globustest.TaskPath, globustest.Fault{Status: 502, Times: 1}, []func() int{list, renew, task}, []int{200, 200, 502}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for range 2 { // it is counted from Lie
				p.Lie(fault(tt.path, tt.fault))
				for i, call := range tt.calls {
					if got := call(); got != tt.want[i] {
						t.Errorf("request %d: got %d, want %d", i+1, got, tt.want[i])
					}
				}
			}
		})
	}
}

func TestFaultTimesAtOnce(t *testing.T) {
	const requests, times = 20, 7
	f := newFlow(t, globustest.Config{})
	f.Lie(fault(globustest.KeysPath, globustest.Fault{Status: 503, Times: times}))
	var wg sync.WaitGroup
	failed := make(chan bool, requests)
	for range requests {
		wg.Go(func() {
			res, err := http.Get(f.URL + globustest.KeysPath)
			if err != nil {
				t.Error(err)
				return
			}
			res.Body.Close()
			failed <- res.StatusCode == http.StatusServiceUnavailable
		})
	}
	wg.Wait()
	close(failed)
	got := 0
	for one := range failed {
		if one {
			got++
		}
	}
	if got != times {
		t.Errorf("got %d failures, want %d", got, times)
	}
}

func TestExpireTokens(t *testing.T) {
	access := func(f *flow, server string) { f.ExpireAccessTokens(server) }
	refreshing := func(f *flow, server string) { f.ExpireRefreshTokens(server) }
	// Of the tokens that a sign-in gives, in the order of secrets: access and
	// refresh for auth.globus.org, then for transfer.api.globus.org.
	tests := []struct {
		name   string
		expire func(*flow, string)
		server string
		want   []bool // alive
	}{
		{"access, one server", access, transferServer, []bool{true, true, false, true}},
		{"access, another", access, "auth.globus.org", []bool{false, true, true, true}},
		{"access, none of it there", access, "groups.api.globus.org", []bool{true, true, true, true}},
		{"access, all", access, "", []bool{false, true, false, true}},
		{"refresh, one server", refreshing, transferServer, []bool{true, true, true, false}},
		{"refresh, all", refreshing, "", []bool{true, false, true, false}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFlow(t, globustest.Config{})
			granted := f.signIn(request())
			tt.expire(f, tt.server)
			for i, token := range secrets(granted) {
				if got := f.Live(token); got != tt.want[i] {
					t.Errorf("token %d: got alive %t, want %t", i, got, tt.want[i])
				}
			}
			for i, one := range append([]map[string]any{granted}, others(granted)...) {
				r := f.token(refresh(str(one["refresh_token"])))
				if r.status != 200 != (r.json["error"] == "invalid_grant") || r.status == 200 != tt.want[2*i+1] {
					t.Errorf("refresh %d: got %d %s", i, r.status, r.body)
				}
			}
		})
	}
}

func TestUnknownServer(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	for name, call := range map[string]func(){
		"ExpireAccessTokens":  func() { f.ExpireAccessTokens("transfer") },
		"ExpireRefreshTokens": func() { f.ExpireRefreshTokens("transfer") },
		"Refreshes":           func() { f.Refreshes("transfer") },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("an unknown server is accepted")
				}
			}()
			call()
		})
	}
}

func TestRefreshes(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	granted := f.signIn(request())
	auth, transfer := str(granted["refresh_token"]), str(others(granted)[0]["refresh_token"])
	check := func(when string, wantAuth, wantTransfer int) {
		t.Helper()
		a, b, all := f.Refreshes("auth.globus.org"), f.Refreshes(transferServer), f.Refreshes("")
		if a != wantAuth || b != wantTransfer || all != wantAuth+wantTransfer || f.Refreshes("groups.api.globus.org") != 0 {
			t.Errorf("%s: got %d, %d and %d in all, want %d and %d", when, a, b, all, wantAuth, wantTransfer)
		}
	}
	check("signed in", 0, 0)
	f.token(refresh(transfer))
	f.token(refresh(transfer))
	f.token(refresh(auth))
	check("refreshed", 1, 2)
	f.token(refresh("x"))
	f.token(refresh(str(granted["access_token"])))
	check("refused", 1, 2)
	f.Lie(fault(globustest.TokenPath, globustest.Fault{Status: 500, Times: 1}))
	f.token(refresh(auth))
	check("failed", 1, 2)
	f.Lie(fault(globustest.TokenPath, globustest.Fault{Status: 500, After: true}))
	f.token(refresh(auth))
	check("lost", 2, 2)
}

func TestLieRefresh(t *testing.T) {
	tests := []struct {
		name string
		lie  globustest.Edit
		want map[string]any // nil: not sent
	}{
		{"no refresh token", globustest.Edit{Drop: []string{"refresh_token"}}, map[string]any{"refresh_token": nil}},
		{"wrong server", globustest.Edit{Set: map[string]any{"resource_server": "x"}}, map[string]any{"resource_server": "x"}},
		{"a second", globustest.Edit{Set: map[string]any{"expires_in": 1}}, map[string]any{"expires_in": 1.0, "resource_server": transferServer}},
	}
	f := newFlow(t, globustest.Config{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f.Lie(globustest.Lie{Refresh: tt.lie})
			granted := f.signIn(request())
			if granted["resource_server"] != "auth.globus.org" || granted["expires_in"] != 172800.0 || granted["refresh_token"] == nil {
				t.Errorf("got %v for a code, want the truth", granted)
			}
			transfer := others(granted)[0]
			r := f.token(refresh(str(transfer["refresh_token"])))
			for name, want := range tt.want {
				if r.json[name] != want {
					t.Errorf("got %s %v, want %v", name, r.json[name], want)
				}
			}
			if r.status != 200 || !f.Live(str(r.json["access_token"])) {
				t.Errorf("got %d %s, want a live token", r.status, r.body)
			}
		})
	}
}

func TestLieRotateRefresh(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	granted := f.signIn(request())
	f.Lie(globustest.Lie{RotateRefresh: true})
	token := str(others(granted)[0]["refresh_token"])
	for range 3 {
		r := f.token(refresh(token))
		next := str(r.json["refresh_token"])
		if r.status != 200 || next == token || !f.Live(next) || f.Live(token) {
			t.Fatalf("got %d %s, want another refresh token, and the old one dead", r.status, r.body)
		}
		if r := f.token(refresh(token)); r.json["error"] != "invalid_grant" {
			t.Errorf("the old one: got %d %s, want invalid_grant", r.status, r.body)
		}
		token = next
	}
	if !f.Live(str(granted["refresh_token"])) {
		t.Error("the refresh token for another server died")
	}
	f.Lie(globustest.Lie{})
	if r := f.token(refresh(token)); r.json["refresh_token"] != token {
		t.Errorf("honest again: got %s, want the same refresh token", r.body)
	}
}

// An ID token comes with a refresh only where one is asked for, and is as an
// app may expect it, or as Claims says.
func TestLieRefreshIDToken(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	granted := f.signIn(request())
	auth, transfer := str(granted["refresh_token"]), str(others(granted)[0]["refresh_token"])
	if r := f.token(refresh(auth)); r.json["id_token"] != nil {
		t.Errorf("got %s, want no ID token: Globus sends none", r.body)
	}
	f.Lie(globustest.Lie{RefreshIDToken: true, Claims: globustest.Edit{Set: map[string]any{"azp": "canary"}}})
	if r := f.token(refresh(transfer)); r.json["id_token"] != nil {
		t.Errorf("got %s, want no ID token for Transfer", r.body)
	}
	r := f.token(refresh(auth))
	claims, err := f.verified(str(r.json["id_token"]))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"iss": f.URL, "aud": clientID, "nonce": nil, "azp": "canary",
		"sub": f.userInfo(str(r.json["access_token"])).json["sub"], "at_hash": halfHash(sha512.New(), str(r.json["access_token"])),
	}
	for name, value := range want {
		if claims[name] != value {
			t.Errorf("got %s %v, want %v", name, claims[name], value)
		}
	}
}
