package globustest_test

import (
	"net/http"
	"strings"
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
		{"GET", globustest.ListPath + "x/stat", 404},
		{"GET", globustest.ListPath + "x/y/ls", 404},
		{"GET", globustest.TokenPath, 405},
		{"GET", globustest.RevokePath, 405},
		{"PUT", globustest.UserInfoPath, 405},
		{"POST", globustest.LogoutPath, 405},
		{"POST", globustest.KeysPath, 405},
		{"DELETE", globustest.AuthorizePath, 405},
		{"GET", globustest.TransferPath, 404},
		{"GET", globustest.TaskListPath + "/", 404},
		{"GET", globustest.TaskPath + "x/event_list", 404},
		{"POST", globustest.TaskListPath, 405},
		{"DELETE", globustest.TaskPath + "x", 405},
	}
	f := newFlow(t, globustest.Config{})
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
		{"client without a secret", client(globustest.Client{ID: "a"}), true},
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
	if want := "rosalind ada sub-only markup"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}
