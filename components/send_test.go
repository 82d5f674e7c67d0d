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
	usual := components.Sending{From: subject, Path: "/a b/", Items: []string{"50%\nof it", "folder/"}, To: subject, Folder: "/x/y/", Label: "Mine", SkipVerify: true}
	hostile := components.Sending{From: attack, Path: attack, Items: []string{attack}, To: attack, Folder: attack, Label: attack}
	many := components.Sending{From: subject, Path: "/", Items: []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m"}, To: subject, Folder: "/"}
	everything := components.Sending{From: subject, Path: "/", Items: []string{components.Everything}}
	page := components.SendPage{Site: site, Sending: usual, FromName: "Here", ToName: "There", SubmissionID: "5ub", Folders: []globus.Entry{{Name: "z", Type: globus.EntryDir}}, More: true}
	bad := components.SendPage{Site: site, Sending: hostile, FromName: attack, ToName: attack, SubmissionID: attack, Folders: []globus.Entry{{Name: attack}}, New: attack}
	bad.Errors.Add("new", attack)
	return map[string]templ.Component{
		"SendTo/usual": sendTo(usual), "SendTo/everything": sendTo(everything), "SendTo/hostile": sendTo(hostile),
		"SendForm/usual": components.SendForm(page), "SendForm/hostile": components.SendForm(bad),
		"SendForm/many": components.SendForm(components.SendPage{Site: site, Sending: many}),
	}
}

func sendTo(s components.Sending) templ.Component {
	p := components.Places{Site: site, Sending: &s, Text: "x", Paging: components.Paging{Self: "/app/send?q=x", Offset: 20, Size: 20, More: true}}
	p.Found = []globus.Collection{{ID: subject, DisplayName: "Mapped"}}
	return components.SendTo(p)
}

func TestSendPages(t *testing.T) {
	lookAt(t, []look{
		{"SendTo/usual", []string{`action="/app/send"`, `name="item" value="50%25%0Aof it"`, `formaction="/app/files/` + subject + `?path=%2Fa+b%2F"`, `formaction="/app/send?folder=&amp;to=` + subject + `"`,
			`formaction="/app/send?offset=40&amp;q=x"`, `name="label" value="Mine"`, `name="verify" value="0"`, "csrf_token"}, []string{`name="to"`}},
		{"SendTo/everything", []string{`name="item" value="/"`, `id="send-items"`}, nil},
		{"SendForm/usual", []string{`action="/app/transfers"`, `formaction="/app/send/folder"`, `name="submission_id" value="5ub"`, `id="send-above"`, "folder=%2Fx%2Fy%2Fz%2F", "folder=%2Fx%2F&",
			`name="notify" type="checkbox" value="1" checked`, `name="label" type="text" value="Mine"`, `aria-invalid="false"`},
			[]string{`name="changed" type="checkbox" value="1" checked`, `name="verify" type="checkbox" value="1" checked`, `id="send-many"`, `id="send-errors"`}},
		{"SendForm/many", []string{`<details id="send-many">`, ">13 items<"}, nil},
		{"SendForm/hostile", []string{"&#34;&gt;&lt;script&gt;", `aria-invalid="true"`, `id="send-errors"`}, []string{"<img", "<script"}},
	})
	wantIsolated(t, "SendTo/hostile", "SendForm/hostile")
}

// What is chosen comes back from the address as it was, whatever the names.
func TestSending(t *testing.T) {
	want := components.Sending{From: subject, Path: "/a\r\nb/", Items: []string{"50%25\n", " x ", "+&=?#", "\u202ee/", "down/to/file", "down/to/"}, To: subject, Folder: "/~/", Label: "é%0A", Changed: true, SkipVerify: true, NoMail: true}
	u, err := url.Parse(want.Route())
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := components.SendingOf(u.Query()); !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %t, want %+v", got, ok, want)
	}
	for item, want := range map[string][]string{"a": {"a", "b"}, "/": {"/"}, "b": {"b"}} {
		if got, ok := components.SendingOf(url.Values{"from": {subject}, "path": {"/"}, "item": {item, "b"}}); !ok || !reflect.DeepEqual(got.Items, want) {
			t.Errorf("%s and b: got %q, want %q", item, got.Items, want)
		}
	}
	for _, bad := range []url.Values{
		{}, {"from": {subject}}, {"from": {"x"}, "path": {"/"}}, {"from": {subject}, "path": {"/a"}}, {"from": {subject}, "path": {"a/"}}, {"from": {subject}, "path": {"/../"}},
		{"from": {subject}, "path": {"//"}, "item": {""}}, {"from": {subject}, "path": {"/"}, "item": {"a//b"}}, {"from": {subject}, "path": {"/"}, "item": {"a/../b"}}, {"from": {subject}, "path": {"/"}, "item": {"/a"}}, {"from": {subject}, "path": {"/"}, "item": {".."}}, {"from": {subject}, "path": {"/"}, "item": {"%zz"}},
		{"from": {subject}, "path": {"/"}, "item": {"%00"}}, {"from": {subject}, "path": {"/"}, "to": {"x"}}, {"from": {subject}, "path": {"/"}, "to": {subject}, "folder": {"x"}},
		{"from": {subject}, "path": {"/"}, "item": {"//"}},
	} {
		if got, ok := components.SendingOf(bad); ok {
			t.Errorf("%v is taken for %+v", bad, got)
		}
	}
}
