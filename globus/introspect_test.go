package globus_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"example.org/portal/globus"
)

// answering returns a client of a Globus all of whose services answer with body,
// and what it was last asked.
func answering(t *testing.T, status int, body string) (*globus.Client, func() (*http.Request, url.Values)) {
	t.Helper()
	var last *http.Request
	var form url.Values
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		last, form = r, r.PostForm
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		io.WriteString(w, body)
	}))
	t.Cleanup(srv.Close)
	client, err := globus.New(globus.Config{
		ClientID: clientID, ClientSecret: clientSecret, RedirectURL: redirectURI,
		Issuer: srv.URL, TransferURL: srv.URL, GroupsURL: srv.URL + "/v2",
	})
	if err != nil {
		t.Fatal(err)
	}
	return client, func() (*http.Request, url.Values) { return last, form }
}

func TestIntrospectAsks(t *testing.T) {
	client, asked := answering(t, 200, `{"active":false}`)
	in, err := client.Introspect(t.Context(), "the-token")
	if err != nil || in.Active {
		t.Errorf("got %+v, %v, want one that is not active", in, err)
	}
	r, form := asked()
	if r.Method != "POST" || r.URL.Path != "/v2/oauth2/token/introspect" || r.URL.RawQuery != "" || r.Header.Get("Authorization") != "" {
		t.Errorf("got %s %s", r.Method, r.URL)
	}
	want := url.Values{"token": {"the-token"}, "include": {"session_info,identity_set_detail"}, "client_id": {clientID}, "client_secret": {clientSecret}}
	if form.Encode() != want.Encode() {
		t.Errorf("got %v, want %v", form, want)
	}
}

func TestIntrospect(t *testing.T) {
	const detail = `,"identity_set_detail":[
		{"sub":"one","username":"ada@example.edu","name":null,"identity_provider":"p1","identity_provider_display_name":"Example University"},
		{"sub":"two","username":"ada@globus.org@accounts.google.com","identity_provider":"p2"}]`
	session := func(authentications string) string {
		return `{"active":true,"sub":"one","username":"ada@example.edu"` + detail + `,"session_info":{"session_id":"x","authentications":` + authentications + `}}`
	}
	long := strings.Repeat("x", 300)
	tests := []struct {
		name string
		body string
		want string // authentications
	}{
		{"one", session(`{"one":{"idp":"p1","auth_time":1715116900,"acr":"a","amr":["pwd","mfa"],"custom_claims":{}}}`),
			"one ada@example.edu p1 Example University 1715116900 a [pwd mfa]"},
		{"nulls", session(`{"one":{"idp":null,"auth_time":null,"acr":null,"amr":null}}`), "one ada@example.edu  Example University 0  []"},
		{"float", session(`{"one":{"auth_time":1715116900.75}}`), "one ada@example.edu  Example University 1715116900  []"},
		{"latest first", session(`{"one":{"auth_time":1},"two":{"auth_time":3},"three":{"auth_time":2}}`),
			"two ada@globus.org@accounts.google.com   3  []; three    2  []; one ada@example.edu  Example University 1  []"},
		{"odd members", session(`{"one":{"idp":7,"auth_time":"noon","acr":["a"],"amr":"mfa"}}`), "one ada@example.edu  Example University 0  []"},
		{"odd entries", session(`{"one":null,"two":7,"":{},"a b":{},"` + long + `":{}}`), ""},
		{"odd time", session(`{"one":{"auth_time":1e300},"two":{"auth_time":-1}}`),
			"one ada@example.edu  Example University 0  []; two ada@globus.org@accounts.google.com   0  []"},
		{"odd amr", session(`{"one":{"amr":["mfa",7]}}`), "one ada@example.edu  Example University 0  []"},
		{"long texts", session(`{"one":{"acr":"` + long + `","amr":["` + long + `"]}}`), "one ada@example.edu  Example University 0  []"},
		{"none", session(`{}`), ""},
		{"null", session(`null`), ""},
		{"no session", `{"active":true,"sub":"one"}`, ""},
		{"null session", `{"active":true,"sub":"one","session_info":null,"identity_set_detail":null,"username":null,"exp":null,"scope":null,"client_id":null}`, ""},
		{"user name from the top", `{"active":true,"sub":"one","username":"ada@example.edu","session_info":{"authentications":{"one":{},"two":{}}}}`,
			"one ada@example.edu   0  []; two    0  []"},
		{"null identities", `{"active":true,"sub":"one","identity_set_detail":[null,{"sub":null}],"session_info":{"authentications":{"one":{}}}}`, "one    0  []"},
		// What is cut out of it must not turn one user name into another.
		{"control character", `{"active":true,"sub":"one","username":"a@example.\u0000edu","session_info":{"authentications":{"one":{}}}}`, "one    0  []"},
		{"long user name", `{"active":true,"sub":"one","username":"a@` + long + `","session_info":{"authentications":{"one":{}}}}`, "one    0  []"},

		{"session of another type", `{"active":true,"sub":"one","session_info":7}`, ""},
		{"authentications of another type", `{"active":true,"sub":"one","session_info":{"authentications":[1]}}`, ""},
		{"odd members before the session", `{"active":true,"sub":"one","scope":["a"],"client_id":7,"exp":"soon","identity_set_detail":{"one":1},"session_info":{"authentications":{"one":{}}}}`, "one    0  []"},
		{"an expiry that is none", `{"active":true,"sub":"one","exp":1e300,"session_info":{"authentications":{"one":{}}}}`, "one    0  []"},
		{"an identity set of text", `{"active":true,"sub":"one","identity_set_detail":["one",{"sub":"one","username":"a@b"}],"session_info":{"authentications":{"one":{}}}}`, "one a@b   0  []"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client, _ := answering(t, 200, tt.body)
			in, err := client.Introspect(t.Context(), "x")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, a := range in.Authentications {
				at := int64(0)
				if !a.Time.IsZero() {
					at = a.Time.Unix()
				}
				amr := slices.DeleteFunc(a.AMR, func(s string) bool { return s == "" })
				got = append(got, fmt.Sprint(a.Identity, " ", a.Username, " ", a.Provider, " ", a.ProviderName, " ", at, " ", a.ACR, " ", amr))
			}
			if text := strings.Join(got, "; "); text != tt.want {
				t.Errorf("got  %q\nwant %q", text, tt.want)
			}
		})
	}
}

func TestIntrospectTop(t *testing.T) {
	client, _ := answering(t, 200, `{"active":true,"sub":"one","username":"u","client_id":"c","scope":"a b","exp":1715289767.5,"identity_set_detail":[{"sub":"two","username":"v"}]}`)
	in, err := client.Introspect(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	if in.Subject != "one" || in.Username != "u" || in.ClientID != "c" || !slices.Equal(in.Scopes, []string{"a", "b"}) ||
		in.Expiry.Unix() != 1715289767 || len(in.Linked) != 1 || in.Linked[0].Username != "v" {
		t.Errorf("got %+v", in)
	}
}

// The largest identity set that an answer has room for is read, and no more of
// its methods than anyone has.
func TestIntrospectMuch(t *testing.T) {
	var identities, authentications []string
	for i := range 1000 {
		identities = append(identities, fmt.Sprintf(`{"sub":"i%d","username":"u%d@example.edu"}`, i, i))
		authentications = append(authentications, fmt.Sprintf(`"i%d":{"amr":["a"%s]}`, i, strings.Repeat(`,"a"`, 30)))
	}
	client, _ := answering(t, 200, `{"active":true,"sub":"i1","identity_set_detail":[`+strings.Join(identities, ",")+`],"session_info":{"authentications":{`+strings.Join(authentications, ",")+`}}}`)
	in, err := client.Introspect(t.Context(), "x")
	if err != nil || len(in.Authentications) != 1000 {
		t.Fatalf("got %v", err)
	}
	if a := in.Authentications[999]; a.Username != "u"+strings.TrimPrefix(a.Identity, "i")+"@example.edu" || len(a.AMR) != 20 {
		t.Errorf("got %+v", a)
	}
	if f := (globus.Facts{Subject: "i1"}).WithSession(in, in.Expiry); len(f.Authentications) != 20 {
		t.Errorf("%d of them are kept", len(f.Authentications))
	}
}
