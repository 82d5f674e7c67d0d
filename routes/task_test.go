package routes_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// One task has a page of its own, to which its label in the list leads; it reads
// itself again while it runs, can be cancelled, and is nobody else's.
func TestTask(t *testing.T) {
	t.Parallel()
	const running, done = "a5c00000-0000-4000-8000-000000000001", "a5c00000-0000-4000-8000-000000000002"
	people := someTransfers()
	people[0].Tasks = []globustest.Task{
		{ID: running, Label: "Under way", Status: globus.TaskActive, Takes: time.Hour, Ago: 30 * time.Minute, Files: 500, Bytes: 1 << 40, Faults: 2},
		{ID: done, Label: "Ended", Files: 7, Bytes: 7000, Ago: time.Hour},
	}
	s := routestest.Start(t, routestest.Options{People: append(people, globustest.SubOnly())})
	b, ada := s.Browser(), s.Browser()
	b.SignIn("rosalind")
	ada.SignIn("sub-only")

	if list := b.Get("/transfers"); !strings.Contains(list.Body, `href="/transfers/`+running+`"`) {
		t.Errorf("the list does not lead to it:\n%s", list.Body)
	}
	p := b.Get("/transfers/" + running)
	for _, want := range []string{"<html", `data-status="ACTIVE"`, `<progress id="task-progress"`, `max="500" value="2`, "tick from:body", `data-event="STARTED"`, "/s</li>"} {
		if p.Status != http.StatusOK || !strings.Contains(p.Body, want) {
			t.Errorf("got %d, want %q:\n%s", p.Status, want, p.Body)
		}
	}
	if p := b.Get("/transfers/"+running, routestest.Htmx...); strings.Contains(p.Body, "<html") || !p.Has("task") {
		t.Errorf("got no fragment:\n%s", p.Body)
	}
	p = b.Get("/transfers/" + done)
	if !strings.Contains(p.Body, `data-status="SUCCEEDED"`) || strings.Contains(p.Body, `hx-get="/transfers/`) || p.Has("task-cancel") {
		t.Errorf("it has ended, and should rest:\n%s", p.Body)
	}

	for _, missing := range []string{"x", "a5c00000-0000-4000-8000-00000000dead", running + "x"} {
		if p := b.Get("/transfers/" + missing); p.Status != http.StatusNotFound || p.Reason() != "no_such_transfer" {
			t.Errorf("%s: got %d %s", missing, p.Status, p.Reason())
		}
	}
	if p := ada.Get("/transfers/" + running); p.Status != http.StatusNotFound || p.Reason() != "no_such_transfer" {
		t.Errorf("somebody else's: got %d %s", p.Status, p.Reason())
	}
	cancel := "/transfers/" + running + "/cancel"
	if p := ada.Send(http.MethodPost, cancel, ada.Get("/account").Form()); p.Status != http.StatusNotFound {
		t.Errorf("somebody else cancelled it: got %d", p.Status)
	}
	if p := b.Send(http.MethodPost, cancel, nil); p.Status != http.StatusForbidden {
		t.Errorf("without a token: got %d", p.Status)
	}
	if p := b.Get("/transfers/" + running); !strings.Contains(p.Body, `data-status="ACTIVE"`) {
		t.Errorf("it should run still:\n%s", p.Body)
	}
	for _, want := range []string{"Cancelled", "already ended"} { // the second click finds it ended
		sent := b.Send(http.MethodPost, cancel, p.Form())
		if to := sent.Header.Get("Location"); to != s.URL+"/transfers/"+running {
			t.Fatalf("got %d, to %q:\n%s", sent.Status, to, sent.Body)
		}
		if p := b.Follow(sent); !strings.Contains(p.Body, `data-status="FAILED"`) || !strings.Contains(p.Body, `data-event="CANCELED"`) || !strings.Contains(p.Body, want) {
			t.Errorf("want %q:\n%s", want, p.Body)
		}
	}
}
