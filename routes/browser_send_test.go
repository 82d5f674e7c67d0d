package routes_test

import (
	"fmt"
	"testing"
	"time"

	"example.org/portal/routes/routestest"
)

// A person ticks two files, finds where to, sends them by a double click as one
// transfer, and sees it end; all of it looks well on the way.
func TestBrowserSend(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"with JavaScript", "without JavaScript"} {
		t.Run(name, func(t *testing.T) {
			s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
			light, workstation := place(t, "Example Light"), place(t, "Workstation")
			p := s.Person(t)
			p.NoScript = name == "without JavaScript"
			b := p.Tab()
			look := func(string) {}
			if !p.NoScript {
				look = looker(t, b)
			}
			b.SignIn()
			b.GoTo("/files")
			b.Shows("#bookmarks")
			look("files")
			b.Click(fmt.Sprintf("#bookmarks [href=%q]", "/files/"+light.ID+"?path=%2Fphoto51%2F"))
			for i, value := range []string{"exposure-01.tif", "exposure-02.tif"} {
				if p.NoScript { // by keyboard
					b.TabTo(fmt.Sprintf("[value=%q]", value))
					b.Press(' ')
					continue
				}
				b.Click(fmt.Sprintf("[value=%q]", value))
				b.Sees(fmt.Sprintf("%d ticked", i+1))
			}
			b.TabTo("#browse-send-to")
			b.Press('\r')
			b.Shows("#send-items")
			look("send-to")
			b.TabTo("#places-text")
			for _, letter := range "workstation" {
				b.Press(letter)
			}
			b.Press('\r')
			b.Shows("#found-" + workstation.ID)
			look("send-found")
			b.TabTo("#found-" + workstation.ID + " button")
			b.Press('\r')
			b.Sees("/home/rosalind/")
			look("send-form")
			b.Click("#send-folders li:last-child button")
			b.Sees("/home/rosalind/data/")
			b.Expect("status of 422")
			b.TabTo("#send-label")
			b.Press('x')
			b.Press('\r') // sends nothing yet
			b.Shows("#send-errors")
			look("send-form-wrong")
			if got := b.Text(`document.getElementById("send-label").value`); got != "x" {
				t.Errorf("the label is %q", got)
			}
			b.DoubleClick("#send-button")
			b.Shows("#task")
			look("task-active")
			s.Globus.PassTime(time.Hour)
			if p.NoScript {
				b.Click("#task-refresh")
			} else {
				b.Run(`document.body.dispatchEvent(new CustomEvent("tick", {bubbles: true}))`)
				b.Sees("Transfer succeeded") // for screen readers
			}
			b.Shows(`#task[data-status="SUCCEEDED"]`)
			look("task-ended")
			b.Click("#task-again")
			b.At(s.URL + "/send?")
			b.Sees("exposure-01.tif", "exposure-02.tif", "/home/rosalind/data/")
			b.GoTo("/transfers")
			b.Shows("#transfers")
			if n := b.Text(toWorkstation(workstation.ID)); n != "1" {
				t.Errorf("%s transfers go there, want 1", n)
			}
			b.GoTo("/files/" + workstation.ID + "?path=%2Fhome%2Frosalind%2Fdata%2F")
			b.Sees("exposure-01.tif", "exposure-02.tif")
			b.StoresNothing()
		})
	}
}

// toWorkstation counts the transfers that go to a collection.
func toWorkstation(id string) string {
	return fmt.Sprintf(`String(document.querySelectorAll("#transfers .rows > li [href='/files/%s']").length)`, id)
}
