package globustest_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/url"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

// newClient registers an app with the emulator, and returns its client.
func newClient(auth *globustest.Server) *globus.Client {
	const callback = "http://localhost:8888/login"
	auth.Register(globustest.Client{ID: "app", Secret: "s3cret", RedirectURIs: []string{callback}})
	client, err := globus.New(globus.Config{
		ClientID: "app", ClientSecret: "s3cret", RedirectURL: callback,
		Issuer: auth.URL, TransferURL: auth.URL + globustest.TransferPath,
	})
	if err != nil {
		log.Fatal(err)
	}
	return client
}

// signIn signs rosalind in without an app: it asks for the code that her
// browser would be sent back with. The example "Testing" of package globus has
// the app, too.
func signIn(client *globus.Client) (*globus.Login, error) {
	attempt := globus.NewAttempt()
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	page, err := browser.PostForm(client.AuthCodeURL(attempt), url.Values{"person": {"rosalind"}})
	if err != nil {
		return nil, err
	}
	page.Body.Close()
	back, err := page.Location()
	if err != nil {
		return nil, err
	}
	return client.Exchange(context.Background(), back.Query().Get("code"), attempt)
}

// Whatever Globus might get wrong, or somebody in between, must be refused.
func ExampleEmulator_Lie() {
	auth := globustest.NewServer(globustest.Config{})
	defer auth.Close()
	client := newClient(auth) // registers an app, and returns its *globus.Client

	lies := []globustest.Lie{
		{}, // the truth
		{Claims: globustest.Edit{Drop: []string{"nonce"}}},
		{Claims: globustest.Edit{Set: map[string]any{"aud": "another-app"}}},
		{Signing: globustest.HS256WithSecret},
		{Endpoints: map[string]globustest.Fault{globustest.TokenPath: {Status: 503}}},
	}
	for _, lie := range lies {
		auth.Lie(lie)
		_, err := signIn(client)
		fmt.Println(err)
	}
	// Output:
	// <nil>
	// globus: token: id_token: nonce is missing or belongs to another attempt
	// globus: token: id_token: its form, algorithm, issuer or audience is wrong
	// globus: token: id_token: its form, algorithm, issuer or audience is wrong
	// globus: token: status (HTTP 503)
}

// Userinfo may be about somebody else than the ID token.
func ExampleEmulator_Lie_userInfo() {
	auth := globustest.NewServer(globustest.Config{})
	defer auth.Close()
	client := newClient(auth) // registers an app, and returns its *globus.Client
	signedIn, err := signIn(client)
	if err != nil {
		log.Fatal(err)
	}

	auth.Lie(globustest.Lie{UserInfo: globustest.Edit{Set: map[string]any{"sub": "somebody-else"}}})
	person, err := client.UserInfo(context.Background(), signedIn.Tokens[globus.AuthServer].AccessToken)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the same person:", person.Subject == signedIn.Identity.Subject)
	// Output: the same person: false
}

// An access token that ends early is refreshed; one that cannot be is not.
func ExampleEmulator_ExpireAccessTokens() {
	auth := globustest.NewServer(globustest.Config{})
	defer auth.Close()
	client := newClient(auth) // registers an app, and returns its *globus.Client
	signedIn, err := signIn(client)
	if err != nil {
		log.Fatal(err)
	}
	transfer := client.Transfer(client.Source(signedIn.Tokens, globus.TransferServer, nil).Fresh)
	list := func() (err error) {
		for _, err = range transfer.TaskList(context.Background(), globus.TaskQuery{}) {
			if err != nil {
				break
			}
		}
		return err
	}

	auth.ExpireAccessTokens(globus.TransferServer)
	fmt.Println(list(), auth.Refreshes(globus.TransferServer))

	auth.ExpireAccessTokens(globus.TransferServer)
	auth.ExpireRefreshTokens(globus.TransferServer) // as when a person withdraws their consent
	fmt.Println(list())
	// Output:
	// <nil> 1
	// globus: refresh: refused invalid_grant (HTTP 401)
}
