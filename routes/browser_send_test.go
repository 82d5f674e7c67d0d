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
			b.Click(`[value="exposure-01.tif"]`)
			b.Click(`[value="exposure-02.tif"]`)
			b.Click("#browse-send-to")
			b.Shows("#send-items")
			look("send-to")
			b.GoTo("/send?from=" + light.ID + "&path=%2Fphoto51%2F&item=exposure-01.tif&item=exposure-02.tif&q=workstation")
			b.Shows("#found-" + workstation.ID)
			look("send-found")
			b.Click("#found-" + workstation.ID + " a")
			b.Sees("/home/rosalind/")
			look("send-form")
			b.Click("#send-folders li:last-child a")
			b.Sees("/home/rosalind/data/")
			b.DoubleClick("#send-button")
			b.Shows("#task")
			look("task-active")
			s.Globus.PassTime(time.Hour)
			b.Click("#task-refresh")
			b.Shows(`#task[data-status="SUCCEEDED"]`)
			look("task-ended")
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
