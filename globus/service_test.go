package globus_test

import (
	"testing"

	"example.org/portal/globus"
)

// TestServiceURL: a service is where its name says, where the configuration says, or
// at the emulator; a client of an emulator never calls a real one.
func TestServiceURL(t *testing.T) {
	t.Parallel()
	const emulator = "http://127.0.0.1:8890"
	tests := []struct {
		name   string
		cfg    globus.Config
		server string
		want   string
	}{
		{"a real one", globus.Config{}, "search.api.globus.org", "https://search.api.globus.org"},
		{"the real Transfer", globus.Config{}, globus.TransferServer, globus.TransferURL},
		{"the real Groups", globus.Config{}, globus.GroupsServer, globus.GroupsURL},
		{"an emulated one", globus.Config{Issuer: emulator}, "search.api.globus.org", emulator + "/search.api.globus.org"},
		{"an emulated Transfer", globus.Config{Issuer: emulator, TransferURL: emulator + "/t"}, globus.TransferServer, emulator + "/t"},
		{"one that is named", globus.Config{Issuer: emulator, Services: map[string]string{"x": "http://127.0.0.1:9/v1"}}, "x", "http://127.0.0.1:9/v1"},
	}
	for _, test := range tests {
		test.cfg.ClientID, test.cfg.ClientSecret, test.cfg.RedirectURL = "id", "secret", "http://localhost:8888/login"
		c, err := globus.New(test.cfg)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.ServiceURL(test.server); got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
	cfg := globus.Config{ClientID: "id", ClientSecret: "secret", RedirectURL: "http://localhost:8888/login", Services: map[string]string{"x": "http://elsewhere.example"}}
	if _, err := globus.New(cfg); err == nil {
		t.Error("a token would be sent over plain http")
	}
}
