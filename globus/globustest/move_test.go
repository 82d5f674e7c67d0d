package globustest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"example.org/portal/globus/globustest"
)

const (
	fromID = "00000000-0000-4000-8000-00000000000a"
	toID   = "00000000-0000-4000-8000-00000000000b"
)

// A mover is an app that moves rosalind's files from one collection to another.
type mover struct {
	*portal
	submissions int
}

func newMover(t *testing.T, from, to globustest.Collection) *mover {
	t.Helper()
	from.ID, from.Name, to.ID, to.Name = fromID, "From", toID, "To"
	if from.Files == nil {
		from.Files = []globustest.File{{Path: "/d/a.tif", Size: 100}, {Path: "/d/b.tmp", Size: 10}, {Path: "/d/sub/c.tif", Size: 1}}
	}
	return &mover{portal: newPortal(t, "rosalind", globustest.Config{Collections: []globustest.Collection{from, to}})}
}

// post sends a JSON document.
func (m *mover) post(path string, doc map[string]any) response {
	m.Helper()
	text, err := json.Marshal(doc)
	if err != nil {
		m.Fatal(err)
	}
	req, err := http.NewRequestWithContext(m.Context(), http.MethodPost, m.URL+path, strings.NewReader(string(text)))
	if err != nil {
		m.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+str(others(m.granted)[0]["access_token"]))
	return m.do(req)
}

// submission is a transfer of /d to /d that nothing is wrong with, with members
// replaced. Each has an id of its own.
func (m *mover) submission(members ...any) map[string]any {
	m.submissions++
	doc := map[string]any{
		"DATA_TYPE": "transfer", "submission_id": fmt.Sprintf("00000000-0000-4000-8000-%012d", m.submissions), "source_endpoint": fromID, "destination_endpoint": toID,
		"DATA": []any{item("/d", "/d")},
	}
	for i := 0; i < len(members); i += 2 {
		doc[members[i].(string)] = members[i+1]
	}
	return doc
}

func item(from, to string) map[string]any {
	return map[string]any{"DATA_TYPE": "transfer_item", "source_path": from, "destination_path": to}
}

// submit returns the id of a new task.
func (m *mover) submit(members ...any) string {
	m.Helper()
	r := m.post(globustest.SubmitTransferPath, m.submission(members...))
	if r.status != http.StatusAccepted {
		m.Fatalf("got %d %s", r.status, r.body)
	}
	return str(r.json["task_id"])
}

// task says in a line how a task fares.
func (m *mover) task(id string) string {
	m.Helper()
	doc := m.ask(globustest.TaskPath + id).json
	fatal, _ := doc["fatal_error"].(map[string]any)
	return strings.TrimSpace(fmt.Sprintf("%s %v/%v skipped %v faults %v %s %s", doc["status"], doc["files_transferred"], doc["files"], doc["files_skipped"], doc["faults"], str(doc["nice_status"]), str(fatal["code"])))
}

// events are the codes of a task's events, the oldest first.
func (m *mover) events(id string) string {
	m.Helper()
	var codes []string
	for _, e := range m.ask(globustest.TaskPath + id + "/event_list?limit=1000").json["DATA"].([]any) {
		codes = append([]string{str(e.(map[string]any)["code"])}, codes...)
	}
	return strings.Join(codes, " ")
}

// files lists a folder of the destination.
func (m *mover) files(path string) string {
	m.Helper()
	r := m.ask(globustest.ListPath + toID + "/ls?orderby=name&path=" + url.QueryEscape(path))
	var names []string
	list, _ := r.json["DATA"].([]any)
	for _, e := range list {
		names = append(names, str(e.(map[string]any)["name"]))
	}
	return strings.Join(names, " ") + str(r.json["code"])
}

func (m *mover) want(what, got, want string) {
	m.Helper()
	if got != want {
		m.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// TestTransferFaults goes through what keeps a transfer from its end.
func TestTransferFaults(t *testing.T) {
	big := []globustest.File{{Path: "/d/a.tif", Size: 100}, {Path: "/d/b.tif", Size: 100}}
	tests := []struct {
		name      string
		from, to  globustest.Collection
		members   []any
		want      string // of the task, 30 seconds later
		wantFiles string
		wantCodes string
	}{
		{"none", globustest.Collection{}, globustest.Collection{}, nil, "SUCCEEDED 3/3 skipped 0 faults 0", "a.tif b.tmp sub", "STARTED SUCCEEDED"},
		{"no room", globustest.Collection{Files: big}, globustest.Collection{Quota: 150}, nil, "ACTIVE 1/2 skipped 0 faults 1 QUOTA_EXCEEDED", "a.tif", "STARTED QUOTA_EXCEEDED"},
		{"no room, and that is final", globustest.Collection{Files: big}, globustest.Collection{Quota: 150}, []any{"fail_on_quota_errors", true},
			"FAILED 1/2 skipped 0 faults 1  QUOTA_EXCEEDED", "a.tif", "STARTED QUOTA_EXCEEDED"},
		{"nobody may write", globustest.Collection{}, globustest.Collection{ReadOnly: true}, nil, "ACTIVE 0/3 skipped 0 faults 5 PERMISSION_DENIED", "ClientError.NotFound",
			"STARTED PERMISSION_DENIED PERMISSION_DENIED PERMISSION_DENIED PERMISSION_DENIED PERMISSION_DENIED"},
		{"a folder that is closed", globustest.Collection{Closed: []string{"/d/sub/"}}, globustest.Collection{}, nil, "ACTIVE 2/3 skipped 0 faults 1 PERMISSION_DENIED", "a.tif b.tmp sub", "STARTED PERMISSION_DENIED"},
		{"likewise, left out", globustest.Collection{Closed: []string{"/d/sub/"}}, globustest.Collection{}, []any{"skip_source_errors", true}, "SUCCEEDED 2/3 skipped 0 faults 0", "a.tif b.tmp sub", "STARTED SUCCEEDED"},
		{"damaged on the way", globustest.Collection{Files: []globustest.File{{Path: "/d/a.tif", Size: 100, Garbled: 2}}}, globustest.Collection{}, []any{"verify_checksum", true},
			"SUCCEEDED 1/1 skipped 0 faults 2", "a.tif", "STARTED VERIFY_CHECKSUM VERIFY_CHECKSUM SUCCEEDED"},
		{"damaged, and nobody looks", globustest.Collection{Files: []globustest.File{{Path: "/d/a.tif", Size: 100, Garbled: 2}}}, globustest.Collection{}, nil, "SUCCEEDED 1/1 skipped 0 faults 0", "a.tif", "STARTED SUCCEEDED"},
		{"a file where a folder is", globustest.Collection{}, globustest.Collection{Files: []globustest.File{{Path: "/d/a.tif/x"}}}, nil, "ACTIVE 2/3 skipped 0 faults 1 ENDPOINT_ERROR", "a.tif b.tmp sub", "STARTED ENDPOINT_ERROR"},
		{"filtered", globustest.Collection{}, globustest.Collection{}, []any{"filter_rules", []any{
			map[string]any{"DATA_TYPE": "filter_rule", "method": "exclude", "name": "*.tmp"}, map[string]any{"method": "exclude", "name": "sub", "type": "dir"},
		}}, "SUCCEEDED 1/1 skipped 0 faults 0", "a.tif", "STARTED SUCCEEDED"},
		{"what is missing there", globustest.Collection{}, globustest.Collection{Files: []globustest.File{{Path: "/d/a.tif", Size: 1}}}, []any{"sync_level", 0}, "SUCCEEDED 2/3 skipped 1 faults 0", "a.tif b.tmp sub", "STARTED SUCCEEDED"},
		{"what has another size", globustest.Collection{}, globustest.Collection{Files: []globustest.File{{Path: "/d/a.tif", Size: 100}, {Path: "/d/b.tmp", Size: 11}}}, []any{"sync_level", 1}, "SUCCEEDED 2/3 skipped 1 faults 0", "a.tif b.tmp sub", "STARTED SUCCEEDED"},
		{"what is newer", globustest.Collection{Files: []globustest.File{{Path: "/d/a", Ago: time.Hour}, {Path: "/d/b"}}}, globustest.Collection{Files: []globustest.File{{Path: "/d/a", Ago: time.Minute}, {Path: "/d/b", Ago: time.Minute}}},
			[]any{"sync_level", 2}, "SUCCEEDED 1/2 skipped 1 faults 0", "a b", "STARTED SUCCEEDED"},
		{"what differs, though it is as large", globustest.Collection{Files: []globustest.File{{Path: "/d/a", Size: 1}}}, globustest.Collection{Files: []globustest.File{{Path: "/e/a", Size: 1}}},
			[]any{"sync_level", 3, "DATA", []any{item("/d", "/e")}}, "SUCCEEDED 1/1 skipped 0 faults 0", "ClientError.NotFound", "STARTED SUCCEEDED"},
		{"what does not differ", globustest.Collection{Files: []globustest.File{{Path: "/d/a", Size: 1}}}, globustest.Collection{Files: []globustest.File{{Path: "/d/a", Size: 1}}}, []any{"sync_level", 3}, "SUCCEEDED 0/1 skipped 1 faults 0", "a", "STARTED SUCCEEDED"},
		{"as the source, and no more", globustest.Collection{}, globustest.Collection{Files: []globustest.File{{Path: "/d/old/x"}, {Path: "/d/y"}, {Path: "/other"}}}, []any{"delete_destination_extra", true},
			"SUCCEEDED 3/3 skipped 0 faults 0", "a.tif b.tmp sub", "STARTED SUCCEEDED"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newMover(t, tt.from, tt.to)
			id := m.submit(tt.members...)
			m.PassTime(30 * time.Second)
			m.want("the task", m.task(id), tt.want)
			m.want("its files", m.files("/d"), tt.wantFiles)
			m.want("its events", m.events(id), tt.wantCodes)
		})
	}
}

// What was put right is done at the next try, with nobody's help.
func TestTransferFaultMended(t *testing.T) {
	m := newMover(t, globustest.Collection{}, globustest.Collection{Quota: 50})
	id := m.submit()
	m.PassTime(10 * time.Second)
	m.want("no room", m.task(id), "ACTIVE 2/3 skipped 0 faults 1 QUOTA_EXCEEDED")
	m.Change(toID, func(c *globustest.Collection) { c.Quota = 0 })
	m.PassTime(2 * time.Minute)
	m.want("room", m.task(id), "SUCCEEDED 3/3 skipped 0 faults 1")
}

// A collection goes away in the middle of a transfer, and comes back.
func TestTransferInterrupted(t *testing.T) {
	tests := []struct {
		name                string
		kind                string
		away                func(*globustest.Collection, bool)
		want, wantLs, codes string
	}{
		{"a computer is off", globustest.PersonalCollection, func(c *globustest.Collection, away bool) { c.Offline = away },
			"ACTIVE 1/2 skipped 0 faults 1 GC_NOT_CONNECTED", "ExternalError.DirListingFailed.GCDisconnected", "STARTED GC_NOT_CONNECTED SUCCEEDED"},
		{"a server is off", "", func(c *globustest.Collection, away bool) { c.Offline = away },
			"ACTIVE 1/2 skipped 0 faults 1 CONNECT_FAILED", "ExternalError.DirListingFailed.ConnectFailed", "STARTED CONNECT_FAILED SUCCEEDED"},
		{"a pause", "", func(c *globustest.Collection, away bool) {
			if c.Paused = ""; away {
				c.Paused = "New disks"
			}
		}, "ACTIVE 1/2 skipped 0 faults 0 PAUSED", "OperationPaused", "STARTED PAUSED SUCCEEDED"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := []globustest.File{{Path: "/d/a", Size: 100}, {Path: "/d/b", Size: 100}}
			m := newMover(t, globustest.Collection{Files: files}, globustest.Collection{Type: tt.kind, Speed: 10})
			id := m.submit()
			m.PassTime(15 * time.Second)
			m.want("before", m.task(id), "ACTIVE 1/2 skipped 0 faults 0 OK")
			m.Change(toID, func(c *globustest.Collection) { tt.away(c, true) })
			m.PassTime(time.Hour)
			m.want("away", m.task(id), tt.want)
			m.want("its list", m.files("/d"), tt.wantLs)
			info := m.ask(globustest.TaskPath + id + "/pause_info").json
			if paused := tt.wantLs == "OperationPaused"; paused != (info["destination_pause_message"] == "New disks") || m.ask(globustest.TaskPath + id).json["is_paused"] != paused {
				t.Errorf("got %v", info)
			}
			m.Change(toID, func(c *globustest.Collection) { tt.away(c, false) })
			if got := m.task(id); !strings.HasPrefix(got, "ACTIVE 1/2") {
				t.Errorf("back again: got %s, want that nothing has moved meanwhile", got)
			}
			m.PassTime(time.Minute)
			m.want("its events", m.events(id), tt.codes)
			m.want("its list", m.files("/d"), "a b")
		})
	}
	m := newMover(t, globustest.Collection{}, globustest.Collection{Speed: 1})
	id := m.submit()
	m.PassTime(10 * time.Second)
	m.Change(toID, func(c *globustest.Collection) { c.Deleted = true })
	m.want("deleted", m.task(id), "FAILED 0/3 skipped 0 faults 0  ENDPOINT_ERROR")
	m.want("its list", m.files("/d"), "EndpointDeleted")
}

// Three transfers run at a time, and others wait.
func TestTransferQueue(t *testing.T) {
	m := newMover(t, globustest.Collection{}, globustest.Collection{Speed: 10}) // 11.1 s each, and some more
	var ids []string
	for i := range 5 {
		ids = append(ids, m.submit("DATA", []any{item("/d", fmt.Sprint("/d", i))}))
	}
	m.PassTime(5 * time.Second)
	m.want("the third", m.task(ids[2]), "ACTIVE 0/3 skipped 0 faults 0 OK")
	m.want("the fourth", m.task(ids[3]), "ACTIVE 0/0 skipped 0 faults 0 Queued")
	m.want("its events", m.events(ids[3]), "")
	m.post(globustest.TaskPath+ids[4]+"/cancel", nil)
	m.PassTime(10 * time.Second)
	m.want("the third", m.task(ids[2]), "SUCCEEDED 3/3 skipped 0 faults 0")
	m.want("the fourth", m.task(ids[3]), "ACTIVE 0/3 skipped 0 faults 0 OK")
	m.PassTime(time.Minute)
	m.want("the fourth", m.task(ids[3]), "SUCCEEDED 3/3 skipped 0 faults 0")
	m.want("the fifth, which was cancelled", m.task(ids[4]), "FAILED 0/0 skipped 0 faults 0  CANCELED")
	m.want("its events", m.events(ids[4]), "CANCELED")
}

func TestSubmissionRefused(t *testing.T) {
	tests := []struct {
		name       string
		members    []any
		wantStatus int
		want       string
	}{
		{"nothing", []any{"DATA", []any{}}, 400, "ClientError.BadRequest.NoTransferItems"},
		{"no id", []any{"submission_id", ""}, 400, "ClientError.BadRequest"},
		{"a label of two lines", []any{"label", "a\nb"}, 400, "ClientError.BadRequest"},
		{"a label with a blank at its end", []any{"label", "a "}, 400, "ClientError.BadRequest"},
		{"a long label", []any{"label", strings.Repeat("é", 129)}, 400, "ClientError.BadRequest"},
		{"a sync level", []any{"sync_level", 4}, 400, "ClientError.BadRequest"},
		{"a deadline", []any{"deadline", "soon"}, 400, "ClientError.BadRequest"},
		{"a relative path", []any{"DATA", []any{item("d", "/d")}}, 400, "InvalidPath"},
		{"another document", []any{"DATA_TYPE", "delete"}, 400, "ClientError.BadRequest"},
		{"another item", []any{"DATA", []any{map[string]any{"DATA_TYPE": "delete_item"}}}, 400, "ClientError.BadRequest"},
		{"a bool that is text", []any{"verify_checksum", "yes"}, 400, "ClientError.BadRequest"},
		{"no such collection", []any{"source_endpoint", "x"}, 404, "EndpointNotFound"},
		{"what there is", nil, 202, "Accepted"},
		{"nulls", []any{"label", nil, "deadline", nil, "sync_level", nil, "filter_rules", nil, "verify_checksum", nil, "notify_on_failed", nil}, 202, "Accepted"},
		{"what nobody knows", []any{"new_at_globus", 1}, 202, "Accepted"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newMover(t, globustest.Collection{}, globustest.Collection{})
			r := m.post(globustest.SubmitTransferPath, m.submission(tt.members...))
			if r.status != tt.wantStatus || r.json["code"] != tt.want {
				t.Errorf("got %d %s, want %d %s", r.status, r.body, tt.wantStatus, tt.want)
			}
			if tt.wantStatus >= 400 {
				checkTransferError(t, r, tt.want, "/transfer")
			}
			wantIgnored := ""
			if tt.name == "what nobody knows" {
				wantIgnored = "new_at_globus"
			}
			if got := strings.Join(m.Ignored(globustest.SubmitTransferPath), " "); got != wantIgnored {
				t.Errorf("got %q ignored, want %q", got, wantIgnored)
			}
		})
	}
	m := newMover(t, globustest.Collection{}, globustest.Collection{Type: globustest.PersonalCollection, Offline: true})
	if r := m.post(globustest.SubmitTransferPath, m.submission()); r.status != 502 || r.json["code"] != "ExternalError" {
		t.Errorf("offline: got %d %s", r.status, r.body)
	}
}

// Ten thousand files are moved, listed page by page, and named.
func TestTransferManyFiles(t *testing.T) {
	const n = 10_000
	var files []globustest.File
	for i := range n {
		files = append(files, globustest.File{Path: fmt.Sprintf("/d/%05d", i), Size: int64(i)})
	}
	m := newMover(t, globustest.Collection{Files: files}, globustest.Collection{})
	id := m.submit()
	m.PassTime(time.Hour)
	m.want("the task", m.task(id), "SUCCEEDED 10000/10000 skipped 0 faults 0")
	r := m.ask(globustest.ListPath + toID + "/ls?path=/d&orderby=name&limit=1&offset=9999").json
	if r["total"] != float64(n) || !strings.Contains(fmt.Sprint(r["DATA"]), "09999") {
		t.Errorf("got %v", r)
	}
	marker, seen := any(float64(0)), 0
	for marker != nil {
		page := m.ask(fmt.Sprintf("%s%s/successful_transfers?marker=%v", globustest.TaskPath, id, marker)).json
		seen, marker = seen+len(page["DATA"].([]any)), page["next_marker"]
	}
	if seen != n {
		t.Errorf("got %d files, want %d", seen, n)
	}
}

func TestFileOperationsRefused(t *testing.T) {
	m := newMover(t, globustest.Collection{}, globustest.Collection{Closed: []string{"/closed/"}, Files: []globustest.File{{Path: "/closed/x"}, {Path: "/f"}, {Path: "/dir/"}}})
	tests := []struct {
		name, op   string
		doc        map[string]any
		wantStatus int
		want       string
	}{
		{"no folder above", "mkdir", map[string]any{"path": "/none/new"}, 404, "NotFound"},
		{"a file above", "mkdir", map[string]any{"path": "/f/new"}, 404, "NotFound"},
		{"the root", "mkdir", map[string]any{"path": "/"}, 502, "ExternalError.MkdirFailed.Exists"},
		{"a file", "mkdir", map[string]any{"path": "/f"}, 502, "ExternalError.MkdirFailed.Exists"},
		{"closed", "mkdir", map[string]any{"path": "/closed/new"}, 502, "ExternalError.MkdirFailed.PermissionDenied"},
		{"relative", "mkdir", map[string]any{"path": "new"}, 400, "InvalidPath"},
		{"upwards, which stays within", "mkdir", map[string]any{"path": "/dir/../../made"}, 200, "DirectoryCreated"},
		{"what is not there", "rename", map[string]any{"old_path": "/none", "new_path": "/some"}, 404, "NotFound"},
		{"onto another", "rename", map[string]any{"old_path": "/f", "new_path": "/dir"}, 502, "ExternalError.RenameFailed.Exists"},
		{"into itself", "rename", map[string]any{"old_path": "/dir", "new_path": "/dir/in"}, 502, "EndpointError"},
		{"into another folder", "rename", map[string]any{"old_path": "/f", "new_path": "/dir/g"}, 200, "FileRenamed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.doc["DATA_TYPE"] = tt.op
			r := m.post(globustest.ListPath+toID+"/"+tt.op, tt.doc)
			if r.status != tt.wantStatus || r.json["code"] != tt.want {
				t.Errorf("got %d %s, want %d %s", r.status, r.body, tt.wantStatus, tt.want)
			}
		})
	}
	m.want("in the end", m.files("/"), "closed dir made")
	m.want("the folder", m.files("/dir"), "g")
	m.want("closed", m.files("/closed"), "EndpointPermissionDenied")
}

// A change that a test got wrong ends it.
func TestChangePanics(t *testing.T) {
	m := newMover(t, globustest.Collection{}, globustest.Collection{})
	for name, change := range map[string]func(){
		"no such collection": func() { m.Change("x", func(*globustest.Collection) {}) },
		"another id":         func() { m.Change(toID, func(c *globustest.Collection) { c.ID = fromID }) },
		"a type":             func() { m.Change(fromID, func(c *globustest.Collection) { c.Type = "GCSv4_host" }) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("got no panic")
				}
			}()
			change()
		})
	}
}

// TestFields asks for some members of the documents of each list.
func TestFields(t *testing.T) {
	m := newMover(t, globustest.Collection{}, globustest.Collection{})
	id := m.submit()
	tests := []struct{ path, query, member string }{
		{globustest.TaskListPath, "fields=", "task_id"},
		{globustest.TaskPath + id + "/event_list", "fields=", "code"},
		{globustest.SearchPath, "filter_scope=recently-used&fields=", "display_name"},
		{globustest.ListPath + fromID + "/ls", "path=/d/&fields=", "name"},
	}
	for _, tt := range tests {
		list, _ := m.ask(tt.path + "?" + tt.query + tt.member).json["DATA"].([]any)
		if len(list) == 0 {
			t.Errorf("%s: the list is empty", tt.path)
		}
		for _, one := range list {
			if doc := one.(map[string]any); len(doc) != 1 || doc[tt.member] == nil {
				t.Errorf("%s: got %v, want %s alone", tt.path, doc, tt.member)
			}
		}
	}
}
