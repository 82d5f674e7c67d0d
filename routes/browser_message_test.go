package routes_test

import (
	"testing"

	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"example.org/portal/routes/routestest"
)

// A message is on the next page alone, and what reads pages aloud reads it out.
func TestBrowserMessage(t *testing.T) {
	t.Parallel()
	s := start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
	// Put into its place again, which the parser of a page does not do.
	const note = `new MutationObserver((changes) => {
		if (changes.some((change) => change.target.id === "message" && change.removedNodes.length > 0)) window.announced = true;
	}).observe(document, {childList: true, subtree: true})`
	for _, name := range []string{"with JavaScript", "without JavaScript"} {
		t.Run(name, func(t *testing.T) {
			p := s.Person(t)
			p.NoScript = name == "without JavaScript"
			b := p.Tab()
			b.Do(routestest.Call(cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: note}))
			b.GoTo("/probe/message")
			b.Shows(`#message[role="status"]`)
			b.Sees(routestest.ProbeMessage)
			if !p.NoScript {
				routestest.Await(t, "the message is announced", func() bool { return b.Holds("window.announced") })
				b.Sees(routestest.ProbeMessage)
			}
			b.Do(chromedp.Reload())
			b.Shows(routestest.SignedOut)
			if b.Holds(`document.getElementById("message") !== null`) {
				t.Error("the message is there again")
			}
			b.StoresNothing()
		})
	}
}
