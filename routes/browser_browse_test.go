package routes_test

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// A person finds a collection in their transfers, looks into its folders, and
// into others that want something of them first.
func TestBrowserBrowse(t *testing.T) {
	s := start(t, options{publicURL: "http://localhost:PORT"})
	c := startChromium(t)
	storage, cluster := place(t, "Example University Research"), place(t, "Example Supercomputer")
	for _, name := range []string{"with JavaScript", "without JavaScript"} {
		t.Run(name, func(t *testing.T) {
			p := c.person(t, s)
			p.noScript = name == "without JavaScript"
			b := p.tab()
			b.signIn()
			b.goTo("/transfers")
			b.click("Example Light Source")
			b.sees("README.txt", "photo51")
			b.mark()
			address := b.get("location.href")
			b.click("Folder odd names")
			b.sees("per%20cent?#&=+", "<script>alert(1)<")
			if kept := b.get("location.href") == address; kept == p.noScript {
				t.Errorf("at %s: a page was loaded, or not", b.get("location.href"))
			}
			b.click("Root")
			b.sees("README.txt")
			b.click("Folder empty")
			b.sees("This folder is empty")

			// Consent, which somebody who has been here before has given.
			b.goTo("/browse/" + storage.ID + "?path=/home/")
			if name == "with JavaScript" {
				b.sees("Allow it?")
				b.click("Allow")
			}
			b.at(s.url + "/browse/" + storage.ID + "?path=/home/")
			b.sees("notes.txt")

			// A second factor.
			b.goTo("/browse/" + cluster.ID + "?path=/scratch/")
			b.sees("Choose who signs in", "Example Supercomputer scratch asks who you are")
			b.do(chromedp.Click(chromedp.CSS(`input[name="mfa"]`)))
			b.click("Rosalind Franklin")
			b.at(s.url + "/browse/" + cluster.ID + "?path=/scratch/")
			b.sees("run-1.out", "run-2.out")
			b.storesNothing()
		})
	}
}

// A card in the place of a fragment leads to Globus by a click alone.
func TestBrowserRequirementsCard(t *testing.T) {
	s := start(t, options{publicURL: "http://localhost:PORT"})
	storage := place(t, "Example University Research")
	p := startChromium(t).person(t, s)
	b := p.tab()
	b.signIn()
	b.goTo("/browse/" + place(t, "Example Light").ID)
	b.sees("README.txt")
	b.expect("status of 403")
	b.set(`document.querySelector("#browse .crumbs").innerHTML = "<li><a id='to' hx-get='/browse/` + storage.ID + `?path=/home/' hx-target='#browse' hx-swap='outerHTML'>Elsewhere</a></li>"; htmx.process(document.getElementById("to")); 0`)
	b.click("Elsewhere")
	b.sees("Globus wants your consent", "reach your files in the collection", storage.ID)
	b.idle()
	b.at(s.url + "/browse/" + place(t, "Example Light").ID)
	b.click("Go on at Globus")
	b.sees("Allow it?")
	b.click("Allow")
	b.at(s.url + "/browse/" + storage.ID)
	b.sees("notes.txt")
}
