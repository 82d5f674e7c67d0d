package globus_test

import (
	"encoding/json"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.org/portal/globus"
)

// FuzzRequirements: whatever a service sends, requirements have nothing in them
// but what has its form, survive being kept, and make no parameter of an
// authorization request but their own.
func FuzzRequirements(f *testing.F) {
	const uuid = "7a1c2e40-3b5d-4f6e-8a90-0123456789ab"
	params := func(s string) string {
		return `{"code":"X","authorization_parameters":{` + s + `}}`
	}
	for _, body := range []string{
		``, `null`, `[]`, `{}`, `"x"`, `{"code":"ConsentRequired","required_scopes":["` + transferScope + `[*a]"]}`, `{"code":"ConsentRequired","required_scope":"a b[c]"}`,
		`{"error":"dependent_consent_required","errors":[{"unapproved_scopes":["a"]},{"unapproved_scopes":"b"}]}`,
		params(`"session_message":"Sign in\r\nX: y","session_required_identities":["` + uuid + `","urn:globus:auth:identity:` + uuid + `"],"prompt":"login"`),
		params(`"session_required_identities":"` + uuid + `, ` + strings.ToUpper(uuid) + `,x"`), params(`"session_required_policies":["` + uuid + `"]`),
		params(`"session_required_single_domain":["Example.EDU","a..b","-a.b","a.b&prompt=none","\u212Aelvin.org"]`), params(`"session_required_mfa":true`), params(`"session_required_mfa":"true"`),
		params(`"prompt":"none"`), params(`"required_scopes":["a"]`), params(`"session_required_single_domain":["` + strings.Repeat("a.b,", 600) + `"]`),
		`{"errors":[{"code":"Y"},` + params(`"prompt":"login"`) + `]}`, `{"detail":` + params(`"session_required_mfa":true`) + `}`, strings.Repeat(`{"detail":`, 9) + params(`"prompt":"login"`) + strings.Repeat(`}`, 9),
		`[[[[[{"code":"ConsentRequired","required_scopes":["a"]}]]]]]`, `{"code":"A B","message":"\u0000\u202e` + strings.Repeat("m", 300) + `","required_scopes":["a","b[","c"],"authorization_parameters":{}}`,
		`{"code":"ConsentRequired","required_scopes":["` + strings.Repeat("s ", 1200) + `"]}`, `{"code":"ConsentRequired","required_scopes":["` + strings.Repeat("z[y] z[x] ", 190) + `"]}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, ok := globus.ReadRequirements(body)
		if ok != (r != nil) {
			t.Fatalf("got %v, %t", r, ok)
		}
		if !ok {
			return
		}
		if len(body) > 256<<10 {
			t.Error("a body that long was read")
		}
		checkRequirements(t, r)
	})
}

var (
	uuidText   = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	domainText = regexp.MustCompile(`^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+$`)
	codeText   = regexp.MustCompile(`^[A-Za-z._]{1,50}$`)
)

func checkRequirements(t *testing.T, r *globus.Requirements) {
	t.Helper()
	lists := []struct {
		name string
		list []string
		form *regexp.Regexp
	}{
		{"session_required_identities", r.Identities, uuidText},
		{"session_required_policies", r.Policies, uuidText},
		{"session_required_single_domain", r.Domains, domainText},
	}
	want := url.Values{"session_required_mfa": {"true"}, "prompt": {r.Prompt}, "session_message": {r.SessionMessage}}
	for _, l := range lists {
		if len(l.list) > 50 || slices.ContainsFunc(l.list, func(s string) bool { return !l.form.MatchString(s) || len(s) > 253 }) {
			t.Errorf("%s is %q", l.name, l.list)
		}
		if len(slices.Compact(slices.Sorted(slices.Values(l.list)))) != len(l.list) {
			t.Errorf("%s has something twice: %q", l.name, l.list)
		}
		want.Set(l.name, strings.Join(l.list, ","))
	}
	if !r.MFA {
		want.Del("session_required_mfa")
	}
	for name, value := range want {
		if value[0] == "" {
			delete(want, name)
		} else if len(value[0]) > 2<<10 {
			t.Errorf("%s has %d bytes", name, len(value[0]))
		}
	}
	checkTidy(t, r.Message, r.SessionMessage)
	if !codeText.MatchString(r.Code) || r.Prompt != "" && r.Prompt != "login" || len(r.Scopes.String()) > 2<<10 {
		t.Errorf("got the code %q, the prompt %q and scopes of %d bytes", r.Code, r.Prompt, len(r.Scopes.String()))
	}
	checkScopes(t, r.Scopes)

	client := cannedClient(t, canned{})
	u, err := url.Parse(client.AuthCodeURL(globus.NewAttempt(), r.AuthCodeOptions()...))
	if err != nil {
		t.Fatal(err)
	}
	got := u.Query()
	for _, name := range []string{"client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "access_type"} {
		if len(got[name]) != 1 {
			t.Errorf("%s is there %d times", name, len(got[name]))
		}
		got.Del(name)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Globus is asked for %q, want %q", got, want)
	}

	var kept globus.Requirements
	text, err := json.Marshal(r)
	if err == nil {
		err = json.Unmarshal(text, &kept)
	}
	if err != nil || !kept.Same(r) || !r.Same(&kept) || kept.Code != r.Code {
		t.Errorf("%s comes out of JSON as %+v, %v", text, kept, err)
	}
}
