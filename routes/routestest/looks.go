package routestest

import (
	"os"
	"path/filepath"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

const Axe = "../.ci/node_modules/axe-core/axe.min.js"

// An Appearance is how somebody looks at the pages.
type Appearance struct {
	name, scheme string
	Width        int64 // CSS pixels
}

// Appearances are those in which every page is looked at.
var Appearances = []Appearance{{"wide", "light", 1100}, {"dark", "dark", 1100}, {"narrow", "light", 320}, {"narrow-dark", "dark", 320}}

// Appear shows the page so.
func (b *Tab) Appear(a Appearance) {
	b.T.Helper()
	b.Do(
		chromedp.EmulateViewport(a.Width, 800),
		Call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: a.scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
		}),
	)
}

// Fits checks that nothing has to be scrolled sideways, and the colour scheme.
func (b *Tab) Fits(state string, a Appearance) {
	b.T.Helper()
	got, err := evaluate[[]float64](b, `[innerWidth, document.documentElement.scrollWidth,
		...getComputedStyle(document.body).color.match(/\d+/g).map(Number)]`)
	if err != nil || len(got) < 5 {
		b.T.Fatal(got, err)
	}
	if got[0] != float64(a.Width) || got[1] > got[0] {
		b.T.Errorf("%s, %s: %v px wide in a window of %v, want at most %d", state, a.name, got[1], got[0], a.Width)
	}
	if dark := min(got[2], got[3], got[4]) >= 128; dark != (a.scheme == "dark") {
		b.T.Errorf("%s, %s: the text is rgb%v", state, a.name, got[2:5])
	}
}

// Accessible fails the test over what axe-core finds: everything in a wide window in the
// light. In the dark it looks only for what colours can do wrong, and in a narrow window
// only for what width can: all else is as it was.
func (b *Tab) Accessible(state string, a Appearance, axe string) {
	b.T.Helper()
	options := "{}"
	switch narrow, dark := a.Width < 1000, a.scheme == "dark"; {
	case narrow && dark:
		return
	case dark:
		options = `{runOnly: ["color-contrast", "link-in-text-block"]}`
	case narrow:
		options = `{runOnly: ["scrollable-region-focusable", "target-size"]}`
	}
	for _, v := range b.violations(axe, options) {
		b.T.Errorf("%s, %s: %s", state, a.name, v)
	}
}

// Violations lists what axe-core finds wrong with the page, best practices included.
func (b *Tab) Violations(axe string) []string { b.T.Helper(); return b.violations(axe, "{}") }

func (b *Tab) violations(axe, options string) []string {
	b.T.Helper()
	if !b.Holds("typeof axe === 'object'") {
		b.Run(axe + ";0")
	}
	got, err := chromedp.Run(b.Context, chromedp.Evaluate[[]string](`axe.run(document, `+options+`).then((found) => found.violations.map((v) =>
		v.id + ": " + v.help + "\n" + v.nodes.map((n) => n.html + "\n" + n.failureSummary).join("\n")))`, chromedp.EvalAwaitPromise))
	if err != nil {
		b.T.Fatal(err)
	}
	return got
}

// Screenshot takes a picture into the folder that SCREENSHOTS names, if it does.
func (b *Tab) Screenshot(take chromedp.Action[[]byte], state string, a Appearance) {
	b.T.Helper()
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(b.Context, take)
	if err != nil {
		b.T.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, state+"-"+a.name+".png"), picture, 0o644); err != nil {
		b.T.Fatal(err)
	}
}
