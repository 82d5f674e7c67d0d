package routes_test

import (
	"testing"

	"example.org/portal/routes/routestest"
)

// A card in the place of a fragment leads to Globus by a click alone.
func TestBrowserRequirementsCard(t *testing.T) {
	t.Parallel()
	s := start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
	storage := place(t, "Example University Research")
	p := s.Person(t)
	b := p.Tab()
	b.SignIn()
	b.GoTo("/probe/folder/" + place(t, "Example Light").ID)
	b.Sees("README.txt")
	b.Expect("status of 403")
	b.Run(`document.querySelector("#folder ul").innerHTML = "<li><a id='to' hx-get='/probe/folder/` + storage.ID + `?path=/home/' hx-target='#folder' hx-swap='outerHTML'>Elsewhere</a></li>"; htmx.process(document.getElementById("to")); 0`)
	b.Click("#to")
	b.Shows(reason("requirements"), "[data-demand=data_access]")
	b.Sees(storage.ID)
	b.Idle()
	b.At(s.URL + "/probe/folder/" + place(t, "Example Light").ID)
	b.Click(".step-up")
	b.Click("[name=allow]")
	b.At(s.URL + "/probe/folder/" + storage.ID)
	b.Sees("notes.txt")
}
