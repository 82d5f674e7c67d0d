package globus_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"example.org/portal/globus"
)

// A portal for the people of one institution, who use a second factor.
func ExamplePolicy() {
	policy := globus.Policy{Domains: []string{"example.edu"}, MFA: true}
	now := time.Now()

	// What Introspect says after a sign-in.
	ada := globus.Facts{Subject: "ada"}.WithSession(&globus.Introspection{
		Active: true, Subject: "ada",
		Authentications: []globus.Authentication{{Identity: "ada-at-google", Username: "ada@globus.org@accounts.google.com"}},
		// An identity that she has linked, but did not use.
		Linked: []globus.LinkedIdentity{{Subject: "ada", Username: "ada@example.edu"}},
	}, now)
	decision := policy.Decide(ada, now)
	fmt.Println(decision.Verdict, decision.Rule, decision.Needed, decision.Came)

	ada.Authentications = []globus.Authentication{{Identity: "ada", Username: "ada@example.edu", AMR: []string{"pwd", "mfa"}}}
	fmt.Println(policy.Decide(ada, now).Allowed())
	// Output:
	// refused domain [example.edu] [ada@globus.org@accounts.google.com]
	// true
}

// A service wants more of the person: the browser is sent to Globus with what
// it asks for, and then the service is asked again.
func ExampleRequirements() {
	body := `{"code":"ConsentRequired","message":"Missing required data_access consent","authorization_parameters":
		{"required_scopes":["urn:globus:auth:scope:transfer.api.globus.org:all[*https://auth.globus.org/scopes/c0/data_access]"],"session_required_mfa":true}}`

	required, ok := globus.ReadRequirements([]byte(body))
	fmt.Println(ok, required.Code)

	client, err := globus.New(globus.Config{ClientID: "app", ClientSecret: "s3cret", RedirectURL: "https://portal.example.edu/login"})
	if err != nil {
		fmt.Println(err)
		return
	}
	held, err := globus.ParseScopes(client.Scopes()...) // and the scopes of earlier requirements
	if err != nil {
		fmt.Println(err)
		return
	}
	scopes := held.Merge(required.Scopes)
	fmt.Println(strings.ReplaceAll(scopes.String(), " ", "\n"))
	url := client.AuthCodeURL(globus.NewAttempt(), append(required.AuthCodeOptions(), scopes.AuthCodeOption())...)
	fmt.Println(strings.Contains(url, "&session_required_mfa=true&"))
	// Output:
	// true ConsentRequired
	// openid
	// profile
	// email
	// urn:globus:auth:scope:transfer.api.globus.org:all[*https://auth.globus.org/scopes/c0/data_access]
	// true
}

// A handler that calls a service lets one place deal with what it requires.
func ExampleRequirementsOf() {
	var transfer *globus.Transfer // from Client.Transfer
	handler := func(ctx context.Context) error {
		_, err := transfer.Task(ctx, "a-task")
		return err
	}

	http.HandleFunc("GET /task", func(w http.ResponseWriter, r *http.Request) {
		err := handler(r.Context())
		if required, ok := globus.RequirementsOf(err); ok {
			fmt.Println("to Globus, with", required.AuthCodeOptions())
			return
		}
		if errors.Is(err, globus.ErrNoToken) {
			fmt.Println("to Globus")
		}
	})
}
