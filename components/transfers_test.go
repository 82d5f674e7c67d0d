package components_test

import (
	"testing"
	"time"

	"github.com/a-h/templ"

	"example.org/portal/components"
	"example.org/portal/globus"
)

var _ = add(transferLists)

// transferLists is lists of transfers, with all, little, and hostile data.
func transferLists() map[string]templ.Component {
	task := tasks()
	older := transfers(task["active"])
	older.Offset, older.Size, older.More = 20, 20, true
	beyond := transfers()
	beyond.Offset = 60
	full := card(&globus.Identity{Subject: subject}, components.Secret{}, components.Secret{})
	list, one := page("Your transfers"), page("A transfer")
	list.Route, one.Route = "/transfers", "/transfers/7"
	noScope := full
	noScope.Scopes = []string{"openid"}
	return map[string]templ.Component{
		"TransferList/active":      components.TransferList(transfers(task["succeeded"], task["active"])),
		"TransferList/paused":      components.TransferList(transfers(task["paused"])),
		"TransferList/inactive":    components.TransferList(transfers(task["inactive"])),
		"TransferList/succeeded":   components.TransferList(transfers(task["succeeded"])),
		"TransferList/failed":      components.TransferList(transfers(task["failed"])),
		"TransferList/deletion":    components.TransferList(transfers(task["deletion"])),
		"TransferList/nulls":       components.TransferList(transfers(task["nulls"])),
		"TransferList/hostile":     components.TransferList(transfers(task["hostile"], task["hostile2"])),
		"TransferList/empty":       components.TransferList(transfers()),
		"TransferList/older":       components.TransferList(older),
		"TransferList/beyond":      components.TransferList(beyond),
		"TaskCard/active":          components.TaskCard(taskPage(task["active"])),
		"TaskCard/inactive":        components.TaskCard(taskPage(task["inactive"])),
		"TaskCard/failed":          components.TaskCard(taskPage(task["failed"])),
		"TaskCard/deletion":        components.TaskCard(taskPage(task["deletion"])),
		"TaskCard/nulls":           components.TaskCard(components.TaskPage{Site: site, Now: now}),
		"TaskCard/hostile":         components.TaskCard(taskPage(task["hostile"], globus.TaskEvent{Code: attack, Description: attack, Details: attack, IsError: true})),
		"LazyTransfers/full":       components.LazyTransfers(full),
		"LazyTransfers/signed out": components.LazyTransfers(card(nil, components.Secret{}, components.Secret{})),
		"LazyTransfers/no scope":   components.LazyTransfers(noScope),
		"Frame/transfers":          components.Frame(list, components.TransferList(transfers(task["active"]))),
		"Frame/transfer":           components.Frame(one, components.TransferList(transfers(task["active"]))),
	}
}

func transfers(tasks ...globus.Task) components.Transfers {
	return components.Transfers{Site: site, Now: now, Tasks: tasks, Paging: components.Paging{Self: "/app/transfers"}}
}

func taskPage(task globus.Task, events ...globus.TaskEvent) components.TaskPage {
	events = append(events, globus.TaskEvent{Code: "FILE_NOT_FOUND", Details: "Error\nFile: /a", IsError: true, Time: now.Add(-time.Minute)}, globus.TaskEvent{Code: "NEW", Description: "a new thing"}, globus.TaskEvent{})
	return components.TaskPage{Site: site, Now: now, Task: task, Events: events}
}

func tasks() map[string]globus.Task {
	active := globus.Task{
		ID: "a1", Type: "TRANSFER", Status: globus.TaskActive, Label: "Run 42", Source: "Beamline", SourceID: "s1", Destination: "Archive", DestinationID: "d1",
		Files: 1200, FilesDone: 12, FilesSkipped: 3, Bytes: 1234567890, BytesPerSecond: 87_300_000, Faults: 1, NiceStatus: "CONNECT", NiceStatusShort: "connecting",
		Requested: now.Add(-3*time.Minute - 5*time.Second),
	}
	paused, inactive, succeeded, failed := active, active, active, active
	paused.Paused = true
	inactive.Status, inactive.ID = globus.TaskInactive, "a/../1"
	succeeded.Status, succeeded.Completed = globus.TaskSucceeded, now.Add(-time.Minute).In(time.FixedZone("", 3600))
	failed.Status, failed.FatalError = globus.TaskFailed, &globus.FatalError{Code: "PERMISSION_DENIED", Description: "No write access"}
	deletion := globus.Task{Type: "DELETE", Status: globus.TaskSucceeded, SourceID: "s1", Files: 1}
	hostile := globus.Task{
		ID: attackJ, Type: attack, Status: attack, Label: attack, Source: attack, SourceID: attack, Destination: attack, DestinationID: attack,
		Files: -1, FilesDone: -1, FilesSkipped: -1, Bytes: -1, BytesPerSecond: -1, Faults: -1, FatalError: &globus.FatalError{Code: attack, Description: attack},
		Requested: now.Add(time.Hour), Completed: now.AddDate(-900, 0, 0),
	}
	hostile2 := hostile
	hostile2.Status, hostile2.FatalError, hostile2.NiceStatus = globus.TaskInactive, nil, attack
	return map[string]globus.Task{
		"active": active, "paused": paused, "inactive": inactive, "succeeded": succeeded, "failed": failed,
		"deletion": deletion, "nulls": {}, "hostile": hostile, "hostile2": hostile2,
	}
}

func TestTransferList(t *testing.T) {
	lookAt(t, []look{
		{"TransferList/active", []string{`id="transfers"`, `</bdi> <span aria-hidden="true">→</span>`, `hx-get="/app/transfers"`, `hx-trigger="tick from:body, tab-visible from:body"`, `hx-status:5xx="swap:none"`, "<bdi>Run 42</bdi>", "<bdi>Beamline</bdi>", "<bdi>Archive</bdi>",
			`class="badge active"`, "1,200", `title="1,234,567,890 `, ">1.2 GB<", "87.3 MB/s", `<li class="attention">`, `<time datetime="2026-03-04T11:56:55Z" data-local="title" title="2026-03-04 11:56:55 UTC">`, "<bdi>connecting</bdi>"},
			[]string{`id="transfers-more"`, `id="transfers-newest"`, "<html", "<form", "badge attention"}},
		{"TransferList/paused", []string{`class="badge attention"`, "tick from:body"}, []string{"badge active", `datetime="2026-03-04T11:59:00Z"`}},
		{"TransferList/inactive", []string{`class="badge attention"`, `href="https://app.globus.org/activity/a%2F..%2F1"`, "connecting"}, []string{"tick"}},
		{"TransferList/succeeded", []string{`class="badge succeeded"`, `<time datetime="2026-03-04T11:59:00Z"`}, []string{"tick", "connecting"}},
		{"TransferList/failed", []string{`class="badge failed"`, `class="note failed"`, "<bdi>No write access</bdi>"}, []string{"tick", "connecting"}},
		{"TransferList/deletion", []string{"<bdi>s1</bdi>"}, []string{"→", " B<"}},
		{"TransferList/nulls", []string{"<h3><bdi>", `class="badge"`, "0 B"}, []string{"<time", "attention", "/s<", `class="note`, "<bdi></bdi>", `facts-line"></ul>`}},
		{"TransferList/hostile", []string{"<bdi>&#34;&gt;&lt;script&gt;", "https://app.globus.org/activity/javascript:alert%281%29"}, []string{"<img", "<script"}},
		{"TransferList/empty", []string{`id="transfers-none"`, `href="https://app.globus.org/file-manager"`, "tab-visible from:body", `id="transfers-refresh"`}, []string{"<li", "tick"}},
		{"TransferList/older", []string{`hx-get="/app/transfers?offset=20"`, `href="/app/transfers?offset=40"`, `id="transfers-more"`, `href="/app/transfers"`, `id="transfers-newest"`}, nil},
		{"TransferList/beyond", []string{`id="transfers-beyond"`, `id="transfers-newest"`, `hx-get="/app/transfers?offset=60"`}, []string{`id="transfers-none"`, `id="transfers-more"`}},
		{"TaskCard/active", []string{`id="task"`, `data-status="ACTIVE"`, `hx-get="/app/transfers/a1"`, `hx-trigger="tick from:body, tab-visible from:body"`, `max="1200" value="15"`, "87.3 MB/s", `action="/app/transfers/a1/cancel"`, `data-event="FILE_NOT_FOUND"`, "<bdi>Error\nFile: /a</bdi>", "<bdi>a new thing</bdi>"}, []string{"<html", "0001-"}},
		{"TaskCard/inactive", []string{`hx-trigger="tab-visible from:body"`, `id="task-cancel"`}, []string{"tick"}},
		{"TaskCard/failed", []string{"<bdi>No write access</bdi>"}, []string{"hx-", "task-cancel"}},
		{"TaskCard/deletion", []string{"<bdi>s1</bdi>"}, []string{"<progress", "→"}},
		{"TaskCard/nulls", []string{`id="task-quiet"`}, []string{"<progress", "hx-", "task-cancel"}},
		{"Frame/transfers", []string{`href="/app/transfers" aria-current="page"`}, []string{`href="/app/" aria-current`}},
		{"Frame/transfer", []string{`href="/app/transfers" aria-current="true"`}, []string{`href="/app/" aria-current`}},
		{"LazyTransfers/full", []string{`id="transfers"`, `hx-get="/app/transfers"`, `hx-trigger="load"`, `class="unless-loading" href="/app/transfers"`}, []string{"tick", "5xx"}},
		{"LazyTransfers/signed out", nil, []string{"<"}},
		{"LazyTransfers/no scope", nil, []string{"<"}},
	})
	wantIsolated(t, "TransferList/hostile", "TaskCard/hostile")
}
