package globus_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

// mover returns a person's Transfer, at an emulator with the demo's collections.
func (f *flow) mover(person string) *globus.Transfer {
	f.Helper()
	return f.client.Transfer(f.client.Source(f.tokens(person), globus.TransferServer, nil).Fresh)
}

// request copies what is at a path of the beamline to the workstation.
func (f *flow) request(transfer *globus.Transfer, from, to string) globus.TransferRequest {
	f.Helper()
	id, err := transfer.SubmissionID(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	return globus.TransferRequest{
		SubmissionID: id, Source: collection(f.T, "beamline"), Destination: collection(f.T, "Workstation"),
		Items: []globus.TransferItem{{Source: from, Destination: to}},
	}
}

func (f *flow) submit(transfer *globus.Transfer, r globus.TransferRequest) *globus.Submission {
	f.Helper()
	s, err := transfer.SubmitTransfer(f.Context(), r)
	if err != nil {
		f.Fatal(err)
	}
	return s
}

func (f *flow) task(transfer *globus.Transfer, id string) globus.Task {
	f.Helper()
	task, err := transfer.Task(f.Context(), id)
	if err != nil {
		f.Fatal(err)
	}
	return *task
}

// names lists a folder of a collection.
func (f *flow) names(transfer *globus.Transfer, place, path string) string {
	f.Helper()
	listing, err := transfer.List(f.Context(), collection(f.T, place), globus.ListQuery{Path: path, Hidden: true})
	if err != nil {
		return string(globus.KindOf(err))
	}
	var names []string
	for _, e := range listing.Entries {
		names = append(names, e.Name)
	}
	return strings.Join(names, "|")
}

// TestTransfer follows a folder from one collection to another.
func TestTransfer(t *testing.T) {
	f := newFlow(t)
	transfer := f.mover("rosalind")
	r := f.request(transfer, "/photo51/", "/~/photo51/")
	r.Label, r.Sync, r.PreserveTimes = "  A label\nin two lines ", globus.SyncChecksum, true
	s := f.submit(transfer, r)
	if s.Code != "Accepted" || s.Duplicate() || !globus.IsUUID(s.TaskID) || s.TaskID == r.SubmissionID {
		t.Errorf("got %+v", s)
	}
	if got := f.task(transfer, s.TaskID); got.Status != globus.TaskActive || got.Label != "A label in two lines" || got.Source != "Example Light Source, beamline 7" || got.FilesDone != 0 {
		t.Errorf("at first: got %+v", got)
	}
	if got := f.names(transfer, "Workstation", "/~/photo51/"); got != "not_found" {
		t.Errorf("before it ran: got %q", got)
	}
	f.auth.PassTime(3 * time.Second) // the two small files have arrived, and part of the large one
	got := f.task(transfer, s.TaskID)
	if got.Status != globus.TaskActive || got.Files != 3 || got.FilesDone != 2 || got.Bytes <= 97_000_000 || got.NiceStatus != "OK" {
		t.Errorf("on the way: got %+v", got)
	}
	if got := f.names(transfer, "Workstation", "/~/photo51/"); got != "exposure-01.tif|exposure-02.tif|raw" {
		t.Errorf("on the way: got %q", got)
	}
	f.auth.PassTime(time.Minute)
	if got := f.task(transfer, s.TaskID); got.Status != globus.TaskSucceeded || got.FilesDone != 3 || got.Bytes != 3_097_000_000 || got.Completed.IsZero() || got.Faults != 0 {
		t.Errorf("in the end: got %+v", got)
	}
	if got := f.names(transfer, "Workstation", "/~/photo51/raw"); got != "frame 1 & 2.h5" {
		t.Errorf("in the end: got %q", got)
	}
	var files []string
	for file, err := range transfer.SuccessfulTransfers(t.Context(), s.TaskID) {
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file.Source+" "+file.Destination)
	}
	if want := "/photo51/exposure-01.tif /home/rosalind/photo51/exposure-01.tif"; len(files) != 3 || files[0] != want {
		t.Errorf("got %q, want three, the first %q", files, want)
	}

	r.SubmissionID = f.request(transfer, "", "").SubmissionID
	again := f.submit(transfer, r)
	f.auth.PassTime(time.Minute)
	if got := f.task(transfer, again.TaskID); got.FilesSkipped != 3 || got.FilesDone != 0 || got.Bytes != 0 {
		t.Errorf("what is there already: got %+v", got)
	}
}

// Names are whatever somebody chose: they arrive as they are, and stand for nothing.
func TestTransferOddNames(t *testing.T) {
	names := []string{"a\nb", "\u202egpj.exe", `"quoted" 'twice'`, "per%2Fcent", "%", "a&b=c?d#e+f", "<script>", "{}", "*.tif", "\\", " ", ".hidden", "ünïcode-\u0065\u0301", "a,b:c!", "~", "-rf"}
	place := globustest.Collection{ID: uuid1, Name: "Odd"}
	for _, name := range names {
		place.Files = append(place.Files, globustest.File{Path: "/from/" + name, Size: 7})
	}
	f := newFlowAt(t, nil, []globustest.Collection{place})
	transfer := f.mover("rosalind")
	ctx := t.Context()
	for _, name := range names {
		id, err := transfer.SubmissionID(ctx)
		if err != nil {
			t.Fatal(err)
		}
		_, err = transfer.SubmitTransfer(ctx, globus.TransferRequest{SubmissionID: id, Source: uuid1, Destination: uuid1,
			Items: []globus.TransferItem{{Source: "/from/" + name, Destination: "/to/" + name, Type: globus.EntryFile}}})
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		f.auth.PassTime(time.Hour)
		if entry, err := transfer.Stat(ctx, uuid1, "/to/"+name); err != nil || entry.Name != name || entry.Size != 7 {
			t.Errorf("%q: got %+v, %v", name, entry, err)
		}
		if err := transfer.Mkdir(ctx, uuid1, "/to/dir "+name); err != nil {
			t.Errorf("mkdir %q: %v", name, err)
		}
		if err := transfer.Rename(ctx, uuid1, "/to/dir "+name, "/renamed "+name); err != nil {
			t.Errorf("rename %q: %v", name, err)
		}
		if entry, err := transfer.Stat(ctx, uuid1, "/renamed "+name); err != nil || !entry.IsDir() {
			t.Errorf("renamed %q: got %+v, %v", name, entry, err)
		}
	}
	listing, err := transfer.List(ctx, uuid1, globus.ListQuery{Path: "/to", Hidden: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range listing.Entries {
		if !slices.Contains(names, e.Name) {
			t.Errorf("got %q, which nobody has made", e.Name)
		}
	}
	if len(listing.Entries) != len(names) {
		t.Errorf("got %d, want %d", len(listing.Entries), len(names))
	}
}

// Nothing is ever sent twice: the same submission id is the same task, also when the
// first answer was lost.
func TestTransferTwice(t *testing.T) {
	f := newFlow(t)
	transfer := f.mover("rosalind")
	r := f.request(transfer, "/README.txt", "/~/copy.txt")
	count := func() (n int) {
		for _, err := range transfer.TaskList(t.Context(), globus.TaskQuery{PageSize: 1000}) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		return n
	}
	before := count()

	for _, lost := range []globustest.Fault{{HangUp: true, After: true, Times: 1}, {Status: 502, Body: "<h1>canary</h1>", After: true, Times: 1}} {
		f.auth.Lie(fault(globustest.SubmitTransferPath, lost))
		_, err := transfer.SubmitTransfer(t.Context(), r)
		if kind := globus.KindOf(err); !kind.Temporary() {
			t.Errorf("a lost answer: got %v, %s, want one to retry", err, kind)
		}
	}
	s := f.submit(transfer, r)
	if !s.Duplicate() {
		t.Errorf("got %+v, want a duplicate", s)
	}
	if again := f.submit(transfer, r); again.TaskID != s.TaskID {
		t.Errorf("got %s, want the same task %s", again.TaskID, s.TaskID)
	}
	if got := count() - before; got != 1 {
		t.Errorf("got %d tasks, want 1", got)
	}

	other := f.request(transfer, "/README.txt", "/~/copy.txt")
	_, err := transfer.SubmitTransfer(t.Context(), other)
	if e := asError(t, err); globus.KindOf(err) != globus.KindConflict || e.Status != http.StatusConflict {
		t.Errorf("the same paths: got %v, %s, want a conflict", err, globus.KindOf(err))
	}
	f.auth.PassTime(time.Hour)
	if s, err := transfer.SubmitTransfer(t.Context(), other); err != nil || s.Duplicate() {
		t.Errorf("the same paths, later: got %+v, %v", s, err)
	}
}

// A retry of the very same request goes on being safe while a token is renewed.
func TestSubmitWithAnAgedToken(t *testing.T) {
	f := newFlow(t)
	transfer := f.mover("rosalind")
	r := f.request(transfer, "/README.txt", "/~/copy.txt")
	f.auth.ExpireAccessTokens(globus.TransferServer)
	if s := f.submit(transfer, r); s.Duplicate() {
		t.Errorf("got %+v", s)
	}
}

func TestCancelTask(t *testing.T) {
	f := newFlow(t)
	transfer := f.mover("rosalind")
	s := f.submit(transfer, f.request(transfer, "/photo51/", "/~/photo51/"))
	f.auth.PassTime(3 * time.Second)
	if code, err := transfer.CancelTask(t.Context(), s.TaskID); err != nil || code != globus.CancelDone {
		t.Errorf("got %s, %v", code, err)
	}
	f.auth.PassTime(time.Hour)
	got := f.task(transfer, s.TaskID)
	if got.Status != globus.TaskFailed || got.FatalError == nil || got.FatalError.Code != "CANCELED" || got.FilesDone != 2 {
		t.Errorf("got %+v", got)
	}
	if got := f.names(transfer, "Workstation", "/~/photo51/"); got != "exposure-01.tif|exposure-02.tif|raw" {
		t.Errorf("what had arrived: got %q", got)
	}
	if code, err := transfer.CancelTask(t.Context(), s.TaskID); err != nil || code != globus.CancelTooLate {
		t.Errorf("again: got %s, %v", code, err)
	}
	if _, err := transfer.CancelTask(t.Context(), uuid1); globus.KindOf(err) != globus.KindNotFound {
		t.Errorf("no such task: got %v", err)
	}
	if _, err := f.mover("ada").CancelTask(t.Context(), s.TaskID); globus.KindOf(err) != globus.KindNotFound {
		t.Errorf("somebody else's: got %v", err)
	}
}

// A file that is missing does not make a task fail: it waits, and says why.
func TestTransferMissingFile(t *testing.T) {
	f := newFlow(t)
	transfer := f.mover("rosalind")
	r := f.request(transfer, "/none.txt", "/~/none.txt")
	r.Items = append(r.Items, globus.TransferItem{Source: "/README.txt", Destination: "/~/README 2.txt"})
	s := f.submit(transfer, r)
	f.auth.PassTime(3 * time.Minute)
	got := f.task(transfer, s.TaskID)
	if got.Status != globus.TaskActive || got.Faults < 2 || got.FilesDone != 1 || got.NiceStatus != "FILE_NOT_FOUND" {
		t.Errorf("got %+v", got)
	}
	var codes []string
	for e, err := range transfer.TaskEvents(t.Context(), s.TaskID, globus.EventQuery{ErrorsOnly: true, PageSize: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Code != "FILE_NOT_FOUND" || !e.IsError || e.Time.IsZero() || !strings.Contains(e.Details, "/none.txt") {
			t.Errorf("got %+v", e)
		}
		codes = append(codes, e.Code)
	}
	if len(codes) != int(got.Faults) {
		t.Errorf("got %d events, want %d", len(codes), got.Faults)
	}
	f.auth.PassTime(100 * time.Hour)
	if got := f.task(transfer, s.TaskID); got.Status != globus.TaskFailed || got.FatalError.Code != "EXPIRED" {
		t.Errorf("after the deadline: got %+v", got)
	}

	r = f.request(transfer, "/none.txt", "/~/none.txt")
	r.SkipErrors = true
	s = f.submit(transfer, r)
	f.auth.PassTime(time.Minute)
	if got := f.task(transfer, s.TaskID); got.Status != globus.TaskSucceeded || got.SkippedErrors != 1 {
		t.Errorf("skipped: got %+v", got)
	}
	for skipped, err := range transfer.SkippedErrors(t.Context(), s.TaskID) {
		if err != nil || skipped.Code != "FILE_NOT_FOUND" || skipped.Source != "/none.txt" || skipped.Time.IsZero() {
			t.Errorf("got %+v, %v", skipped, err)
		}
	}
}

// A collection may want something of the person in the middle of it: on the source,
// on the destination, or on both.
func TestSubmitRequirements(t *testing.T) {
	storage, tape, cluster := "Storage", "Tape", "scratch"
	access := func(t *testing.T, name string) string {
		scopes, err := globus.DataAccess(collection(t, name))
		if err != nil {
			t.Fatal(err)
		}
		return scopes.String()
	}
	tests := []struct {
		name, source, destination string
		want                      func(*globus.Requirements) bool
	}{
		{"consent at the source", storage, "Workstation", func(r *globus.Requirements) bool { return r.Scopes.String() == access(t, storage) }},
		{"consent at the destination", "beamline", storage, func(r *globus.Requirements) bool { return r.Scopes.String() == access(t, storage) }},
		{"consent at both", storage, "Observatory", func(r *globus.Requirements) bool { return r.Scopes.String() == access(t, storage) }},
		{"a domain", "beamline", tape, func(r *globus.Requirements) bool { return slices.Equal(r.Domains, []string{"lab.example.org"}) }},
		{"a second factor", cluster, "Workstation", func(r *globus.Requirements) bool { return r.MFA && slices.Equal(r.Domains, []string{"example.edu"}) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFlow(t)
			transfer := f.mover("rosalind")
			r := f.request(transfer, "/x", "/x")
			r.Source, r.Destination = collection(t, test.source), collection(t, test.destination)
			_, err := transfer.SubmitTransfer(t.Context(), r)
			required, ok := globus.RequirementsOf(err)
			if !ok || !test.want(required) || globus.KindOf(err) != globus.KindRequirements {
				t.Errorf("got %v, %+v", err, required)
			}
		})
	}
}

func TestSubmitDelete(t *testing.T) {
	f := newFlow(t)
	transfer := f.mover("rosalind")
	submit := func(r globus.DeleteRequest) globus.Task {
		t.Helper()
		r.SubmissionID, r.Collection = f.request(transfer, "", "").SubmissionID, collection(t, "beamline")
		s, err := transfer.SubmitDelete(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		f.auth.PassTime(time.Minute)
		return f.task(transfer, s.TaskID)
	}
	if got := submit(globus.DeleteRequest{Paths: []string{"/README.txt"}, Label: "Tidy"}); got.Status != globus.TaskSucceeded || got.Type != "DELETE" || got.DestinationID != "" {
		t.Errorf("a file: got %+v", got)
	}
	if got := f.names(transfer, "beamline", "/"); got != "empty|odd names|photo51" {
		t.Errorf("got %q", got)
	}
	if got := submit(globus.DeleteRequest{Paths: []string{"/photo51"}}); got.Status != globus.TaskFailed || got.FatalError == nil {
		t.Errorf("a folder: got %+v", got)
	}
	if got := submit(globus.DeleteRequest{Paths: []string{"/README.txt"}}); got.Status != globus.TaskFailed || got.FatalError.Code != "FILE_NOT_FOUND" {
		t.Errorf("what is not there: got %+v", got)
	}
	if got := submit(globus.DeleteRequest{Paths: []string{"/README.txt", "/photo51", "/o*"}, Recursive: true, IgnoreMissing: true}); got.Status != globus.TaskSucceeded {
		t.Errorf("all of it: got %+v", got)
	}
	if got := f.names(transfer, "beamline", "/"); got != "empty|odd names" {
		t.Errorf("got %q: a star is a name", got)
	}
}

// TestRetryAfter: Globus says when to come back. A call waits so long, once, if that
// is soon.
func TestRetryAfter(t *testing.T) {
	again := func(seconds string, times int) globustest.Lie {
		return fault(globustest.SubmitTransferPath, globustest.Fault{Status: 429, Header: http.Header{"Retry-After": {seconds}}, Times: times})
	}
	tests := []struct {
		name         string
		lie          globustest.Lie
		wantRequests int
		want         time.Duration // RetryAfter; less than 0: it succeeds
	}{
		{"at once", again("0", 1), 2, -1},
		{"and again", again("0", 2), 2, 0},
		{"much later", again("120", 1), 1, 2 * time.Minute},
		{"a date", again(time.Now().Add(time.Hour).UTC().Format(http.TimeFormat), 1), 1, time.Hour},
		{"nonsense", again("soon", 1), 1, 0},
		{"a date that has passed", again("Mon, 01 Jan 2001 00:00:00 GMT", 1), 2, -1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFlow(t)
			transfer := f.mover("rosalind")
			r := f.request(transfer, "/README.txt", "/~/copy.txt")
			f.auth.Lie(test.lie)
			_, err := transfer.SubmitTransfer(t.Context(), r)
			if got := f.auth.Requests(globustest.SubmitTransferPath); got != test.wantRequests {
				t.Errorf("got %d requests, want %d", got, test.wantRequests)
			}
			if test.want < 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			e := asError(t, err)
			if globus.KindOf(err) != globus.KindBusy || e.RetryAfter > test.want || e.RetryAfter < test.want-time.Minute {
				t.Errorf("got %v, %s, %v; want %v", err, globus.KindOf(err), e.RetryAfter, test.want)
			}
		})
	}
}

// The wait ends with whoever waits.
func TestRetryAfterCancelled(t *testing.T) {
	f := newFlow(t)
	transfer := f.mover("rosalind")
	r := f.request(transfer, "/README.txt", "/~/copy.txt")
	f.auth.Lie(fault(globustest.SubmitTransferPath, globustest.Fault{Status: 503, Header: http.Header{"Retry-After": {"3"}}}))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := transfer.SubmitTransfer(ctx, r)
	if e := asError(t, err); e.Status != 503 || e.RetryAfter != 3*time.Second || errors.Is(ctx.Err(), context.DeadlineExceeded) {
		t.Errorf("got %v, want 503 at once", err)
	}
}

// What a task has copied comes in pages, each of which names the next.
func TestSuccessfulTransfersPages(t *testing.T) {
	place := globustest.Collection{ID: uuid1, Name: "Many"}
	for i := range 250 {
		place.Files = append(place.Files, globustest.File{Path: fmt.Sprintf("/from/%03d", i)})
	}
	f := newFlowAt(t, nil, []globustest.Collection{place})
	transfer := f.mover("rosalind")
	r := f.request(transfer, "/from", "/to")
	r.Source, r.Destination = uuid1, uuid1
	s := f.submit(transfer, r)
	f.auth.PassTime(time.Hour)
	n := 0
	for file, err := range transfer.SuccessfulTransfers(t.Context(), s.TaskID) {
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("/from/%03d", n); file.Source != want {
			t.Fatalf("got %s, want %s", file.Source, want)
		}
		n++
	}
	if got := f.auth.Requests(globustest.SuccessfulTransfersPath); n != 250 || got != 3 {
		t.Errorf("got %d files in %d requests, want 250 in 3", n, got)
	}
}
