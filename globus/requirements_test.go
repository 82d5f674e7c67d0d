package globus_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"example.org/portal/globus"
)

const (
	uuid1 = "7a1c2e40-3b5d-4f6e-8a90-000000000001"
	uuid2 = "7a1c2e40-3b5d-4f6e-8a90-000000000002"
)

// asked returns the parameters that opts add to an authorization request.
func asked(opts []oauth2.AuthCodeOption) url.Values {
	plain := (&oauth2.Config{}).AuthCodeURL("")
	u, err := url.Parse((&oauth2.Config{}).AuthCodeURL("", opts...))
	if err != nil {
		panic(err)
	}
	q := u.Query()
	before, _ := url.Parse(plain)
	for name := range before.Query() {
		q.Del(name)
	}
	return q
}

// ask writes all that r asks for in one line.
func ask(r *globus.Requirements) string {
	q := asked(r.AuthCodeOptions())
	if len(r.Scopes) > 0 {
		q.Set("scope", r.Scopes.String())
	}
	text, err := url.QueryUnescape(q.Encode())
	if err != nil {
		panic(err)
	}
	return text
}

func TestReadRequirements(t *testing.T) {
	const transfer = globus.TransferScope
	tests := []struct {
		name     string
		body     string
		wantCode string // empty: no requirements
		want     string
	}{
		{"consent", `{"code":"ConsentRequired","authorization_parameters":{"required_scopes":["a","b[*c]"],"session_message":"Please"}}`,
			"ConsentRequired", "scope=a b[*c]&session_message=Please"},
		{"session", `{"code":"AuthorizationRequired","authorization_parameters":{"session_required_identities":["` + uuid1 + `","` + uuid2 + `"],
			"session_required_policies":["` + uuid1 + `"],"session_required_single_domain":["example.edu","lab.example.org"],"session_required_mfa":true,"prompt":"login"}}`,
			"AuthorizationRequired", "prompt=login&session_required_identities=" + uuid1 + "," + uuid2 + "&session_required_mfa=true&session_required_policies=" + uuid1 + "&session_required_single_domain=example.edu,lab.example.org"},
		{"another code, further members", `{"code":"Custom.Code_x","x":1,"authorization_parameters":{"session_required_mfa":true,"state":"evil","redirect_uri":"https://evil.example"}}`,
			"Custom.Code_x", "session_required_mfa=true"},

		// The older forms.
		{"Transfer's consent", `{"code":"ConsentRequired","message":"Missing required data_access consent","request_id":"abcDEF123","resource":"/x","required_scopes":["` + transfer + `[*x]"]}`,
			"ConsentRequired", "scope=" + transfer + "[*x]"},
		{"with both", `{"code":"ConsentRequired","required_scopes":["a[*b]"],"authorization_parameters":{"required_scopes":["a[*b *c]"]}}`,
			"ConsentRequired", "scope=a[*b *c]"},
		{"a prefix before the code", `{"code":"ClientError.ConsentRequired","required_scopes":["a"]}`, "ClientError.ConsentRequired", "scope=a"},
		{"action provider's", `{"code":"ConsentRequired","required_scope":"a[*b]","description":"x"}`, "ConsentRequired", "scope=a[*b]"},
		{"Transfer's login", `{"code":"ExternalError.DirListingFailed.LoginFailed","message":"Login failed","request_id":"abcDEF123","resource":"/x","authorization_parameters":{
			"session_message":"Use your lab identity","session_required_identities":[],"session_required_mfa":false,"session_required_single_domain":["globus.org"],"session_required_policies":null,"prompt":null}}`,
			"ExternalError.DirListingFailed.LoginFailed", "session_message=Use your lab identity&session_required_single_domain=globus.org"},
		{"Auth's", `{"error":"dependent_consent_required","error_description":"User must approve","errors":[{"code":"DEPENDENT_CONSENT_REQUIRED","status":"403","unapproved_scopes":["a"]},{"unapproved_scopes":["b"]}]}`,
			"ConsentRequired", "scope=a b"},
		{"Auth's, error by error", `{"errors":[{"code":"DEPENDENT_CONSENT_REQUIRED","unapproved_scopes":["a"]}]}`, "ConsentRequired", "scope=a"},
		{"Groups'", `{"code":"AUTHENTICATION_ERROR","detail":"No","authorization_parameters":{"session_required_identities":["` + uuid1 + `"]}}`,
			"AUTHENTICATION_ERROR", "session_required_identities=" + uuid1},
		{"no code", `{"authorization_parameters":{"session_required_mfa":true}}`, "AuthorizationRequired", "session_required_mfa=true"},
		{"commas", `{"authorization_parameters":{"session_required_policies":"` + uuid1 + `, ` + uuid2 + `","session_required_single_domain":"a.example,b.example"}}`,
			"AuthorizationRequired", "session_required_policies=" + uuid1 + "," + uuid2 + "&session_required_single_domain=a.example,b.example"},
		{"in errors", `{"errors":[{"code":"x"},null,7,{"code":"ConsentRequired","required_scopes":["a"]},{"code":"ConsentRequired","required_scopes":["b"]}]}`, "ConsentRequired", "scope=a"},
		{"in detail", `{"detail":{"code":"ConsentRequired","authorization_parameters":{"required_scopes":["a"]}}}`, "ConsentRequired", "scope=a"},
		{"in a list in detail", `{"detail":[{"authorization_parameters":{"session_required_mfa":true}}]}`, "AuthorizationRequired", "session_required_mfa=true"},
		{"in detail in errors", `{"errors":[{"detail":{"authorization_parameters":{"session_required_mfa":true}}}]}`, "AuthorizationRequired", "session_required_mfa=true"},
		{"URN of an identity", `{"authorization_parameters":{"session_required_identities":["urn:globus:auth:identity:` + uuid1 + `"]}}`, "AuthorizationRequired", "session_required_identities=" + uuid1},
		{"capitals, twice", `{"authorization_parameters":{"session_required_identities":["` + strings.ToUpper(uuid1) + `","` + uuid1 + `"],"session_required_single_domain":["Example.EDU"]}}`,
			"AuthorizationRequired", "session_required_identities=" + uuid1 + "&session_required_single_domain=example.edu"},

		// What is none.
		{"empty", ``, "", ""},
		{"null", `null`, "", ""},
		{"text", `"ConsentRequired"`, "", ""},
		{"a page", `<html>ConsentRequired</html>`, "", ""},
		{"an OAuth error", `{"error":"invalid_grant"}`, "", ""},
		{"Transfer's not found", `{"code":"ClientError.NotFound","message":"m","request_id":"x","resource":"/x"}`, "", ""},
		{"consent to nothing", `{"code":"ConsentRequired","required_scopes":[]}`, "", ""},
		{"scopes without the code", `{"code":"PermissionDenied","required_scopes":["a"]}`, "", ""},
		{"nothing asked for", `{"code":"x","authorization_parameters":{"session_message":"m","session_required_identities":[],"session_required_mfa":false,"session_required_policies":null,"required_scopes":[],"prompt":""}}`, "", ""},
		{"parameters are a list", `{"authorization_parameters":["a"]}`, "", ""},
		{"all nulls", `{"code":null,"message":null,"errors":null,"detail":null,"required_scopes":null,"required_scope":null,"authorization_parameters":null}`, "", ""},
		{"wrong types", `{"code":1,"authorization_parameters":{"session_required_identities":{"a":1},"session_required_policies":7,"session_required_single_domain":[1,null,[]],"session_required_mfa":"yes","prompt":["login"],"session_message":{},"required_scopes":[{}]}}`, "", ""},

		// What a hostile service may try.
		{"other parameters", `{"authorization_parameters":{"session_required_mfa":true,"session_required_identities":["` + uuid1 + `&prompt=none","a@b.c"],"session_required_policies":["x"],
			"session_required_single_domain":["a.b&c=d","a b.example","-a.example","a..example","example","e\u0301.example","\u212Aa.example",".example","a.example."],"prompt":"none","required_scopes":["a]b","a b[","x\ny","c d"]}}`,
			"AuthorizationRequired", "scope=c d&session_required_identities=a@b.c&session_required_mfa=true"},
		{"message", `{"authorization_parameters":{"session_required_mfa":true,"session_message":"a\r\nb\u0000"}}`, "AuthorizationRequired", "session_message=a b&session_required_mfa=true"},
		{"scopes that depend on each other", `{"code":"ConsentRequired","required_scope":"b[a]","authorization_parameters":{"required_scopes":["a[b]","b[a]","c"]}}`, "ConsentRequired", "scope=a[b] c"},
		{"odd code", `{"code":"<b>","authorization_parameters":{"session_required_mfa":true}}`, "AuthorizationRequired", "session_required_mfa=true"},
		{"nested lists", strings.Repeat("[", 5000) + strings.Repeat("]", 5000), "", ""},
		{"nested objects", strings.Repeat(`{"detail":`, 3000) + `{"authorization_parameters":{"session_required_mfa":true}}` + strings.Repeat("}", 3000), "", ""},
		{"too long", `{"authorization_parameters":{"session_required_mfa":true},"x":"` + strings.Repeat("a", 256<<10) + `"}`, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, ok := globus.ReadRequirements([]byte(tt.body))
			if !ok || tt.wantCode == "" {
				if ok || r != nil || tt.wantCode != "" {
					t.Errorf("got %+v, %t, want code %q", r, ok, tt.wantCode)
				}
				return
			}
			if got := ask(r); r.Code != tt.wantCode || got != tt.want {
				t.Errorf("got  %s %s\nwant %s %s", r.Code, got, tt.wantCode, tt.want)
			}
		})
	}
}

// However much a service asks for, the authorization request stays one that
// servers take.
func TestRequirementsAreBounded(t *testing.T) {
	many := func(form string) []string {
		var list []string
		for i := range 800 {
			list = append(list, fmt.Sprintf(form, i))
		}
		return list
	}
	long := strings.Repeat("x", 5000)
	body, err := json.Marshal(map[string]any{"code": "ConsentRequired", "message": long, "authorization_parameters": map[string]any{
		"session_required_identities":    many("7a1c2e40-3b5d-4f6e-8a90-%012d"),
		"session_required_policies":      strings.Join(many("7a1c2e40-3b5d-4f6e-8a90-%012d"), ","),
		"session_required_single_domain": many(strings.Repeat("a", 60) + ".d%d.example"),
		"session_message":                long,
		"required_scopes":                append([]string{strings.Repeat("a ", 4000), long}, many(strings.Repeat("s", 100) + "%d")[:100]...),
	}})
	if err != nil || len(body) > 256<<10 {
		t.Fatal(len(body), err)
	}
	r, ok := globus.ReadRequirements(body)
	if !ok {
		t.Fatal("got no requirements")
	}
	if len(r.Identities) != 50 || len(r.Policies) != 50 || len(r.Domains) == 0 || len(r.Scopes) == 0 {
		t.Errorf("got %d identities, %d policies, %d domains, %d scopes", len(r.Identities), len(r.Policies), len(r.Domains), len(r.Scopes))
	}
	params := asked(r.AuthCodeOptions())
	params.Set("scope", r.Scopes.String())
	for name, values := range params {
		if got := len(values[0]); got > 2600 {
			t.Errorf("got %s of %d bytes", name, got)
		}
	}
	if len(r.Message) > 300 {
		t.Errorf("got a message of %d bytes", len(r.Message))
	}
}

// A demand of very many collections is kept as far as an address has room.
func TestRequirementsOfManyCollections(t *testing.T) {
	var deps []string
	for i := range 200 {
		deps = append(deps, fmt.Sprintf("*https://auth.globus.org/scopes/7a1c2e40-3b5d-4f6e-8a90-%012d/data_access", i))
	}
	form := func(scope string) string {
		return `{"code":"ConsentRequired","authorization_parameters":{"required_scopes":[` + scope + `]}}`
	}
	of := func(n int) string { return `"` + globus.TransferScope + "[" + strings.Join(deps[:n], " ") + `]"` }
	each := func(n int) string {
		var list []string
		for _, dep := range deps[:n] {
			list = append(list, `"`+globus.TransferScope+"["+dep+`]"`)
		}
		return strings.Join(list, ",")
	}
	tests := []struct {
		name, body string
		least      int // scopes of collections that are asked for
	}{
		{"25", form(of(25)), 25},
		{"30", form(of(30)), 30},
		{"30, one by one", form(each(30)), 30},
		{"30, twice", `{"code":"ConsentRequired","required_scopes":[` + of(30) + `],"authorization_parameters":{"required_scopes":[` + of(30) + `]}}`, 30},
		{"90", form(of(90)), 30},
		{"more than is read", form(of(200)), 30},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, ok := globus.ReadRequirements([]byte(tt.body))
			if !ok || len(r.Scopes) != 1 || r.Scopes[0].Name != globus.TransferScope || len(r.Scopes[0].Dependencies) < tt.least || len(r.Scopes.String()) > 2600 {
				t.Fatalf("got %+v, want %d collections at least", r, tt.least)
			}
			for i, dep := range r.Scopes[0].Dependencies {
				if dep.String() != deps[i] {
					t.Errorf("the %dth is %s, want %s", i, dep, deps[i])
				}
			}
		})
	}
}

func TestRequirementsMessage(t *testing.T) {
	tests := []struct{ body, want string }{
		{`"message":"a","description":"b"`, "a"},
		{`"description":"b"`, "b"},
		{`"detail":"c"`, "c"},
		{`"x":"d"`, ""},
	}
	for _, tt := range tests {
		r, ok := globus.ReadRequirements([]byte(`{"authorization_parameters":{"session_required_mfa":true},` + tt.body + `}`))
		if !ok || r.Message != tt.want {
			t.Errorf("%s: got %+v, want %q", tt.body, r, tt.want)
		}
	}
}

// Requirements are kept while the person is at Globus, and are the same after.
func TestRequirementsKept(t *testing.T) {
	full := globus.Requirements{
		Code: "x", Message: "m", Scopes: globus.Scopes{{Name: "a", Dependencies: globus.Scopes{{Name: "b", Optional: true}}}},
		Identities: []string{uuid1}, Policies: []string{uuid2}, Domains: []string{"example.edu"}, MFA: true, Prompt: "login", SessionMessage: "s",
	}
	text, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	var kept globus.Requirements
	if err := json.Unmarshal(text, &kept); err != nil || !kept.Same(&full) || kept.Message != "m" || kept.SessionMessage != "s" {
		t.Errorf("got %+v, %v, want %+v", kept, err, full)
	}
	kept.Code, kept.Message, kept.SessionMessage = "y", "n", "t"
	if !kept.Same(&full) {
		t.Error("other words make it another requirement")
	}
	changes := []func(*globus.Requirements){
		func(r *globus.Requirements) { r.Scopes = globus.Scopes{{Name: "a"}} },
		func(r *globus.Requirements) { r.Identities = nil },
		func(r *globus.Requirements) { r.Policies = []string{uuid1} },
		func(r *globus.Requirements) { r.Domains = append(r.Domains, "x.example") },
		func(r *globus.Requirements) { r.MFA = false },
		func(r *globus.Requirements) { r.Prompt = "" },
	}
	for i, change := range changes {
		other := full
		if change(&other); other.Same(&full) || full.Same(&other) {
			t.Errorf("change %d is not seen", i)
		}
	}
}
