package globus_test

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash"
	"maps"
	"reflect"
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

// TestIDToken: what must not be taken for wrong with an ID token. What is wrong is in
// refusals.
func TestIDToken(t *testing.T) {
	elsewhere, visits := counter(t)
	now := time.Unix(1_800_000_000, 0) // newFlow's
	ago := func(d time.Duration) int64 { return now.Add(-d).Unix() }
	tests := []struct {
		name string
		lie  globustest.Lie
	}{
		{"honest", globustest.Lie{}},
		{"sub of 255", claim("sub", strings.Repeat("s", 255))},
		{"aud a list", claim("aud", []string{clientID})},
		{"azp us", claim("azp", clientID)},
		{"azp null", claim("azp", nil)},
		{"exp 4 min ago", claim("exp", ago(4*time.Minute))},
		{"exp a fraction", claim("exp", raw("1800000000.5"))},
		{"iat 4 min ago", claim("iat", ago(4*time.Minute))},
		{"iat in 4 min", claim("iat", ago(-4*time.Minute))},
		{"nbf in an hour", claim("nbf", ago(-time.Hour))}, // no claim of an ID token
		{"no at_hash", noClaim("at_hash")},                // optional: OpenID Connect Core 1.0, section 3.1.3.6
		{"no kid", globustest.Lie{}},
		{"kid that no key has", header("kid", "unknown")}, // every key is tried
		{"no typ", globustest.Lie{Header: drop("typ")}},
		{"claim source elsewhere", globustest.Lie{Claims: globustest.Edit{Set: map[string]any{
			"_claim_names":   map[string]string{"age": "src"},
			"_claim_sources": map[string]any{"src": map[string]string{"endpoint": elsewhere.URL, "access_token": "canary"}},
		}}}},
		{"unknown claim", claim("canary", map[string]any{"a": []int{1}})},
		{"name a number", claim("name", 7)},
		{"email an object", claim("email", map[string]string{"canary": "a@b.c"})},
		{"organization a list", claim("organization", []string{"canary"})},
		{"identity_set an object", claim("identity_set", map[string]string{"sub": "canary"})},
		{"identity_set of text", claim("identity_set", []string{"canary"})},
		{"identity_set null", claim("identity_set", nil)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFlow(t)
			f.auth.Lie(tt.lie)
			login, err := f.signIn("rosalind")
			f.checkOutcome(login, err, "")
		})
	}
	if got := visits.Load(); got != 0 {
		t.Errorf("what a token points to was fetched %d times", got)
	}
}

// Of claims that are only shown, those of another type are left out, and no others.
func TestIdentityOddClaims(t *testing.T) {
	f := newFlow(t)
	odd := map[string]any{
		"name": 7, "organization": []string{"canary"}, "identity_provider_display_name": map[string]any{"canary": 1}, "last_authentication": "canary",
		"identity_set": []any{"canary", nil, map[string]any{}, map[string]any{"sub": "one", "username": "a@b.example", "name": []int{1}}, []string{}},
	}
	f.auth.Lie(globustest.Lie{Claims: globustest.Edit{Set: odd}, UserInfo: globustest.Edit{Set: maps.Clone(odd)}})
	login := f.mustSignIn()
	info, err := f.client.UserInfo(t.Context(), login.Tokens[globus.AuthServer].AccessToken)
	if err != nil {
		t.Fatal(err)
	}
	want := globus.Identity{
		Subject: "7a1c2e40-3b5d-4f6e-8a90-1920072501aa", Username: "rosalind@example.edu", Email: "rosalind@example.edu", Provider: campus,
		Linked: []globus.LinkedIdentity{{Subject: "one", Username: "a@b.example"}},
	}
	for name, got := range map[string]globus.Identity{"ID token": login.Identity, "userinfo": *info} {
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got  %+v\nwant %+v", name, got, want)
		}
	}
}

// An identity that an app has kept is read as it was, whatever it lacks.
func TestIdentityKept(t *testing.T) {
	for _, want := range []globus.Identity{{}, {Name: "Ada"}, {Subject: "s", Email: "e", Linked: []globus.LinkedIdentity{{Subject: "l", Username: "u"}}}} {
		text, err := json.Marshal(want)
		var got globus.Identity
		if err == nil {
			err = json.Unmarshal(text, &got)
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
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
