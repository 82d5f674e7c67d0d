package search_test

import (
	"os"
	"testing"

	"example.org/portal/routes/routestest"
)

// axe is the source of axe-core. It skips the test if there is none.
func axe(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile("../" + routestest.Axe)
	if err != nil {
		routestest.Skip(t, "needs axe-core: npm ci --ignore-scripts --prefix .ci")
	}
	return string(source)
}

// TestBrowserSearch: somebody finds data, with and without JavaScript. axe-core finds no
// fault in any state on the way.
func TestBrowserSearch(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
	for _, script := range []bool{true, false} {
		t.Run(map[bool]string{true: "with JavaScript", false: "without JavaScript"}[script], func(t *testing.T) {
			p := s.Person(t)
			p.NoScript = !script
			b := p.Tab()
			b.Expect("status of 400")
			b.Expect("status of 403")
			look := func(state string) {
				t.Helper()
				b.Settled()
				if !script {
					return
				}
				source := axe(t)
				wide, narrowDark := routestest.Appearances[0], routestest.Appearances[3]
				b.Appear(narrowDark)
				b.Fits(state, narrowDark)
				b.Appear(wide)
				b.Fits(state, wide)
				b.Accessible(state, wide, source)
			}
			total := func(want string) { t.Helper(); b.Shows(`#found-title[data-total="` + want + `"]`) }
			b.GoTo("/search")
			total("48")
			look("everything")
			b.Mark()
			b.Click(`#facet-keywords .facet-more`)
			b.Shows(`#more-find`, `#more a[href*="keywords=peat"]`)
			look("all values")
			b.Run(`document.getElementById("more-find").value = "pea"`)
			b.Click(`#more button[type=submit]`)
			b.At(s.URL + map[bool]string{true: "/search", false: "/search/more?facet=keywords&find=pea"}[script])
			if b.Shows(`#more-order[href*="find=pea&"]`, `#more a[href*="keywords=peat"]`); b.Holds(`document.querySelector('#more a[href*="keywords=soil"]') !== null`) {
				t.Error("values without what was typed are shown")
			}
			b.Click("#more-order")
			b.Shows(`#more-order[href$="find=pea"]`)
			if script && !b.Holds(`document.getElementById("search-dialog").open && window.marked`) {
				t.Error("the values are not in a dialog")
			}
			b.Click(`#more-back`)
			b.At(s.URL + "/search")
			b.Click(`#facet-keywords .facet-more`)
			b.Click(`#more a[href*="keywords=peat"]`)
			b.Shows(`[id="chip-keywords-peat"]`)
			b.At(s.URL + "/search?keywords=peat")
			b.Click(`[id="chip-keywords-peat"]`)
			b.At(s.URL + "/search")
			b.Click(`#facet-site\.region a[href*="Amazon"]`)
			b.Shows(`[id="chip-site.region-Amazon"]`, `#facet-site\.region a[href*="Arctic"]`)
			b.At(s.URL + "/search?site.region=Amazon")
			b.Click(`#facet-site\.region a[href*="Arctic"]`)
			b.Shows(`[id="chip-site.region-Arctic"]`)
			b.Click(`#facet-taken a[href*="taken.from=2020"]`)
			b.Shows(`[id="chip-taken-range"]`)
			b.At(s.URL + "/search?site.region=Amazon&site.region=Arctic&taken.from=2020&taken.to=2020")
			look("narrowed")
			if script && !b.Holds("window.marked") {
				t.Error("a page was loaded; want what was found swapped in place")
			}
			b.Back()
			b.At(s.URL + "/search?site.region=Amazon&site.region=Arctic")
			b.Settled()
			if b.Holds(`document.getElementById("chip-taken-range") !== null`) {
				t.Error("Back shows what was left")
			}
			b.Click("#search-next, .record")
			b.Shows("#record")
			look("a record")
			b.Click("#record-next")
			b.Shows("#record-previous")
			b.Click("#record-back")
			b.At(s.URL + "/search?site.region=Amazon&site.region=Arctic")

			// Files of a record, in its page or as pages.
			b.GoTo("/search/record?subject=https://doi.org/10.5072/efs.0001")
			b.Mark()
			b.Click(`.preview-link[href*="README.txt"]`)
			b.Shows(".preview-text")
			if !script {
				b.Click(".preview-back")
			}
			b.Click(`.preview-link[href*="readings.csv"]`)
			b.Shows(`.preview-table[data-rows="50"]`)
			if !script {
				b.Click(".preview-back")
			}
			b.Click(`.preview-link[href*="readings.png"]`)
			b.Shows(".preview-image")
			look("previews")
			if !b.Holds(`document.querySelector(".preview-image").naturalWidth > 0`) {
				t.Error("the image is not shown")
			}
			if !script {
				return
			}
			if !b.Holds(`window.marked && document.querySelectorAll(".preview-shown").length === 3`) {
				t.Error("a page was loaded; want the files shown in the page of the record")
			}
			b.GoTo("/search/record?subject=https://doi.org/10.5072/efs.0006")
			b.Click(`.preview-link[href*="README.txt"]`)
			b.Shows(`.preview ` + routestest.Reason("preview_sign_in"))
			look("a file that is not shown")
			b.GoTo("/search/code?q=peat")
			b.Shows("#code-query")
			look("a search as code")
			b.GoTo("/search?q=nosuchword&site.region=Amazon")
			b.Shows("#suggestions a")
			look("nothing found")
			b.GoTo("/search?advanced=1&q=((&site.region=Amazon")
			b.Shows(routestest.Reason("bad_query"), `[id="chip-site.region-Amazon"]`)
			look("a bad query")
			b.GoTo("/search/compare?subject=https://doi.org/10.5072/efs.0001&subject=https://doi.org/10.5072/efs.0003")
			b.Shows("#compare-only")
			look("compared")

			// Signing in keeps the search, and finds more.
			b.GoTo("/search?q=soil")
			b.Click("#search-login")
			b.Click(`[value="rosalind"]`)
			b.Click(".step-up")
			b.Click("[name=allow]")
			b.At(s.URL + "/search?q=soil")
			b.Shows("#search-extra")

			// The files of all that was found are sent.
			b.Click("#search-send")
			b.Shows("#source-1-part-1")
			look("all that was found")
			b.Click("#source-1-part-1 button")
			b.Shows("#send-items")
		})
	}
}
