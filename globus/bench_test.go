package globus_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"testing"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

// A recorder keeps the last answer of the token endpoint.
type recorder struct{ answer []byte }

func (t *recorder) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || r.URL.Path != globustest.TokenPath {
		return resp, err
	}
	t.answer, err = io.ReadAll(resp.Body)
	resp.Body = io.NopCloser(bytes.NewReader(t.answer))
	return resp, err
}

// BenchmarkIDToken is every check of an ID token, with keys that are at hand.
func BenchmarkIDToken(b *testing.B) {
	auth := globustest.NewServer(globustest.Config{
		Key:     signingKey(),
		Clients: []globustest.Client{{ID: clientID, Secret: clientSecret, RedirectURIs: []string{redirectURI}}},
	})
	defer auth.Close()
	wire := &recorder{}
	client, err := globus.New(globus.Config{ClientID: clientID, ClientSecret: clientSecret, RedirectURL: redirectURI, Issuer: auth.URL, Transport: wire})
	if err != nil {
		b.Fatal(err)
	}
	a := globus.NewAttempt()
	browser := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := browser.PostForm(client.AuthCodeURL(a), url.Values{"person": {"ada"}})
	if err != nil {
		b.Fatal(err)
	}
	resp.Body.Close()
	back, err := resp.Location()
	if err != nil {
		b.Fatal(err)
	}
	if _, err := client.Exchange(b.Context(), back.Query().Get("code"), a); err != nil {
		b.Fatal(err)
	}
	var answer struct {
		IDToken     string `json:"id_token"`
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(wire.answer, &answer); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if id, err := globus.VerifyIDToken(client, b.Context(), answer.IDToken, answer.AccessToken, a.Nonce); err != nil || id.Identity.Name != "Ada Lovelace" {
			b.Fatal(id, err)
		}
	}
}
