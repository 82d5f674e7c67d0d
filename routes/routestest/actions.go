package routestest

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func (b *Tab) Do(steps ...chromedp.Action[chromedp.Void]) {
	b.T.Helper()
	ctx, cancel := context.WithTimeout(b.Context, patience)
	if chromedp.FromContext(b.Context).Target == nil {
		ctx, cancel = b.Context, func() {} // the first step opens the tab, which lives as long as its context
	}
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.T.Fatal(err)
	}
}

// evaluate evaluates an expression. That also works where pages may run no script,
// and fails while a page is on its way.
func evaluate[T any](b *Tab, js string) (T, error) {
	ctx, cancel := context.WithTimeout(b.Context, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](js))
}

// Text returns a text that the page has.
func (b *Tab) Text(js string) string {
	b.T.Helper()
	got, err := evaluate[string](b, js)
	if err != nil {
		b.T.Errorf("%s: %v", js, err)
	}
	return got
}

// Holds reports whether something holds of the page.
func (b *Tab) Holds(js string) bool {
	got, err := evaluate[bool](b, js)
	return err == nil && got
}

// Run runs a script of the test's own in the page.
func (b *Tab) Run(js string) {
	b.T.Helper()
	if _, err := evaluate[chromedp.Void](b, js); err != nil {
		b.T.Fatalf("%s: %v", js, err)
	}
}

// GoTo opens a page of the app, as if its address had been typed.
func (b *Tab) GoTo(path string) {
	b.T.Helper()
	b.Do(chromedp.Navigate(b.Site.URL + path))
}

// Front makes it the tab that the person looks at. If the Person is Full, that hides the
// others. Otherwise all are in sight all the time, and the page is only told that somebody
// looks at it now, by the event with which a tab begins to be in sight.
func (b *Tab) Front() {
	b.T.Helper()
	if !b.person.Full {
		b.Run(`document.dispatchEvent(new Event("visibilitychange"))`)
		return
	}
	b.Do(Call(cdppage.BringToFront, cdp.Empty{}))
	Await(b.T, "the tab is in front", func() bool { return b.Holds(`document.visibilityState === "visible"`) })
}

// Back presses the browser's Back button.
func (b *Tab) Back() {
	b.T.Helper()
	// The page may be gone before it can say that it went.
	if _, err := evaluate[chromedp.Void](b, "history.back()"); err != nil && !strings.Contains(err.Error(), "navigated") {
		b.T.Fatal(err)
	}
}

// Sees waits until each of the texts is on the page.
func (b *Tab) Sees(texts ...string) {
	b.T.Helper()
	for _, want := range texts {
		Await(b.T, fmt.Sprintf("the page says %q", want), func() bool {
			return b.Holds(fmt.Sprintf("document.body.innerText.includes(%q)", want))
		})
	}
}

// Shows waits until each of the CSS selectors matches something visible.
func (b *Tab) Shows(selectors ...string) {
	b.T.Helper()
	for _, selector := range selectors {
		Await(b.T, "the page shows "+selector, func() bool {
			return b.Holds(fmt.Sprintf("[...document.querySelectorAll(%q)].some((e) => e.checkVisibility())", selector))
		})
	}
}

// At waits until the tab is at an address that begins so, and has read the page.
func (b *Tab) At(address string) {
	b.T.Helper()
	Await(b.T, "the address is "+address, func() bool {
		return b.Holds(fmt.Sprintf("location.href.startsWith(%q) && document.readyState !== 'loading'", address))
	})
}

// Complete is a JavaScript expression: whether a page is complete, and none of it
// waits for htmx, which takes up what came with the page only some time after its
// script has run, and what comes by a swap when it has read the answer.
const Complete = `document.readyState === "complete" && document.querySelector("[class*=htmx-]") === null &&
	!(globalThis.htmx && document.querySelector(":is([hx-get], [hx-post], [hx-put], [hx-patch], [hx-delete]):not([data-htmx-powered])"))`

// Settled waits until the page is complete and nothing is being loaded.
func (b *Tab) Settled() {
	b.T.Helper()
	Await(b.T, "the page is complete", func() bool {
		return b.Holds(Complete) && b.quiet(0) // in this order: what a page asks for by itself it has asked for by then
	})
}

// Idle waits until the tab has left the network alone for a while: long enough
// for what it would do by itself. That nothing happens cannot be awaited.
func (b *Tab) Idle() {
	b.T.Helper()
	b.Settled()
	Await(b.T, "the network is idle", func() bool { return b.quiet(400 * time.Millisecond) })
}

func (b *Tab) quiet(since time.Duration) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.loading) == 0 && time.Since(b.active) >= since
}

// find is a function that finds the first visible element that a target names.
const find = `((target) => /^[#.[]/.test(target)
	? [...document.querySelectorAll(target)].find((e) => e.checkVisibility() && !e.disabled)
	: [...document.querySelectorAll("a, button, summary")].find(
		(e) => e.checkVisibility() && !e.disabled && e.textContent.replace(/\s+/g, " ").trim().startsWith(target)))`

// PlaceOf returns a JavaScript expression: the coordinates at which to click on what
// target names (see Tab.Click), [] while there is none or something else lies over it.
// A link may be broken over two lines: the middle of its first line is on it, that of
// its bounding box may lie between the lines.
func PlaceOf(target string) string {
	return fmt.Sprintf(`((e) => {
		e?.scrollIntoView({block: "nearest", behavior: "instant"});
		const box = e?.getClientRects()[0];
		const place = box && [box.x + box.width / 2, box.y + box.height / 2];
		const swapping = document.querySelector("[class*=htmx-]") !== null;
		return place && !swapping && e.contains(document.elementFromPoint(...place)) ? place : [];
	})(%s(%q))`, find, target)
}

// Click clicks with the mouse on what target names: a CSS selector that begins
// with #, . or [, or else what a link, button or summary begins with. It fails
// the test if something else lies over it.
func (b *Tab) Click(target string) {
	b.T.Helper()
	place := b.Place(target)
	b.Do(chromedp.MouseClickXY(place[0], place[1]))
}

// DoubleClick clicks twice, as fast as can be.
func (b *Tab) DoubleClick(target string) {
	b.T.Helper()
	place := b.Place(target)
	b.Do(chromedp.MouseClickXY(place[0], place[1]), chromedp.MouseClickXY(place[0], place[1], chromedp.ClickCount(2)))
}

// Place returns the coordinates at which to click on what target names (see
// Click), once it stands still.
func (b *Tab) Place(target string) []float64 {
	b.T.Helper()
	b.Settled()
	var place []float64
	Await(b.T, "there is "+target+" to click", func() bool {
		last := place
		place, _ = evaluate[[]float64](b, PlaceOf(target))
		return len(place) == 2 && slices.Equal(place, last)
	})
	return place
}

// Press presses a key. What it types comes with it, as from a keyboard:
// chromedp.KeyEvent sends that as a message of its own, which may come after the
// page has done what the key asked for, and then goes to what stands there now.
func (b *Tab) Press(key rune) {
	b.T.Helper()
	k := kb.Keys[key]
	down := input.DispatchKeyEventParams{Type: kb.KeyDown, Key: k.Key, Code: k.Code, WindowsVirtualKeyCode: k.Windows, Text: k.Text}
	up := down
	up.Type, up.Text = kb.KeyUp, ""
	b.Do(Call(input.DispatchKeyEvent, down), Call(input.DispatchKeyEvent, up))
}

// TabTo presses Tab until the focus is on what target names (see Click). All that it
// passes must show that it has the focus.
func (b *Tab) TabTo(target string) {
	b.T.Helper()
	b.Settled()
	for range 60 {
		b.Press('\t')
		if !b.Holds(`document.activeElement === document.body || getComputedStyle(document.activeElement).outlineStyle !== "none"`) {
			b.T.Errorf("nothing shows that %q has the focus", b.Text("document.activeElement.outerHTML"))
		}
		if b.Holds(fmt.Sprintf("document.activeElement === %s(%q)", find, target)) {
			return
		}
	}
	b.T.Fatalf("the Tab key does not lead to %q", target)
}

// Pass lets time go by for the timers of the page.
func (b *Tab) Pass(d time.Duration) {
	b.T.Helper()
	b.Do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		budget := float64(d.Milliseconds())
		_, err := chromedp.WaitEvent(emulation.VirtualTimeBudgetExpired, nil, Call(emulation.SetVirtualTimePolicy, emulation.SetVirtualTimePolicyParams{
			Policy: emulation.VirtualTimePolicyPauseIfNetworkFetchesPending, Budget: &budget,
		}))(ctx, t)
		return err
	}))
}

// cards are the parts of a page that its buttons have htmx swap.
const cards = `[...document.querySelectorAll("#user-card, #account")]`

// Mark marks the document and its card, to tell later whether they are the same.
func (b *Tab) Mark() {
	b.T.Helper()
	b.Run(`for (const it of [window, ...` + cards + `]) it.marked = true`)
}

// Swapped waits until another card, or none, stands in the place of the marked
// one. The document must be the same, and its address.
func (b *Tab) Swapped(address string) {
	b.T.Helper()
	Await(b.T, "the card is swapped", func() bool { return b.Holds(`!` + cards + `.some((card) => card.marked)`) })
	b.Settled()
	if !b.Holds("window.marked") {
		b.T.Error("a page was loaded; want the card swapped in place")
	}
	if got := b.Text("location.href"); got != address {
		b.T.Errorf("at %s after a swap, want %s still", got, address)
	}
}

// Loaded waits until another page than the marked one was loaded from address.
func (b *Tab) Loaded(address string) {
	b.T.Helper()
	Await(b.T, "another page is loaded", func() bool { return b.Holds("!window.marked") })
	b.At(address)
	b.Settled()
}

// rosalindsFacts is what the pages say of Rosalind.
var rosalindsFacts = []string{"Rosalind", "rosalind", "7a1c2e40", "Example University"}

// HoldsNothingPersonal checks the whole document, what does not show included,
// and the browser's storage.
func (b *Tab) HoldsNothingPersonal() {
	b.T.Helper()
	html := b.Text("document.documentElement.outerHTML")
	for _, secret := range rosalindsFacts {
		if strings.Contains(html, secret) {
			b.T.Errorf("the document still holds %q:\n%s", secret, html)
		}
	}
	b.StoresNothing()
}

// StoresNothing checks that scripts find nothing in the app's storage, nor a cookie.
func (b *Tab) StoresNothing() {
	b.T.Helper()
	if got := b.Text("location.origin"); got != origin(b.Site.URL) {
		b.T.Errorf("at %s, want a page of the app", got)
	}
	if got := b.Text(`JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])`); got != `[{},{},""]` {
		b.T.Errorf("localStorage, sessionStorage, cookies: got %s, want nothing", got)
	}
}

// SignIn signs Rosalind in, and opens the home page.
func (b *Tab) SignIn() {
	b.T.Helper()
	b.SignInAs("rosalind")
	b.Shows(SignedIn)
}

// SignInAs signs in as one of the people of the emulator, by their key, and opens the
// home page. It gives the browser the cookies that a sign-in leaves at the app and at
// the emulator, at a third of the cost of SignInByClicks.
func (b *Tab) SignInAs(person string) {
	b.T.Helper()
	if b.Site.Provider != "" {
		b.SignInByClicks(person)
		return
	}
	signedIn := b.Site.Browser()
	signedIn.SignIn(person)
	yes := true
	for _, address := range []string{b.Site.URL, b.Site.Issuer()} {
		u, err := url.Parse(address)
		if err != nil {
			b.T.Fatal(err)
		}
		secure := u.Scheme == "https"
		for _, c := range signedIn.Client.Jar.Cookies(u) {
			b.Do(Call(network.SetCookie, network.SetCookieParams{
				Name: c.Name, Value: c.Value, URL: address, Path: "/", Secure: &secure, HTTPOnly: &yes, SameSite: network.CookieSameSiteLax,
			}))
		}
	}
	b.GoTo("/")
	b.Settled()
}

// SignInByClicks signs in as a person does, and comes to the home page.
func (b *Tab) SignInByClicks(person string) {
	b.T.Helper()
	b.GoTo("/login?prompt=login")
	b.Click(fmt.Sprintf("[value=%q]", person))
	b.At(b.Site.URL + "/")
	b.Settled()
}

// What tells whether somebody is signed in, as CSS selectors for Tab.Shows.
const (
	SignedIn  = "#visitor [data-seconds-left]" // in the header of every page
	SignedOut = "#user-card .login"            // on the home page, and on /user
	Ended     = "#visitor [role=alert] .login" // in the header of a page that was opened before
)

// EndSession takes the session cookie from the browser, as if the session had
// ended in another window.
func (b *Tab) EndSession() {
	b.T.Helper()
	name := strings.Replace(b.Site.URL, "http://localhost:", "portal-", 1) + "-session"
	b.Do(Call(network.DeleteCookies, network.DeleteCookiesParams{Name: name, URL: b.Site.URL}))
}
