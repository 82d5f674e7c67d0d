package globus_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"time"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

// signIn signs Ada in at an emulated Globus. Example_testing shows how a test
// does that with an app in between.
func signIn() (client *globus.Client, signedIn *globus.Login, stop func()) {
	client, signedIn, auth := signInAt(globustest.Config{})
	return client, signedIn, auth.Close
}

// signInAt likewise, at one with another configuration.
func signInAt(cfg globustest.Config) (client *globus.Client, signedIn *globus.Login, auth *globustest.Server) {
	const callback = "http://localhost:8888/login"
	cfg.Key = signingKey()
	auth = globustest.NewServer(cfg)
	auth.Register(globustest.Client{ID: "app", Secret: "s3cret", RedirectURIs: []string{callback}})
	client, err := globus.New(globus.Config{
		ClientID: "app", ClientSecret: "s3cret", RedirectURL: callback,
		Issuer: auth.URL, TransferURL: auth.URL + globustest.TransferPath,
	})
	if err != nil {
		log.Fatal(err)
	}
	jar, _ := cookiejar.New(nil)
	browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	attempt := globus.NewAttempt()
	resp, err := browser.PostForm(client.AuthCodeURL(attempt), url.Values{"person": {"ada"}})
	if err != nil {
		log.Fatal(err)
	}
	resp.Body.Close()
	back, err := resp.Location()
	if err != nil {
		log.Fatal(err)
	}
	signedIn, err = client.Exchange(context.Background(), back.Query().Get("code"), attempt)
	if err != nil {
		log.Fatal(err)
	}
	return client, signedIn, auth
}

// What somebody has moved lately, as far back as one wants to read.
func ExampleClient_Transfer() {
	client, signedIn, stop := signIn() // client is from New, signedIn from Exchange
	defer stop()

	// A Source is the simplest TokenFunc. It refreshes the token when it ages.
	source := client.Source(signedIn.Tokens, globus.TransferServer, nil)
	transfer := client.Transfer(source.Fresh)
	for task, err := range transfer.TaskList(context.Background(), globus.TaskQuery{PageSize: 2}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(task.Status, task.Label)
		if task.Label == "Bernoulli numbers" {
			break // asks for no further page
		}
	}
	// Output:
	// SUCCEEDED Note G
	// SUCCEEDED Bernoulli numbers
}

// Any API that takes the person's token can be called: its base URL goes with
// the token for its resource server. Here that is Globus Auth itself.
func ExampleClient_HTTPClient() {
	client, signedIn, stop := signIn() // client is from New, signedIn from Exchange
	defer stop()

	source := client.Source(signedIn.Tokens, globus.AuthServer, nil)
	api := client.HTTPClient(client.Issuer(), source.Fresh)
	resp, err := api.Get(client.Issuer() + "/v2/oauth2/userinfo")
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	var person struct{ Name string }
	if err := json.NewDecoder(resp.Body).Decode(&person); err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.StatusCode, person.Name)

	_, err = api.Get("https://elsewhere.example/")
	fmt.Println("token sent elsewhere:", err == nil)
	// Output:
	// 200 Ada Lovelace
	// token sent elsewhere: false
}

// An app with sessions has a TokenFunc of its own, which keeps what Refresh
// returns where all of the app finds it.
func ExampleTokenFunc() {
	client, signedIn, stop := signIn() // client is from New, signedIn from Exchange
	defer stop()

	kept := signedIn.Tokens // stands for the session store; it needs a lock as well
	token := func(ctx context.Context, rejected string) (globus.Token, error) {
		t := kept[globus.TransferServer]
		if t.Fresh(time.Now()) && t.AccessToken != rejected {
			return t, nil
		}
		fresh, err := client.Refresh(ctx, globus.TransferServer, t, signedIn.Identity.Subject)
		if globus.IsInvalidGrant(err) {
			delete(kept, globus.TransferServer) // for good: the person must consent again
		}
		if err != nil {
			return globus.Token{}, err
		}
		kept[globus.TransferServer] = fresh
		return fresh, nil
	}

	first, _ := token(context.Background(), "")
	again, _ := token(context.Background(), "")
	other, err := token(context.Background(), first.AccessToken)
	fmt.Println(again.AccessToken == first.AccessToken, other.AccessToken == first.AccessToken, err)
	// Output: true false <nil>
}

// Signing out ends the app's own session first, then the tokens; the page that
// follows can offer to sign out of Globus itself.
func ExampleClient_RevokeAll() {
	var client *globus.Client // from New
	var tokens globus.Tokens  // of the session that has just been ended

	http.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 2*time.Second)
		defer cancel()
		if err := client.RevokeAll(ctx, tokens); err != nil {
			log.Print(err) // the person is signed out all the same
		}
		http.Redirect(w, r, client.LogoutURL("https://portal.example.edu/", "Portal"), http.StatusSeeOther)
	})
}

// Userinfo is fresher than the ID token. Whom it is about must be checked.
func ExampleClient_UserInfo() {
	var client *globus.Client  // from New
	var signedIn *globus.Login // from Exchange
	var ctx context.Context    // of the request
	token := signedIn.Tokens[globus.AuthServer]

	identity, err := client.UserInfo(ctx, token.AccessToken)
	switch {
	case err != nil:
		log.Print(err) // the ID token has named the person already
	case identity.Subject != signedIn.Identity.Subject:
		log.Print("this is somebody else: not signed in")
	default:
		signedIn.Identity = *identity
	}
}

// What everybody can find in an index, with no token at all, and how much of it there is
// by year.
func ExampleClient_Search() {
	client, _, stop := signIn() // client is from New
	defer stop()

	found, err := client.Search(nil).Query(context.Background(), globustest.DemoIndex, globus.SearchQuery{
		Q: "peat", AllWords: true, Limit: 2,
		Filters: []globus.Filter{globus.Range{Field: "taken", Spans: []globus.Span{{GTE: "2020-01-01", LT: "2022-01-01"}}}},
		Facets:  []globus.Facet{{Type: globus.FacetDateHistogram, Field: "taken", Interval: "year"}},
		Sort:    []globus.SearchSort{{Field: "taken"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range found.Subjects {
		var dataset struct{ Title string }
		if err := json.Unmarshal(s.Entries[0].Content, &dataset); err != nil {
			log.Fatal(err)
		}
		fmt.Println(dataset.Title)
	}
	for _, year := range found.Facets["taken"].Buckets {
		fmt.Println(year.Value, year.Count)
	}
	// Output:
	// Peat core at Manú, 2020
	// Methane flux at Hokkaidō (北海道), 2020
	// 2020 2
	// 2021 2
}

// The beginning of a file that everybody may read, over HTTPS and with no token. Of other
// collections, Transfer.Collection has the HTTPSServer, and a token for HTTPSScope reads
// what the person may read.
func ExampleClient_ReadFile() {
	client, _, auth := signInAt(globustest.Config{}) // client is from New
	defer auth.Close()

	server := auth.HTTPSServer("c3132a69-7f75-4e73-ab76-fb0625fa217c") // "https://g-1a2b.data.globus.org", say
	part, err := client.ReadFile(context.Background(), globus.FileQuery{Server: server, Path: "/datasets/peat-core/readings.csv", Max: 50}, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s… of %d bytes\n", part.Content, part.Size)
	// Output:
	// day,value,unit,remark
	// 2024-01-01,30.57,cm,
	// 2024-01… of 1803 bytes
}
