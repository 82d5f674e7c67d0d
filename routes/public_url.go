package routes

import (
	"errors"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"example.org/portal/globus"
)

// What the host and the path of a public URL may look like. Both become part
// of comparisons, patterns and cookie names, so nothing in them may be spelt
// in two ways.
var (
	publicHost = regexp.MustCompile(`^([a-z0-9.-]+|\[[0-9a-f:.]+\])$`)
	publicPath = regexp.MustCompile(`^(/[A-Za-z0-9_-]+)*$`)
)

// ParsePublicURL reads where browsers reach the app, and returns it in the form
// that browsers use: host in lower case, no port that goes without saying, no
// slash at the end. Its errors do not repeat raw.
func ParsePublicURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || strings.ContainsAny(raw, "?#") {
		return nil, errors.New("must be a URL such as https://portal.example.edu, with no more than a path behind the host")
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if n, err := strconv.Atoi(port); port != "" && (err != nil || n < 1 || n > 65535) || strings.HasSuffix(u.Host, ":") {
		return nil, errors.New("must have a port from 1 to 65535, or none")
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
	if port != "" && port != map[string]string{"http": "80", "https": "443"}[u.Scheme] {
		host += ":" + port
	}
	return &url.URL{Scheme: u.Scheme, Host: host, Path: path}, nil
}
