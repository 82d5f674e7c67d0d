package globus_test

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

func set(name string, value any) globustest.Edit {
	return globustest.Edit{Set: map[string]any{name: value}}
}

func drop(names ...string) globustest.Edit { return globustest.Edit{Drop: names} }

// claim is a lie about one claim of the ID token.
func claim(name string, value any) globustest.Lie {
	return globustest.Lie{Claims: set(name, value)}
}

func noClaim(name string) globustest.Lie { return globustest.Lie{Claims: drop(name)} }

func signed(how globustest.Signing) globustest.Lie { return globustest.Lie{Signing: how} }

func header(name string, value any) globustest.Lie {
	return globustest.Lie{Header: set(name, value)}
}

// answer is a lie about one member of the token endpoint's answer.
func answer(name string, value any) globustest.Lie {
	return globustest.Lie{Token: set(name, value)}
}

func raw(s string) json.RawMessage { return json.RawMessage(s) }

// TestIDToken goes through everything that can be wrong with an ID token, and
// what must not be taken for wrong.
func TestIDToken(t *testing.T) {
	elsewhere, visits := counter(t)
	now := time.Unix(1_800_000_000, 0) // newFlow's
	ago := func(d time.Duration) int64 { return now.Add(-d).Unix() }
	otherHash := sha512.Sum512([]byte("canary-other-access-token"))
	embedded := jose.JSONWebKey{Key: signingKey().Public()}

	const accept = globus.Reason("")
	tests := []struct {
		name string
		lie  globustest.Lie
		want globus.Reason
	}{
		{"honest", globustest.Lie{}, accept},

		{"iss another", claim("iss", "https://auth.globus.org.canary.example"), globus.BadIDToken},
		{"iss with a slash", claim("iss", "canary/"), globus.BadIDToken},
		{"no iss", noClaim("iss"), globus.BadIDToken},
		{"iss null", claim("iss", nil), globus.BadIDToken},
		{"iss a number", claim("iss", 7), globus.BadIDToken},

		{"no sub", noClaim("sub"), globus.BadIDToken},
		{"sub null", claim("sub", nil), globus.BadIDToken},
		{"sub empty", claim("sub", ""), globus.BadIDToken},
		{"sub blank", claim("sub", " "), globus.BadIDToken},
		{"sub of 255", claim("sub", strings.Repeat("s", 255)), accept},
		{"sub of 256", claim("sub", strings.Repeat("s", 256)), globus.BadIDToken},
		{"sub with a line break", claim("sub", "canary\r\nX: y"), globus.BadIDToken},
		{"sub with NUL", claim("sub", "canary\x00"), globus.BadIDToken},
		{"sub with DEL", claim("sub", "canary\x7f"), globus.BadIDToken},
		{"sub beyond ASCII", claim("sub", "canary-é"), globus.BadIDToken},
		{"sub a number", claim("sub", 7), globus.BadIDToken},
		{"sub a list", claim("sub", []string{"canary"}), globus.BadIDToken},

		{"aud another", claim("aud", clientID+"1"), globus.BadIDToken},
		{"no aud", noClaim("aud"), globus.BadIDToken},
		{"aud a list", claim("aud", []string{clientID}), accept},
		{"aud a list with another", claim("aud", []string{clientID, "canary-app"}), globus.BadIDToken},
		{"aud a list with us twice", claim("aud", []string{clientID, clientID}), globus.BadIDToken},
		{"aud an empty list", claim("aud", []string{}), globus.BadIDToken},
		{"aud empty", claim("aud", ""), globus.BadIDToken},
		{"aud an object", claim("aud", map[string]string{"canary": clientID}), globus.BadIDToken},

		{"azp us", claim("azp", clientID), accept},
		{"azp null", claim("azp", nil), accept},
		{"azp another", claim("azp", "canary-app"), globus.BadIDToken},
		{"azp empty", claim("azp", ""), globus.BadIDToken},
		{"azp a list", claim("azp", []string{clientID}), globus.BadIDToken},

		{"no exp", noClaim("exp"), globus.BadIDToken},
		{"exp 6 min ago", claim("exp", ago(6*time.Minute)), globus.BadIDToken},
		{"exp 5 min 1 s ago", claim("exp", ago(5*time.Minute+time.Second)), globus.BadIDToken},
		{"exp 4 min ago", claim("exp", ago(4*time.Minute)), accept},
		{"exp null", claim("exp", nil), globus.BadIDToken},
		{"exp 0", claim("exp", 0), globus.BadIDToken},
		{"exp negative", claim("exp", -1), globus.BadIDToken},
		{"exp 1e300", claim("exp", raw("1e300")), globus.BadIDToken},
		{"exp beyond a number", claim("exp", raw("1e999")), globus.BadIDToken},
		{"exp beyond 64 bits", claim("exp", raw("18446744073709551617")), globus.BadIDToken},
		{"exp a fraction", claim("exp", raw("1800000000.5")), accept},
		{"exp text", claim("exp", "1900000000"), globus.BadIDToken},

		{"no iat", noClaim("iat"), globus.BadIDToken},
		{"iat a week ago", claim("iat", ago(7*24*time.Hour)), globus.BadIDToken},
		{"iat 6 min ago", claim("iat", ago(6*time.Minute)), globus.BadIDToken},
		{"iat 4 min ago", claim("iat", ago(4*time.Minute)), accept},
		{"iat in 4 min", claim("iat", ago(-4*time.Minute)), accept},
		{"iat in 6 min", claim("iat", ago(-6*time.Minute)), globus.BadIDToken},
		{"iat in the year 9000", claim("iat", 221_845_392_000), globus.BadIDToken},
		{"iat 0", claim("iat", 0), globus.BadIDToken},
		{"iat null", claim("iat", nil), globus.BadIDToken},
		{"iat text", claim("iat", "now"), globus.BadIDToken},

		{"nbf 6 min ago", claim("nbf", ago(6*time.Minute)), accept},
		{"nbf in 4 min", claim("nbf", ago(-4*time.Minute)), accept},
		{"nbf in 6 min", claim("nbf", ago(-6*time.Minute)), globus.BadIDToken},
		{"nbf 1e300", claim("nbf", raw("1e300")), globus.BadIDToken},

		{"nonce another", claim("nonce", "canary-nonce"), globus.BadIDToken},
		{"no nonce", noClaim("nonce"), globus.BadIDToken},
		{"nonce null", claim("nonce", nil), globus.BadIDToken},
		{"nonce empty", claim("nonce", ""), globus.BadIDToken},
		{"nonce a list", claim("nonce", []string{"canary"}), globus.BadIDToken},

		{"at_hash malformed", claim("at_hash", "canary-at-hash"), globus.BadIDToken},
		{"no at_hash", noClaim("at_hash"), accept},
		{"at_hash of another token", claim("at_hash", base64.RawURLEncoding.EncodeToString(otherHash[:32])), globus.BadIDToken},

		{"unsigned", signed(globustest.Unsigned), globus.BadIDToken},
		{"alg null", header("alg", nil), globus.BadIDToken},
		{"RS256", signed(globustest.RS256), globus.BadIDToken},
		{"HS256 with the secret", signed(globustest.HS256WithSecret), globus.BadIDToken},
		{"HS512 with the secret", signed(globustest.HS512WithSecret), globus.BadIDToken},
		{"HS512 with the public key", signed(globustest.HS512WithPublicKey), globus.BadIDToken},
		{"one bit of the signature", signed(globustest.BrokenSignature), globus.BadIDToken},
		{"foreign key", signed(globustest.ForeignKey), globus.BadIDToken},
		{"alg RS512 over HS512", globustest.Lie{Signing: globustest.HS512WithPublicKey, Header: set("alg", "RS512")}, globus.BadIDToken},
		{"alg none over RS512", header("alg", "none"), globus.BadIDToken},
		{"alg PS512 over RS512", header("alg", "PS512"), globus.BadIDToken},
		{"alg in lower case", header("alg", "rs512"), globus.BadIDToken},
		{"no alg", globustest.Lie{Header: drop("alg")}, globus.BadIDToken},

		{"no kid", globustest.Lie{}, accept},
		{"kid that no key has", header("kid", "unknown"), accept}, // every key is tried
		{"no typ", globustest.Lie{Header: drop("typ")}, accept},
		{"crit unknown", globustest.Lie{Header: globustest.Edit{Set: map[string]any{"crit": []string{"canary"}, "canary": 1}}}, globus.BadIDToken},
		{"crit malformed", header("crit", "canary"), globus.BadIDToken},
		{"b64 false", globustest.Lie{Header: globustest.Edit{Set: map[string]any{"crit": []string{"b64"}, "b64": false}}}, globus.BadIDToken},
		{"jwk of a foreign key", globustest.Lie{Signing: globustest.ForeignKey, Header: set("jwk", embedded)}, globus.BadIDToken},
		{"jku elsewhere", globustest.Lie{Signing: globustest.ForeignKey, Header: set("jku", elsewhere.URL)}, globus.BadIDToken},
		{"x5u elsewhere", globustest.Lie{Signing: globustest.ForeignKey, Header: set("x5u", elsewhere.URL)}, globus.BadIDToken},

		{"claim source elsewhere", globustest.Lie{Claims: globustest.Edit{Set: map[string]any{
			"_claim_names":   map[string]string{"age": "src"},
			"_claim_sources": map[string]any{"src": map[string]string{"endpoint": elsewhere.URL, "access_token": "canary"}},
		}}}, accept},
		{"claim source that is missing", claim("_claim_names", map[string]string{"age": "canary"}), globus.BadIDToken},
		{"unknown claim", claim("canary", map[string]any{"a": []int{1}}), accept},
		{"name a number", claim("name", 7), accept},
		{"email an object", claim("email", map[string]string{"canary": "a@b.c"}), accept},
		{"identity_set an object", claim("identity_set", map[string]string{"sub": "canary"}), accept},
		{"identity_set of text", claim("identity_set", []string{"canary"}), accept},
		{"identity_set null", claim("identity_set", nil), accept},

		{"payload a list", globustest.Lie{Payload: `["canary"]`}, globus.BadIDToken},
		{"payload null", globustest.Lie{Payload: `null`}, globus.BadIDToken},
		{"payload text", globustest.Lie{Payload: `"canary"`}, globus.BadIDToken},
		{"payload not JSON", globustest.Lie{Payload: `canary`}, globus.BadIDToken},
		{"payload empty object", globustest.Lie{Payload: `{}`}, globus.BadIDToken},

		{"more than 64 KiB", claim("name", strings.Repeat("canary", 12<<10)), globus.BadIDToken},
		{"five parts", answer("id_token", "canary.a.b.c.d"), globus.BadIDToken},
		{"one part", answer("id_token", "canary"), globus.BadIDToken},
		{"dots alone", answer("id_token", ".."), globus.BadIDToken},
		{"JWS in JSON", answer("id_token", `{"payload":"canary","protected":"a.b.c","signature":"e"}`), globus.BadIDToken},
		{"id_token empty", answer("id_token", ""), globus.BadIDToken},
		{"id_token missing", globustest.Lie{Token: drop("id_token")}, globus.Malformed},
		{"id_token null", answer("id_token", nil), globus.Malformed},
		{"id_token an object", answer("id_token", map[string]string{"canary": "a.b.c"}), globus.Malformed},
		{"id_token a list", answer("id_token", []string{"canary"}), globus.Malformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFlow(t)
			f.auth.Lie(tt.lie)
			login, err := f.signIn("rosalind")
			f.checkOutcome(login, err, tt.want)
		})
	}
	if got := visits.Load(); got != 0 {
		t.Errorf("what a token points to was fetched %d times", got)
	}
}

// checkOutcome wants a login, or an error of the token call for the reason
// want, with nothing left alive of what Globus had granted.
func (f *flow) checkOutcome(login *globus.Login, err error, want globus.Reason) {
	f.Helper()
	if got := f.auth.Requests(globustest.TokenPath); got != 1 {
		f.Errorf("got %d token requests, want 1", got)
	}
	if want == "" {
		if err != nil {
			f.Fatalf("got %v, want a login", err)
		}
		if f.auth.LiveTokens() != 4 || f.auth.Requests(globustest.RevokePath) != 0 {
			f.Error("tokens were revoked though the sign-in succeeded")
		}
		return
	}
	if err == nil {
		f.Fatalf("got %+v, want an error", login)
	}
	if e := asError(f.T, err); e.Call != "token" || e.Reason != want || e.Detail == "" {
		f.Errorf("got %#v, want token, %s and a detail", e, want)
	}
	if f.auth.LiveTokens() != 0 {
		f.Errorf("%d tokens live on", f.auth.LiveTokens())
	}
}

// TestClockSkew has this machine's clock be wrong. Who runs it reads by how much.
func TestClockSkew(t *testing.T) {
	tests := []struct {
		name  string
		ahead time.Duration // of Globus's clock
		want  string        // in the error; empty: they are signed in
	}{
		{"4 min ahead", 4 * time.Minute, ""},
		{"4 min behind", -4 * time.Minute, ""},
		{"5 min ahead", 5 * time.Minute, ""},
		{"5 min behind", -5 * time.Minute, ""},
		{"5 min 1 s ahead", 5*time.Minute + time.Second, "it was issued -5m1s from now by this machine's clock"},
		{"6 min ahead", 6 * time.Minute, "it was issued -6m0s from now by this machine's clock"},
		{"6 min behind", -6 * time.Minute, "it was issued 6m0s from now by this machine's clock"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFlow(t)
			client, err := globus.New(globus.Config{
				ClientID: clientID, ClientSecret: clientSecret, RedirectURL: redirectURI, Issuer: f.auth.URL, Transport: f.wire,
				Now: func() time.Time { return f.clock.Now().Add(tt.ahead) },
			})
			if err != nil {
				t.Fatal(err)
			}
			login, err := f.exchange(t.Context(), client, "rosalind")
			if tt.want == "" {
				f.checkOutcome(login, err, "")
				return
			}
			f.checkOutcome(login, err, globus.BadIDToken)
			if !strings.Contains(err.Error(), tt.want) || globus.Remedy(err) != globus.ClockRemedy {
				t.Errorf("got %v, remedy %q, want %q and what to do about the clock", err, globus.Remedy(err), tt.want)
			}
		})
	}
}

// An algorithm other than Globus's is refused as such: nothing else is wrong
// with these tokens.
func TestIDTokenAlgorithm(t *testing.T) {
	const accessToken = "known-access-token"
	half := func(h hash.Hash) string {
		h.Write([]byte(accessToken))
		return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:h.Size()/2])
	}
	tests := []struct {
		alg    jose.SignatureAlgorithm
		atHash string
		want   globus.Reason
	}{
		{jose.RS512, half(sha512.New()), ""},
		{jose.RS256, half(sha256.New()), globus.BadIDToken},
		{jose.RS384, half(sha512.New384()), globus.BadIDToken},
		{jose.PS256, half(sha256.New()), globus.BadIDToken},
		{jose.PS512, half(sha512.New()), globus.BadIDToken},
	}
	for _, tt := range tests {
		t.Run(string(tt.alg), func(t *testing.T) {
			f := newFlow(t)
			signer, err := jose.NewSigner(jose.SigningKey{Algorithm: tt.alg, Key: signingKey()}, nil)
			if err != nil {
				t.Fatal(err)
			}
			a := globus.NewAttempt()
			payload, err := json.Marshal(map[string]any{
				"iss": f.auth.URL, "aud": clientID, "sub": "somebody", "nonce": a.Nonce, "at_hash": tt.atHash,
				"iat": f.clock.Now().Unix(), "exp": f.clock.Now().Add(time.Hour).Unix(),
			})
			if err != nil {
				t.Fatal(err)
			}
			jws, err := signer.Sign(payload)
			if err != nil {
				t.Fatal(err)
			}
			idToken, err := jws.CompactSerialize()
			if err != nil {
				t.Fatal(err)
			}
			f.auth.Lie(globustest.Lie{Token: globustest.Edit{Set: map[string]any{"access_token": accessToken, "id_token": idToken}}})
			_, err = f.client.Exchange(t.Context(), f.back(a, "rosalind").Get("code"), a)
			if tt.want == "" {
				if err != nil {
					t.Errorf("got %v, want a login", err)
				}
				return
			}
			if e := asError(t, err); e.Reason != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// An access token that belongs to another sign-in is not taken for this one's.
func TestAccessTokenOfAnother(t *testing.T) {
	f := newFlow(t)
	other := f.mustSignIn().Tokens[globus.AuthServer].AccessToken
	f.auth.Lie(answer("access_token", other))
	_, err := f.signIn("ada")
	if e := asError(t, err); e.Reason != globus.BadIDToken || !strings.Contains(e.Detail, "at_hash") {
		t.Errorf("got %v, want a bad ID token for its at_hash", err)
	}
}

// An identity is cut to what a page and a record have room for.
func TestIdentityTrimmed(t *testing.T) {
	many := make([]map[string]string, 60)
	for i := range many {
		many[i] = map[string]string{"sub": "s"}
	}
	f := newFlow(t)
	edits := map[string]any{
		"name":         strings.Repeat("é", 201) + "\x00",
		"email":        "a\r\n\tb\u0085c@example.edu",
		"organization": strings.Repeat("é", 200),
		"identity_set": many,
	}
	f.auth.Lie(globustest.Lie{Claims: globustest.Edit{Set: edits}, UserInfo: globustest.Edit{Set: maps.Clone(edits)}})
	login := f.mustSignIn()
	info, err := f.client.UserInfo(t.Context(), login.Tokens[globus.AuthServer].AccessToken)
	if err != nil {
		t.Fatal(err)
	}
	for name, id := range map[string]*globus.Identity{"ID token": &login.Identity, "userinfo": info} {
		if want := strings.Repeat("é", 199) + "…"; id.Name != want {
			t.Errorf("%s: got name %q, want %q", name, id.Name, want)
		}
		if want := "a  b c@example.edu"; id.Email != want {
			t.Errorf("%s: got email %q, want %q", name, id.Email, want)
		}
		if want := strings.Repeat("é", 200); id.Organization != want {
			t.Errorf("%s: got organization %q, want all of it", name, id.Organization)
		}
		if len(id.Linked) != 50 {
			t.Errorf("%s: got %d linked identities, want 50", name, len(id.Linked))
		}
	}
}

// The identity set does not outgrow what a session has room for.
func TestIdentitySetCut(t *testing.T) {
	long := strings.Repeat("<", 150) // six bytes each, as JSON
	many := make([]map[string]string, 50)
	for i := range many {
		many[i] = map[string]string{"sub": fmt.Sprint(i), "username": long, "name": long}
	}
	f := newFlow(t)
	token := f.mustSignIn().Tokens[globus.AuthServer].AccessToken
	f.auth.Lie(globustest.Lie{UserInfo: set("identity_set", many)})
	id, err := f.client.UserInfo(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(id.Linked)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) > 16<<10 || len(id.Linked) == 0 || id.Linked[0].Subject != "0" {
		t.Errorf("got %d identities in %d bytes, want the first few, in 16 KiB at most", len(id.Linked), len(got))
	}
}

func TestIdentityOr(t *testing.T) {
	full := globus.Identity{
		Subject: "s", Username: "u", Name: "n", Email: "e", Organization: "o", Provider: "p", ProviderName: "pn",
		Linked: []globus.LinkedIdentity{{Subject: "l"}},
	}
	other := globus.Identity{
		Subject: "x", Username: "x", Name: "x", Email: "x", Organization: "x", Provider: "x", ProviderName: "x",
		Linked: []globus.LinkedIdentity{{Subject: "x"}, {Subject: "y"}},
	}
	sole := globus.Identity{Subject: "s"}
	tests := []struct {
		name      string
		id, other globus.Identity
		want      globus.Identity
	}{
		{"nothing lacks", full, other, full},
		{"all but sub lacks", sole, full, full},
		{"nothing to take", full, sole, full},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, _ := json.Marshal(tt.id.Or(tt.other))
			want, _ := json.Marshal(tt.want)
			if string(got) != string(want) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}
