package globus_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

func (f *flow) found(transfer *globus.Transfer, q globus.CollectionQuery) string {
	f.Helper()
	var names []string
	for c, err := range transfer.SearchCollections(f.Context(), q) {
		if err != nil {
			return string(globus.KindOf(err))
		}
		names = append(names, strings.Fields(c.Name())[0]+" "+strings.Fields(c.Name())[1])
	}
	return strings.Join(names, "|")
}

func TestSearchCollections(t *testing.T) {
	f := newFlow(t)
	rosalind, ada := f.mover("rosalind"), f.mover("ada")
	tests := []struct {
		name  string
		who   *globus.Transfer
		query globus.CollectionQuery
		want  string
	}{
		{"a word", rosalind, globus.CollectionQuery{Text: "beamline"}, "Example Light"},
		{"the beginnings of two", rosalind, globus.CollectionQuery{Text: "exam  UNIV"}, "Example University|Example Supercomputer|Diffraction, shared"},
		{"page by page", rosalind, globus.CollectionQuery{Text: "example", PageSize: 1, Offset: 1}, "Example University|Example Supercomputer|Tape archive|Rosalind's laptop|Workstation in|Diffraction, shared|Public reference|Example Observatory"},
		{"a word that nobody has", rosalind, globus.CollectionQuery{Text: "xyzzy"}, ""},
		{"a description", rosalind, globus.CollectionQuery{Text: "detector"}, "Example Light"},
		{"nothing at all", rosalind, globus.CollectionQuery{}, "invalid"},
		{"of a type", rosalind, globus.CollectionQuery{Text: "example", EntityType: globustest.GuestCollection}, "Example Light|Diffraction, shared|Public reference"},
		{"her own", rosalind, globus.CollectionQuery{Scope: globus.SearchMine}, "Rosalind's laptop|Workstation in"},
		{"her computers", rosalind, globus.CollectionQuery{Scope: globus.SearchMyComputers, Text: "workst"}, "Workstation in"},
		{"shared with her", rosalind, globus.CollectionQuery{Scope: globus.SearchSharedWithMe}, "Diffraction, shared"},
		{"shared by Ada", ada, globus.CollectionQuery{Scope: globus.SearchSharedByMe}, "Diffraction, shared"},
		{"somebody else's laptop", ada, globus.CollectionQuery{Text: "laptop"}, ""},
		{"one that was deleted", rosalind, globus.CollectionQuery{Text: "old file server"}, ""},
		{"by the tasks that run", rosalind, globus.CollectionQuery{Scope: globus.SearchInUse, Text: "light"}, "Example Light"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := f.found(test.who, test.query); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	// What was used last comes first.
	for _, place := range []string{"reference", "beamline"} {
		f.names(rosalind, place, "/")
	}
	if got := f.found(rosalind, globus.CollectionQuery{Scope: globus.SearchRecent}); !strings.HasPrefix(got, "Example Light|Public reference|") {
		t.Errorf("recently used: got %q", got)
	}
}

func TestCollection(t *testing.T) {
	f := newFlow(t)
	transfer := f.mover("rosalind")
	tests := []struct {
		name                                               string
		mapped, guest, personal, offline, access, assuring bool
	}{
		{name: "beamline", guest: true},
		{name: "Storage", mapped: true, access: true},
		{name: "Tape", mapped: true, assuring: true},
		{name: "laptop", mapped: true, personal: true, offline: true},
		{name: "Workstation", mapped: true, personal: true},
	}
	for _, test := range tests {
		c, err := transfer.Collection(t.Context(), collection(t, test.name))
		if err != nil {
			t.Fatal(err)
		}
		if c.IsMapped() != test.mapped || c.IsGuest() != test.guest || c.IsPersonal() != test.personal || c.IsOffline() != test.offline ||
			c.NeedsDataAccess() != test.access || c.HighAssurance != test.assuring || !strings.Contains(c.Name(), test.name) {
			t.Errorf("%s: got %+v", test.name, c)
		}
		if test.personal != (c.Connected != nil) {
			t.Errorf("%s: Connected is %v", test.name, c.Connected)
		}
		if test.personal && c.Owner != "rosalind@example.edu" {
			t.Errorf("%s: got owner %q", test.name, c.Owner)
		}
	}
	for name, want := range map[string]globus.Kind{"Old file": globus.KindNoCollection, "Storage": ""} {
		if _, err := transfer.Collection(t.Context(), collection(t, name)); globus.KindOf(err) != want {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := f.mover("ada").Collection(t.Context(), collection(t, "laptop")); globus.KindOf(err) != globus.KindDenied {
		t.Errorf("somebody else's: got %v", err)
	}

	// A member of another type is left out, and so is one that is null.
	f.auth.Lie(fault(globustest.CollectionPath, globustest.Fault{Body: `{"id":"x","display_name":null,"canonical_name":"u#x","my_effective_roles":7,"public":"yes","gcp_connected":null}`}))
	if c, err := transfer.Collection(t.Context(), "x"); err != nil || c.Name() != "u#x" || c.Roles != nil || c.Public || c.Connected != nil {
		t.Errorf("got %+v, %v", c, err)
	}
	f.auth.Lie(fault(globustest.CollectionPath, globustest.Fault{Body: `{}`}))
	if _, err := transfer.Collection(t.Context(), "x"); asError(t, err).Reason != globus.Malformed {
		t.Errorf("no collection: got %v", err)
	}
}

func TestBookmarks(t *testing.T) {
	f := newFlow(t)
	transfer := f.mover("rosalind")
	list := func() string {
		all, err := transfer.Bookmarks(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, b := range all {
			names = append(names, b.Name+" "+b.Path)
		}
		return strings.Join(names, "|")
	}
	const before = `Photo 51 /photo51/|My project folder /home/|<b>Old</b> & "gone" /`
	if got := list(); got != before {
		t.Errorf("got %q", got)
	}
	b, err := transfer.CreateBookmark(t.Context(), globus.Bookmark{Name: "new", CollectionID: collection(t, "beamline"), Path: "/odd names"})
	if err != nil || !globus.IsUUID(b.ID) || b.Path != "/odd names/" {
		t.Fatalf("got %+v, %v", b, err)
	}
	if got := list(); got != before+"|new /odd names/" {
		t.Errorf("got %q", got)
	}
	if _, err := transfer.CreateBookmark(t.Context(), *b); globus.KindOf(err) != globus.KindExists {
		t.Errorf("twice: got %v", err)
	}
	if err := transfer.DeleteBookmark(t.Context(), b.ID); err != nil {
		t.Error(err)
	}
	if err := transfer.DeleteBookmark(t.Context(), b.ID); globus.KindOf(err) != globus.KindNotFound {
		t.Errorf("deleted twice: got %v", err)
	}
	if got := list(); got != before {
		t.Errorf("got %q", got)
	}
}

// TestKindOf goes through what Transfer answers, by what can be done about it.
func TestKindOf(t *testing.T) {
	f := newFlow(t)
	transfer := f.mover("rosalind")
	tests := []struct {
		status    int
		body      string
		want      globus.Kind
		temporary bool
	}{
		{403, `{"code":"ConsentRequired","required_scopes":["a"]}`, globus.KindRequirements, false},
		{502, `{"code":"ExternalError.DirListingFailed.LoginFailed","authorization_parameters":{"session_required_mfa":true}}`, globus.KindRequirements, false},
		{502, `{"code":"ExternalError.DirListingFailed.LoginFailed"}`, globus.KindNoAccount, false},
		{403, `{"code":"EndpointPermissionDenied"}`, globus.KindDenied, false},
		{502, `{"code":"ExternalError.MkdirFailed.PermissionDenied"}`, globus.KindDenied, false},
		{403, `{"code":"PermissionDenied"}`, globus.KindDenied, false},
		{404, `{"code":"ClientError.NotFound"}`, globus.KindNotFound, false},
		{404, `{"code":"NotFound"}`, globus.KindNotFound, false},
		{404, `{"code":"BookmarkNotFound"}`, globus.KindNotFound, false},
		{404, `{"code":"EndpointDeleted"}`, globus.KindNoCollection, false},
		{404, `{"code":"EndpointNotFound"}`, globus.KindNoCollection, false},
		{502, `{"code":"ExternalError.DirListingFailed.NotDirectory"}`, globus.KindNotDirectory, false},
		{502, `{"code":"ExternalError.DirListingFailed.SizeLimit"}`, globus.KindTooMany, false},
		{502, `{"code":"ExternalError.MkdirFailed.Exists"}`, globus.KindExists, false},
		{409, `{"code":"Conflict"}`, globus.KindConflict, true},
		{502, `{"code":"ExternalError.DirListingFailed.GCDisconnected"}`, globus.KindOffline, false},
		{502, `{"code":"ExternalError.DirListingFailed.GCNotConnected"}`, globus.KindOffline, false},
		{502, `{"code":"ExternalError"}`, globus.KindOffline, false},
		{409, `{"code":"OperationPaused"}`, globus.KindPaused, false},
		{400, `{"code":"ClientError.BadRequest.NoTransferItems"}`, globus.KindInvalid, false},
		{400, `{"code":"Unheard"}`, globus.KindInvalid, false},
		{429, ``, globus.KindBusy, true},
		{503, `{"code":"ServiceUnavailable"}`, globus.KindBusy, true},
		{502, `<h1>Bad gateway</h1>`, globus.KindBusy, true},
		{502, `{"code":"EndpointError"}`, globus.KindOther, false},
		{502, `{"code":"ExternalError.DirListingFailed.Unheard"}`, globus.KindOther, false},
		{401, `{"code":"ClientError.AuthenticationFailed"}`, globus.KindSignIn, false},
		{200, `<h1>A proxy</h1>`, globus.KindNoAnswer, true},
	}
	for _, test := range tests {
		f.auth.Lie(fault(globustest.StatPath, globustest.Fault{Status: test.status, Body: test.body}))
		_, err := transfer.Stat(t.Context(), uuid1, "/")
		if got := globus.KindOf(err); got != test.want || got.Temporary() != test.temporary {
			t.Errorf("%d %s: got %q, temporary %t; want %q", test.status, test.body, got, got.Temporary(), test.want)
		}
	}
	for want, err := range map[globus.Kind]error{globus.KindOther: errors.New("x"), globus.KindSignIn: globus.ErrNoToken} {
		if got := globus.KindOf(err); got != want {
			t.Errorf("%v: got %q, want %q", err, got, want)
		}
	}
	if got := globus.KindOf(nil); got != "" {
		t.Errorf("no error: got %q", got)
	}
	f.auth.Lie(fault(globustest.StatPath, globustest.Fault{HangUp: true}))
	if _, err := transfer.Stat(t.Context(), uuid1, "/"); globus.KindOf(err) != globus.KindNoAnswer {
		t.Errorf("no answer: got %v", err)
	}
}

// Any status of success is one, with a body or without.
func TestAnySuccess(t *testing.T) {
	f := newFlow(t)
	transfer := f.mover("rosalind")
	for _, status := range []int{200, 201, 202} {
		f.auth.Lie(fault(globustest.SubmitTransferPath, globustest.Fault{Status: status, Body: `{"task_id":"x"}`}))
		if s, err := transfer.SubmitTransfer(t.Context(), globus.TransferRequest{}); err != nil || s.TaskID != "x" || s.Code != "Accepted" {
			t.Errorf("%d: got %+v, %v", status, s, err)
		}
	}
	f.auth.Lie(fault(globustest.MkdirPath, globustest.Fault{Status: http.StatusNoContent}))
	if err := transfer.Mkdir(t.Context(), uuid1, "/x"); err != nil {
		t.Errorf("204: got %v", err)
	}
	f.auth.Lie(fault(globustest.SubmitTransferPath, globustest.Fault{Status: http.StatusNoContent}))
	if _, err := transfer.SubmitTransfer(t.Context(), globus.TransferRequest{}); err == nil {
		t.Error("204 to a submission: got no error, and no task")
	}
}

func TestListFilteredAndOrdered(t *testing.T) {
	f := newFlow(t)
	transfer := f.mover("rosalind")
	tests := []struct {
		query globus.ListQuery
		want  string
	}{
		{globus.ListQuery{Name: "EXPOSURE"}, "exposure-01.tif|exposure-02.tif"},
		{globus.ListQuery{Name: "2.t*f"}, "exposure-02.tif"},
		{globus.ListQuery{Name: "x,u"}, "exposure-01.tif|exposure-02.tif"},
		{globus.ListQuery{OrderBy: "type,size DESC"}, "raw|exposure-02.tif|exposure-01.tif"},
		{globus.ListQuery{OrderBy: "last_modified DESC,name", Limit: 1, Offset: 1}, "exposure-02.tif"},
	}
	for _, test := range tests {
		test.query.Path = "/photo51/"
		listing, err := transfer.List(t.Context(), collection(t, "beamline"), test.query)
		if err != nil {
			t.Fatalf("%+v: %v", test.query, err)
		}
		var names []string
		for _, e := range listing.Entries {
			names = append(names, e.Name)
		}
		if got := strings.Join(names, "|"); got != test.want {
			t.Errorf("%+v: got %q, want %q", test.query, got, test.want)
		}
	}
}

func TestIdentities(t *testing.T) {
	f := newFlow(t)
	const rosalind, ada = "7a1c2e40-3b5d-4f6e-8a90-1920072501aa", "7a1c2e40-3b5d-4f6e-8a90-1815121001aa"
	all, err := f.client.Identities(t.Context(), rosalind, uuid1, ada)
	if err != nil || len(all) != 2 || all[0].Username != "rosalind@example.edu" || all[0].Name != "Rosalind Franklin" ||
		all[0].ProviderName != "Example University" || all[0].Status != "used" || all[1].Subject != ada {
		t.Errorf("got %+v, %v", all, err)
	}
	if all, err := f.client.IdentitiesByUsername(t.Context(), "rosalind@example.edu", "nobody@example.edu"); err != nil || len(all) != 1 || all[0].Subject != rosalind {
		t.Errorf("by user name: got %+v, %v", all, err)
	}
	many := make([]string, 250)
	for i := range many {
		many[i] = rosalind
	}
	if all, err := f.client.Identities(t.Context(), many...); err != nil || len(all) < 3 || f.auth.Requests(globustest.GetIdentitiesPath) != 5 {
		t.Errorf("many: got %d, %v, after %d requests", len(all), err, f.auth.Requests(globustest.GetIdentitiesPath))
	}
	if all, err := f.client.Identities(t.Context()); err != nil || all != nil {
		t.Errorf("none: got %v, %v", all, err)
	}
}

func TestClientCredentials(t *testing.T) {
	f := newFlow(t)
	tokens, err := f.client.ClientCredentials(t.Context(), globus.TransferScope, globus.GroupsScope)
	if err != nil || len(tokens) != 2 || tokens[globus.TransferServer].RefreshToken != "" || !f.auth.Live(tokens[globus.GroupsServer].AccessToken) {
		t.Fatalf("got %d tokens, %v", len(tokens), err)
	}
	source := f.client.ClientSource(globus.TransferServer, globus.TransferScope)
	transfer := f.client.Transfer(source.Fresh)
	if got := f.names(transfer, "beamline", "/empty"); got != "" {
		t.Errorf("got %q", got)
	}
	if got := f.names(transfer, "laptop", "/"); got != "denied" {
		t.Errorf("a person's laptop: got %q", got)
	}
	before := f.auth.Requests(globustest.TokenPath)
	f.clock.add(48*time.Hour - globus.Margin)
	f.names(transfer, "beamline", "/")
	f.names(transfer, "beamline", "/")
	if got := f.auth.Requests(globustest.TokenPath) - before; got != 1 {
		t.Errorf("got %d requests for a token that had aged, want 1", got)
	}
	f.auth.ExpireAccessTokens(globus.TransferServer)
	if got := f.names(transfer, "beamline", "/empty"); got != "" {
		t.Errorf("after the token was refused: got %q", got)
	}
	if _, err := f.client.ClientSource(globus.GroupsServer, globus.TransferScope).Fresh(t.Context(), ""); !errors.Is(err, globus.ErrNoToken) {
		t.Errorf("another server's: got %v", err)
	}
	if _, err := f.client.ClientCredentials(t.Context(), "nonsense"); asError(t, err).Code != "invalid_scope" {
		t.Errorf("no such scope: got %v", err)
	}
}
