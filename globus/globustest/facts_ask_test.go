package globustest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"example.org/portal/globus/globustest"
)

// An ask is one request of a fact: the usual one of its kind, changed.
type ask struct {
	Kind   string            // a name of usual's, or a method and a path
	ID     string            // in the path of a task or a collection
	Query  map[string]string // parameters to replace, add or, if empty, leave out
	Form   map[string]string // likewise
	JSON   json.RawMessage   // body; null: Form is
	Bearer *string           // token, if not the usual one; empty: none
	Basic  string            // id:secret, if the app authenticates so
	Wait   string            // a time.Duration to let pass before it
}

// A subject is someone who has signed in, and the app that asks as them.
type subject struct {
	*flow
	signedInWith url.Values
	words        map[string]string // what the words in braces stand for in facts
}

// newSubject signs a person in, with parameters replaced, and gives the app
// a second code that it has not used yet.
func newSubject(f *flow, person string, query map[string]string) *subject {
	f.Helper()
	params := with(request(), "scope", allScopes)
	s := &subject{flow: f, signedInWith: params, words: map[string]string{
		"{issuer}": f.URL, "{client}": clientID, "{secret}": secret, "{redirect}": redirectURI, "{scopes}": allScopes,
		"{rosalind}": rosalind, "{storage-consent}": transferScope + "[*https://auth.globus.org/scopes/" + collection(f.T, "Storage") + "/data_access]",
	}}
	for _, name := range []string{"beamline", "Storage", "Tape", "scratch", "Workstation", "reference", "laptop", "Old file"} {
		s.words["{"+name+"}"] = collection(f.T, name)
	}
	for name, value := range query {
		with(params, name, string(s.said([]byte(value))))
	}
	s.words["{spent-code}"] = f.codeOf(person, params)
	granted := f.token(exchange(s.words["{spent-code}"])).json
	for _, one := range append(others(granted), granted) {
		server, _, _ := strings.Cut(str(one["resource_server"]), ".")
		s.words["{"+server+"}"] = str(one["access_token"])
		s.words["{"+server+"-refresh}"] = str(one["refresh_token"])
	}
	if token := s.words["{transfer}"]; token != "" {
		s.words["{task}"] = f.firstTask(token)
	}
	s.words["{code}"] = f.codeOf(person, params)
	return s
}

func (f *flow) firstTask(token string) string {
	f.Helper()
	list, _ := (&subject{flow: f}).ask(ask{Kind: "GET " + globustest.TaskListPath, Bearer: &token}).json["DATA"].([]any)
	if len(list) == 0 {
		return ""
	}
	return str(list[0].(map[string]any)["task_id"])
}

// said returns JSON whose words in braces are replaced.
func (s *subject) said(text []byte) []byte {
	var pairs []string
	for word, meaning := range s.words {
		quoted, _ := json.Marshal(meaning)
		pairs = append(pairs, word, string(quoted[1:len(quoted)-1]))
	}
	return []byte(strings.NewReplacer(pairs...).Replace(string(text)))
}

// usual is a request of a kind that nothing is wrong with.
func (s *subject) usual(a ask) (method, path string, query, form url.Values, bearer string) {
	s.Helper()
	client := url.Values{"client_id": {clientID}, "client_secret": {secret}}
	switch a.Kind {
	case "authorize":
		return http.MethodGet, globustest.AuthorizePath, s.signedInWith, nil, ""
	case "choose":
		return http.MethodPost, globustest.AuthorizePath, s.signedInWith, url.Values{"person": {"rosalind"}}, ""
	case "exchange":
		return http.MethodPost, globustest.TokenPath, nil, exchange(s.words["{code}"]), ""
	case "refresh":
		return http.MethodPost, globustest.TokenPath, nil, refresh(s.words["{auth-refresh}"]), ""
	case "userinfo":
		return http.MethodGet, globustest.UserInfoPath, nil, nil, s.words["{auth}"]
	case "introspect":
		return http.MethodPost, globustest.IntrospectPath, nil, with(client, "token", s.words["{auth}"]), ""
	case "revoke":
		return http.MethodPost, globustest.RevokePath, nil, with(client, "token", s.words["{auth}"]), ""
	case "task_list":
		return http.MethodGet, globustest.TaskListPath, nil, nil, s.words["{transfer}"]
	case "task":
		return http.MethodGet, globustest.TaskPath + a.ID, nil, nil, s.words["{transfer}"]
	case "ls":
		return http.MethodGet, globustest.ListPath + a.ID + "/ls", nil, nil, s.words["{transfer}"]
	case "my_groups":
		return http.MethodGet, globustest.MyGroupsPath, nil, nil, s.words["{groups}"]
	}
	method, path, ok := strings.Cut(a.Kind, " ")
	if !ok {
		s.Fatalf("there is no ask %q", a.Kind)
	}
	return method, path, nil, nil, ""
}

func (s *subject) ask(a ask) response {
	s.Helper()
	if a.Wait != "" {
		d, err := time.ParseDuration(a.Wait)
		if err != nil {
			s.Fatal(err)
		}
		s.clock.add(d)
	}
	method, path, query, form, bearer := s.usual(a)
	if query = changed(query, a.Query); len(query) > 0 {
		path += "?" + query.Encode()
	}
	form = changed(form, a.Form)
	body, mediaType := form.Encode(), "application/x-www-form-urlencoded"
	if a.JSON != nil {
		body, mediaType = string(a.JSON), "application/json"
	}
	req, err := http.NewRequestWithContext(s.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", mediaType)
	}
	if a.Bearer != nil {
		bearer = *a.Bearer
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	if id, password, ok := strings.Cut(a.Basic, ":"); ok {
		req.SetBasicAuth(id, password)
	}
	return s.do(req)
}

// changed returns a copy of values with some replaced, added or left out.
func changed(values url.Values, changes map[string]string) url.Values {
	copied := url.Values{}
	for name := range values {
		copied.Set(name, values.Get(name))
	}
	for name, value := range changes {
		with(copied, name, value)
	}
	return copied
}
