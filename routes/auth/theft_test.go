package auth_test

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"testing"
	"time"

	"example.org/portal/routes/routestest"
)

// TestStolenState: a state is in histories and in logs of proxies. Somebody who has it
// without the other secrets of the attempt gets no session, and disturbs none.
func TestStolenState(t *testing.T) {
	t.Parallel()
	for _, when := range []string{"before", "after"} {
		t.Run(when, func(t *testing.T) {
			s := routestest.Start(t, routestest.Options{})
			victim, thief := s.Browser(), s.Browser()
			callback := must(url.Parse(victim.Callback("rosalind")))
			state := callback.Query().Get("state")
			name, _ := victim.Cookie("login-")
			forged := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"State":%q,"Nonce":"x","Verifier":"y","Next":"","Begun":%q}`, state, time.Now().Format(time.RFC3339)))
			steal := func() {
				thief.Get("/login?code=made-up&state="+url.QueryEscape(state), "Cookie", name+"="+forged)
			}
			if when == "before" {
				steal()
			}
			victim.Get(callback.String())
			if when == "after" {
				steal()
			}
			if thief.SignedIn() || !victim.SignedIn() {
				t.Errorf("the thief is signed in: %t; the victim: %t", thief.SignedIn(), victim.SignedIn())
			}
		})
	}
}
