package globustest_test

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

func TestTaskDocument(t *testing.T) {
	tests := []struct {
		name string
		task globustest.Task
		want map[string]any // of its members; the clock stands at 2027-01-15T08:00:00Z
	}{
		{
			"zero", globustest.Task{},
			map[string]any{
				"type": "TRANSFER", "status": "SUCCEEDED", "label": nil, "owner_id": "r",
				"request_time": "2027-01-15T08:00:00+00:00", "completion_time": "2027-01-15T08:00:00+00:00",
				"deadline": "2027-01-22T08:00:00+00:00", "files": 0.0, "bytes_transferred": 0.0, "effective_bytes_per_second": 0.0,
				"is_ok": nil, "nice_status": nil, "nice_status_short_description": nil, "nice_status_expires_in": nil,
				"fatal_error": nil, "is_paused": false, "sync_level": nil, "canceled_by_admin": nil, "subtasks_total": 1.0,
			},
		},
		{
			"succeeded",
			globustest.Task{
				Label: "l", Source: "s", Destination: "d", Ago: time.Hour, Takes: 10 * time.Second,
				Files: 10, Directories: 2, Skipped: 3, Bytes: 1<<53 + 1, Faults: 4, Nice: "OK",
			},
			map[string]any{
				"label": "l", "source_endpoint_display_name": "s", "destination_endpoint_display_name": "d",
				"request_time": "2027-01-15T07:00:00+00:00", "completion_time": "2027-01-15T07:00:10+00:00",
				"files": 10.0, "files_transferred": 7.0, "files_skipped": 3.0, "directories": 2.0, "faults": 4.0,
				"effective_bytes_per_second": 900719925474099.0, "is_ok": nil, "nice_status": nil,
				"subtasks_total": 11.0, "subtasks_succeeded": 11.0, "subtasks_pending": 0.0,
			},
		},
		{
			"stands still",
			globustest.Task{Status: globus.TaskActive, Ago: time.Hour, Files: 10, Bytes: 7200, Done: 0.5, Nice: "PAUSED", NiceWords: "p", Paused: true},
			map[string]any{
				"status": "ACTIVE", "completion_time": nil, "files": 10.0, "files_transferred": 5.0, "bytes_transferred": 3600.0,
				"effective_bytes_per_second": 1.0, "is_paused": true, "is_ok": false,
				"nice_status": "PAUSED", "nice_status_short_description": "p", "nice_status_expires_in": -1.0,
				"subtasks_succeeded": 6.0, "subtasks_pending": 5.0,
			},
		},
		{
			"fares well", globustest.Task{Status: globus.TaskActive, Nice: "Queued"},
			map[string]any{"status": "ACTIVE", "is_ok": true, "nice_status": "Queued", "nice_status_short_description": nil},
		},
		{
			"inactive", globustest.Task{Status: globus.TaskInactive, Ago: time.Hour, Takes: time.Minute, Done: 1, Files: 2},
			map[string]any{"status": "INACTIVE", "completion_time": nil, "files_transferred": 2.0, "nice_status": nil},
		},
		{
			"failed",
			globustest.Task{
				Status: globus.TaskFailed, Ago: time.Hour, Takes: time.Hour, Files: 4, Done: 0.5,
				FatalError: &globus.FatalError{Code: "C", Description: "D"},
			},
			map[string]any{
				"status": "FAILED", "completion_time": "2027-01-15T08:00:00+00:00", "files_transferred": 2.0,
				"subtasks_failed": 2.0, "subtasks_pending": 0.0,
			},
		},
		{
			"deletes", globustest.Task{Type: "DELETE", Source: "s", Destination: "d", Files: 3},
			map[string]any{
				"type": "DELETE", "source_endpoint_display_name": "s", "destination_endpoint_id": nil, "destination_endpoint": nil,
				"destination_endpoint_display_name": nil, "files": 3.0, "files_transferred": 0.0,
			},
		},
		{
			"edited", globustest.Task{Label: "l", Edit: globustest.Edit{Set: map[string]any{"label": "", "files": nil}}},
			map[string]any{"label": "", "files": nil},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPortal(t, "rosalind", tasksOf(tt.task))
			tasks, _ := p.list(nil)
			got := tasks[0]
			for name, want := range tt.want {
				if value, ok := got[name]; !ok || value != want {
					t.Errorf("got %s %v, want %v", name, value, want)
				}
			}
			if tt.task.FatalError != nil {
				fatal, _ := got["fatal_error"].(map[string]any)
				if fatal["code"] != "C" || fatal["description"] != "D" {
					t.Errorf("got fatal_error %v", got["fatal_error"])
				}
			}
			if id := str(got["task_id"]); !uuidForm.MatchString(id) || p.ask(globustest.TaskPath+id).status != 200 {
				t.Errorf("got task_id %q, want a UUID that leads to the task", id)
			}
		})
	}
}

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// A collection's id goes with its name, and more bytes than a float64 can count
// arrive to the last one.
func TestTaskDocumentNumbersAndIDs(t *testing.T) {
	p := newPortal(t, "rosalind", tasksOf(
		globustest.Task{Source: "a", Destination: "b", Bytes: 1<<53 + 1},
		globustest.Task{Source: "b", Destination: "a"},
	))
	tasks, _ := p.list(nil)
	a, b := str(tasks[0]["source_endpoint_id"]), str(tasks[0]["destination_endpoint_id"])
	if !uuidForm.MatchString(a) || a == b || a != tasks[1]["destination_endpoint_id"] || b != tasks[1]["source_endpoint_id"] {
		t.Errorf("got ids %v and %v", tasks[0], tasks[1])
	}
	if body := p.ask(globustest.TaskListPath).body; !strings.Contains(body, `"bytes_transferred":9007199254740993,`) {
		t.Errorf("got %s, want 9007199254740993 bytes", body)
	}
}

// The clock of a person's tasks begins when they are first shown.
func TestTaskProgress(t *testing.T) {
	type row struct {
		after             time.Duration
		status            string
		files, done, size float64
	}
	tests := []row{
		{0, "ACTIVE", 666, 333, 3333},
		{10 * time.Second, "ACTIVE", 1000, 500, 5000},
		{39 * time.Second, "ACTIVE", 1000, 983, 9833},
		{40 * time.Second, "SUCCEEDED", 1000, 1000, 10000},
		{time.Hour, "SUCCEEDED", 1000, 1000, 10000},
	}
	p := newPortal(t, "rosalind", tasksOf(globustest.Task{
		ID: "x", Status: globus.TaskActive, Ago: 20 * time.Second, Takes: time.Minute, Files: 1000, Bytes: 10000, Nice: "OK",
	}))
	p.clock.add(time.Hour) // nobody looks
	p.transfer(globustest.TaskListPath, "Bearer x")
	p.clock.add(time.Hour)
	var requested any
	var passed time.Duration
	for _, tt := range tests {
		p.clock.add(tt.after - passed)
		passed = tt.after
		got := p.ask(globustest.TaskPath + "x").json
		if (row{tt.after, str(got["status"]), got["files"].(float64), got["files_transferred"].(float64), got["bytes_transferred"].(float64)}) != tt {
			t.Errorf("got %v, want %v", got, tt)
		}
		if requested == nil {
			requested = got["request_time"]
		}
		if got["request_time"] != requested {
			t.Errorf("after %v: got request_time %v, want still %v", tt.after, got["request_time"], requested)
		}
		var want any
		if tt.status == "SUCCEEDED" {
			want = "2027-01-15T10:00:40+00:00"
		}
		if got["completion_time"] != want {
			t.Errorf("after %v: got completion_time %v, want %v", tt.after, got["completion_time"], want)
		}
		active, _ := p.list(url.Values{"filter": {"status:ACTIVE"}})
		if got := len(active) == 1; got != (tt.status == "ACTIVE") {
			t.Errorf("after %v: the filter lets it through: %t", tt.after, got)
		}
	}
}

// The app's own type reads every demo task.
func TestDemoTasksAreTasks(t *testing.T) {
	for _, person := range globustest.DemoPeople() {
		p := newPortal(t, person.Key, globustest.Config{})
		var list struct {
			DATA []globus.Task
		}
		if err := json.Unmarshal([]byte(p.ask(globustest.TaskListPath+"?limit=1000").body), &list); err != nil {
			t.Errorf("%s: %v", person.Key, err)
		}
		if len(list.DATA) != len(person.Tasks) {
			t.Errorf("%s: got %d tasks, want %d", person.Key, len(list.DATA), len(person.Tasks))
		}
	}
}
