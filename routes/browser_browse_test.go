package routes_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	"example.org/portal/routes/routestest"
)

// A person finds a collection in their transfers, looks into its folders, and
// into others that want something of them first.
func TestBrowserBrowse(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
	storage, cluster := place(t, "Example University Research"), place(t, "Example Supercomputer")
	for _, name := range []string{"with JavaScript", "without JavaScript"} {
		t.Run(name, func(t *testing.T) {
			p := s.Person(t)
			p.NoScript = name == "without JavaScript"
			b := p.Tab()
			b.SignIn()
			b.Expect("status of 403")
			b.GoTo("/transfers")
			b.Click("Example Light Source")
			b.Sees("README.txt", "photo51")
			b.Click(fmt.Sprintf("[href=%q]", "/files/"+place(t, "Example Light").ID+"?path=%2Fodd+names%2F"))
			b.Sees("per%20cent?#&=+", "<script>alert(1)<")
			b.Do(chromedp.Reload()) // a folder has an address of its own
			b.Sees("per%20cent?#&=+")
			b.Click(".crumbs a")
			b.Sees("README.txt")
			b.Click(fmt.Sprintf("[href=%q]", "/files/"+place(t, "Example Light").ID+"?path=%2Fempty%2F"))
			b.Shows("#browse-empty")

			// Consent, which somebody who has been here before has given.
			b.GoTo("/files/" + storage.ID + "?path=/home/")
			if name == "with JavaScript" {
				b.Click(".step-up")
				b.Click("[name=allow]")
			}
			b.At(s.URL + "/files/" + storage.ID + "?path=/home/")
			b.Sees("notes.txt")

			// A second factor.
			b.GoTo("/files/" + cluster.ID + "?path=/scratch/")
			b.Click(".step-up")
			b.Click("[name=mfa]")
			b.Click(`[value="rosalind"]`)
			b.At(s.URL + "/files/" + cluster.ID + "?path=/scratch/")
			b.Sees("run-1.out", "run-2.out")
			b.StoresNothing()
		})
	}
}

// Every state of a folder, as TestBrowserStates has those of the other pages.
func TestBrowserBrowseStates(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
	b := s.Person(t).Tab()
	look := looker(t, b)
	b.SignIn()
	folder := "/files/" + place(t, "Example Light").ID
	b.GoTo(folder)
	b.Sees("README.txt")
	look("folder")
	b.GoTo(folder + "?path=/odd+names/")
	b.Sees("alert(1)")
	look("folder-odd-names")
	b.GoTo(folder + "?path=/empty/")
	b.Shows("#browse-empty")
	look("folder-empty")
	b.Expect("status of 404")
	b.Expect("status of 503")
	b.GoTo(folder + "?path=/README.txt")
	b.Shows(reason("not_a_folder") + " .way")
	look("folder-is-a-file")
	b.GoTo("/files/" + place(t, "Rosalind's laptop").ID)
	b.Shows(reason("own_computer_offline") + " .retry")
	look("folder-offline")
}
