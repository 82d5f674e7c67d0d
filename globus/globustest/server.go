package globustest

import (
	"context"
	"net"
	"net/http/httptest"
)

// A Server is an Emulator that listens on a port of its own on 127.0.0.1, for
// tests.
type Server struct {
	*Emulator
	URL string // where it listens; the issuer, unless Config said otherwise

	http   *httptest.Server
	cancel context.CancelFunc
}

// NewServer starts an emulator. The caller closes it when done. Like
// httptest.NewServer it panics if it cannot start; that includes a cfg that New
// would refuse.
func NewServer(cfg Config) *Server {
	ts := httptest.NewUnstartedServer(nil)
	if cfg.Issuer == "" {
		cfg.Issuer = "http://" + ts.Listener.Addr().String()
	}
	e, err := New(cfg)
	if err != nil {
		ts.Listener.Close()
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ts.Config.Handler = e
	ts.Config.BaseContext = func(net.Listener) context.Context { return ctx }
	ts.Start()
	return &Server{Emulator: e, URL: ts.URL, http: ts, cancel: cancel}
}

// Close stops the server and waits for the requests under way. Those that a
// Fault holds up end first, so a test need not let them go.
func (s *Server) Close() {
	s.cancel()
	s.http.Close()
}
