package routes_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

// A chromium is a headless browser process with a profile that nobody used before.
type chromium struct {
	ctx context.Context
}

func startChromium(t *testing.T, flags ...chromedp.ExecAllocatorOption) chromium {
	t.Helper()
	flags = append(flags,
		chromedp.ExecPath(program(t, "chromium", "chromium-browser", "google-chrome")),
		chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("allow-pre-commit-input", true), // else a click on a page not yet painted is lost
	)
	if os.Geteuid() == 0 {
		flags = append(flags, chromedp.NoSandbox)
	}
	ctx, _ := chromedp.NewContext(context.Background(), chromedp.WithAllocatorOptions(flags...))
	t.Cleanup(func() {
		limited, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		_ = chromedp.Cancel(limited)
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return chromium{ctx}
}

// A person is one who uses the browser: their tabs share cookies with one
// another and with nobody else.
type person struct {
	t        *testing.T
	site     *site
	ctx      context.Context
	noScript bool // their browser runs no JavaScript
}

func (c chromium) person(t *testing.T, s *site) *person {
	t.Helper()
	ctx, cancel := chromedp.NewContext(c.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return &person{t: t, site: s, ctx: ctx}
}

// cookies returns the person's cookies of the app, by name.
func (p *person) cookies() map[string]*network.Cookie {
	p.t.Helper()
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

// hasSession reports whether there is a session cookie.
func (p *person) hasSession() bool {
	p.t.Helper()
	for name := range p.cookies() {
		if strings.Contains(name, "session") {
			return true
		}
	}
	return false
}
