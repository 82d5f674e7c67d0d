package doctor

import (
	"context"
	"crypto/tls"
	"errors"
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
)

// directClient returns a client that follows no redirect, and that uses no proxy
// for outgoing calls, because browsers that visit the app use none either.
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

// get requests a page as a browser does when someone types its address. The body
// of the response is closed.
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

// isOurs reports whether a response is from this app, of whatever version.
func isOurs(resp *http.Response) bool {
	return resp.Header.Get("Origin-Agent-Cluster") == "?1" && strings.HasPrefix(resp.Header.Get("Content-Security-Policy"), "default-src 'none'")
}

// checkApp checks that the app runs, without any proxy in between.
func (d *doctor) checkApp(ctx context.Context) {
	host, port, err := net.SplitHostPort(d.Listen)
	if err != nil {
		d.skip(appCheck, "correct LISTEN first")
		return
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	resp, err := d.get(ctx, "http://"+net.JoinHostPort(host, port)+"/livez")
	switch {
	case err != nil:
		d.fail(appCheck, "it does not answer at "+d.Listen, "Start it with these settings (systemctl start portal, if it is a service), and run this check again while it runs.")
	case !isOurs(resp):
		d.fail(appCheck, "another program answers at "+d.Listen, "Stop that program (Jupyter uses 8888 too), or set LISTEN to another port, and change the port in the proxy's configuration.")
	default:
		d.running = true
		d.ok(appCheck, "runs at "+d.Listen)
	}
}

// checkPublicURL starts a sign-in, as a browser would. The app redirects it to
// Globus with its client id and redirect URI, so the response shows whether
// PUBLIC_URL leads to this app, and whether the app runs with these settings.
func (d *doctor) checkPublicURL(ctx context.Context) {
	if d.PublicURL == nil || d.globus == nil {
		d.skip(publicCheck, "correct the settings first")
		return
	}
	if d.PublicURL.Scheme == "http" && !d.running && strings.HasSuffix(d.Listen, ":"+d.PublicURL.Port()) {
		d.skip(publicCheck, "the app does not run, and there is no proxy")
		return
	}
	resp, err := d.get(ctx, d.RedirectURI())
	if err != nil {
		d.unreachable(err)
		return
	}
	if location, err := resp.Location(); err == nil {
		d.checkLocation(location)
		return
	}
	found := fmt.Sprintf("%s answers with status %d", d.RedirectURI(), resp.StatusCode)
	switch {
	case isOurs(resp):
		d.fail(publicCheck, found+", from this app", "The proxy must pass on the path of PUBLIC_URL, and not strip it: in Apache, write the same path on both sides of ProxyPass. "+
			"If it does, see the app's log, and whether the app was started with another PUBLIC_URL.")
	case resp.StatusCode >= http.StatusBadGateway && resp.StatusCode <= http.StatusGatewayTimeout:
		d.fail(publicCheck, found+": the proxy does not reach the app", "Start the app, and let the proxy pass requests to http://"+d.Listen+"/, as in ProxyPass. "+
			"Where SELinux is on: setsebool -P httpd_can_network_connect on.")
	default:
		d.fail(publicCheck, found+", from another program", "The proxy must have a rule for "+d.PublicURL.String()+". Check that no other virtual host answers first, and that the proxy asks for no login of its own.")
	}
}

// checkLocation compares the address that the app redirects to with the one that
// it would redirect to if it ran with these settings.
func (d *doctor) checkLocation(got *url.URL) {
	want, _ := url.Parse(d.globus.AuthCodeURL(globus.NewAttempt()))
	endpoint := func(u *url.URL) string { return u.Scheme + "://" + u.Host + u.Path }
	if endpoint(got) != endpoint(want) {
		d.fail(publicCheck, fmt.Sprintf("%s redirects to %.200q, not to Globus", d.RedirectURI(), endpoint(got)),
			"Something in front of the app redirects, or the app was started with another GLOBUS_ISSUER: restart it with these settings.")
		return
	}
	for _, c := range []struct{ parameter, setting, value string }{
		{"redirect_uri", "PUBLIC_URL", d.RedirectURI()},
		{"client_id", "GLOBUS_CLIENT_ID", d.ClientID},
	} {
		if is := got.Query().Get(c.parameter); c.value != "" && is != c.value {
			d.fail(publicCheck, fmt.Sprintf("the app that answers there has another %s: its %s is %.200q", c.setting, c.parameter, is),
				"Restart the app with these settings, or run this check with the app's.")
			return
		}
	}
	d.ok(publicCheck, d.PublicURL.String()+"/ is this app, and redirects people to Globus with these settings")
}

// unreachable reports why there was no response at PUBLIC_URL.
func (d *doctor) unreachable(err error) {
	at, host := d.PublicURL.String(), d.PublicURL.Hostname()
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // without the address, which the line has already
	}
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() && !isA[*net.DNSError](err) {
		d.warn(publicCheck, at+" does not answer this machine in time",
			"If browsers reach it, nothing is wrong: on some networks, a machine cannot reach its own public address. Otherwise open the firewall.")
		return
	}
	remedy := "Start the web server in front of the app (systemctl start apache2), and check that it listens on that port, with TLS (SSLEngine on). Its log may say more."
	switch {
	case isA[*net.DNSError](err):
		remedy = "Add " + host + " to the DNS, or correct PUBLIC_URL."
	case isA[*tls.CertificateVerificationError](err):
		remedy = "The web server must have a certificate for " + host + " that has not expired (certbot renew), and send the whole chain (SSLCertificateFile with the intermediate certificates). " +
			"If the certificate authority is your own, name its certificate: SSL_CERT_FILE=/etc/ssl/our-ca.pem."
	}
	d.fail(publicCheck, at+": "+err.Error(), remedy)
}

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
