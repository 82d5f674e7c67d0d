package routes

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"example.org/portal/globus"
)

const (
	appCheck    = "App"
	publicCheck = "Public address"
	plainCheck  = "Plain http"
)

// directClient returns a client that asks as browsers do here, past any proxy
// for outgoing calls, and follows no redirect.
func directClient() *http.Client {
	return &http.Client{
		Timeout: maxCheck,
		Transport: &http.Transport{
			DialContext:       (&net.Dialer{Timeout: 3 * time.Second}).DialContext,
			DisableKeepAlives: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// get asks for a page as a browser does when someone types its address. Of the
// answer only its head is to be read.
func (d *doctor) get(ctx context.Context, target string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, err
	}
	for name, value := range map[string]string{
		"User-Agent": "portal -check", "Accept": "text/html",
		"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document",
	} {
		req.Header.Set(name, value)
	}
	resp, err := d.http.Do(req)
	if err != nil {
		return nil, err
	}
	return resp, resp.Body.Close()
}

// checkApp finds out whether the app runs, past any proxy.
func (d *doctor) checkApp(ctx context.Context) {
	host, port, err := net.SplitHostPort(d.Listen)
	if err != nil {
		d.skip(appCheck, "mend LISTEN first")
		return
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	resp, err := d.get(ctx, "http://"+net.JoinHostPort(host, port)+"/livez")
	switch {
	case err != nil:
		d.fail(appCheck, "it does not answer at "+d.Listen, "Start it with these settings (systemctl start portal, if it is a service), and then run this again beside it.")
	case !isOurs(resp):
		d.fail(appCheck, "another program answers at "+d.Listen, "Stop that, Jupyter perhaps, or set LISTEN to another port, and tell the proxy in front.")
	default:
		d.running = true
		d.ok(appCheck, "runs at "+d.Listen)
	}
}

// checkPublicURL takes the first step of a sign-in, as a browser would: the app
// sends it on to Globus, with the client id and the redirect URI that it was
// started with. So the answer tells whether it is this app, with these settings.
func (d *doctor) checkPublicURL(ctx context.Context) {
	if d.PublicURL == nil || d.Globus == nil {
		d.skip(publicCheck, "mend the settings first")
		return
	}
	if d.PublicURL.Scheme == "http" && !d.running && strings.HasSuffix(d.Listen, ":"+d.PublicURL.Port()) {
		d.skip(publicCheck, "the app does not run, and there is no proxy")
		return
	}
	resp, err := d.get(ctx, d.PublicURL.String()+"/login")
	if err != nil {
		d.unreachable(err)
		return
	}
	address := d.PublicURL.String()
	if location, err := resp.Location(); err == nil {
		d.checkLocation(location)
		return
	}
	answers := fmt.Sprintf("%s/login answers with status %d", address, resp.StatusCode)
	switch {
	case isOurs(resp) && resp.StatusCode == http.StatusNotFound:
		d.fail(publicCheck, answers+", from this app", "The proxy must pass the path of PUBLIC_URL on, and not strip it: in Apache, the same path on both sides of ProxyPass. "+
			"If it does, the app was started with another PUBLIC_URL.")
	case isOurs(resp):
		d.fail(publicCheck, answers+", from this app", "The app's log tells why.")
	case resp.StatusCode >= http.StatusBadGateway && resp.StatusCode <= http.StatusGatewayTimeout && !d.running:
		d.fail(publicCheck, answers+": the proxy is there, but not the app", "Start the app.")
	case resp.StatusCode >= http.StatusBadGateway && resp.StatusCode <= http.StatusGatewayTimeout:
		d.fail(publicCheck, answers+": the proxy does not reach the app", "The proxy must pass requests to http://"+d.Listen+"/, as in ProxyPass. "+
			"Where SELinux guards it: setsebool -P httpd_can_network_connect on.")
	default:
		d.fail(publicCheck, answers+", from another program", "Lead "+address+" to this app: see that the proxy has a rule for it, and that no other virtual host, or login of the proxy, takes it first.")
	}
}

// checkLocation compares where the app sends a browser with where it would with
// these settings.
func (d *doctor) checkLocation(got *url.URL) {
	want, _ := url.Parse(d.Globus.AuthCodeURL(globus.NewAttempt()))
	bare := func(u *url.URL) string { return u.Scheme + "://" + u.Host + u.Path }
	if bare(got) != bare(want) {
		d.fail(publicCheck, fmt.Sprintf("%s/login leads to %.200q, not to Globus", d.PublicURL, bare(got)),
			"Something in front of the app redirects; or the app was started with another GLOBUS_ISSUER: restart it with these settings.")
		return
	}
	const remedy = "Restart the app with these settings, or run this with its."
	if is := got.Query().Get("redirect_uri"); is != want.Query().Get("redirect_uri") {
		d.fail(publicCheck, fmt.Sprintf("the app that answers there has another PUBLIC_URL: its redirect URI is %.200q", is), remedy)
		return
	}
	if is := got.Query().Get("client_id"); d.ClientOK && is != want.Query().Get("client_id") {
		d.fail(publicCheck, fmt.Sprintf("the app that answers there has another GLOBUS_CLIENT_ID: %.200q", is), remedy)
		return
	}
	d.ok(publicCheck, d.PublicURL.String()+"/ is this app, and sends people on to Globus with these settings")
}

// checkPlainHTTP wants those who type the address without https to arrive.
func (d *doctor) checkPlainHTTP(ctx context.Context) {
	if d.PublicURL == nil || d.PublicURL.Scheme != "https" || d.PublicURL.Port() != "" {
		return
	}
	d.checkUpgrade(ctx, "http://"+d.PublicURL.Host+d.PublicURL.Path+"/")
}

func (d *doctor) checkUpgrade(ctx context.Context, plain string) {
	remedy := "Let the web server redirect it: Redirect permanent \"/\" \"https://" + d.PublicURL.Host + "/\"."
	resp, err := d.get(ctx, plain)
	if err != nil {
		d.warn(plainCheck, plain+" does not answer", remedy)
		return
	}
	if to, err := resp.Location(); err != nil || to.Scheme != "https" || to.Host != d.PublicURL.Host {
		d.warn(plainCheck, plain+" does not lead to https", remedy)
		return
	}
	d.ok(plainCheck, plain+" leads to https")
}
