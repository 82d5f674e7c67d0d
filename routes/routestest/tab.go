package routestest

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/security"
	"github.com/chromedp/chromedp"
)

// A Tab is one tab, and what went on in it.
type Tab struct {
	T       *testing.T
	Site    *Site
	Context context.Context // of chromedp, for steps of a test's own

	person *Person

	mu       sync.Mutex // guards all that follows
	console  []string
	expected []string // what the console may say
	strayed  []string // requests to where none belongs
	called   []string // origins that the pages' scripts may call
	loading  map[network.RequestID]cdp.LoaderID
	active   time.Time // of the last request or answer
	restored int       // pages taken back from the back/forward cache
	refused  []string  // why the back/forward cache was not used
}

// Tab opens a tab beside the person's others. If the Person is Full, the one in front
// hides the others.
func (p *Person) Tab() *Tab { p.t.Helper(); return p.open(false) }

// Window opens a tab in a window of its own. It hides no other.
func (p *Person) Window() *Tab { p.t.Helper(); return p.open(true) }

func (p *Person) open(window bool) *Tab {
	p.t.Helper()
	b := &Tab{T: p.t, Site: p.Site, person: p, loading: map[network.RequestID]cdp.LoaderID{}}
	// A page may read a part of itself again while somebody signs out.
	b.Expect("status of 401 (Unauthorized)")
	options := []chromedp.ContextOption{chromedp.WithNewWindow(window), chromedp.WithListener(b.note)}
	parent := p.ctx
	if parent == nil {
		parent, options = sharedChromium(p.t, p.Full), append(options, chromedp.WithNewBrowserContext())
	}
	var cancel context.CancelFunc
	b.Context, cancel = chromedp.NewContext(parent, options...)
	if p.ctx == nil {
		p.ctx = b.Context
	}
	p.t.Cleanup(func() {
		b.T.Helper()
		b.report()
		cancel()
	})
	b.Do(
		Call(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: p.NoScript}),
		Call(security.SetIgnoreCertificateErrors, security.SetIgnoreCertificateErrorsParams{Ignore: p.AnyTLS}),
	)
	return b
}

// Call makes a command of the DevTools protocol a step for Do.
func Call[P, R any](cmd cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, cmd, params)
		return err
	})
}

// note keeps what the browser tells about the tab.
func (b *Tab) note(event any) {
	moves.Add(1)
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		b.console = append(b.console, fmt.Sprintf("console.%s: %s", e.Type, describe(e.Args)))
	case *runtime.EventExceptionThrown:
		b.console = append(b.console, (&chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails}).Error())
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelInfo || e.Entry.Level == log.EntryLevelVerbose {
			return // advice
		}
		b.console = append(b.console, fmt.Sprintf("%s: %s (%s)", e.Entry.Level, e.Entry.Text, e.Entry.URL))
	case *network.EventRequestWillBeSent:
		b.loading[e.RequestID], b.active = e.LoaderID, time.Now()
		if !b.belongs(e) {
			b.strayed = append(b.strayed, fmt.Sprintf("%s %s (%s) from %s", e.Request.Method, e.Request.URL, e.Type, e.DocumentURL))
		}
	case *network.EventLoadingFinished:
		delete(b.loading, e.RequestID)
		b.active = time.Now()
	case *network.EventLoadingFailed:
		delete(b.loading, e.RequestID)
		b.active = time.Now()
	case *cdppage.EventFrameNavigated:
		// Of what the page before still asked for, the browser tells no end.
		maps.DeleteFunc(b.loading, func(_ network.RequestID, of cdp.LoaderID) bool { return of != e.Frame.LoaderID })
		if e.Type == cdppage.NavigationTypeBackForwardCacheRestore {
			b.restored++
		}
	case *cdppage.EventBackForwardCacheNotUsed:
		for _, why := range e.NotRestoredExplanations {
			b.refused = append(b.refused, why.Reason.String())
		}
	}
}

func describe(args []*runtime.RemoteObject) string {
	var words []string
	for _, a := range args {
		words = append(words, string(a.Value)+a.Description)
	}
	return strings.Join(words, " ")
}

// belongs reports whether a request is one that this app makes: to itself; to
// Globus only to go there. What Globus's pages ask of Globus is their business.
func (b *Tab) belongs(e *network.EventRequestWillBeSent) bool {
	to, from := origin(e.Request.URL), origin(e.DocumentURL)
	switch to {
	case origin(b.Site.URL):
		return from == to
	case b.Site.Issuer():
		if e.Type == network.ResourceTypeDocument || from == to {
			return true
		}
	}
	return slices.Contains(b.called, to)
}

func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// Cached returns how often Back took a page from the back/forward cache, and
// why it did not else.
func (b *Tab) Cached() (times int, whyNot []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.restored, b.refused
}

// report fails the test over what should not have happened in the tab.
func (b *Tab) report() {
	b.T.Helper()
	if b.T.Failed() {
		b.T.Logf("at %s:\n%s", b.Text("location.href"), b.Text("document.documentElement.innerText"))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, line := range b.console {
		if !containsAny(line, b.expected) {
			b.T.Errorf("the console says: %s", line)
		}
	}
	for _, request := range b.strayed {
		b.T.Errorf("a request that has no business here: %s", request)
	}
}

func containsAny(s string, list []string) bool {
	for _, part := range list {
		if strings.Contains(s, part) {
			return true
		}
	}
	return false
}

// Calls allows the scripts of the pages to call another origin.
func (b *Tab) Calls(origin string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.called = append(b.called, origin)
}

// Expect allows the console to say something, such as that an answer was 403.
func (b *Tab) Expect(line string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expected = append(b.expected, line)
}
