package components_test

import (
	"net/url"
	"reflect"
	"testing"

	"github.com/a-h/templ"

	"example.org/portal/components"
	"example.org/portal/globus"
)

var _ = add(sendPages)

// sendPages are the pages of what is to be sent, with usual and hostile data.
func sendPages() map[string]templ.Component {
	usual := components.Sending{From: subject, Path: "/a b/", Items: []string{"50%\nof it", "folder/"}, To: subject, Folder: "/x/y/"}
	hostile := components.Sending{From: attack, Path: attack, Items: []string{attack}, To: attack, Folder: attack}
	page := components.SendPage{Site: site, Sending: usual, FromName: "Here", ToName: "There", SubmissionID: "5ub", Folders: []globus.Entry{{Name: "z", Type: globus.EntryDir}}, More: true}
	bad := components.SendPage{Site: site, Sending: hostile, FromName: attack, ToName: attack, SubmissionID: attack, Folders: []globus.Entry{{Name: attack}}}
	return map[string]templ.Component{
		"SendTo/usual": components.SendTo(usual, usual.Places(site)), "SendTo/hostile": components.SendTo(hostile, hostile.Places(site)),
		"SendForm/usual": components.SendForm(page), "SendForm/hostile": components.SendForm(bad),
	}
}

func TestSendPages(t *testing.T) {
	lookAt(t, []look{
		{"SendTo/usual", []string{`action="/app/send"`, `name="item" value="50%25%0Aof it"`, `href="/app/files/` + subject + `?path=%2Fa+b%2F"`}, []string{`name="to"`, "csrf_token"}},
		{"SendForm/usual", []string{`action="/app/transfers"`, `action="/app/send/folder"`, `name="submission_id" value="5ub"`, `id="send-above"`, "folder=%2Fx%2Fy%2Fz%2F", "folder=%2Fx%2F&", `name="verify" type="checkbox" value="1" checked`}, []string{`name="changed" type="checkbox" value="1" checked`}},
		{"SendForm/hostile", []string{"&#34;&gt;&lt;script&gt;"}, []string{"<img", "<script"}},
	})
	wantIsolated(t, "SendTo/hostile", "SendForm/hostile")
}

// What is chosen comes back from the address as it was, whatever the names.
func TestSending(t *testing.T) {
	want := components.Sending{From: subject, Path: "/a\r\nb/", Items: []string{"50%25\n", " x ", "+&=?#", "\u202ee/"}, To: subject, Folder: "/~/"}
	u, err := url.Parse(want.Route())
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := components.SendingOf(u.Query()); !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %t, want %+v", got, ok, want)
	}
	for _, bad := range []url.Values{
		{}, {"from": {subject}}, {"from": {"x"}, "path": {"/"}}, {"from": {subject}, "path": {"/a"}}, {"from": {subject}, "path": {"a/"}}, {"from": {subject}, "path": {"/../"}},
		{"from": {subject}, "path": {"//"}, "item": {""}}, {"from": {subject}, "path": {"/"}, "item": {"a/b"}}, {"from": {subject}, "path": {"/"}, "item": {".."}}, {"from": {subject}, "path": {"/"}, "item": {"%zz"}},
		{"from": {subject}, "path": {"/"}, "item": {"%00"}}, {"from": {subject}, "path": {"/"}, "to": {"x"}}, {"from": {subject}, "path": {"/"}, "to": {subject}, "folder": {"x"}},
	} {
		if got, ok := components.SendingOf(bad); ok {
			t.Errorf("%v is taken for %+v", bad, got)
		}
	}
}
