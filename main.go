// Portal is a web app where people sign in with Globus Auth. See README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"example.org/portal/globus"
	"example.org/portal/routes"
	"example.org/portal/routes/doctor"
	"example.org/portal/routes/licenses"
	"example.org/portal/routes/session"
	"example.org/portal/routes/settings"
	"example.org/portal/routes/web"
)

const usage = `Portal is a web app where people sign in with Globus Auth.

  portal            serve, with the settings in the environment
  portal -demo      serve, with an emulated Globus: there is nothing to register
  portal -check     find what would keep people from signing in, and say what to do
                    about it; best run on the app's machine, with its settings
  portal -move-sessions FROM TO
                    copy sessions from one store to another; write each as in
                    SESSION_STORE, or as @ and the path of a file with it
  portal -version   print the commit, and the version of Go
  portal -licenses  print what the program is made of, with all licences

Settings, in the environment:

`

// commit is the hash and date of the commit that the program is built from, where Go
// finds no git. The linker sets it; see settings.ReadBuild.
var commit string

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "portal:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("portal", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // main prints the error, once
	flags.Usage = func() {}
	build := settings.ReadBuild(commit)
	demo, check := flags.Bool("demo", false, ""), flags.Bool("check", false, "")
	printVersion, printLicenses := flags.Bool("version", false, ""), flags.Bool("licenses", false, "")
	move := flags.Bool("move-sessions", false, "")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		_, err = fmt.Fprint(out, usage+settings.Help())
		return err
	case err != nil:
		return fmt.Errorf("%w; run portal -h for usage", err)
	case *move:
		return moveSessions(ctx, flags.Args(), out)
	case flags.NArg() > 0:
		return fmt.Errorf("unexpected argument %q; run portal -h for usage", flags.Arg(0))
	case *printVersion:
		_, err = fmt.Fprintln(out, "portal", build, runtime.Version())
		return err
	case *printLicenses:
		return licenses.Print(out)
	case *check && *demo:
		return errors.New("-check is for an app that is registered at Globus, and the demo is not: leave out one of them")
	}
	s := settings.Read(os.Environ(), *demo)
	if *check {
		fmt.Fprintln(out, "portal", build, runtime.Version())
		return doctor.Check(ctx, s, routes.Migrations(), routes.Checks, out)
	}
	if err := s.Err(); err != nil {
		return err
	}
	log := s.Logger()
	slog.SetDefault(log)
	build.LogStarting(log)
	s.LogWarnings(log)
	if os.Getenv("GOGC") == "" {
		// Pages allocate much and keep nothing. For some 20 MB more memory, the
		// garbage collector takes a sixth less of the time. GOMEMLIMIT still applies.
		debug.SetGCPercent(400)
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // so that a second Ctrl-C ends the program at once
	if *demo {
		stopDemo, err := s.StartDemo(out)
		if err != nil {
			return err
		}
		defer stopDemo()
	}
	return serve(ctx, s, build, log, out)
}

// moveSessions copies sessions from one store to another.
func moveSessions(ctx context.Context, stores []string, out io.Writer) error {
	if len(stores) != 2 {
		return errors.New("-move-sessions takes two stores, such as sqlite:data/sessions.db @/etc/portal/session-store")
	}
	for i, store := range stores {
		if file, ok := strings.CutPrefix(store, "@"); ok {
			content, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			stores[i] = strings.TrimSpace(string(content))
		}
	}
	moved, err := session.Move(ctx, stores[0], stores[1])
	fmt.Fprintf(out, `copied:    %d sessions
updated:   %d, which have changed since an earlier move
ended:     %d, which have ended since an earlier move
unchanged: %d, which an earlier move copied
diverged:  %d, which have changed in the new store too and were left as they are there
`, moved.Copied, moved.Updated, moved.Ended, moved.Unchanged, moved.Diverged)
	if err != nil {
		return fmt.Errorf("stopped before the end: %w; run it again", err)
	}
	fmt.Fprintln(out, "Later changes in the old store are not in the new one: if the app still uses the old store, stop the app and run this again.")
	return nil
}

// serve serves the app until ctx ends, and then lets requests under way finish.
func serve(ctx context.Context, s *settings.Settings, build settings.Build, log *slog.Logger, out io.Writer) error {
	metrics := web.NewMetrics(build.Labels())
	app, err := newApp(s, build, metrics, log)
	if err != nil {
		return err
	}
	defer func() {
		if err := app.Close(); err != nil {
			log.Error("not closed", "reason", err)
		}
		log.Info("stopped")
	}()
	listeners, err := s.Listeners()
	if err != nil {
		return err
	}
	if s.MetricsListen != "" {
		listener, err := s.MetricsListener()
		if err != nil {
			return err
		}
		metricsServer := newServer(metrics.Handler(), log)
		metricsServer.WriteTimeout = 0 // profiles take as long as they are asked to
		defer metricsServer.Close()
		go func() { _ = metricsServer.Serve(listener) }() // the app goes on without it
	}
	s.LogServing(log)
	fmt.Fprintln(out, "Portal is at "+s.PublicURL.String()+"/")
	server, failed := newServer(app, log), make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { failed <- server.Serve(l) }()
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	log.Info("stopping")
	return finish(server, app, log)
}

// newApp builds the app from its settings.
func newApp(s *settings.Settings, build settings.Build, metrics *web.Metrics, log *slog.Logger) (*routes.App, error) {
	cfg := s.Globus()
	cfg.Observe = metrics.GlobusCall
	client, err := globus.New(cfg)
	if err != nil {
		return nil, err
	}
	return routes.New(routes.Config{
		PublicURL:       s.PublicURL,
		Globus:          client,
		SessionStore:    s.SessionStore,
		SessionLifetime: s.SessionLifetime,
		Audience:        s.Issuer + " " + s.ClientID,
		Database:        s.Database,
		Policy:          s.Policy,
		Version:         build.String(),
		Metrics:         metrics,
		Log:             log,
	})
}

func newServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		MaxHeaderBytes:    32 << 10,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       60 * time.Second,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

const (
	drainTime = 1 * time.Second  // in which requests are still accepted, so that proxies notice
	stopTime  = 13 * time.Second // for requests under way: 10 s for a sign-in, 2 s for a revocation
)

// finish accepts requests for a moment more, while /readyz says that the app
// stops, and then waits until those under way have ended.
func finish(server *http.Server, app *routes.App, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	app.Drain()
	time.Sleep(drainTime)
	if err := server.Shutdown(ctx); err != nil {
		log.Warn("requests cut off", "reason", err)
		return server.Close()
	}
	return nil
}
