package settings

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"syscall"

	"example.org/portal/globus"
)

// Listeners listens on LISTEN. Browsers at http://localhost may use 127.0.0.1 or
// [::1], and another program that listens on one of them, at the same port, would
// receive authorization codes. So the app listens on both.
func (s *Settings) Listeners() ([]net.Listener, error) {
	if s.listeners != nil {
		return s.listeners, nil
	}
	addresses := []string{s.Listen}
	host, port, _ := net.SplitHostPort(s.Listen)
	if s.PublicURL.Hostname() == "localhost" && globus.IsLoopback(host) {
		addresses = []string{net.JoinHostPort("127.0.0.1", port), net.JoinHostPort("::1", port)}
	}
	listeners, err := listenAll(addresses)
	if isInUse(err) {
		return nil, fmt.Errorf("%w: stop the program that uses it (another copy of this app, or Jupyter, whose port is 8888 too), or set LISTEN to another port", err)
	}
	return listeners, err
}

// isInUse reports whether another program listens already. Windows has numbers of
// its own for what a socket meets, which package syscall does not compare.
func isInUse(err error) bool {
	return errors.Is(err, syscall.EADDRINUSE) || runtime.GOOS == "windows" && errors.Is(err, syscall.Errno(10048)) // WSAEADDRINUSE
}

// isNoAddress reports whether this machine does not have the address, or no address of
// its kind, as without IPv6.
func isNoAddress(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) ||
		runtime.GOOS == "windows" && (errors.Is(err, syscall.Errno(10049)) || errors.Is(err, syscall.Errno(10047))) // WSAEADDRNOTAVAIL, WSAEAFNOSUPPORT
}

// MetricsListener listens on METRICS_LISTEN.
func (s *Settings) MetricsListener() (net.Listener, error) {
	listeners, err := listenAll([]string{s.MetricsListen})
	if err != nil {
		return nil, fmt.Errorf("%w: set METRICS_LISTEN to another address", err)
	}
	return listeners[0], nil
}

// listenAll listens on each of several addresses that this machine has; a single
// one it must have.
func listenAll(addresses []string) (listeners []net.Listener, err error) {
	for _, addr := range addresses {
		l, err := net.Listen("tcp", addr)
		switch {
		case err == nil:
			listeners = append(listeners, l)
		case len(addresses) > 1 && isNoAddress(err):
			// No browser can use an address that this machine does not have.
		default:
			for _, l := range listeners {
				l.Close()
			}
			if isInUse(err) {
				return nil, fmt.Errorf("%s is in use: %w", addr, syscall.EADDRINUSE)
			}
			return nil, err
		}
	}
	if len(listeners) == 0 {
		return nil, fmt.Errorf("this machine has none of the addresses %v", addresses)
	}
	return listeners, nil
}
