package globus_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"example.org/portal/globus"
)

// FuzzAnswer: whatever comes instead of what was asked for, errors are quiet, and
// what is taken is bounded.
func FuzzAnswer(f *testing.F) {
	const uuid = "7a1c2e40-3b5d-4f6e-8a90-0123456789ab"
	long := strings.Repeat("\u00e9x", 200)
	for call, bodies := range [][]string{
		{`{"sub":"` + uuid + `","name":null,"email":"` + long + `","identity_set":[{"sub":"x","username":"\u0000y"},null]}`, `{"sub":""}`, `{"sub":7}`, `{"sub":"x","identity_set":[` + strings.Repeat(`{},`, 60) + `{}]}`, `{"sub":"` + uuid + `","identity_set":[` + strings.Repeat(`{"name":"`+long+`"},`, 60) + `{}]}`},
		{`{"active":true,"sub":"` + uuid + `","exp":1800000000,"scope":"a b","session_info":{"authentications":{"` + uuid + `":{"idp":"x","auth_time":1800000000,"acr":null,"amr":["mfa"]}}},"identity_set_detail":[{"sub":"` + uuid + `","username":"r@x"}]}`,
			`{"active":false}`, `{"active":null}`, `{"active":"true"}`, `{"active":true,"sub":"a b"}`, `{"active":true,"sub":"x","session_info":{"authentications":{"x":{"amr":[` + strings.Repeat(`"a",`, 30) + `"\u0000"],"auth_time":1e300},"y":7}}}`},
		{`[{"id":"` + uuid + `","name":"\u0007g","my_memberships":[{"identity_id":"x","status":"active","role":"member"}]}]`, `[]`, `null`, `{}`, `[null]`},
		{`{"DATA":[{"task_id":"x","status":"ACTIVE","label":null,"request_time":"2026-01-02 03:04:05+00:00","completion_time":null,"fatal_error":{"code":"X"},"files":1}],"total":1}`, `{"DATA":null}`, `{"DATA":[{}],"total":9223372036854775807}`, `{"DATA":[{"request_time":"x"}]}`, `{"DATA":[{"files":1e30}]}`},
		{`{"path":"/~/","DATA":[{"name":"a","type":"dir","size":4096,"last_modified":"2026-01-02 03:04:05+00:00"}],"total":1}`, `{"DATA":[{"last_modified":7,"size":null}]}`, `{"DATA":{}}`},
	} {
		for _, body := range append(bodies, ``, `{`, "\xff", `{"code":"ConsentRequired","message":"m","request_id":"abcDEF123","required_scopes":["a"]}`, `{"error":"CODE","request_id":"CODE"}`,
			`{"code":"X","request_id":"TOKEN","errors":[{"id":"CODE","code":"TOKEN"}]}`, `{"message":"TOKEN","required_scopes":["CODE",7]}`, `TOKEN`) {
			f.Add(byte(call), 200, "application/json; charset=utf-8", body)
			f.Add(byte(call), 403, "application/json", body)
			f.Add(byte(call), 307, "text/html", body)
		}
	}
	f.Add(byte(0), 200, "application/json", `{"sub":"x"}`+strings.Repeat(" ", 256<<10))
	f.Fuzz(func(t *testing.T, call byte, status int, contentType, body string) {
		if status < 200 || status > 599 {
			return
		}
		client := cannedClient(t, canned{status: status, contentType: contentType, body: secrets.Replace(body)})
		if err := callOf(t, client, call); err != nil {
			checkQuiet(t, err)
			return
		}
		if status != 200 || !strings.HasPrefix(strings.ToLower(strings.TrimSpace(contentType)), "application/json") || call%5 < 2 && len(body) > 256<<10 {
			t.Errorf("%d, %s, %d bytes are taken for an answer", status, contentType, len(body))
		}
	})
}

// callOf makes one of the calls, and checks what came of it unless that is an error.
func callOf(t *testing.T, client *globus.Client, call byte) error {
	token := func(context.Context, string) (globus.Token, error) {
		return globus.Token{AccessToken: secretToken, Expiry: time.Unix(fuzzNow+3600, 0)}, nil
	}
	ctx := context.Background()
	switch call % 5 {
	case 0:
		id, err := client.UserInfo(ctx, secretToken)
		if err == nil {
			checkPlainIdentity(t, *id)
		}
		return err
	case 1:
		in, err := client.Introspect(ctx, secretToken)
		if err == nil {
			checkIntrospection(t, in)
		}
		return err
	case 2:
		groups, err := client.Groups(token).Mine(ctx)
		for _, g := range groups {
			checkTidy(t, g.Name)
			if !idText.MatchString(g.ID) || !codeOrNone.MatchString(string(g.Status())) {
				t.Errorf("got the group %+v", g)
			}
		}
		return err
	case 3:
		n := 0
		for task, err := range client.Transfer(token).TaskList(ctx, globus.TaskQuery{}) {
			if err != nil {
				return err
			}
			if n++; n > 100 || task.Requested.Year() > 9999 {
				break
			}
		}
		return nil
	}
	_, err := client.Transfer(token).List(ctx, "7a1c2e40-3b5d-4f6e-8a90-0123456789ab", globus.ListQuery{})
	return err
}

var (
	idText     = regexp.MustCompile(`^[A-Za-z0-9-]{0,36}$`)
	codeOrNone = regexp.MustCompile(`^[A-Za-z._]{0,50}$`)
)

func checkIntrospection(t *testing.T, in *globus.Introspection) {
	t.Helper()
	if !in.Active {
		if in.Subject != "" || len(in.Authentications) > 0 || len(in.Linked) > 0 {
			t.Errorf("of a token that has ended it says %+v", in)
		}
		return
	}
	checkTidy(t, in.Username, in.ClientID)
	checkLinked(t, in.Linked)
	for i, a := range in.Authentications {
		checkTidy(t, append(a.AMR, a.Identity, a.Username, a.Provider, a.ProviderName, a.ACR)...)
		if a.Identity == "" || len(a.AMR) > 20 || i > 0 && a.Time.After(in.Authentications[i-1].Time) {
			t.Errorf("got the authentications %+v", in.Authentications)
		}
	}
}
