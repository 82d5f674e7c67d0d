package globus_test

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

// A refusal is a check that can keep a person from signing in, or a page from
// showing an answer.
type refusal struct {
	check    string
	protects string // who would gain without it, or what would pass unnoticed; if nobody and nothing, the check goes
	of       []call // what is called; nil: a sign-in
	rows     []refused
}

// A refused input makes a check fail.
type refused struct {
	name  string
	lie   globustest.Lie   // in a sign-in
	fault globustest.Fault // or in each of the calls
	want  globus.Reason
	code  string // beside it
}

// refusals is the table of all of them, but for answers that come too late
// (TestNeverAnswers, TestCallEnds), what a provider that is asked does not redeem
// (TestExchangeRefused) and ID tokens that come with a refresh (TestRefreshIDToken).
func refusals(elsewhere string) []refusal {
	now := time.Unix(1_800_000_000, 0) // newFlow's
	ago := func(d time.Duration) int64 { return now.Add(-d).Unix() }
	idToken := func(name string, lie globustest.Lie) refused {
		return refused{name: name, lie: lie, want: globus.BadIDToken}
	}
	tokens := func(name string, lie globustest.Lie) refused {
		return refused{name: name, lie: lie, want: globus.Malformed}
	}
	// Without it nothing but the token itself can be at fault.
	bare := func(name string, lie globustest.Lie) refused {
		lie.Claims = drop("at_hash")
		return tokens(name, lie)
	}
	keys := func(name, keys string) refused {
		return tokens(name, fault(globustest.KeysPath, globustest.Fault{Body: `{"keys":` + keys + `}`}))
	}
	key := func(name string, key json.Marshaler) refused {
		b, err := key.MarshalJSON()
		if err != nil {
			panic(err)
		}
		return keys(name, "["+string(b)+"]")
	}
	another := func(r refused) refused { r.want = globus.BadIDToken; return r }
	body := func(name, body string) refused {
		return refused{name: name, fault: globustest.Fault{Body: body}, want: globus.Malformed}
	}
	of := func(path string) (list []call) {
		for _, c := range calls {
			if c.path == path && c.name != "refresh" {
				list = append(list, c)
			}
		}
		return list
	}
	public := signingKey().Public()
	otherHash := sha512.Sum512([]byte("canary-other-access-token"))
	foreign := func(name string, value any) globustest.Lie {
		return globustest.Lie{Signing: globustest.ForeignKey, Header: set(name, value)}
	}
	headers := func(members map[string]any) globustest.Lie {
		return globustest.Lie{Header: globustest.Edit{Set: members}}
	}
	location := http.Header{"Location": {elsewhere + "/canary"}}
	contentType := func(t string) http.Header { return http.Header{"Content-Type": {t}} }
	gzip := http.Header{"Content-Encoding": {"gzip"}}
	const page = "<html>canary</html>"

	return []refusal{
		// The ID token.
		{"id_token", "nobody would know who has signed in", nil, []refused{
			tokens("missing", globustest.Lie{Token: drop("id_token")}),
			tokens("null", answer("id_token", nil)),
			tokens("an object", answer("id_token", map[string]string{"canary": "a.b.c"})),
			tokens("a list", answer("id_token", []string{"canary"})),
			idToken("empty", answer("id_token", "")),
			idToken("five parts", answer("id_token", "canary.a.b.c.d")),
			idToken("one part", answer("id_token", "canary")),
			idToken("dots alone", answer("id_token", "..")),
			idToken("JWS in JSON", answer("id_token", `{"payload":"canary","protected":"a.b.c","signature":"e"}`)),
			idToken("payload a list", globustest.Lie{Payload: `["canary"]`}),
			idToken("payload null", globustest.Lie{Payload: `null`}),
			idToken("payload text", globustest.Lie{Payload: `"canary"`}),
			idToken("payload not JSON", globustest.Lie{Payload: `canary`}),
			idToken("payload empty object", globustest.Lie{Payload: `{}`}),
		}},
		{"id_token size", "one sign-in could take the memory of many", nil, []refused{
			idToken("more than 64 KiB", claim("name", strings.Repeat("canary", 12<<10))),
		}},
		{"alg", "whoever knows the public key, or nobody's secret, could sign as Globus", nil, []refused{
			idToken("unsigned", signed(globustest.Unsigned)),
			idToken("null", header("alg", nil)),
			idToken("missing", globustest.Lie{Header: drop("alg")}),
			idToken("RS256", signed(globustest.RS256)),
			idToken("HS256 with the secret", signed(globustest.HS256WithSecret)),
			idToken("HS512 with the secret", signed(globustest.HS512WithSecret)),
			idToken("HS512 with the public key", signed(globustest.HS512WithPublicKey)),
			idToken("RS512 over HS512", globustest.Lie{Signing: globustest.HS512WithPublicKey, Header: set("alg", "RS512")}),
			idToken("none over RS512", header("alg", "none")),
			idToken("PS512 over RS512", header("alg", "PS512")),
			idToken("in lower case", header("alg", "rs512")),
		}},
		{"signature", "whoever comes between the app and Globus could sign in as anybody", nil, []refused{
			idToken("one bit", signed(globustest.BrokenSignature)),
			idToken("foreign key", signed(globustest.ForeignKey)),
			idToken("jwk of a foreign key", foreign("jwk", jose.JSONWebKey{Key: foreignKey().Public()})),
			idToken("jku elsewhere", foreign("jku", elsewhere)),
			idToken("x5u elsewhere", foreign("x5u", elsewhere)),
		}},
		{"crit", "a signature that is over something else than it seems would be taken for one over this", nil, []refused{
			idToken("unknown", headers(map[string]any{"crit": []string{"canary"}, "canary": 1})),
			idToken("malformed", header("crit", "canary")),
			idToken("b64 false", headers(map[string]any{"crit": []string{"b64"}, "b64": false})),
		}},
		{"iss", "an identity of another provider, where anyone may call themselves anything, would be one of Globus's", nil, []refused{
			idToken("another", claim("iss", "https://auth.globus.org.canary.example")),
			idToken("with a slash", claim("iss", "canary/")),
			idToken("missing", noClaim("iss")),
			idToken("null", claim("iss", nil)),
			idToken("a number", claim("iss", 7)),
		}},
		{"aud", "the owner of another app could sign in here as whoever signs in there", nil, []refused{
			idToken("another", claim("aud", clientID+"1")),
			idToken("missing", noClaim("aud")),
			idToken("a list with another", claim("aud", []string{clientID, "canary-app"})),
			idToken("a list with us twice", claim("aud", []string{clientID, clientID})),
			idToken("an empty list", claim("aud", []string{})),
			idToken("empty", claim("aud", "")),
			idToken("an object", claim("aud", map[string]string{"canary": clientID})),
		}},
		{"azp", "the owner of another app could, where tokens are shared between apps", nil, []refused{
			idToken("another", claim("azp", "canary-app")),
			idToken("empty", claim("azp", "")),
			idToken("a list", claim("azp", []string{clientID})),
		}},
		{"sub", "a person would get the records of nobody in particular, or of somebody with nearly that name", nil, []refused{
			idToken("missing", noClaim("sub")),
			idToken("null", claim("sub", nil)),
			idToken("empty", claim("sub", "")),
			idToken("blank", claim("sub", " ")),
			idToken("of 256", claim("sub", strings.Repeat("s", 256))),
			idToken("with a line break", claim("sub", "canary\r\nX: y")),
			idToken("with NUL", claim("sub", "canary\x00")),
			idToken("with DEL", claim("sub", "canary\x7f")),
			idToken("beyond ASCII", claim("sub", "canary-é")),
			idToken("a number", claim("sub", 7)),
			idToken("a list", claim("sub", []string{"canary"})),
		}},
		{"exp", "a token of long ago, from a log or a backup, would do", nil, []refused{
			idToken("missing", noClaim("exp")),
			idToken("6 min ago", claim("exp", ago(6*time.Minute))),
			idToken("5 min 1 s ago", claim("exp", ago(5*time.Minute+time.Second))),
			idToken("null", claim("exp", nil)),
			idToken("0", claim("exp", 0)),
			idToken("negative", claim("exp", -1)),
			idToken("1e300", claim("exp", raw("1e300"))),
			idToken("beyond a number", claim("exp", raw("1e999"))),
			idToken("beyond 64 bits", claim("exp", raw("18446744073709551617"))),
			idToken("text", claim("exp", "1900000000")),
		}},
		{"iat", "likewise; and a clock that is wrong would pass unnoticed, until sessions end too soon or too late", nil, []refused{
			idToken("missing", noClaim("iat")),
			idToken("a week ago", claim("iat", ago(7*24*time.Hour))),
			idToken("6 min ago", claim("iat", ago(6*time.Minute))),
			idToken("in 6 min", claim("iat", ago(-6*time.Minute))),
			idToken("in the year 9000", claim("iat", 221_845_392_000)),
			idToken("0", claim("iat", 0)),
			idToken("null", claim("iat", nil)),
			idToken("text", claim("iat", "now")),
		}},
		{"nonce", "whoever has somebody else's code could have it redeemed in their own browser, and be them", nil, []refused{
			idToken("another", claim("nonce", "canary-nonce")),
			idToken("missing", noClaim("nonce")),
			idToken("null", claim("nonce", nil)),
			idToken("empty", claim("nonce", "")),
			idToken("a list", claim("nonce", []string{"canary"})),
		}},
		{"at_hash", "one person would be signed in with the access token of another", nil, []refused{
			idToken("malformed", claim("at_hash", "canary-at-hash")),
			idToken("of another token", claim("at_hash", base64.RawURLEncoding.EncodeToString(otherHash[:32]))),
			idToken("of a longer token", answer("access_token", strings.Repeat("c", 100))),
		}},
		{"claim sources", "nobody; but go-oidc reads no token whose claims are nowhere to be had, and no provider sends one", nil, []refused{
			idToken("missing", claim("_claim_names", map[string]string{"age": "canary"})),
		}},

		// The tokens beside it.
		{"error", "a grant that was refused in part would be taken for a whole one", nil, []refused{
			{name: "beside the tokens", lie: answer("error", "server_error"), want: globus.Refused, code: "server_error"},
			{name: "an odd one", lie: answer("error", "Canary!"), want: globus.BadStatus},
		}},
		{"access_token", "what ends a header could put another one into the app's requests; without a token nothing can be asked", nil, []refused{
			tokens("missing", noMember("access_token")),
			tokens("empty", answer("access_token", "")),
			tokens("null", answer("access_token", nil)),
			tokens("a number", answer("access_token", 7)),
			bare("that ends a header", answer("access_token", "canary\r\nX: y")),
			bare("with a blank", answer("access_token", "canary canary")),
			bare("beyond ASCII", answer("access_token", "canary-é")),
			bare("of more than 8 KiB", answer("access_token", strings.Repeat("c", 8<<10+1))),
		}},
		{"refresh_token", "one that is cut or changed would end the session later, and nobody would know why", nil, []refused{
			tokens("that ends a header", answer("refresh_token", "canary\r\nX: y")),
			tokens("of more than 8 KiB", answer("refresh_token", strings.Repeat("c", 8<<10+1))),
		}},
		{"resource_server", "a session would outgrow its store", nil, []refused{
			tokens("of more than 8 KiB", answer("resource_server", strings.Repeat("c", 8<<10+1))),
		}},
		{"token_type", "a token that proves nothing by itself would be sent as one that does (RFC 6749, section 7.1)", nil, []refused{
			tokens("DPoP", answer("token_type", "DPoP")),
			tokens("mac", answer("token_type", "mac")),
			tokens("canary", answer("token_type", "canary")),
			tokens("a number", answer("token_type", 1)),
		}},
		{"expires_in", "nobody; but x/oauth2 reads no answer that has it and in which it is no whole number", nil, []refused{
			tokens("text", answer("expires_in", "canary")),
			tokens("a fraction", answer("expires_in", raw("3600.5"))),
			tokens("beyond 64 bits", answer("expires_in", raw("9223372036854775808"))),
			tokens("1e300", answer("expires_in", raw("1e300"))),
		}},

		// The keys.
		{"keys", "a key for something else, or one short enough to be computed, would sign in whoever has it", nil, []refused{
			key("enc", jose.JSONWebKey{Key: public, Use: "enc"}),
			key("RS256", jose.JSONWebKey{Key: public, Algorithm: "RS256"}),
			key("RSA-OAEP", jose.JSONWebKey{Key: public, Algorithm: "RSA-OAEP"}),
			key("private", jose.JSONWebKey{Key: signingKey()}), // who can read it is Globus
			key("a secret", raw(`{"kty":"oct","k":"Y2FuYXJ5"}`)),
			key("RSA of 2047 bits", rsaJWK(2047, big.NewInt(65537))),
			another(key("of another", jose.JSONWebKey{Key: foreignKey().Public()})),
			another(key("RSA of 4096 bits", rsaJWK(4096, big.NewInt(65537)))), // it could be the one
			another(key("an exponent of 33 bits", rsaJWK(2048, big.NewInt(1<<32+1)))),
			keys("none", `[]`),
			keys("no list", `{"kty":"RSA"}`),
		}},

		// What a page shows.
		{"userinfo's sub", "a page would show the name of one person to another", of(globustest.UserInfoPath), []refused{
			body("missing", `{"name":"canary"}`),
			body("null", `{"sub":null}`),
			body("a number", `{"sub":7}`),
			body("with a blank", `{"sub":"canary canary"}`),
			body("too long", `{"sub":"`+strings.Repeat("s", 256)+`"}`),
			{name: "signed", fault: globustest.Fault{Header: contentType("application/jwt"), Body: "canary.a.b"}, want: globus.Malformed},
		}},
		{"active", "a token that was withdrawn would count, and a policy be decided on what nobody is said to have done", of(globustest.IntrospectPath), []refused{
			body("missing", `{"sub":"canary"}`),
			body("null", `{"active":null}`),
			body("text", `{"active":"true","sub":"canary"}`),
			body("no sub", `{"active":true}`),
			body("odd sub", `{"active":true,"sub":"a b"}`),
		}},
		{"groups", "somebody would be in no group, and locked out, though Globus said nothing of the kind", of(globustest.MyGroupsPath), []refused{
			body("null", `null`),
			body("an object", `{"groups":[]}`),
			body("a list of text", `["canary"]`),
			body("memberships of another type", `[{"id":"canary","my_memberships":{}}]`),
		}},
		{"tasks", "a list that was not read would pass for an empty one", of(globustest.TaskListPath), []refused{
			body("an object", `{"DATA":{},"total":1}`),
			body("text", `{"DATA":"canary"}`),
		}},
		{"a task", "a page would show a task that there is not", of(globustest.TaskPath), []refused{body("none", `{}`)}},
		{"entries", "a folder that was not read would pass for an empty one", of(globustest.ListPath), []refused{
			body("an object", `{"DATA":{}}`),
			body("a number", `{"DATA":1}`),
		}},

		// HTTP.
		{"status", "an error would be an answer", calls, []refused{
			{name: "500", fault: globustest.Fault{Status: 500}, want: globus.BadStatus},
			{name: "503 with a page", fault: globustest.Fault{Status: 503, Header: contentType("text/html"), Body: page}, want: globus.BadStatus},
			{name: "502 of a gateway", fault: globustest.Fault{Status: 502, Header: contentType("text/plain"), Body: "canary: upstream"}, want: globus.BadStatus},
			{name: "500 with an OAuth error", fault: globustest.Fault{Status: 500, Body: `{"error":"server_error","error_description":"canary"}`}, want: globus.BadStatus, code: "server_error"},
			{name: "404", fault: globustest.Fault{Status: 404, Body: `{"canary":1}`}, want: globus.BadStatus},
			{name: "429", fault: globustest.Fault{Status: 429}, want: globus.BadStatus},
			{name: "401 with an OAuth error", fault: globustest.Fault{Status: 401, Body: `{"error":"invalid_client","error_uri":"canary"}`}, want: globus.Refused, code: "invalid_client"},
			{name: "400 with an odd error", fault: globustest.Fault{Status: 400, Body: `{"error":"Canary canary-token\n"}`}, want: globus.BadStatus},
			{name: "400 with a long error", fault: globustest.Fault{Status: 400, Body: `{"error":"` + strings.Repeat("canary", 10) + `"}`}, want: globus.BadStatus},
			{name: "400 with an error of another type", fault: globustest.Fault{Status: 400, Body: `{"error":{"canary":1}}`}, want: globus.BadStatus},
		}},
		{"redirect", "code, secret and token would be sent wherever the answer says", calls, []refused{
			{name: "302", fault: globustest.Fault{Status: 302, Header: location}, want: globus.Redirected},
			{name: "303", fault: globustest.Fault{Status: 303, Header: location}, want: globus.Redirected},
			{name: "307", fault: globustest.Fault{Status: 307, Header: location}, want: globus.Redirected},
			{name: "308", fault: globustest.Fault{Status: 308, Header: location}, want: globus.Redirected},
			{name: "302 without Location", fault: globustest.Fault{Status: 302}, want: globus.Redirected},
		}},
		{"JSON", "the page of a proxy, or half an answer, would be one in which nothing is said", calls, []refused{
			{name: "a page", fault: globustest.Fault{Header: contentType("text/html"), Body: page}, want: globus.Malformed},
			{name: "JSON that says it is a page", fault: globustest.Fault{Header: contentType("text/html"), Body: `{}`}, want: globus.Malformed},
			body("truncated", `{"access_token":"canary`),
			body("a list", `["canary"]`),
			body("text", `"canary"`),
			body("two objects", `{} {"canary":1}`),
			{name: "empty", fault: globustest.Fault{Status: 200}, want: globus.Malformed},
			body("a byte order mark", "\ufeff{}"),
			body("invalid UTF-8", "{\xff}"),
			body("UTF-16", "\xff\xfe{\x00}\x00"),
			body("NUL", "{}\x00"),
			body("100,000 lists deep", `{"keys":`+strings.Repeat("[", 100_000)),
			body("30,000 objects deep", strings.Repeat(`{"a":`, 30_000)+"1"+strings.Repeat("}", 30_000)),
		}},
		{"size", "one answer could take the memory of all", calls, []refused{
			{name: "a byte too much", fault: globustest.Fault{Body: tooMuch}, want: globus.TooLarge},
			{name: "500 and a byte too much", fault: globustest.Fault{Status: 500, Body: tooMuch}, want: globus.TooLarge},
			{name: "endless", fault: globustest.Fault{Endless: true}, want: globus.TooLarge},
			{name: "a gzip bomb", fault: globustest.Fault{Header: gzip, Body: bomb()}, want: globus.TooLarge},
			{name: "endless 500", fault: globustest.Fault{Endless: true, Status: 500, Body: "canary"}, want: globus.TooLarge},
		}},
		{"a whole answer", "what is cut off would be taken for all", calls, []refused{
			{name: "gzip that is none", fault: globustest.Fault{Header: gzip, Body: "canary"}, want: globus.Unreachable},
			{name: "hangs up", fault: globustest.Fault{HangUp: true}, want: globus.Unreachable},
			{name: "hangs up when done", fault: globustest.Fault{HangUp: true, After: true}, want: globus.Unreachable},
			{name: "breaks off", fault: globustest.Fault{Header: http.Header{"Content-Length": {"1000"}}, Body: `{"canary":`}, want: globus.Unreachable},
		}},
	}
}

const tooMuch = "too much" // stands for a body that is one byte longer than the call takes

// TestRefusals goes through all that an answer may be refused for.
func TestRefusals(t *testing.T) {
	elsewhere, visits := counter(t)
	for _, r := range refusals(elsewhere.URL) {
		t.Run(r.check, func(t *testing.T) {
			if r.protects == "" {
				t.Error("nobody would gain from what is refused")
			}
			run := func(name string, test func(*flow)) {
				t.Run(name, func(t *testing.T) {
					t.Parallel() // because a failed fetch of keys waits for a retry
					// testing keeps the flows until the last row has ended, so they are small.
					f := newFlowAt(t, nil, []globustest.Collection{})
					defer f.auth.Lie(globustest.Lie{})
					test(f)
				})
			}
			for _, row := range r.rows {
				if r.of == nil {
					run(row.name, row.failsSignIn)
				}
				for _, c := range r.of {
					run(row.name+"/"+c.name+c.path, func(f *flow) { row.failsCall(f, c) })
				}
			}
		})
	}
	if got := visits.Load(); got != 0 {
		t.Errorf("what an answer points to was fetched %d times", got)
	}
}

// failsSignIn wants a sign-in to fail by it, with nothing left alive of what Globus
// had granted. The error tells nothing, see flow.exchange.
func (r refused) failsSignIn(f *flow) {
	f.auth.Lie(r.lie)
	login, err := f.signIn("rosalind")
	if err == nil {
		f.Fatalf("got %+v, want an error", login)
	}
	call := "token"
	if _, odd := r.lie.Endpoints[globustest.KeysPath]; odd && r.want == globus.Malformed {
		call = "keys"
	}
	if e := asError(f.T, err); e.Call != call || e.Reason != r.want || e.Code != r.code || e.Reason == globus.BadIDToken && e.Detail == "" {
		f.Errorf("got %#v, want %s: %s %s", e, call, r.want, r.code)
	}
	if got := f.auth.Requests(globustest.TokenPath); got != 1 {
		f.Errorf("got %d token requests, want 1", got)
	}
	if replaced := r.lie.Token.Set != nil || r.lie.Token.Drop != nil; !replaced && f.auth.LiveTokens() != 0 {
		f.Errorf("%d tokens live on", f.auth.LiveTokens())
	}
}

// failsCall wants a call to fail by it, after one request.
func (r refused) failsCall(f *flow, c call) {
	x := r.fault
	if x.Body == tooMuch {
		x.Body = strings.Repeat(" ", c.most-1) + "{}"
	}
	f.auth.Lie(fault(c.path, x))
	if c.name == "revoke" && r.want == globus.Malformed { // its body does not count (RFC 7009, section 2.2)
		if err := c.do(f.Context(), f, f.client); err != nil {
			f.Errorf("got %v, want success", err)
		}
		return
	}
	e := c.fails(f.Context(), f, f.client, r.want)
	if e.Code != r.code || x.Status > 299 && r.want != globus.TooLarge && e.Status != x.Status {
		f.Errorf("got status %d, code %q, want %d, %q", e.Status, e.Code, x.Status, r.code)
	}
	want := 1
	if c.name == "keys" { // which are fetched again
		want = 2
	}
	// net/http may repeat a GET when the connection breaks.
	if got := f.auth.Requests(c.path); got != want && !(c.name == "keys" && x.HangUp) {
		f.Errorf("got %d requests, want %d", got, want)
	}
}
