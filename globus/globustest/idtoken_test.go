package globustest_test

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"example.org/portal/globus/globustest"
)

func (f *flow) keySet() jose.JSONWebKeySet {
	f.Helper()
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(f.get(globustest.KeysPath).body), &set); err != nil {
		f.Fatal(err)
	}
	return set
}

// verified returns the claims of an ID token that is what Globus would send: RS512,
// signed by the one key that is served.
func (f *flow) verified(idToken string) (map[string]any, error) {
	f.Helper()
	jws, err := jose.ParseSignedCompact(idToken, []jose.SignatureAlgorithm{jose.RS512})
	if err != nil {
		return nil, err
	}
	payload, err := jws.Verify(f.keySet().Keys[0])
	if err != nil {
		return nil, err
	}
	var claims map[string]any
	return claims, json.Unmarshal(payload, &claims)
}

func TestIDToken(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	granted := f.signIn(request())
	header, _ := base64.RawURLEncoding.DecodeString(str(granted["id_token"])[:36])
	if got, want := string(header), `{"alg":"RS512","typ":"JWT"}`; got != want {
		t.Errorf("got header %s, want %s", got, want)
	}
	claims, err := f.verified(str(granted["id_token"]))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha512.Sum512([]byte(str(granted["access_token"])))
	now := float64(f.clock.Now().Unix())
	want := map[string]any{
		"iss": f.URL, "aud": clientID, "nonce": "the-nonce", "iat": now, "exp": now + 172800,
		"at_hash": base64.RawURLEncoding.EncodeToString(sum[:32]),
		"name":    "Rosalind Franklin", "email": "rosalind@example.edu", "last_authentication": now,
	}
	for name, value := range want {
		if claims[name] != value {
			t.Errorf("got %s %v, want %v", name, claims[name], value)
		}
	}
	for _, name := range []string{"auth_time", "azp", "email_verified", "kid"} {
		if _, ok := claims[name]; ok {
			t.Errorf("got claim %s, which Globus does not send", name)
		}
	}
}

// What each person's claims look like with few scopes and with many, in the ID token and in
// userinfo alike.
func TestClaims(t *testing.T) {
	all := []string{"email", "identity_provider", "identity_provider_display_name", "identity_set", "last_authentication",
		"name", "organization", "preferred_username", "sub"}
	tests := []struct {
		person, scope string
		want          []string
		wantNull      []string
	}{
		{"rosalind", "openid profile email", all, nil},
		{"rosalind", "openid", []string{"last_authentication", "sub"}, nil},
		{"rosalind", "openid email", []string{"email", "last_authentication", "sub"}, nil},
		{"rosalind", "openid urn:globus:auth:scope:auth.globus.org:view_identity_set", []string{"identity_set", "last_authentication", "sub"}, nil},
		{"ada", "openid profile email", all, nil},
		{"sub-only", "openid profile email", []string{"email", "identity_provider", "identity_provider_display_name", "name", "sub"},
			[]string{"email", "identity_provider", "identity_provider_display_name", "name"}},
		{"markup", "openid profile email", all, nil},
	}
	for _, tt := range tests {
		t.Run(tt.person+" "+tt.scope, func(t *testing.T) {
			f := newFlow(t, everybody())
			code := f.back(f.choose(with(request(), "scope", tt.scope, "nonce", ""), "person", tt.person)).Get("code")
			granted := f.token(exchange(code)).json
			idToken, err := f.verified(str(granted["id_token"]))
			if err != nil {
				t.Fatal(err)
			}
			protocol := []string{"iss", "aud", "iat", "exp", "at_hash"}
			for where, claims := range map[string]map[string]any{
				"ID token": idToken,
				"userinfo": f.userInfo(str(granted["access_token"])).json,
			} {
				var got, null []string
				for name, value := range claims {
					if where == "ID token" && slices.Contains(protocol, name) {
						continue
					}
					got = append(got, name)
					if value == nil {
						null = append(null, name)
					}
				}
				slices.Sort(got)
				slices.Sort(null)
				if !slices.Equal(got, tt.want) || !slices.Equal(null, tt.wantNull) {
					t.Errorf("%s: got %v, null %v, want %v, null %v", where, got, null, tt.want, tt.wantNull)
				}
			}
		})
	}
}

func TestIdentitySet(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	code := f.back(f.choose(request(), "person", "ada")).Get("code")
	info := f.userInfo(str(f.token(exchange(code)).json["access_token"])).json
	set, _ := info["identity_set"].([]any)
	if len(set) != 5 {
		t.Fatalf("got %d identities, want 5", len(set))
	}
	for i, one := range set {
		identity := one.(map[string]any)
		_, hasOrganization := identity["organization"]
		_, hasName := identity["name"]
		own := i == 0
		if hasOrganization != own || !hasName || (identity["name"] != nil) != own || (identity["last_authentication"] != nil) != own {
			t.Errorf("identity %d: got %v, want gaps just in the linked ones", i, identity)
		}
	}
}

func TestUserInfoRefusals(t *testing.T) {
	f := newFlow(t, globustest.Config{Strict: true})
	top := f.signIn(request())
	access := str(top["access_token"])
	noOpenID := f.signIn(with(request(), "scope", "profile"))
	tests := []struct {
		name       string
		path       string
		headers    []string
		wantStatus int
		want       string
	}{
		{"none", "", nil, 401, "UNAUTHORIZED"},
		{"unknown", "", []string{"Bearer x"}, 401, "UNAUTHORIZED"},
		{"no scheme", "", []string{access}, 401, "UNAUTHORIZED"},
		{"Basic", "", []string{"Basic " + access}, 401, "UNAUTHORIZED"},
		{"twice", "", []string{"Bearer " + access, "Bearer " + access}, 401, "UNAUTHORIZED"},
		{"in the URL", "?access_token=" + access, nil, 401, "UNAUTHORIZED"},
		{"in both", "?access_token=" + access, []string{"Bearer " + access}, 401, "UNAUTHORIZED"},
		{"refresh token", "", []string{"Bearer " + str(top["refresh_token"])}, 401, "UNAUTHORIZED"},
		{"transfer token", "", []string{"Bearer " + str(others(top)[0]["access_token"])}, 403, "FORBIDDEN"},
		{"without openid", "", []string{"Bearer " + str(noOpenID["access_token"])}, 403, "FORBIDDEN"},
		{"fine", "", []string{"Bearer " + access}, 200, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.URL+globustest.UserInfoPath+tt.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header["Authorization"] = tt.headers
			r := f.do(req)
			if r.status != tt.wantStatus || errorCode(r) != tt.want {
				t.Errorf("got %d %s, want %d %s", r.status, r.body, tt.wantStatus, tt.want)
			}
		})
	}
	f.clock.add(48 * time.Hour)
	if r := f.userInfo(access); r.status != 401 {
		t.Errorf("expired: got %d, want 401", r.status)
	}
}

// errorCode returns errors[0].code of a service's error.
func errorCode(r response) string {
	if code := str(r.json["code"]); code != "" { // Transfer's
		return code
	}
	list, _ := r.json["errors"].([]any)
	if len(list) == 0 {
		return ""
	}
	return str(list[0].(map[string]any)["code"])
}
