package routes_test

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"testing"
	"time"
)

// TestStolenState: a state is in histories and in logs of proxies. Who has it, but
// not the other secrets of the attempt, gets no session by it, nor spoils one.
func TestStolenState(t *testing.T) {
	for _, when := range []string{"before", "after"} {
		t.Run(when, func(t *testing.T) {
			s := start(t, options{})
			victim, thief := s.browser(), s.browser()
			callback := must(url.Parse(victim.callback("rosalind")))
			state := callback.Query().Get("state")
			name, _ := victim.cookie("login-")
			forged := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"State":%q,"Nonce":"x","Verifier":"y","Next":"","Begun":%q}`, state, time.Now().Format(time.RFC3339)))
			steal := func() {
				thief.get("/login?code=made-up&state="+url.QueryEscape(state), "Cookie", name+"="+forged)
			}
			if when == "before" {
				steal()
			}
			victim.get(callback.String())
			if when == "after" {
				steal()
			}
			if thief.signedIn() || !victim.signedIn() {
				t.Errorf("the thief is signed in: %t; the victim: %t", thief.signedIn(), victim.signedIn())
			}
		})
	}
}
