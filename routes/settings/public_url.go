package settings

import (
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"example.org/portal/globus"
)

// What the host and the path of a public URL may look like. Both become part
// of comparisons, patterns and cookie names, so each must have only one spelling.
var (
	publicHost = regexp.MustCompile(`^([a-z0-9.-]+|\[[0-9a-f:.]+\])$`)
	numeric    = regexp.MustCompile(`(^|\.)([0-9]+|0x[0-9a-f]*)\.?$`) // browsers read a host that ends like this as an IP address
	publicPath = regexp.MustCompile(`^(/[A-Za-z0-9_-]+)*$`)
)

// ParsePublicURL parses the URL at which browsers reach the app, and returns it in
// the form that browsers use: host in lower case, no default port, no slash at the
// end. Its errors follow the setting's name ("must be …") and do not quote raw, which
// may hold a password.
func ParsePublicURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || strings.ContainsAny(raw, "?#") {
		return nil, errors.New("must be a URL such as https://portal.example.edu, with nothing after the host but a path")
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	n, err := strconv.Atoi(port)
	if port != "" && (err != nil || n < 1 || n > 65535) || strings.HasSuffix(u.Host, ":") {
		return nil, errors.New("must have a port from 1 to 65535, or none")
	}
	if strings.Contains(host, ":") || numeric.MatchString(host) {
		ip, err := netip.ParseAddr(host)
		if err != nil || ip.Is4In6() {
			return nil, errors.New("must have a host name, or a complete IP address such as 127.0.0.1 or [::1]")
		}
		host = ip.String()
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if !publicHost.MatchString(host) {
		return nil, errors.New("must have a host name of ASCII letters, digits, dots and dashes")
	}
	path := strings.TrimSuffix(u.EscapedPath(), "/")
	if !publicPath.MatchString(path) {
		return nil, errors.New("must have a path of letters, digits, - and _ only, or none")
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && globus.IsLoopback(u.Hostname())) {
		return nil, errors.New("must be https (http is for localhost only)")
	}
	if port != "" && n != map[string]int{"http": 80, "https": 443}[u.Scheme] {
		host += ":" + strconv.Itoa(n)
	}
	return &url.URL{Scheme: u.Scheme, Host: host, Path: path}, nil
}
