package routes_test

import (
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync/atomic"
	"testing"

	"net/http/httptest"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"example.org/portal/routes/routestest"
)

// TestBrowserModifiedClicks: a click with a modifier opens a link elsewhere, as the
// browser does, also where htmx would swap a part of the page.
func TestBrowserModifiedClicks(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
	for name, modifier := range map[string]chromedp.Modifier{"ctrl": chromedp.ModifierCtrl, "shift": chromedp.ModifierShift} {
		t.Run(name, func(t *testing.T) {
			b := s.Person(t).Tab()
			b.SignIn()
			b.Mark()
			place := b.Place("#refresh")
			b.Do(chromedp.MouseClickXY(place[0], place[1], chromedp.ButtonModifiers(modifier)))
			routestest.Await(t, "the link is open elsewhere", func() bool {
				all, err := chromedp.Targets(b.Context)
				return err == nil && slices.ContainsFunc(all, func(i *target.Info) bool { return i.URL == s.URL+"/user" })
			})
			if !b.Holds("window.marked && document.getElementById('user-card').marked") {
				t.Error("the page itself changed")
			}
		})
	}
}

// TestBrowserProxyError: an error page of a proxy is not swapped into the page; one
// of the app is.
func TestBrowserProxyError(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	proxy := httptest.NewUnstartedServer(nil)
	s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:" + portOf(proxy)})
	to := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: s.Server.Listener.Addr().String()})
	proxy.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if broken.Load() {
			http.Error(w, "<h1>a page of the proxy</h1>", http.StatusBadGateway)
			return
		}
		to.ServeHTTP(w, r)
	})
	proxy.Start()
	defer proxy.Close()
	b := s.Person(t).Tab()
	b.Expect("status of 502")
	b.Expect("status of 503")
	b.SignIn()
	b.Mark()
	broken.Store(true)
	b.Click("#refresh")
	routestest.Await(t, "it is said", func() bool { return b.Text(`document.getElementById("status").innerText`) != "" })
	if !b.Holds("document.getElementById('user-card').marked") || b.Holds("document.body.innerText.includes('a page of the proxy')") {
		t.Error("the proxy's page took the card's place")
	}
	broken.Store(false)
	mend := s.BreakStore()
	b.Click("#refresh")
	b.Shows(".problem")
	mend()
}

func portOf(server *httptest.Server) string {
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	return port
}
