package globus_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

// A test of an app needs no account at Globus, and no mock: package globustest
// emulates it over real HTTP. The app is the program of the package's example.
func Example_testing() {
	auth := globustest.NewServer(globustest.Config{People: []globustest.Person{{
		Key:    "grace",
		Claims: globustest.Claims{Sub: "7a1c2e40-3b5d-4f6e-8a90-1906120901aa", Name: new("Grace Hopper")},
		Tasks:  []globustest.Task{{Label: "A moth", Status: globus.TaskActive}, {Label: "Compilers"}},
	}}})
	defer auth.Close()
	app := httptest.NewUnstartedServer(nil)
	defer app.Close()
	callback := "http://" + app.Listener.Addr().String() + "/login"
	auth.Register(globustest.Client{ID: "app", Secret: "s3cret", RedirectURIs: []string{callback}})

	client, err := globus.New(globus.Config{
		ClientID: "app", ClientSecret: "s3cret", RedirectURL: callback,
		Issuer: auth.URL, TransferURL: auth.URL + globustest.TransferPath,
	})
	if err != nil {
		log.Fatal(err)
	}
	app.Config.Handler = login(client)
	app.Start()

	// The browser is led to the emulator's page, where its owner chooses who to
	// be, and back to the app.
	jar, _ := cookiejar.New(nil)
	browser := &http.Client{Jar: jar}
	chooser, err := browser.Get(callback)
	if err != nil {
		log.Fatal(err)
	}
	chooser.Body.Close()
	page, err := browser.PostForm(chooser.Request.URL.String(), url.Values{"person": {"grace"}})
	if err != nil {
		log.Fatal(err)
	}
	defer page.Body.Close()
	text, _ := io.ReadAll(page.Body)
	fmt.Printf("%s\n%s", page.Status, text)
	// Output:
	// 200 OK
	// Hello Grace Hopper!
	// ACTIVE A moth
	// SUCCEEDED Compilers
}
