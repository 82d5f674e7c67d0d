package routestest

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"

	"example.org/portal/routes/routestest/programs"
)

// chromium holds the headless browsers that all tests of a package share. Each
// starts with the first tab that needs it.
var chromium struct {
	sync.Mutex
	shell, full context.Context
}

// Main runs the tests of a package, several parallel ones at once because they
// mostly wait. In the end it stops the Chromium that they shared, and calls end. A
// package whose tests have a Person calls it in TestMain:
//
//	func TestMain(m *testing.M) { routestest.Main(m) }
func Main(m *testing.M, end ...func()) {
	programs.ManyAtOnce()
	code := m.Run()
	for _, f := range end {
		f()
	}
	chromium.Lock()
	for _, ctx := range []context.Context{chromium.shell, chromium.full} {
		if ctx != nil {
			limited, cancel := context.WithTimeout(ctx, 10*time.Second)
			_ = chromedp.Cancel(limited)
			cancel()
		}
	}
	os.Exit(code)
}

// sharedChromium returns the context of a browser, which it starts if it does not
// run yet: the whole of Chromium, or its headless shell, which has neither windows nor
// menus and so costs half as much.
func sharedChromium(t *testing.T, full bool) context.Context {
	t.Helper()
	path, shared := chromiumPath(t, full), &chromium.shell
	if full {
		shared = &chromium.full
	}
	chromium.Lock()
	defer chromium.Unlock()
	if *shared != nil {
		return *shared
	}
	flags := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path),
		chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("allow-pre-commit-input", true), // else a click on a page not yet painted is lost
		// Less to do: no process for each site, no spare process, and no pages for what
		// is typed into the address bar. The number of processes has no limit: one that
		// is used again can read a sessionStorage that is older than the page before.
		chromedp.Flag("disable-site-isolation-trials", true),
		chromedp.Flag("disable-features", "SpareRendererForSitePerProcess,Translate,WebUIOmniboxPopup,WebUIOmniboxAimPopup"),
	}
	if os.Geteuid() == 0 {
		flags = append(flags, chromedp.NoSandbox)
	}
	ctx, _ := chromedp.NewContext(context.Background(), chromedp.WithAllocatorOptions(flags...))
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	*shared = ctx
	return ctx
}

func chromiumPath(t *testing.T, full bool) string {
	t.Helper()
	names := []string{"chromium", "chromium-browser", "google-chrome"}
	if !full {
		names = append([]string{"chromium-headless-shell"}, names...)
	}
	return Program(t, names...)
}

// A Person uses Chromium: their tabs share cookies with one another, and with
// nobody else. What differs from others is set before the first tab.
type Person struct {
	Site     *Site
	NoScript bool // their browser runs no JavaScript
	AnyTLS   bool // their browser accepts any certificate

	// Full gives them all of Chromium: a tab in front hides the others, and Back takes
	// a page from the back/forward cache. Otherwise they have its headless shell, if it
	// is installed, at half the cost: each of their tabs is in sight.
	Full bool

	t   *testing.T
	ctx context.Context // of the first tab, which is the last to be closed
}

// Person returns somebody who has never used the site. It skips the test if
// there is no Chromium.
func (s *Site) Person(t *testing.T) *Person {
	t.Helper()
	chromiumPath(t, false)
	return &Person{Site: s, t: t}
}

// Cookies returns the person's cookies of localhost, by name.
func (p *Person) Cookies() map[string]*network.Cookie {
	p.t.Helper()
	if p.ctx == nil {
		return nil
	}
	got, err := chromedp.CallBrowser(p.ctx, storage.GetCookies, storage.GetCookiesParams{
		BrowserContextID: chromedp.FromContext(p.ctx).BrowserContextID,
	})
	if err != nil {
		p.t.Fatal(err)
	}
	all := map[string]*network.Cookie{}
	for _, c := range got.Cookies {
		if c.Domain == "localhost" {
			all[c.Name] = c
		}
	}
	return all
}

// HasSession reports whether there is a session cookie.
func (p *Person) HasSession() bool {
	p.t.Helper()
	for name := range p.Cookies() {
		if strings.Contains(name, "session") {
			return true
		}
	}
	return false
}
