package auth_test

import (
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// An outcome is what must come of a module of the OpenID conformance suite.
type outcome struct {
	session bool
	status  int
	page    string // what the page shows of the person, or the reason that it gives
	log     string // a part of the reason that the operator reads; "" if nothing is refused
	calls   calls
}

// TestConformance has Globus do what the provider of the OpenID conformance
// suite does, in every module for a client of one provider, with the code flow,
// client_secret_post and fixed endpoints. Rows have the modules' names: oidcc-
// of the plans for OpenID Connect relying parties, fapi2- and fapi1- of those for
// FAPI clients, where they try what the others do not. The modules that do not
// apply are in TestConformanceNotOffered; TestLies has Globus get more wrong.
//
// Each row has been seen to fail: .ci/mutate takes the check behind it out of the
// code, or makes one too strict, and wants the row to notice.
func TestConformance(t *testing.T) {
	t.Parallel()
	auth := globustest.NewServer(globustest.Config{Key: routestest.SigningKey(), Strict: true})
	t.Cleanup(auth.Close)
	elsewhere := newElsewhere(t)
	mutations, err := os.ReadFile("../../.ci/mutate/mutations.txt")
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // a copy may do without
		t.Fatal(err)
	}

	type lie = globustest.Lie
	set := func(name string, value any) globustest.Edit { return globustest.Edit{Set: map[string]any{name: value}} }
	drop := func(names ...string) globustest.Edit { return globustest.Edit{Drop: names} }
	claim := func(name string, value any) scene { return signsIn(lie{Claims: set(name, value)}) }
	noClaim := func(name string) scene { return signsIn(lie{Claims: drop(name)}) }
	ago := func(d time.Duration) int64 { return time.Now().Add(-d).Unix() }
	const (
		week     = 7 * 24 * time.Hour
		stranger = "5d9ba3c4-0000-4000-8000-00000000beef"
		fapi2    = "fapi2-security-profile-final-client-test-"
	)

	once := calls{token: 1, keys: 1, userinfo: 1}
	shows := func(page string, c calls) outcome { return outcome{true, 200, page, "", c} }
	accepted := shows("Rosalind Franklin", once)
	link := func(page, why string) outcome { return outcome{false, 400, page, why, calls{}} }
	answer := func(why string, c calls) outcome { return outcome{false, 503, "globus_error", why, c} }
	idToken := func(why string) outcome { return answer("id_token: "+why, calls{token: 1, keys: 1}) }
	unread := answer("id_token: its form, algorithm", calls{token: 1}) // without a look at the keys
	// The session goes on with what it has.
	notRefreshed := func(why string) outcome {
		return outcome{true, 503, "globus_unavailable", "refresh: id_token: " + why, calls{token: 2, keys: 1, userinfo: 1}}
	}

	tests := []struct {
		module string
		scene  scene // what the provider does, and the person
		want   outcome
	}{
		{"oidcc-client-test", signsIn(lie{}), accepted},
		{"oidcc-client-test-3rd-party-init-login", startedBy("iss=" + elsewhere.url + "&target_link_uri=" + elsewhere.url), accepted},

		// The callback.
		{fapi2 + "ensure-authorization-response-with-invalid-state-fails", callbackWith("state", "forged"), link("link_used", "without an attempt")},
		{fapi2 + "ensure-authorization-response-with-invalid-missing-state-fails", callbackWith("state", ""), link("link_used", "without an attempt")},
		{fapi2 + "invalid-authorization-response-iss", callbackWith("iss", auth.URL+"1"), link("wrong_issuer", "iss is not Globus Auth")},
		{fapi2 + "remove-authorization-response-iss", callbackWith("iss", ""), accepted}, // Globus does not announce that it sends one

		// The answer of the token endpoint. A token that does not say how long it lasts
		// ends with the ID token.
		{fapi2 + "token-type-case-insensitivity", signsIn(lie{Token: set("token_type", "bEARER")}), accepted},
		{fapi2 + "token-endpoint-response-without-expires_in", signsIn(lie{Token: drop("expires_in")}), accepted},

		// The claims of the ID token.
		{"oidcc-client-test-invalid-iss", claim("iss", auth.URL+"1"), idToken("its form, algorithm, issuer or audience")},
		{fapi2 + "invalid-missing-iss", noClaim("iss"), idToken("its form, algorithm, issuer or audience")},
		{"oidcc-client-test-missing-sub", noClaim("sub"), idToken("sub is empty")},
		{"oidcc-client-test-invalid-aud", claim("aud", routestest.ClientID+"1"), idToken("its form, algorithm, issuer or audience")},
		{"oidcc-client-test-missing-aud", noClaim("aud"), idToken("its form, algorithm, issuer or audience")},
		{fapi2 + "invalid-secondary-aud", claim("aud", []string{routestest.ClientID, "canary"}), idToken("aud names others")},
		{fapi2 + "valid-aud-as-array", claim("aud", []string{routestest.ClientID}), accepted},
		{"oidcc-client-test-missing-iat", noClaim("iat"), idToken("exp or iat is missing")},
		{"fapi1-advanced-final-client-test-iat-is-week-in-past", claim("iat", ago(week)), idToken("it was issued -168h")},
		{fapi2 + "invalid-missing-exp", noClaim("exp"), idToken("exp or iat is missing")},
		{fapi2 + "invalid-expired-exp", claim("exp", ago(5*time.Minute+time.Second)), idToken("it has expired")},
		{"oidcc-client-test-nonce-invalid", claim("nonce", "canary"), idToken("nonce is missing or belongs to another")},
		{fapi2 + "invalid-missing-nonce", noClaim("nonce"), idToken("nonce is missing or belongs to another")},
		{"oidcc-client-test-invalid-athash", claim("at_hash", "canary"), idToken("at_hash belongs to another")},
		{"oidcc-client-test-missing-athash", noClaim("at_hash"), accepted}, // optional where the token comes with a code
		{"oidcc-client-test-aggregated-claims", claimFrom(map[string]string{"JWT": "a.b.c"}), accepted},
		{"oidcc-client-test-distributed-claims", claimFrom(map[string]string{"endpoint": elsewhere.url, "access_token": "canary"}), accepted},

		// Its signature. Globus signs with RS512: what the suite does to RS256 is done to that.
		{"oidcc-client-test-invalid-sig-rs256", signsIn(lie{Signing: globustest.BrokenSignature}), idToken("its signature fits none")},
		{"oidcc-client-test-invalid-sig-hs256", signsIn(lie{Signing: globustest.HS256WithSecret}), unread},
		{"oidcc-client-test-invalid-sig-es256", signsIn(lie{Header: set("alg", "ES256")}), unread},
		{"oidcc-client-test-idtoken-sig-none", signsIn(lie{Signing: globustest.Unsigned}), unread},
		{fapi2 + "invalid-alternate-alg", signsIn(lie{Signing: globustest.RS256}), unread},

		// The keys, of which Globus's have no kid.
		{"oidcc-client-test-kid-absent-single-jwks", signsIn(lie{ExtraKeys: otherKinds(t)}), accepted},
		{"oidcc-client-test-kid-absent-multiple-jwks", signsIn(lie{ExtraKeys: moreOfEach(t)}), accepted},
		{"oidcc-client-test-signing-key-rotation-just-before-signing", rotated, accepted},
		{"oidcc-client-test-signing-key-rotation", rotatedBetween, shows("Rosalind Franklin", calls{token: 2, keys: 2, userinfo: 2})},

		// Userinfo. The ID token tells enough, but nobody else may be told of here.
		{"oidcc-client-test-scope-userinfo-claims", noClaim("name"), accepted},
		{"oidcc-client-test-userinfo-bearer-header", signsIn(lie{UserInfo: set("name", "R. E. Franklin")}), shows("R. E. Franklin", once)},
		{"oidcc-client-test-userinfo-invalid-sub", signsIn(lie{UserInfo: set("sub", stranger)}), answer("userinfo_sub: sub is not that", once)},
		{"oidcc-client-test-userinfo-signed", userInfoSigned, outcome{true, 200, "Rosalind Franklin", "not application/json", once}},

		// Refreshes, after which the app does not ask userinfo again.
		{"oidcc-client-test-refresh-token", refreshesTwice(lie{RotateRefresh: true, RefreshIDToken: true}), shows("Rosalind Franklin", calls{token: 3, keys: 1, userinfo: 1})},
		{"fapi2-security-profile-final-client-refresh-token-test", refusedByTransfer(lie{RotateRefresh: true}), shows("Rosalind Franklin", calls{token: 3, keys: 1, userinfo: 1})},
		{"oidcc-client-test-refresh-token-invalid-issuer", refreshes(lie{RefreshIDToken: true, Claims: set("iss", auth.URL+"1")}), notRefreshed("its form, algorithm, issuer")},
		{"oidcc-client-test-refresh-token-invalid-sub", refreshes(lie{RefreshIDToken: true, Claims: set("sub", stranger)}), notRefreshed("sub is not whose")},
	}
	for _, test := range tests {
		t.Run(test.module, func(t *testing.T) {
			auth.Lie(lie{})
			c := converse(t, auth)
			p := test.scene(c)
			if shows := strings.Contains(p.Body, test.want.page); p.Status != test.want.status || p.Reason() != test.want.page && (p.Status != 200 || !shows) {
				t.Errorf("got %d %s, want %d and %q:\n%s", p.Status, p.Reason(), test.want.status, test.want.page, p.Body)
			}
			if got := c.SignedIn(); got != test.want.session {
				t.Errorf("somebody is signed in: %v, want %v", got, test.want.session)
			}
			if got := c.reasons(); !strings.Contains(got, test.want.log) || test.want.log == "" && got != "" {
				t.Errorf("the log gives as reasons %q, want %q", got, test.want.log)
			}
			if got := c.calls(); got != test.want.calls {
				t.Errorf("Globus was asked %+v, want %+v", got, test.want.calls)
			}
			if got := c.left(); !test.want.session && got != 0 {
				t.Errorf("%d tokens of a failed sign-in were not revoked", got)
			}
			if strings.Contains(p.Body+c.Site.Log.String(), "canary") {
				t.Error("what Globus sent is repeated")
			}
			if mutations != nil && !strings.Contains(string(mutations), " TestConformance/"+test.module+"\n") {
				t.Error("no mutation has it fail")
			}
		})
	}
	if got := elsewhere.visits.Load(); got != 0 {
		t.Errorf("what an answer points to was fetched %d times", got)
	}
}

// TestConformanceNotOffered lists the suite's modules that do not apply, and why.
// What a client need not offer is not there.
func TestConformanceNotOffered(t *testing.T) {
	t.Parallel()
	tests := []struct {
		modules string // all begin with oidcc-client-test- or with the prefix in front of them
		why     string
		doors   []string // what is not there
	}{
		{"client-secret-basic", "the app sends client_secret_post", nil},
		{"idtoken-sig-rs256", "Globus signs with RS512", nil},
		{"discovery-openid-config discovery-jwks-uri-keys discovery-issuer-mismatch discovery-webfinger-acct discovery-webfinger-url",
			"endpoints are fixed: no sign-in asks for the discovery document", nil},
		{"dynamic-registration", "the app is registered by hand", nil},
		{"mtls-endpoint-aliases", "there is no mutual TLS", nil},
		{"request-uri-signed-rs256 request-uri-signed-none", "the app makes no request objects", []string{"GET /request"}},
		{"userinfo-bearer-body", "the token goes into the header", nil},
		{"nonce-unless-code-flow invalid-chash missing-chash", "of the implicit and hybrid flows", nil},
		{"form-post-error", "Globus answers in the query", []string{"POST /login"}},
		{"rp-init-logout rp-init-logout-no-state rp-init-logout-other-state", "Globus's logout page leads back by a link alone", nil},
		{"session-management", "Globus has no check_session_iframe", []string{"GET /session"}},
		{"rp-frontchannel-rpinitlogout rp-frontchannel-opinitlogout", "Globus tells no app of a logout",
			[]string{"GET /frontchannel-logout", "GET /logout/frontchannel"}},
		{"rp-backchannel-rpinitlogout, alone and with -alg-none -no-event -with-nonce -wrong-alg -wrong-aud -wrong-event -wrong-iss", "likewise",
			[]string{"POST /backchannel-logout", "POST /logout/backchannel"}},
		{"fapi2-security-profile-final-client-test-: happy-path invalid-iss invalid-aud invalid-missing-aud invalid-nonce invalid-null-alg", "as the oidcc- modules", nil},
		{"fapi2-security-profile-final-client-test-: ensure-jarm-… happy-path-no-dpop-nonce rs-dpop-auth-scheme-case-insensitivity discovery-issuer-mismatch invalid-openbanking-intent-id",
			"no JARM, DPoP, discovery or bank", nil},
	}
	pages := http.NewServeMux()
	s := routestest.Start(t, routestest.Options{})
	for _, pattern := range s.App.Routes() {
		pages.Handle(pattern, http.NotFoundHandler())
	}
	plain := s.Browser().Get("/signed-out").Body
	if got := s.Browser().Get("/signed-out?state=another&iss=https://evil.example/").Body; got != plain {
		t.Errorf("the page after a log-out depends on what comes with it:\n%s", got)
	}
	for _, test := range tests {
		for _, door := range test.doors {
			method, path, _ := strings.Cut(door, " ")
			if _, pattern := pages.Handler(httptest.NewRequest(method, path, nil)); pattern != "" && path != "/login" {
				continue // a page of the site's own, which happens to have this name
			}
			b := s.Browser()
			var form url.Values
			if method == http.MethodPost {
				form = b.SignIn("rosalind").Form("logout_token", "a.b.c", "code", "x", "state", "y")
			}
			if p := b.Send(method, path, form); p.Status != http.StatusNotFound && p.Status != http.StatusMethodNotAllowed {
				t.Errorf("%s: %s answers %d, want that it is not there", test.modules, door, p.Status)
			}
		}
	}
}
