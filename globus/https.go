package globus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// HTTPSScope returns the scope with which an app reads and writes a person's files over
// HTTPS in the collection with a UUID. The resource server of its token is that UUID
// (Globus Connect Server, "HTTPS Access to Collections").
func HTTPSScope(collection string) string {
	return "https://auth.globus.org/scopes/" + lowerUUID(collection) + "/https"
}

// A FileQuery says which file of a collection to read, and how much of it.
type FileQuery struct {
	Server string // base URL of the collection's files, as in Collection.HTTPSServer; required
	Path   string // of the file, from the root of the collection; required
	Max    int64  // bytes to read, from the beginning; 0 or less: 64 KiB

	// AllowPrivate lets Server have an address that only this network knows, such as
	// 10.0.0.7 or this machine's own. Set it if the app's owner chose Server. Leave it
	// false for a Collection.HTTPSServer, which the people who run the collection chose:
	// then a call to such an address fails. It has no effect if Config.Transport is set,
	// or a proxy connects.
	AllowPrivate bool
}

// A FilePart is the beginning of a file.
type FilePart struct {
	Content []byte // its first bytes, at most FileQuery.Max
	Size    int64  // of the whole file, in bytes; -1: the server does not say
}

// Cut reports whether the file has more than Content.
func (p FilePart) Cut() bool { return p.Size != int64(len(p.Content)) }

// ReadFile reads the beginning of a file of a collection over HTTPS. token returns tokens
// of the collection, see HTTPSScope. If it is nil, the call has no token: then the server
// sends what everybody may read, which only guest collections have. The call follows no
// redirect and ends after 10 s.
//
// The error is an *Error or the error of the TokenFunc. Its KindOf is KindNotFound if there
// is no such file, and KindRequirements, KindSignIn or KindDenied if the person may not read
// it. A server that redirects to a sign-in instead has the Reason Redirected.
func (c *Client) ReadFile(ctx context.Context, q FileQuery, token TokenFunc) (*FilePart, error) {
	most := max(q.Max, 0)
	if most == 0 {
		most = 64 << 10
	}
	req, err := c.fileRequest(ctx, q, most)
	if err != nil {
		return nil, err
	}
	resp, err := c.fileClient(req, q, token).Do(req)
	if e, ok := errors.AsType[tokenError](err); ok {
		return nil, e.error
	}
	if err != nil {
		return nil, callError("https", err)
	}
	defer resp.Body.Close()
	p := &FilePart{Size: resp.ContentLength}
	switch _, size, _ := strings.Cut(resp.Header.Get("Content-Range"), "/"); {
	case resp.StatusCode == http.StatusRequestedRangeNotSatisfiable && size == "0":
		return &FilePart{}, nil // of an empty file there is no first byte
	case resp.StatusCode == http.StatusPartialContent && strings.HasPrefix(resp.Header.Get("Content-Range"), "bytes 0-"):
		if p.Size, err = strconv.ParseInt(size, 10, 64); err != nil || p.Size < 0 {
			p.Size = -1
		}
	case resp.StatusCode != http.StatusOK:
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // the status says enough
		refused := refusal("https", resp.StatusCode, body)
		refused.RetryAfter, _ = retryAfter(resp.Header)
		return nil, refused
	}
	if encoding := resp.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return nil, &Error{Call: "https", Reason: Malformed, Status: resp.StatusCode, Detail: "the file is compressed on the way, which was not asked for"}
	}
	// One byte more than that shows that there is more.
	if p.Content, err = io.ReadAll(io.LimitReader(resp.Body, most+1)); err != nil {
		return nil, callError("https", err)
	}
	if int64(len(p.Content)) > most {
		p.Content = p.Content[:most]
	} else if p.Size < 0 {
		p.Size = int64(len(p.Content))
	}
	return p, nil
}

func (c *Client) fileRequest(ctx context.Context, q FileQuery, most int64) (*http.Request, error) {
	server := strings.TrimSuffix(q.Server, "/")
	base, err := url.Parse(server)
	if err != nil || originOf(server) == "" || base.Scheme != "https" && !q.AllowPrivate && !c.emulates(server) {
		return nil, &Error{Call: "https", Reason: Malformed, Detail: "the collection has no HTTPS server"}
	}
	base.Path += path.Clean("/" + q.Path)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base.String(), nil)
	if err != nil {
		return nil, callError("https", err)
	}
	req.Header.Set("Range", fmt.Sprintf("bytes=0-%d", most-1))
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("X-Requested-With", "XMLHttpRequest") // or the server redirects to Globus's sign-in (globus/static-search-portal sends it)
	return req, nil
}

// emulates reports whether a URL is at the origin of the issuer: an emulator's collections
// are there.
func (c *Client) emulates(base string) bool { return originOf(base) == originOf(c.issuer) }

func (c *Client) fileClient(req *http.Request, q FileQuery, token TokenFunc) *http.Client {
	next := c.transport
	if c.public != nil && !q.AllowPrivate && !c.emulates(q.Server) {
		if proxy, err := http.ProxyFromEnvironment(req); proxy == nil && err == nil {
			next = c.public
		}
	}
	if c.observe != nil {
		next = observedTransport{c, next}
	}
	if token != nil {
		next = bearerTransport{origin: originOf(strings.TrimSuffix(q.Server, "/")), token: token, next: next}
	}
	return newHTTPClient(next)
}

// newPublicTransport returns a transport that connects only to addresses on the Internet.
func newPublicTransport() http.RoundTripper {
	t := newTransport()
	t.DialContext = (&net.Dialer{Timeout: 3 * time.Second, Control: publicOnly}).DialContext
	return t
}

// publicOnly rejects a connection to an address that is not on the Internet. A net.Dialer
// calls it with the address that it is about to connect to, so a name that resolves to
// another address a moment later is no way around it.
func publicOnly(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if !isPublic(at.Addr()) {
		return errPrivate
	}
	return nil
}

var errPrivate = errors.New("the address of the collection's HTTPS server is not on the Internet")

// notPublic are the ranges of IANA's registries of special-purpose addresses (RFC 6890)
// that netip.Addr has no method for, and the ones that lead to IPv4 addresses.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("::/96"),
}

func isPublic(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	for _, p := range notPublic {
		if p.Contains(ip) {
			return false
		}
	}
	return ip.IsGlobalUnicast() && !ip.IsPrivate()
}
