package globus_test

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"example.org/portal/globus"
)

// What the services of Globus have been recorded to answer, with other names and
// ids, and all that a portal needs of it.
const (
	recordedPerson  = "c8aad43e-0b1c-4e0f-9d5e-1f2a3b4c5d6e"
	recordedLinked  = "d3f1a2b4-5c6d-4e7f-8a9b-0c1d2e3f4a5b"
	recordedIDP     = "41143743-f3c8-4d60-bbdb-eeecaba85bd9"
	recordedAccess  = "Agrecordedaccesstokenofauth0000000000000000000000000000000000000000000000000000000000000"
	recordedRefresh = "Agrecordedrefreshtokenofauth000000000000000000000000000000000000000000000000000000000000"

	recordedSet = `[
		{"sub":"` + recordedPerson + `","name":"A Person","username":"aperson@globusid.org","email":"a@example.org","organization":"Example Univ",
		 "identity_provider":"` + recordedIDP + `","identity_provider_display_name":"Globus ID","last_authentication":1799999000},
		{"sub":"` + recordedLinked + `","name":null,"username":"aperson@example.edu","email":"a@example.edu",
		 "identity_provider":"0dc3a1f0-6f5b-4a43-9d0e-5b1f2f6a7c01","identity_provider_display_name":"Example Univ","last_authentication":null}]`

	recordedClaims = `"sub":"` + recordedPerson + `","name":"A Person","email":"a@example.org","organization":"Example Univ","preferred_username":"aperson@globusid.org",
		"identity_provider":"` + recordedIDP + `","identity_provider_display_name":"Globus ID","last_authentication":1799999000,"identity_set":` + recordedSet

	recordedTokens = `{"access_token":"` + recordedAccess + `","token_type":"Bearer","expires_in":172800,"resource_server":"auth.globus.org","scope":"profile email openid",
		"state":"_default","refresh_token":"` + recordedRefresh + `","id_token":"IDTOKEN","other_tokens":[
		{"access_token":"Agtransferaccess","token_type":"Bearer","expires_in":172800,"resource_server":"transfer.api.globus.org",
		 "scope":"urn:globus:auth:scope:transfer.api.globus.org:all","state":"_default","refresh_token":"Agtransferrefresh"}]}`

	recordedRefreshed = `{"access_token":"Agtransferaccess2","expires_in":172800,"resource_server":"transfer.api.globus.org","token_type":"bearer",
		"scope":"urn:globus:auth:scope:transfer.api.globus.org:all","refresh_token":"Agtransferrefresh","other_tokens":[]}`

	recordedIntrospection = `{"active":true,"token_type":"Bearer","scope":"openid profile email urn:globus:auth:scope:auth.globus.org:view_identity_set",
		"client_id":"` + clientID + `","sub":"` + recordedPerson + `","username":"aperson@globusid.org","name":"A Person","email":"a@example.org",
		"iat":1800000000,"nbf":1800000000,"exp":1800172800,"aud":["auth.globus.org","` + clientID + `"],"iss":"https://auth.globus.org",
		"identity_set":["` + recordedPerson + `","` + recordedLinked + `"],"identity_set_detail":` + recordedSet + `,"dependent_tokens_cache_id":"af2d5979090a97536619e8fbad1ebd0afa875c880a0d8058cddf510fc288555c",
		"session_info":{"session_id":"1c3d5e7f-0000-4000-8000-000000000000","authentications":{
		"` + recordedPerson + `":{"idp":"` + recordedIDP + `","auth_time":1799999000,"acr":null,"amr":null,"custom_claims":{}},
		"` + recordedLinked + `":{"idp":"0dc3a1f0-6f5b-4a43-9d0e-5b1f2f6a7c01","auth_time":1799999500.25,"acr":"https://refeds.org/profile/mfa","amr":["pwd","mfa"],"custom_claims":{}}}}}`

	recordedTasks = `{"DATA_TYPE":"task_list","length":2,"limit":100,"offset":0,"total":2,"DATA":[
		{"DATA_TYPE":"task","task_id":"` + uuid1 + `","type":"TRANSFER","status":"ACTIVE","label":"scan 7","owner_id":"` + recordedPerson + `","request_time":"2026-11-28T12:00:00+00:00",
		 "completion_time":null,"deadline":"2026-11-29T12:00:00+00:00","source_endpoint_id":"` + uuid2 + `","source_endpoint_display_name":"Beamline","destination_endpoint_id":"` + uuid1 + `",
		 "destination_endpoint_display_name":"Archive","files":12,"directories":2,"files_transferred":5,"files_skipped":1,"bytes_transferred":1048576,"bytes_checksummed":0,
		 "effective_bytes_per_second":4096,"faults":3,"nice_status":"Queued","nice_status_short_description":"queued","nice_status_expires_in":"-1","is_paused":false,"is_ok":null,
		 "fatal_error":null,"sync_level":null,"encrypt_data":false,"canceled_by_admin":null,"username":"u_abc","command":"API 0.10"},
		{"task_id":"` + uuid2 + `","type":"DELETE","status":"FAILED","label":null,"request_time":"2026-11-27 09:30:00+00:00","completion_time":"2026-11-27 09:31:00+00:00","deadline":null,
		 "source_endpoint_id":"` + uuid2 + `","source_endpoint_display_name":"Beamline","destination_endpoint_id":null,"destination_endpoint_display_name":null,"files":1,"directories":0,
		 "files_transferred":0,"files_skipped":0,"bytes_transferred":0,"effective_bytes_per_second":0,"faults":1,"nice_status":null,"nice_status_short_description":null,"is_paused":false,
		 "is_ok":false,"fatal_error":{"code":"CANCELED","description":"canceled by owner"}}]}`

	recordedFolder = `{"DATA_TYPE":"file_list","endpoint":"` + uuid1 + `","path":"/share/","absolute_path":null,"length":3,"total":3,"rename_supported":true,"symlink_supported":true,"DATA":[
		{"DATA_TYPE":"file","name":"home","type":"dir","size":24576,"permissions":"0755","user":"root","group":"root","last_modified":"2021-01-15 01:45:50+00:00","link_target":null,"link_size":null,"link_user":null,"link_group":null,"link_last_modified":null},
		{"DATA_TYPE":"file","name":"a b.h5","type":"file","size":5000000000,"last_modified":"2021-01-15T01:45:50+00:00"},
		{"DATA_TYPE":"file","name":"gone","type":"invalid_symlink","size":0,"last_modified":null,"link_target":"/nowhere"}]}`

	recordedGroups = `[{"id":"` + uuid1 + `","name":"Lab","parent_id":null,"group_type":"regular","enforce_session":false,"session_limit":28800,"session_timeouts":{},
		"my_memberships":[{"group_id":"` + uuid1 + `","identity_id":"` + recordedPerson + `","username":"aperson@globusid.org","role":"member","status":"active"}],
		"policies":{"group_visibility":"private","group_members_visibility":"managers"}}]`
)

// recordedClient returns a client of a Globus that answers as it was recorded to.
func recordedClient(t *testing.T, nonce string) *globus.Client {
	t.Helper()
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	hash := sha512.Sum512([]byte(recordedAccess))
	idToken := signAs(ours, plainHeader, fmt.Sprintf(`{"iss":%q,"aud":%q,"iat":%d,"exp":%d,"at_hash":%q,"nonce":%q,%s}`,
		srv.URL, clientID, fuzzNow, fuzzNow+172800, base64.RawURLEncoding.EncodeToString(hash[:32]), nonce, recordedClaims))
	keys, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: signingKey().Public(), Algorithm: "RS512", Use: "sig"}}}) // no kid
	if err != nil {
		t.Fatal(err)
	}
	serve := func(pattern string, body func(r *http.Request) string) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, body(r))
		})
	}
	always := func(body string) func(*http.Request) string { return func(*http.Request) string { return body } }
	serve("GET /jwk.json", always(string(keys)))
	serve("POST /v2/oauth2/token", func(r *http.Request) string {
		if r.FormValue("grant_type") == "refresh_token" {
			return recordedRefreshed
		}
		return strings.ReplaceAll(recordedTokens, "IDTOKEN", idToken)
	})
	serve("GET /v2/oauth2/userinfo", always("{"+recordedClaims+"}"))
	serve("POST /v2/oauth2/token/introspect", always(recordedIntrospection))
	serve("POST /v2/oauth2/token/revoke", always(`{"active": false}`))
	serve("GET /v0.10/task_list", always(recordedTasks))
	serve("GET /v0.10/operation/endpoint/{id}/ls", always(recordedFolder))
	serve("GET /v2/groups/my_groups", always(recordedGroups))
	client, err := globus.New(globus.Config{
		ClientID: clientID, ClientSecret: clientSecret, RedirectURL: redirectURI, Issuer: srv.URL, TransferURL: srv.URL + "/v0.10", GroupsURL: srv.URL + "/v2",
		Now: func() time.Time { return time.Unix(fuzzNow, 0) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestRecordedSignIn(t *testing.T) {
	a := globus.NewAttempt()
	client := recordedClient(t, a.Nonce)
	login, err := client.Exchange(t.Context(), "code", a)
	if err != nil {
		t.Fatal(err)
	}
	const idp = "0dc3a1f0-6f5b-4a43-9d0e-5b1f2f6a7c01"
	person := globus.Identity{
		Subject: recordedPerson, Username: "aperson@globusid.org", Name: "A Person", Email: "a@example.org", Organization: "Example Univ", Provider: recordedIDP, ProviderName: "Globus ID",
		Linked: []globus.LinkedIdentity{
			{Subject: recordedPerson, Username: "aperson@globusid.org", Name: "A Person", Email: "a@example.org", Organization: "Example Univ", Provider: recordedIDP, ProviderName: "Globus ID"},
			{Subject: recordedLinked, Username: "aperson@example.edu", Email: "a@example.edu", Provider: idp, ProviderName: "Example Univ"},
		},
	}
	end := time.Unix(fuzzNow+172800, 0).UTC()
	wantRead(t, "tokens", login.Tokens, globus.Tokens{
		globus.AuthServer:     {AccessToken: recordedAccess, RefreshToken: recordedRefresh, Expiry: end, Scopes: []string{"profile", "email", "openid"}},
		globus.TransferServer: {AccessToken: "Agtransferaccess", RefreshToken: "Agtransferrefresh", Expiry: end, Scopes: []string{globus.TransferScope}},
	})
	wantRead(t, "identity", login.Identity, person)
	info, err := client.UserInfo(t.Context(), recordedAccess)
	if err != nil {
		t.Fatal(err)
	}
	wantRead(t, "userinfo", *info, person)

	in, err := client.Introspect(t.Context(), recordedAccess)
	if err != nil {
		t.Fatal(err)
	}
	wantRead(t, "introspection", *in, globus.Introspection{
		Active: true, Subject: recordedPerson, Username: "aperson@globusid.org", ClientID: clientID, Expiry: end,
		Scopes: []string{"openid", "profile", "email", globus.IdentitySetScope}, Linked: person.Linked,
		Authentications: []globus.Authentication{
			{
				Identity: recordedLinked, Username: "aperson@example.edu", Provider: idp, ProviderName: "Example Univ", Time: time.Unix(1799999500, 0).UTC(),
				ACR: "https://refeds.org/profile/mfa", AMR: []string{"pwd", "mfa"},
			},
			{Identity: recordedPerson, Username: "aperson@globusid.org", Provider: recordedIDP, ProviderName: "Globus ID", Time: time.Unix(1799999000, 0).UTC()},
		},
	})

	fresh, err := client.Refresh(t.Context(), globus.TransferServer, login.Tokens[globus.TransferServer], recordedPerson)
	if err != nil {
		t.Fatal(err)
	}
	wantRead(t, "refreshed", fresh, globus.Token{AccessToken: "Agtransferaccess2", RefreshToken: "Agtransferrefresh", Expiry: end, Scopes: []string{globus.TransferScope}})
	if err := client.RevokeAll(t.Context(), login.Tokens); err != nil {
		t.Error(err)
	}
}

func TestRecordedServices(t *testing.T) {
	client := recordedClient(t, "")
	utc := func(text string) time.Time {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return at.UTC()
	}
	var tasks []globus.Task
	for task, err := range client.Transfer(aToken).TaskList(t.Context(), globus.TaskQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		task.Requested, task.Completed, task.Deadline = task.Requested.UTC(), task.Completed.UTC(), task.Deadline.UTC()
		tasks = append(tasks, task)
	}
	wantRead(t, "tasks", tasks, []globus.Task{
		{
			ID: uuid1, Type: "TRANSFER", Status: globus.TaskActive, Label: "scan 7", SourceID: uuid2, Source: "Beamline", DestinationID: uuid1, Destination: "Archive",
			Files: 12, FilesDone: 5, FilesSkipped: 1, Directories: 2, Bytes: 1048576, BytesPerSecond: 4096, Faults: 3, NiceStatus: "Queued", NiceStatusShort: "queued",
			Requested: utc("2026-11-28T12:00:00Z"), Deadline: utc("2026-11-29T12:00:00Z"),
		},
		{
			ID: uuid2, Type: "DELETE", Status: globus.TaskFailed, SourceID: uuid2, Source: "Beamline", Files: 1, Faults: 1,
			Requested: utc("2026-11-27T09:30:00Z"), Completed: utc("2026-11-27T09:31:00Z"), FatalError: &globus.FatalError{Code: "CANCELED", Description: "canceled by owner"},
		},
	})

	listing, err := client.Transfer(aToken).List(t.Context(), uuid1, globus.ListQuery{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range listing.Entries {
		listing.Entries[i].Modified = listing.Entries[i].Modified.UTC()
	}
	modified := utc("2021-01-15T01:45:50Z")
	wantRead(t, "folder", *listing, globus.Listing{Path: "/share/", Total: 3, Entries: []globus.Entry{
		{Name: "home", Type: globus.EntryDir, Size: 24576, Modified: modified},
		{Name: "a b.h5", Type: globus.EntryFile, Size: 5000000000, Modified: modified},
		{Name: "gone", Type: "invalid_symlink"},
	}})

	groups, err := client.Groups(aToken).Mine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantRead(t, "groups", groups, []globus.Group{{ID: uuid1, Name: "Lab", Memberships: []globus.Membership{
		{Identity: recordedPerson, Username: "aperson@globusid.org", Role: "member", Status: globus.MembershipActive},
	}}})
}

func wantRead(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got\n%+v\nwant\n%+v", what, got, want)
	}
}

// TestRecordedErrors: of each form of error, what the app decides by, what support
// asks for, what the person reads, and what Globus wants of them.
func TestRecordedErrors(t *testing.T) {
	const dataAccess = globus.TransferScope + "[*https://auth.globus.org/scopes/" + uuid1 + "/data_access]"
	const ask1 = "None of your authenticated identities are from domains allowed by resource policies"
	gridFTP := func(result string) string {
		message, err := json.Marshal("Command Failed: Error (login)\nEndpoint: uc-restricted-col (" + uuid1 + ")\nServer: 192.0.2.7:443\nMessage: Login Failed\n---\n" +
			`Details: 530-Login incorrect. : GlobusError: v=1 c=LOGIN_DENIED\r\n530-GridFTP-Message: ` + ask1 + `\r\n530-GridFTP-JSON-Result: ` + result + `\r\n530 End.\r\n` + "\n")
		if err != nil {
			t.Fatal(err)
		}
		return `{"code":"ExternalError.DirListingFailed.LoginFailed","message":` + string(message) + `,"request_id":"rvWu7tCfa","resource":"/operation/endpoint/` + uuid1 + `/ls"}`
	}
	tests := []struct {
		name    string
		status  int
		body    string
		want    globus.Reason
		code    string
		request string
		message string // its beginning
		asks    string // of the person
	}{
		{"userinfo, no token", 401, `{"errors":[{"status":"401","id":"` + uuid1 + `","code":"UNAUTHORIZED","title":"Unauthorized","detail":"Call must be authenticated"}],"error":"unauthorized","error_description":"Unauthorized"}`,
			globus.Refused, "unauthorized", uuid1, "Call must be authenticated", ""},
		{"userinfo, another scope", 403, `{"errors":[{"status":"403","id":"` + uuid1 + `","code":"FORBIDDEN","title":"Forbidden","detail":"Missing required scopes"}]}`,
			globus.Refused, "FORBIDDEN", uuid1, "Missing required scopes", ""},
		{"token endpoint", 400, `{"error":"invalid_grant"}`, globus.Refused, "invalid_grant", "", "", ""},
		{"Transfer", 404, `{"code":"ClientError.NotFound","message":"Directory '/x' not found","request_id":"abcDEF123","resource":"/operation/endpoint/x/ls"}`,
			globus.Refused, "ClientError.NotFound", "abcDEF123", "Directory '/x' not found", ""},
		{"Transfer, many lines", 502, `{"code":"ExternalError.DirListingFailed.GCDisconnected","message":"Error\nEndpoint: x\r\nServer: y\n---\nDetails\n","request_id":"abcDEF123"}`,
			globus.BadStatus, "ExternalError.DirListingFailed.GCDisconnected", "abcDEF123", "Error Endpoint: x Server: y --- Details", ""},
		{"Groups", 401, `{"code":"AUTHENTICATION_ERROR","detail":"Missing authorization"}`, globus.Refused, "AUTHENTICATION_ERROR", "", "Missing authorization", ""},
		{"Groups, scopes", 403, `{"code":"FORBIDDEN_TOKEN_MISSING_SCOPES","detail":"Missing scopes","provided_scopes":["a"]}`, globus.Refused, "FORBIDDEN_TOKEN_MISSING_SCOPES", "", "Missing scopes", ""},
		{"Groups, errors", 404, `{"errors":[{"code":"GROUP_NOT_FOUND","detail":"No such group"}]}`, globus.Refused, "GROUP_NOT_FOUND", "", "No such group", ""},
		{"Flows", 404, `{"error":{"code":"NOT_FOUND","detail":"Flow not found"},"debug_id":"` + uuid1 + `"}`, globus.Refused, "NOT_FOUND", "", "Flow not found", ""},
		{"a gateway", 502, `<html><h1>502 Bad Gateway</h1></html>`, globus.BadStatus, "", "", "", ""},

		{"the documented form", 403, `{"code":"ConsentRequired","authorization_parameters":{"session_message":"Please","session_required_identities":["` + uuid1 + `"],
			"session_required_policies":["` + uuid2 + `"],"session_required_single_domain":["example.edu"],"session_required_mfa":true,"prompt":"login","required_scopes":["openid"]}}`,
			globus.Refused, "ConsentRequired", "", "",
			"prompt=login&scope=openid&session_message=Please&session_required_identities=" + uuid1 + "&session_required_mfa=true&session_required_policies=" + uuid2 + "&session_required_single_domain=example.edu"},
		{"Transfer's consent", 403, `{"code":"ConsentRequired","message":"Missing required data_access consent","request_id":"abcDEF123","resource":"/operation/endpoint/` + uuid1 + `/ls",
			"required_scopes":["` + dataAccess + `"],"authorization_parameters":{"required_scopes":["` + dataAccess + `"]}}`,
			globus.Refused, "ConsentRequired", "abcDEF123", "Missing required data_access consent", "scope=" + dataAccess},
		{"an action provider's consent", 403, `{"code":"ConsentRequired","required_scope":"https://auth.globus.org/scopes/` + uuid1 + `/action_all","description":"Consent"}`,
			globus.Refused, "ConsentRequired", "", "", "scope=https://auth.globus.org/scopes/" + uuid1 + "/action_all"},
		{"Flows' consent", 403, `{"error":{"code":"ConsentRequired","required_scope":"a","detail":"Consent"}}`, globus.Refused, "ConsentRequired", "", "Consent", "scope=a"},
		{"dependent consent", 403, `{"error":"dependent_consent_required","errors":[{"code":"DEPENDENT_CONSENT_REQUIRED","unapproved_scopes":["a","b"]}]}`,
			globus.Refused, "dependent_consent_required", "", "", "scope=a b"},
		{"a policy, as text", 403, `{"code":"AuthPolicyFailed","authorization_parameters":{"session_required_policies":"` + uuid1 + `,` + uuid2 + `","session_message":"Policy"}}`,
			globus.Refused, "AuthPolicyFailed", "", "", "session_message=Policy&session_required_policies=" + uuid1 + "," + uuid2},
		{"a session, with 502", 502, `{"authorization_parameters":{"session_message":"Session reauthentication required (Globus Transfer)","session_required_identities":[],"session_required_mfa":false,
			"session_required_single_domain":["globus.org"]},"code":"ExternalError.DirListingFailed.LoginFailed","message":"Command Failed","request_id":"rvWu7tCfa","resource":"/x"}`,
			globus.BadStatus, "ExternalError.DirListingFailed.LoginFailed", "rvWu7tCfa", "Command Failed",
			"session_message=Session reauthentication required (Globus Transfer)&session_required_single_domain=globus.org"},
		{"a session, in the message", 502, gridFTP(`{"DATA_TYPE": "result#1.1.0", "authorization_parameters": {"session_required_single_domain": ["uchicago.edu"]}, "code": "permission_denied",
			"detail": {"DATA_TYPE": "not_from_allowed_domain#1.0.0", "allowed_domains": ["uchicago.edu"]}, "has_next_page": false, "http_response_code": 403, "message": "` + ask1 + `"}`),
			globus.BadStatus, "ExternalError.DirListingFailed.LoginFailed", "rvWu7tCfa", "Command Failed: Error (login) Endpoint: ", "session_required_single_domain=uchicago.edu"},
		{"a domain, in the message of an older server", 502, gridFTP(`{"DATA_TYPE": "result#1.0.0", "code": "permission_denied",
			"detail": {"DATA_TYPE": "not_from_allowed_domain#1.0.0", "allowed_domains": ["globus.org"]}, "has_next_page": false, "http_response_code": 403, "message": "` + ask1 + `"}`),
			globus.BadStatus, "ExternalError.DirListingFailed.LoginFailed", "rvWu7tCfa", "Command Failed: Error (login) Endpoint: ", "session_required_single_domain=globus.org"},
		{"no local account", 502, gridFTP(`{"DATA_TYPE": "result#1.0.0", "code": "permission_denied", "message": "No matching user"}`),
			globus.BadStatus, "ExternalError.DirListingFailed.LoginFailed", "rvWu7tCfa", "Command Failed", ""},
		{"identities by user name and by URN", 403, `{"code":"AuthorizationRequired","authorization_parameters":{"session_required_identities":["ada@example.edu","urn:globus:auth:identity:` + uuid1 + `","0000-0001-2345-6789@orcid.org"]}}`,
			globus.Refused, "AuthorizationRequired", "", "", "session_required_identities=ada@example.edu," + uuid1 + ",0000-0001-2345-6789@orcid.org"},
		{"Groups' session", 401, `{"code":"AUTHENTICATION_ERROR","detail":"Session","authorization_parameters":{"session_required_mfa":true}}`, globus.Refused, "AUTHENTICATION_ERROR", "", "Session", "session_required_mfa=true"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client, _ := answering(t, tt.status, tt.body)
			_, err := client.Transfer(aToken).List(t.Context(), uuid1, globus.ListQuery{})
			e := asError(t, err)
			if e.Reason != tt.want || e.Status != tt.status || e.Code != tt.code || e.RequestID != tt.request {
				t.Errorf("got %v, want %s %s, request %s", e, tt.want, tt.code, tt.request)
			}
			if !strings.HasPrefix(e.Message, tt.message) || tt.message == "" && e.Message != "" {
				t.Errorf("got the message %q, want %q", e.Message, tt.message)
			}
			asks := ""
			if required, ok := globus.RequirementsOf(err); ok {
				asks = ask(required)
			}
			if asks != tt.asks {
				t.Errorf("got  %s\nwant %s", asks, tt.asks)
			}
		})
	}
}
