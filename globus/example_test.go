package globus_test

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"time"

	"example.org/portal/globus"
)

// Signing in needs one route, which both begins and ends it.
func Example() {
	client, err := globus.New(globus.Config{
		ClientID:     os.Getenv("GLOBUS_CLIENT_ID"),
		ClientSecret: os.Getenv("GLOBUS_CLIENT_SECRET"),
		RedirectURL:  "http://localhost:8888/login",
	})
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("GET /login", login(client))
	log.Fatal(http.ListenAndServe("localhost:8888", nil))
}

// login sends the browser to Globus, and receives it when it comes back.
func login(client *globus.Client) http.HandlerFunc {
	// The attempt stays with the browser that began it. Over https the cookie
	// must be Secure, too.
	cookie := http.Cookie{Name: "attempt", Path: "/login", MaxAge: 600, HttpOnly: true, SameSite: http.SameSiteLaxMode}

	return func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		set := cookie
		if !q.Has("state") {
			attempt := globus.NewAttempt()
			b, _ := json.Marshal(attempt) // three strings
			set.Value = base64.RawURLEncoding.EncodeToString(b)
			http.SetCookie(w, &set)
			http.Redirect(w, r, client.AuthCodeURL(attempt), http.StatusFound)
			return
		}
		var attempt globus.Attempt
		if c, err := r.Cookie(cookie.Name); err == nil {
			b, _ := base64.RawURLEncoding.DecodeString(c.Value)
			_ = json.Unmarshal(b, &attempt) // what is no attempt has no state
		}
		if attempt.State == "" || subtle.ConstantTimeCompare([]byte(attempt.State), []byte(q.Get("state"))) != 1 {
			http.Error(w, "This sign-in was not begun here, or has expired.", http.StatusBadRequest)
			return
		}
		set.MaxAge = -1
		http.SetCookie(w, &set)
		if q.Has("error") {
			http.Error(w, "Globus did not sign you in.", http.StatusForbidden)
			return
		}
		// A code is good once: a browser that hangs up must not break this off.
		signedIn, err := client.Exchange(context.WithoutCancel(r.Context()), q.Get("code"), attempt)
		if err != nil {
			log.Print(err)
			http.Error(w, "Globus could not sign you in.", http.StatusServiceUnavailable)
			return
		}
		// Here the app would begin a session for signedIn.Identity.Subject and
		// keep signedIn.Tokens in it.
		log.Printf("%s has signed in", signedIn.Identity.Subject)
	}
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
