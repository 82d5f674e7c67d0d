package globus_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"example.org/portal/globus"
)

// FuzzTokenAnswer: whatever the token endpoint sends, only tokens that keep to
// the rules are taken, one for each resource server, and only a genuine ID token
// says who it is. IDTOKEN stands for one.
func FuzzTokenAnswer(f *testing.F) {
	token := func(s string) string {
		return `{"access_token":"access-token","token_type":"Bearer","expires_in":172800,"resource_server":"auth.globus.org","scope":"openid email","id_token":"IDTOKEN"` + s + `}`
	}
	for _, body := range []string{
		token(``), token(`,"refresh_token":"r","other_tokens":[{"access_token":"TOKEN","token_type":"bEARER","expires_in":1,"resource_server":"transfer.api.globus.org","refresh_token":"r2"}]`),
		token(`,"other_tokens":[{"access_token":"a","token_type":"Bearer","expires_in":1,"resource_server":"auth.globus.org"}]`), token(`,"other_tokens":{}`), token(`,"other_tokens":[null]`), token(`,"other_tokens":"x"`),
		token(`,"other_tokens":[` + strings.Repeat(`{},`, 60) + `{}]`), token(`,"token_type":"DPoP"`), token(`,"token_type":null`), token(`,"expires_in":-1`), token(`,"expires_in":"3600"`), token(`,"expires_in":1e18`), token(`,"expires_in":0.5`),
		token(`,"access_token":"a\r\nX: y"`), token(`,"refresh_token":"é"`), token(`,"access_token":""`), token(`,"resource_server":7`), token(`,"resource_server":""`), token(`,"state":"other"`), token(`,"state":"state"`), token(`,"id_token":null`), token(`,"id_token":"TOKEN"`),
		`{"error":"invalid_grant","error_description":"CODE TOKEN"}`, `{"error":"CODE"}`, `{"error":"TOKEN"}`, `{"errors":[{"id":"CODE","code":"UNAUTHORIZED"}]}`, `{"request_id":"TOKEN"}`, `TOKEN`, `<html>CODE</html>`, ``, `null`, `[]`, `{"access_token":["TOKEN"]}`,
		"access_token=TOKEN&token_type=Bearer&expires_in=60&resource_server=auth.globus.org&id_token=IDTOKEN",
	} {
		for _, contentType := range []string{"application/json", "text/html", "application/x-www-form-urlencoded"} {
			f.Add(200, contentType, body)
			f.Add(401, contentType, body)
		}
	}
	f.Fuzz(func(t *testing.T, status int, contentType, body string) {
		if status < 200 || status > 599 {
			return
		}
		genuine := signAs(ours, plainHeader, goodClaims(""))
		body = strings.ReplaceAll(secrets.Replace(strings.ReplaceAll(body, "IDTOKEN", "\x00")), "\x00", genuine)
		client := cannedClient(t, canned{status: status, contentType: contentType, body: body})
		a := globus.Attempt{State: "state", Nonce: fuzzNonce, Verifier: "verifier"}
		login, err := client.Exchange(context.Background(), secretCode, a)
		if err != nil {
			checkQuiet(t, err)
		}
		if err == nil {
			if login.Identity.Subject != "7a1c2e40-3b5d-4f6e-8a90-0123456789ab" || !strings.Contains(body, genuine) {
				t.Errorf("%s signs in %v", body, login.Identity)
			}
			if json.Valid([]byte(body)) && !isBearer(body) {
				t.Errorf("%s has tokens of another type than Bearer", body)
			}
			for server, token := range login.Tokens {
				checkToken(t, server, token)
			}
		}
		fresh, err := client.Refresh(context.Background(), globus.AuthServer, globus.Token{RefreshToken: secretToken}, "")
		if err != nil {
			checkQuiet(t, err)
			return
		}
		checkToken(t, globus.AuthServer, fresh)
	})
}

// isBearer reports whether the first token of an answer is a Bearer token, as far as
// it says. Of the others, those that are not are left out.
func isBearer(body string) bool {
	var top struct {
		Type string `json:"token_type"`
	}
	_ = json.Unmarshal([]byte(body), &top)
	return top.Type == "" || strings.EqualFold(top.Type, "bearer")
}

func checkToken(t *testing.T, server string, token globus.Token) {
	t.Helper()
	plain := func(s string) bool {
		return len(s) <= 8<<10 && !strings.ContainsFunc(s, func(r rune) bool { return r < '!' || r > '~' })
	}
	lasts := token.Expiry.Sub(time.Unix(fuzzNow, 0))
	if server == "" || token.AccessToken == "" || !plain(token.AccessToken) || !plain(token.RefreshToken) || lasts <= 0 || lasts > 30*24*time.Hour {
		t.Errorf("for %q the token %+v is taken, which lasts %s", server, token, lasts)
	}
}
