// Command globustest runs the emulator of Globus as a program, for tests and trials of apps
// in any language:
//
//	go run ./globus/globustest/cmd/globustest -listen 127.0.0.1:8890 \
//		-client ID:SECRET -redirect http://localhost:5000/callback
//
// It prints the settings that a client needs, and logs a line for each request. It stops on
// SIGINT and SIGTERM.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"text/tabwriter"
	"time"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

const help = `globustest emulates Globus Auth, Transfer, Groups and Search. Nobody has a password.

  globustest -client ID:SECRET -redirect http://localhost:5000/callback
  globustest -config globus.json

  -listen HOST:PORT      where to listen (127.0.0.1:8890); port 0 is any that is free
  -issuer URL            how browsers and programs reach it (http:// and HOST:PORT)
  -client ID:SECRET      a registered app; ID alone is a public client, which has no
                         secret and must use PKCE; may be repeated
  -redirect URI          a redirect URI of the -client before it; may be repeated
  -config FILE           JSON with clients, people, groups, collections and scopes
  -state FILE            what outlives a restart: signing key, tokens, consents
  -token-lifetime 48h    how long access tokens are good
  -strict                refuse what Globus ignores or leaves to the client: unknown
                         parameters, and requests without PKCE or state
`

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "globustest:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, log io.Writer) error {
	o, err := readOptions(args)
	if errors.Is(err, flag.ErrHelp) {
		_, err = fmt.Fprint(out, help)
		return err
	}
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends it at once

	listener, err := net.Listen("tcp", o.listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is in use: stop what uses it, or choose another port with -listen", o.listen)
	}
	if err != nil {
		return err
	}
	defer listener.Close()
	if o.cfg.Issuer, err = o.issuerFor(listener.Addr()); err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(log, nil))
	o.cfg.Log = logger
	emulator, err := globustest.New(o.cfg)
	if err != nil {
		return err
	}
	if host, _, _ := net.SplitHostPort(listener.Addr().String()); !globus.IsLoopback(host) {
		logger.Warn("other machines can reach the emulator, and it signs in anybody", "listen", o.listen)
	}
	if err := o.announce(out); err != nil {
		return err
	}
	return serve(ctx, listener, emulator, logger)
}

// serve answers requests until ctx ends, and then finishes those under way.
func serve(ctx context.Context, listener net.Listener, handler http.Handler, log *slog.Logger) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		server.Close()
	}
	log.Info("stopped")
	return nil
}

// issuerFor returns the issuer: -issuer, or else the host name of -listen and the port of
// addr.
func (o options) issuerFor(addr net.Addr) (string, error) {
	if o.cfg.Issuer != "" {
		return o.cfg.Issuer, nil
	}
	host, _, err := net.SplitHostPort(o.listen)
	if err != nil {
		return "", err
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		return "", fmt.Errorf("-listen %s is every address of this machine: say with -issuer how browsers and programs reach it", o.listen)
	}
	_, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return "", err
	}
	return "http://" + net.JoinHostPort(host, port), nil
}

// announce prints the settings that a client needs, without the client's secret.
func (o options) announce(out io.Writer) error {
	issuer := o.cfg.Issuer
	fmt.Fprintf(out, "Globus is emulated at %s/ (nobody has a password)\n\nSettings for a client:\n", issuer)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, value string) { fmt.Fprintf(table, "  %s\t%s\n", name, value) }
	row("issuer", issuer)
	row("discovery", issuer+globustest.DiscoveryPath)
	row("authorize", issuer+globustest.AuthorizePath)
	row("token", issuer+globustest.TokenPath)
	row("userinfo", issuer+globustest.UserInfoPath)
	row("Transfer", issuer+globustest.TransferPath)
	row("Groups", issuer+globustest.GroupsPath)
	for _, c := range o.cfg.Clients {
		kind := "and its secret"
		if c.Secret == "" {
			kind = "public: no secret, but PKCE"
		}
		row("client", c.ID+" ("+kind+")")
		for _, uri := range c.RedirectURIs {
			row("redirect URI", uri)
		}
	}
	return table.Flush()
}
