package globustest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

// A portal is an app that holds a person's token for Transfer.
type portal struct {
	*flow
	granted map[string]any // the token endpoint's answer
}

func newPortal(t *testing.T, person string, cfg globustest.Config) *portal {
	t.Helper()
	f := newFlow(t, cfg)
	return &portal{f, f.token(exchange(f.codeOf(person, request()))).json}
}

// tasksOf is a configuration in which rosalind has these tasks.
func tasksOf(tasks ...globustest.Task) globustest.Config {
	return globustest.Config{People: []globustest.Person{
		{Key: "rosalind", Claims: globustest.Claims{Sub: "r"}, Tasks: tasks},
		{Key: "ada", Claims: globustest.Claims{Sub: "a"}, Tasks: []globustest.Task{{ID: "adas"}}},
	}}
}

// transfer sends a request with values for its Authorization header.
func (p *portal) transfer(path string, authorization ...string) response {
	p.Helper()
	req, err := http.NewRequestWithContext(p.Context(), http.MethodGet, p.URL+path, nil)
	if err != nil {
		p.Fatal(err)
	}
	req.Header["Authorization"] = authorization
	return p.do(req)
}

func (p *portal) ask(path string) response {
	p.Helper()
	return p.transfer(path, "Bearer "+str(others(p.granted)[0]["access_token"]))
}

// list asks for tasks, and returns them and the rest of the answer.
func (p *portal) list(params url.Values) (tasks []map[string]any, rest map[string]any) {
	p.Helper()
	r := p.ask(globustest.TaskListPath + "?" + params.Encode())
	if r.status != http.StatusOK {
		p.Fatalf("got %d %s, want tasks", r.status, r.body)
	}
	for _, one := range r.json["DATA"].([]any) {
		tasks = append(tasks, one.(map[string]any))
	}
	return tasks, r.json
}

func ids(tasks []map[string]any) string {
	var all []string
	for _, t := range tasks {
		all = append(all, str(t["task_id"]))
	}
	return strings.Join(all, " ")
}

func TestTransferAuthentication(t *testing.T) {
	p := newPortal(t, "rosalind", strictly(tasksOf(globustest.Task{ID: "x"})))
	good, auth := others(p.granted)[0], str(p.granted["access_token"])
	token := str(good["access_token"])
	tests := []struct {
		name          string
		query         string
		authorization []string
		want          int
	}{
		{"good", "", []string{"Bearer " + token}, 200},
		{"other case", "", []string{"bearer " + token}, 200},
		{"none", "", nil, 401},
		{"no token", "", []string{"Bearer "}, 401},
		{"unknown", "", []string{"Bearer x"}, 401},
		{"for auth.globus.org", "", []string{"Bearer " + auth}, 401},
		{"refresh token", "", []string{"Bearer " + str(good["refresh_token"])}, 401},
		{"Basic", "", []string{"Basic " + token}, 401},
		{"without a scheme", "", []string{token}, 401},
		{"twice", "", []string{"Bearer " + token, "Bearer " + token}, 401},
		{"in the URL", "?access_token=" + token, nil, 401},
		{"in the URL too", "?access_token=" + token, []string{"Bearer " + token}, 401},
	}
	check := func(t *testing.T, path, query string, authorization []string, want int) {
		t.Helper()
		r := p.transfer(path+query, authorization...)
		if r.status != want {
			t.Fatalf("got %d %s, want %d", r.status, r.body, want)
		}
		if want == 401 {
			checkTransferError(t, r, "AuthenticationFailed", strings.TrimPrefix(path, "/v0.10"))
		}
	}
	for _, path := range []string{globustest.TaskListPath, globustest.TaskPath + "x"} {
		for _, tt := range tests {
			t.Run(path+" "+tt.name, func(t *testing.T) { check(t, path, tt.query, tt.authorization, tt.want) })
		}
	}
	p.clock.add(48 * time.Hour)
	t.Run("too old", func(t *testing.T) { check(t, globustest.TaskListPath, "", []string{"Bearer " + token}, 401) })
}

// checkTransferError compares an error with the shape that Transfer gives it.
func checkTransferError(t *testing.T, r response, code, resource string) {
	t.Helper()
	if r.json["code"] != code || r.json["resource"] != resource || str(r.json["message"]) == "" {
		t.Errorf("got %s, want code %s and resource %s", r.body, code, resource)
	}
	if id := str(r.json["request_id"]); !regexp.MustCompile(`^[A-Za-z0-9]{9}$`).MatchString(id) {
		t.Errorf("got request_id %q, want 9 characters", id)
	}
	if r.json["errors"] != nil || r.json["error"] != nil {
		t.Errorf("got %s, which has the shape of Globus Auth", r.body)
	}
}

func TestTask(t *testing.T) {
	tests := []struct {
		name, path string
		want       int
		wantCode   string
	}{
		{"own", "own", 200, ""},
		{"unknown", "unknown", 404, "ClientError.NotFound"},
		{"none", "", 404, "ClientError.NotFound"},
		{"somebody else's", "adas", 404, "ClientError.NotFound"},
		{"with a parameter", "own?limit=1", 400, "ClientError.BadRequest"},
	}
	p := newPortal(t, "rosalind", strictly(tasksOf(globustest.Task{ID: "other"}, globustest.Task{ID: "own"})))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := p.ask(globustest.TaskPath + tt.path)
			if r.status != tt.want {
				t.Fatalf("got %d %s, want %d", r.status, r.body, tt.want)
			}
			if tt.want != 200 {
				id, _, _ := strings.Cut(tt.path, "?")
				checkTransferError(t, r, tt.wantCode, "/task/"+id)
				return
			}
			tasks, _ := p.list(nil)
			delete(r.json, "DATA_TYPE") // which it has alone
			if r.json["task_id"] != "own" || fmt.Sprint(r.json) != fmt.Sprint(tasks[1]) {
				t.Errorf("got %v, want the task as in the list, %v", r.json, tasks[1])
			}
		})
	}
	if got := p.Requests(globustest.TaskPath); got != len(tests) {
		t.Errorf("got %d requests counted, want %d", got, len(tests))
	}
}

func TestTaskList(t *testing.T) {
	tests := []struct {
		name      string
		params    url.Values
		want      string // ids
		wantTotal float64
	}{
		{"as it comes", nil, "old new deleted broken", 4},
		{"newest first", url.Values{"orderby": {"request_time DESC"}}, "new deleted broken old", 4},
		{"oldest first", url.Values{"orderby": {"request_time ASC"}}, "old deleted broken new", 4},
		{"without a direction", url.Values{"orderby": {"request_time"}}, "old deleted broken new", 4},
		{"first page", url.Values{"limit": {"3"}}, "old new deleted", 4},
		{"second page", url.Values{"limit": {"3"}, "offset": {"3"}}, "broken", 4},
		{"exactly all", url.Values{"offset": {"4"}}, "", 4},
		{"far beyond", url.Values{"offset": {"4000"}}, "", 4},
		{"a status", url.Values{"filter": {"status:FAILED"}}, "broken", 1},
		{"two", url.Values{"filter": {"status:FAILED,ACTIVE"}}, "new broken", 2},
		{"a type", url.Values{"filter": {"type:DELETE"}}, "deleted", 1},
		{"both", url.Values{"filter": {"status:SUCCEEDED,FAILED/type:TRANSFER"}}, "old broken", 2},
		{"all at once", url.Values{"filter": {"type:TRANSFER"}, "orderby": {"request_time DESC"}, "limit": {"1"}, "offset": {"1"}}, "broken", 3},
		{"none", url.Values{"filter": {"status:INACTIVE"}}, "", 0},
	}
	p := newPortal(t, "rosalind", tasksOf(
		globustest.Task{ID: "old", Ago: 3 * time.Hour},
		globustest.Task{ID: "new", Status: globus.TaskActive},
		globustest.Task{ID: "deleted", Type: "DELETE", Ago: time.Hour},
		globustest.Task{ID: "broken", Status: globus.TaskFailed, Ago: time.Hour}, // at the same time
	))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tasks, rest := p.list(tt.params)
			if got := ids(tasks); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if rest["DATA_TYPE"] != "task_list" || rest["total"] != tt.wantTotal || rest["length"] != float64(len(tasks)) {
				t.Errorf("got %v, want total %v and length %d", rest, tt.wantTotal, len(tasks))
			}
		})
	}
}

// Everything can be fetched page by page, whatever the pages' size.
func TestTaskListPages(t *testing.T) {
	cfg := tasksOf()
	for i := range 300 {
		cfg.People[0].Tasks = append(cfg.People[0].Tasks, globustest.Task{Ago: time.Duration(i) * time.Minute, Label: fmt.Sprint(i)})
	}
	p := newPortal(t, "rosalind", cfg)
	for _, limit := range []int{0, 7, 1000} {
		seen := map[string]bool{}
		params := url.Values{"orderby": {"request_time DESC"}}
		want := 10
		if limit > 0 {
			params.Set("limit", fmt.Sprint(limit))
			want = limit
		}
		for len(seen) < 300 {
			params.Set("offset", fmt.Sprint(len(seen)))
			tasks, rest := p.list(params)
			if rest["limit"] != float64(want) || rest["offset"] != float64(len(seen)) || len(tasks) == 0 {
				t.Fatalf("limit %d: got %v, %v, %d tasks after %d", limit, rest["limit"], rest["offset"], len(tasks), len(seen))
			}
			for _, task := range tasks {
				if task["label"] != fmt.Sprint(len(seen)) {
					t.Fatalf("limit %d: got task %v at place %d", limit, task["label"], len(seen))
				}
				seen[str(task["task_id"])] = true
			}
		}
	}
}

func TestTaskListBadParameters(t *testing.T) {
	tests := []string{
		"limit=0", "limit=-1", "limit=1001", "limit=ten", "limit=1.5", "limit=1&limit=2",
		"offset=-1", "offset=x", "offset=99999999999999999999",
		"orderby=colour", "orderby=request_time+desc", "orderby=request_time++DESC", "orderby=request_time+DESC,colour",
		"filter=status", "filter=status:", "filter=status:DONE", "filter=status:ACTIVE,", "filter=status:active",
		"filter=owner:x", "filter=type:TRANSFER/", "filter=type:TRANSFER/type:DELETE", "filter=type:TRANSFER/status:",
		"page=2", "a=%zz", "limit=1;offset=2",
	}
	p := newPortal(t, "rosalind", strictly(tasksOf()))
	for _, query := range tests {
		t.Run(query, func(t *testing.T) {
			r := p.ask(globustest.TaskListPath + "?" + query)
			if r.status != http.StatusBadRequest {
				t.Fatalf("got %d %s, want 400", r.status, r.body)
			}
			checkTransferError(t, r, "ClientError.BadRequest", "/task_list")
		})
	}
}

func TestTransferLies(t *testing.T) {
	p := newPortal(t, "rosalind", tasksOf(globustest.Task{ID: "x"}))
	p.Lie(globustest.Lie{
		TaskList: globustest.Edit{Set: map[string]any{"total": 1e6}, Drop: []string{"length"}},
		Task:     globustest.Edit{Set: map[string]any{"files": "many"}, Drop: []string{"is_ok"}},
	})
	tasks, rest := p.list(nil)
	if _, ok := rest["length"]; ok || rest["total"] != 1e6 {
		t.Errorf("got %v, want another total and no length", rest)
	}
	for _, task := range append(tasks, p.ask(globustest.TaskPath+"x").json) {
		if _, ok := task["is_ok"]; ok || task["files"] != "many" {
			t.Errorf("got %v, want many files and no is_ok", task)
		}
	}

	scopes := []string{transferScope + "[*https://auth.globus.org/scopes/x/data_access]"}
	p.Lie(globustest.Lie{ConsentRequired: scopes})
	for _, path := range []string{globustest.TaskListPath, globustest.TaskPath + "x"} {
		r := p.ask(path)
		if r.status != http.StatusForbidden || fmt.Sprint(r.json["required_scopes"]) != fmt.Sprint(scopes) {
			t.Errorf("got %d %s, want 403 with the scopes", r.status, r.body)
		}
		checkTransferError(t, r, "ConsentRequired", strings.TrimPrefix(path, "/v0.10"))
		if r := p.transfer(path); r.status != 401 {
			t.Errorf("without a token: got %d, want 401", r.status)
		}
	}
	p.Lie(globustest.Lie{})
	p.list(nil)
}

// What a test gives is not changed: other emulators may share it.
func TestConfigKeepsItsTasks(t *testing.T) {
	cfg := tasksOf(globustest.Task{Label: "l"})
	p := newPortal(t, "rosalind", cfg)
	if tasks, _ := p.list(nil); len(tasks) != 1 {
		t.Errorf("got %d tasks, want 1", len(tasks))
	}
	if got := cfg.People[0].Tasks[0]; got.ID != "" || got.Type != "" || got.Status != "" {
		t.Errorf("got %+v, want it as it was given", got)
	}
}

func TestDemoTasks(t *testing.T) {
	tests := []struct {
		person     string
		want       int
		wantActive []string
	}{
		{"rosalind", 25, []string{"Photo 51, all exposures", "Paused for maintenance"}},
		{"ada", 5, nil},
		{"sub-only", 0, nil},
		{"markup", 3, nil},
	}
	for _, tt := range tests {
		t.Run(tt.person, func(t *testing.T) {
			p := newPortal(t, tt.person, everybody())
			tasks, rest := p.list(url.Values{"limit": {"1000"}})
			if len(tasks) != tt.want || rest["total"] != float64(tt.want) {
				t.Errorf("got %d tasks, want %d", len(tasks), tt.want)
			}
			var active []string
			for _, task := range tasks {
				if task["status"] == "ACTIVE" {
					active = append(active, str(task["label"]))
				}
			}
			if !slices.Equal(active, tt.wantActive) {
				t.Errorf("got %q active, want %q", active, tt.wantActive)
			}
		})
	}
}

func (f *flow) list(token, id string, pairs ...string) response {
	f.Helper()
	query := with(url.Values{}, pairs...).Encode()
	req, err := http.NewRequestWithContext(f.Context(), http.MethodGet, f.URL+globustest.ListPath+id+"/ls?"+query, nil)
	if err != nil {
		f.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return f.do(req)
}

func collection(t *testing.T, name string) string {
	t.Helper()
	for _, c := range globustest.DemoCollections() {
		if strings.Contains(c.Name, name) {
			return c.ID
		}
	}
	t.Fatalf("there is no collection %s", name)
	return ""
}

func TestList(t *testing.T) {
	f := newFlow(t, globustest.Config{Strict: true})
	token := str(others(f.signIn(request()))[0]["access_token"])
	beamline := collection(t, "beamline")
	tests := []struct {
		name       string
		id         string
		pairs      []string
		wantStatus int
		want       string // names, or a code
	}{
		{"without a path", beamline, nil, 200, "odd names,empty,photo51,README.txt"},
		{"the root", beamline, []string{"path", "/"}, 200, "odd names,empty,photo51,README.txt"},
		{"sorted", beamline, []string{"path", "/photo51", "orderby", "name"}, 200, "exposure-01.tif,exposure-02.tif,raw"},
		{"the other way", beamline, []string{"path", "/photo51/", "orderby", "name DESC", "limit", "2"}, 200, "raw,exposure-02.tif"},
		{"hidden by default", beamline, []string{"path", "/odd names", "orderby", "name", "limit", "1"}, 200, ".hidden"},
		{"past the end", beamline, []string{"path", "/photo51", "offset", "7"}, 200, ""},
		{"an empty directory", beamline, []string{"path", "/empty"}, 200, ""},

		{"no such directory", beamline, []string{"path", "/none"}, 404, "ClientError.NotFound"},
		{"part of a name", beamline, []string{"path", "/photo"}, 404, "ClientError.NotFound"},
		{"a file", beamline, []string{"path", "/README.txt"}, 502, "ExternalError.DirListingFailed.NotDirectory"},
		{"no such collection", "x", nil, 404, "EndpointNotFound"},
		{"not from the root", beamline, []string{"path", "photo51"}, 400, "ClientError.BadRequest"},
		{"upwards", beamline, []string{"path", "/photo51/../"}, 400, "ClientError.BadRequest"},
		{"limit", beamline, []string{"limit", "100001"}, 400, "ClientError.BadRequest"},
		{"offset", beamline, []string{"offset", "-1"}, 400, "ClientError.BadRequest"},
		{"order", beamline, []string{"orderby", "colour"}, 400, "ClientError.BadRequest"},
		{"hidden", beamline, []string{"show_hidden", "no"}, 400, "ClientError.BadRequest"},
		{"unknown parameter", beamline, []string{"recursive", "1"}, 400, "ClientError.BadRequest"},
		{"consent", collection(t, "Storage"), nil, 403, "ConsentRequired"},
		{"session", collection(t, "Tape"), nil, 502, "ExternalError.DirListingFailed.LoginFailed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := f.list(token, tt.id, tt.pairs...)
			var names []string
			data, _ := r.json["DATA"].([]any)
			for _, e := range data {
				names = append(names, str(e.(map[string]any)["name"]))
			}
			if got := strings.Join(names, ",") + str(r.json["code"]); r.status != tt.wantStatus || got != tt.want {
				t.Errorf("got %d %q, want %d %q: %s", r.status, got, tt.wantStatus, tt.want, r.body)
			}
		})
	}
	first := f.list(token, beamline, "path", "/photo51", "orderby", "name").json["DATA"].([]any)[0].(map[string]any)
	if first["last_modified"] != "2027-01-05 08:00:00+00:00" || first["type"] != "file" || first["link_target"] != nil {
		t.Errorf("got %v", first)
	}
	f.Lie(globustest.Lie{List: globustest.Edit{Set: map[string]any{"DATA": nil}}})
	if r := f.list(token, beamline); r.status != 200 || r.json["DATA"] != nil {
		t.Errorf("the lie: got %s", r.body)
	}
}

// What Transfer depends on is asked for in one way alone.
func TestDependentScopes(t *testing.T) {
	access := "https://auth.globus.org/scopes/" + collection(t, "Storage") + "/data_access"
	tests := []struct {
		name  string
		scope string
		want  string // on the page
	}{
		{"data_access", "openid " + transferScope + "[*" + access + "]", "Read and write your files in Example University Research Storage"},
		{"twice", transferScope + "[*" + access + " *" + access + "] " + transferScope, "Read and write your files"},
		{"required", transferScope + "[" + access + "]", "UNKNOWN_SCOPE_ERROR"},
		{"by itself", access, "UNKNOWN_SCOPE_ERROR"},
		{"of a collection without", transferScope + "[*" + strings.ReplaceAll(access, collection(t, "Storage"), collection(t, "Tape")) + "]", "UNKNOWN_SCOPE_ERROR"},
		{"of another scope", "openid[*" + access + "]", "UNKNOWN_SCOPE_ERROR"},
		{"unclosed", transferScope + "[*" + access, "UNKNOWN_SCOPE_ERROR"},
		{"closed twice", transferScope + "[*" + access + "]]", "UNKNOWN_SCOPE_ERROR"},
		{"empty brackets", transferScope + "[]", "UNKNOWN_SCOPE_ERROR"},
		{"a bracket", transferScope + "]", "UNKNOWN_SCOPE_ERROR"},
		{"text after", transferScope + "[*" + access + "]x", "UNKNOWN_SCOPE_ERROR"},
		{"optional at the top", "*openid", "UNKNOWN_SCOPE_ERROR"},
	}
	f := newFlow(t, globustest.Config{Strict: true})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if r := f.authorize(with(request(), "scope", tt.scope)); !strings.Contains(r.body, tt.want) {
				t.Errorf("got %d %s, want %q", r.status, r.body, tt.want)
			}
		})
	}
	// The token's scope does not name what Transfer depends on.
	granted := f.signIn(with(request(), "scope", transferScope+"[*"+access+"]"))
	if granted["scope"] != transferScope {
		t.Errorf("got scope %v", granted["scope"])
	}
}

func TestCollectionsOfOnesOwn(t *testing.T) {
	const id = "00000000-0000-4000-8000-000000000001"
	f := newFlow(t, globustest.Config{Collections: []globustest.Collection{{ID: id, Name: "Mine", Files: []globustest.File{{Path: "/a"}}}}})
	token := str(others(f.signIn(request()))[0]["access_token"])
	if r := f.list(token, id); r.status != 200 || !strings.Contains(r.body, `"name":"a"`) {
		t.Errorf("got %d %s", r.status, r.body)
	}
	if r := f.list(token, collection(t, "beamline")); r.status != 404 {
		t.Errorf("one of the demo: got %d", r.status)
	}
	for _, bad := range [][]globustest.Collection{
		{{ID: "x"}}, {{ID: id}, {ID: id}}, {{ID: id, Files: []globustest.File{{Path: "a"}}}}, {{ID: id, Files: []globustest.File{{Path: "/a//b"}}}},
	} {
		if _, err := globustest.New(globustest.Config{Issuer: "http://127.0.0.1:1", Key: sharedKey(), Collections: bad}); err == nil {
			t.Errorf("%v: got no error", bad)
		}
	}
}
