package routes_test

import (
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
			b.GoTo("/transfers")
			b.Click("Example Light Source")
			b.Sees("README.txt", "photo51")
			b.Mark()
			address := b.Text("location.href")
			b.Click("Folder odd names")
			b.Sees("per%20cent?#&=+", "<script>alert(1)<")
			if kept := b.Text("location.href") == address; kept == p.NoScript {
				t.Errorf("at %s: a page was loaded, or not", b.Text("location.href"))
			}
			b.Click("Root")
			b.Sees("README.txt")
			b.Click("Folder empty")
			b.Sees("This folder is empty")

			// Consent, which somebody who has been here before has given.
			b.GoTo("/browse/" + storage.ID + "?path=/home/")
			if name == "with JavaScript" {
				b.Sees("Allow it?")
				b.Click("Allow")
			}
			b.At(s.URL + "/browse/" + storage.ID + "?path=/home/")
			b.Sees("notes.txt")

			// A second factor.
			b.GoTo("/browse/" + cluster.ID + "?path=/scratch/")
			b.Sees("Choose who signs in", "Example Supercomputer scratch asks who you are")
			b.Do(chromedp.Click(chromedp.CSS(`input[name="mfa"]`)))
			b.Click("Rosalind Franklin")
			b.At(s.URL + "/browse/" + cluster.ID + "?path=/scratch/")
			b.Sees("run-1.out", "run-2.out")
			b.StoresNothing()
		})
	}
}

// A card in the place of a fragment leads to Globus by a click alone.
func TestBrowserRequirementsCard(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
	storage := place(t, "Example University Research")
	p := s.Person(t)
	b := p.Tab()
	b.SignIn()
	b.GoTo("/browse/" + place(t, "Example Light").ID)
	b.Sees("README.txt")
	b.Expect("status of 403")
	b.Run(`document.querySelector("#browse .crumbs").innerHTML = "<li><a id='to' hx-get='/browse/` + storage.ID + `?path=/home/' hx-target='#browse' hx-swap='outerHTML'>Elsewhere</a></li>"; htmx.process(document.getElementById("to")); 0`)
	b.Click("Elsewhere")
	b.Sees("Globus wants your consent", "reach your files in the collection", storage.ID)
	b.Idle()
	b.At(s.URL + "/browse/" + place(t, "Example Light").ID)
	b.Click("Go on at Globus")
	b.Sees("Allow it?")
	b.Click("Allow")
	b.At(s.URL + "/browse/" + storage.ID)
	b.Sees("notes.txt")
}
