package globus_test

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"

	"example.org/portal/globus"
)

// A whole program: it signs people in with Globus, and lists their transfers.
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
	return func(w http.ResponseWriter, r *http.Request) {
		// The attempt stays with the browser that began it. Over https its
		// cookie must be Secure, too.
		cookie := &http.Cookie{Name: "attempt", Path: "/login", MaxAge: 600, HttpOnly: true, SameSite: http.SameSiteLaxMode}
		answer := r.URL.Query()
		if !answer.Has("state") {
			attempt := globus.NewAttempt()
			b, _ := json.Marshal(attempt) // three strings
			cookie.Value = url.QueryEscape(string(b))
			http.SetCookie(w, cookie)
			http.Redirect(w, r, client.AuthCodeURL(attempt), http.StatusSeeOther)
			return
		}
		var attempt globus.Attempt
		if c, err := r.Cookie(cookie.Name); err == nil {
			text, _ := url.QueryUnescape(c.Value)
			_ = json.Unmarshal([]byte(text), &attempt) // what is no attempt has no state
		}
		if attempt.State == "" || subtle.ConstantTimeCompare([]byte(attempt.State), []byte(answer.Get("state"))) != 1 {
			http.Error(w, "This sign-in was not begun here, or has expired.", http.StatusBadRequest)
			return
		}
		cookie.MaxAge = -1
		http.SetCookie(w, cookie)
		if answer.Has("error") {
			http.Error(w, "Globus did not sign you in.", http.StatusForbidden)
			return
		}
		// A code is good once: a browser that hangs up must not break this off.
		signedIn, err := client.Exchange(context.WithoutCancel(r.Context()), answer.Get("code"), attempt)
		if err != nil {
			log.Print(err)
			http.Error(w, "Globus could not sign you in.", http.StatusServiceUnavailable)
			return
		}
		// Here an app would begin a session for signedIn.Identity.Subject, and
		// keep signedIn.Tokens in it.
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprintf(w, "Hello %s!\n", signedIn.Identity.Name)
		source := client.Source(signedIn.Tokens, globus.TransferServer, nil)
		for task, err := range client.Transfer(source.Fresh).TaskList(r.Context(), globus.TaskQuery{}) {
			if err != nil {
				log.Print(err)
				fmt.Fprintln(w, "Globus Transfer does not answer.")
				return
			}
			fmt.Fprintln(w, task.Status, task.Label)
		}
	}
}
