package routes_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	if chromedp.FromContext(b.ctx).Target == nil {
		ctx, cancel = b.ctx, func() {} // the first step opens the tab, which lives as long as its context
	}
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// evaluate evaluates an expression. That also works where pages may run no script,
// and fails while a page is on its way.
func evaluate[T any](b *tab, js string) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](js))
}

// get returns a text that the page has.
func (b *tab) get(js string) string {
	b.t.Helper()
	got, err := evaluate[string](b, js)
	if err != nil {
		b.t.Errorf("%s: %v", js, err)
	}
	return got
}

// is reports whether something holds of the page.
func (b *tab) is(js string) bool {
	got, err := evaluate[bool](b, js)
	return err == nil && got
}

// set runs a script of the test's own in the page.
func (b *tab) set(js string) {
	b.t.Helper()
	if _, err := evaluate[chromedp.Void](b, js); err != nil {
		b.t.Fatalf("%s: %v", js, err)
	}
}

// goTo opens a page of the app, as if its address had been typed.
func (b *tab) goTo(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.site.url + path))
}

// front makes it the tab that the person looks at.
func (b *tab) front() {
	b.t.Helper()
	b.do(call(cdppage.BringToFront, cdp.Empty{}))
	await(b.t, "the tab is in front", func() bool { return b.is(`document.visibilityState === "visible"`) })
}

// back presses the browser's Back button.
func (b *tab) back() {
	b.t.Helper()
	// The page may be gone before it can say that it went.
	if _, err := evaluate[chromedp.Void](b, "history.back()"); err != nil && !strings.Contains(err.Error(), "navigated") {
		b.t.Fatal(err)
	}
}

// sees waits until each of the texts is on the page.
func (b *tab) sees(texts ...string) {
	b.t.Helper()
	for _, want := range texts {
		await(b.t, fmt.Sprintf("the page says %q", want), func() bool {
			return b.is(fmt.Sprintf("document.body.innerText.includes(%q)", want))
		})
	}
}

// at waits until the tab is at an address that begins so.
func (b *tab) at(address string) {
	b.t.Helper()
	await(b.t, "the address is "+address, func() bool {
		return b.is(fmt.Sprintf("location.href.startsWith(%q)", address))
	})
}

// complete is whether a page is complete, and none of it waits for htmx: which
// takes up what came with the page only some time after its script has run, and
// what comes by a swap when it has read the answer.
const complete = `document.readyState === "complete" && document.querySelector("[class*=htmx-]") === null &&
	!(globalThis.htmx && document.querySelector(":is([hx-get], [hx-post]):not([data-htmx-powered])"))`

// settled waits until the page is complete and nothing is being loaded.
func (b *tab) settled() {
	b.t.Helper()
	await(b.t, "the page is complete", func() bool {
		return b.is(complete) && b.quiet(0) // in this order: what a page asks for by itself it has asked for by then
	})
}

// idle waits until the tab has left the network alone for a while: long enough
// for what it would do by itself. That nothing happens cannot be awaited.
func (b *tab) idle() {
	b.t.Helper()
	b.settled()
	await(b.t, "the network is idle", func() bool { return b.quiet(400 * time.Millisecond) })
}

func (b *tab) quiet(since time.Duration) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.loading) == 0 && time.Since(b.active) >= since
}

// find is a function that finds the first link, button or summary on the page whose
// text begins with label.
const find = `((label) => [...document.querySelectorAll("a, button, summary")].find(
	(e) => e.checkVisibility() && !e.disabled && e.textContent.replace(/\s+/g, " ").trim().startsWith(label)))`

// click clicks, with the mouse, on the link or button that begins with label.
// It fails if something lies over it.
func (b *tab) click(label string) {
	b.t.Helper()
	place := b.place(label)
	b.do(chromedp.MouseClickXY(place[0], place[1]))
}

// doubleClick clicks twice, as fast as can be.
func (b *tab) doubleClick(label string) {
	b.t.Helper()
	place := b.place(label)
	b.do(chromedp.MouseClickXY(place[0], place[1]), chromedp.MouseClickXY(place[0], place[1], chromedp.ClickCount(2)))
}

// place returns where to click on the link or button that begins with label,
// once it stands still.
func (b *tab) place(label string) []float64 {
	b.t.Helper()
	b.settled()
	var place []float64
	await(b.t, "there is "+label+" to click", func() bool {
		last := place
		place, _ = evaluate[[]float64](b, fmt.Sprintf(`((e) => {
			e?.scrollIntoView({block: "nearest", behavior: "instant"});
			const box = e?.getBoundingClientRect();
			const place = box && [box.x + box.width / 2, box.y + box.height / 2];
			const swapping = document.querySelector("[class*=htmx-]") !== null;
			return place && !swapping && e.contains(document.elementFromPoint(...place)) ? place : [];
		})(%s(%q))`, find, label))
		return len(place) == 2 && slices.Equal(place, last)
	})
	return place
}

// press presses a key. What it types comes with it, as from a keyboard:
// chromedp.KeyEvent sends that as a message of its own, which may come after the
// page has done what the key asked for, and then goes to what stands there now.
func (b *tab) press(key rune) {
	b.t.Helper()
	k := kb.Keys[key]
	down := input.DispatchKeyEventParams{Type: kb.KeyDown, Key: k.Key, Code: k.Code, WindowsVirtualKeyCode: k.Windows, Text: k.Text}
	up := down
	up.Type, up.Text = kb.KeyUp, ""
	b.do(call(input.DispatchKeyEvent, down), call(input.DispatchKeyEvent, up))
}

// tabTo presses Tab until the focus is on what begins with label. All that it
// passes must show that it has the focus.
func (b *tab) tabTo(label string) {
	b.t.Helper()
	b.settled()
	for range 60 {
		b.press('\t')
		if !b.is(`document.activeElement === document.body || getComputedStyle(document.activeElement).outlineStyle !== "none"`) {
			b.t.Errorf("nothing shows that %q has the focus", b.get("document.activeElement.outerHTML"))
		}
		if b.is(fmt.Sprintf("document.activeElement === %s(%q)", find, label)) {
			return
		}
	}
	b.t.Fatalf("the Tab key does not lead to %q", label)
}

// pass lets time go by for the timers of the page.
func (b *tab) pass(d time.Duration) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		budget := float64(d.Milliseconds())
		_, err := chromedp.WaitEvent(emulation.VirtualTimeBudgetExpired, nil, call(emulation.SetVirtualTimePolicy, emulation.SetVirtualTimePolicyParams{
			Policy: emulation.VirtualTimePolicyPauseIfNetworkFetchesPending, Budget: &budget,
		}))(ctx, t)
		return err
	}))
}

// mark marks the document and its card, to tell later whether they are the same.
func (b *tab) mark() {
	b.t.Helper()
	b.set(`for (const it of [window, document.getElementById("user-card")]) if (it) it.marked = true`)
}

// swapped waits until another card, or none, stands in the place of the marked
// one. The document must be the same, and its address.
func (b *tab) swapped(address string) {
	b.t.Helper()
	await(b.t, "the card is swapped", func() bool { return b.is(`!document.getElementById("user-card")?.marked`) })
	b.settled()
	if !b.is("window.marked") {
		b.t.Error("a page was loaded; want the card swapped in place")
	}
	if got := b.get("location.href"); got != address {
		b.t.Errorf("at %s after a swap, want %s still", got, address)
	}
}

// loaded waits until another page than the marked one was loaded from address.
func (b *tab) loaded(address string) {
	b.t.Helper()
	await(b.t, "another page is loaded", func() bool { return b.is("!window.marked") })
	b.at(address)
	b.settled()
}

// rosalindsFacts is what the pages say of Rosalind.
var rosalindsFacts = []string{"Rosalind", "rosalind", "7a1c2e40", "Example University"}

// holdsNothingPersonal checks the whole document, what does not show included,
// and the browser's storage.
func (b *tab) holdsNothingPersonal() {
	b.t.Helper()
	html := b.get("document.documentElement.outerHTML")
	for _, secret := range rosalindsFacts {
		if strings.Contains(html, secret) {
			b.t.Errorf("the document still holds %q:\n%s", secret, html)
		}
	}
	b.storesNothing()
}

// storesNothing checks that scripts find nothing in the app's storage, nor a cookie.
func (b *tab) storesNothing() {
	b.t.Helper()
	if got := b.get("location.origin"); got != origin(b.site.url) {
		b.t.Errorf("at %s, want a page of the app", got)
	}
	if got := b.get(`JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])`); got != `[{},{},""]` {
		b.t.Errorf("localStorage, sessionStorage, cookies: got %s, want nothing", got)
	}
}

// signIn signs Rosalind in from the home page.
func (b *tab) signIn() {
	b.t.Helper()
	b.goTo("/")
	b.click("Log in with Globus")
	b.click("Rosalind Franklin")
	b.sees("Hello Rosalind Franklin!")
	b.settled()
}
