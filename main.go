// Portal is a web app where people sign in with Globus Auth. See README.md.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/caarlos0/env/v11"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
	"example.org/portal/routes"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

// settings are read from the environment, and from nowhere else. The help
// below, and the README, explain them.
type settings struct {
	ClientID         string        `env:"GLOBUS_CLIENT_ID"`
	ClientSecret     string        `env:"GLOBUS_CLIENT_SECRET"`
	ClientSecretFile string        `env:"GLOBUS_CLIENT_SECRET_FILE"`
	Issuer           string        `env:"GLOBUS_ISSUER" envDefault:"https://auth.globus.org"`
	Scopes           string        `env:"GLOBUS_SCOPES"`
	Listen           string        `env:"LISTEN" envDefault:"127.0.0.1:8888"`
	PublicURL        string        `env:"PUBLIC_URL"`
	Store            string        `env:"SESSION_STORE"`
	StoreFile        string        `env:"SESSION_STORE_FILE"`
	Lifetime         time.Duration `env:"SESSION_LIFETIME" envDefault:"168h"`
	MetricsListen    string        `env:"METRICS_LISTEN"`
	AllowedDomains   string        `env:"ALLOWED_DOMAINS"`
	AllowedGroups    string        `env:"ALLOWED_GROUPS"`
	RequireMFA       bool          `env:"REQUIRE_MFA"`
	LogFormat        string        `env:"LOG_FORMAT"`
	LogLevel         slog.Level    `env:"LOG_LEVEL" envDefault:"info"`

	public      *url.URL
	scopes      globus.Scopes
	policy      globus.Policy
	transferURL string // of the emulator; "" is the real one
	groupsURL   string // likewise
	demo        bool
	listeners   []net.Listener // that -demo has begun; nil: Listen is still to be listened on
}

const help = `Portal is a web app where people sign in with Globus Auth.

  portal           serve, as the environment says
  portal -demo     serve, with an emulated Globus beside it: nothing to register
  portal -check    look for what would keep people from signing in, and say what
                   to do about it; best run beside the app, with its settings
  portal -version  print the version

Settings, from the environment:

  GLOBUS_CLIENT_ID       UUID of the app's registration at Globus; required
  GLOBUS_CLIENT_SECRET   its secret; required
  GLOBUS_ISSUER          base URL of Globus Auth (https://auth.globus.org)
  GLOBUS_SCOPES          what people are asked to consent to, separated by spaces
                         (openid profile email urn:globus:auth:scope:transfer.api.globus.org:all)
  LISTEN                 host:port to listen on (127.0.0.1:8888)
  PUBLIC_URL             where browsers reach the app, path included; the redirect
                         URI is this and /login (http://localhost: and LISTEN's port)
  SESSION_STORE          where sessions are kept: sqlite: and a path; redis:// or
                         rediss://, user:password@, host:6379, /0, for several
                         instances; or memory: (sqlite:data/sessions.db)
  SESSION_LIFETIME       the longest that a session lasts, such as 12h (168h)
  METRICS_LISTEN         host:port of /metrics for Prometheus, and of /debug/pprof/;
                         for operators alone (off)
  ALLOWED_DOMAINS        who may enter: people who sign in with an identity of one of
                         these domains, separated by commas (anyone)
  ALLOWED_GROUPS         active members of one of these Globus groups, by UUID (anyone)
  REQUIRE_MFA            true: only those whose identity provider confirms a second
                         factor (false)
  LOG_FORMAT             text or json (text on a terminal, else json)
  LOG_LEVEL              debug, info, warn or error (info)

GLOBUS_CLIENT_SECRET_FILE and SESSION_STORE_FILE name files to read the value from instead.
HTTPS_PROXY and SSL_CERT_FILE hold for calls to Globus, the latter for rediss:// too.
`

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "portal:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("portal", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the error is printed once, by main
	flags.Usage = func() {}
	demo := flags.Bool("demo", false, "")
	check := flags.Bool("check", false, "")
	printVersion := flags.Bool("version", false, "")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		_, err = fmt.Fprint(out, help)
		return err
	} else if err != nil {
		return fmt.Errorf("%w; run portal -h for usage", err)
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q; run portal -h for usage", flags.Arg(0))
	}
	if *printVersion {
		_, err := fmt.Fprintln(out, "portal", version(), runtime.Version())
		return err
	}
	cfg, faults := readSettings(*demo)
	switch {
	case *check && *demo:
		return errors.New("-check looks at an app that is registered at Globus, and the demo is not: leave out one of them")
	case *check:
		return cfg.check(ctx, faults, out)
	case len(faults) > 0:
		return cfg.cannotStart(faults)
	}
	log := newLogger(cfg)
	slog.SetDefault(log)
	for _, name := range unknownSettings() {
		log.Warn("unknown setting", "name", name)
	}

	if os.Getenv("GOGC") == "" {
		// Pages allocate much, of which nothing is kept: for some 20 MB more, a
		// sixth of the time goes elsewhere. GOMEMLIMIT holds all the same.
		debug.SetGCPercent(400)
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends it at once
	if cfg.demo {
		stopDemo, err := startDemo(&cfg, out)
		if err != nil {
			return err
		}
		defer stopDemo()
	}
	return serve(ctx, cfg, log, out)
}

// serve runs the app until ctx ends, and then lets it finish what it began.
func serve(ctx context.Context, cfg settings, log *slog.Logger, out io.Writer) error {
	metrics := web.NewMetrics(version())
	client, err := cfg.globus(metrics.GlobusCall)
	if err != nil {
		return err
	}
	app, err := routes.New(routes.Config{
		PublicURL:       cfg.public,
		Globus:          client,
		SessionStore:    cfg.Store,
		SessionLifetime: cfg.Lifetime,
		Audience:        cfg.Issuer + " " + cfg.ClientID,
		Policy:          cfg.policy,
		Version:         version(),
		Metrics:         metrics,
		Log:             log,
	})
	if err != nil {
		return err
	}
	defer func() {
		if err := app.Close(); err != nil {
			log.Error("session store not closed", "reason", err)
		}
		log.Info("stopped")
	}()
	listeners, err := cfg.listen()
	if err != nil {
		return err
	}
	if cfg.MetricsListen != "" {
		stopMetrics, err := startMetrics(cfg.MetricsListen, metrics, log)
		if err != nil {
			return err
		}
		defer stopMetrics()
	}
	server := &http.Server{
		Handler:           app,
		MaxHeaderBytes:    32 << 10,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       60 * time.Second,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	cfg.announce(log)
	fmt.Fprintln(out, "Portal is at "+cfg.public.String()+"/")

	failed := make(chan error, len(listeners))
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

const (
	drainFor = 1 * time.Second  // how long requests are still taken, for a proxy to notice
	maxStop  = 13 * time.Second // for requests under way: a sign-in's 10 s, a revocation's 2 s
)

// finish takes requests for a moment more, while /readyz says that it stops,
// and lets those under way end.
func finish(server *http.Server, app *routes.App, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(context.Background(), maxStop)
	defer cancel()
	app.Drain()
	time.Sleep(drainFor)
	if err := server.Shutdown(ctx); err != nil {
		log.Warn("requests cut off", "reason", err)
		return server.Close()
	}
	return nil
}

// startMetrics answers operators, and Prometheus, on an address of their own.
func startMetrics(addr string, metrics *web.Metrics, log *slog.Logger) (stop func() error, err error) {
	if host, _, _ := net.SplitHostPort(addr); !globus.IsLoopback(host) {
		log.Warn("METRICS_LISTEN lets other machines in: whoever reaches it can read the metrics, and profile the app")
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%w: set METRICS_LISTEN to another port", inUse(addr, err))
	}
	server := &http.Server{
		Handler:           metrics.Handler(),
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       60 * time.Second,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	go func() { _ = server.Serve(listener) }()
	log.Info("serving metrics", "listen", addr)
	return server.Close, nil
}

// listen listens on LISTEN. Browsers at http://localhost may take 127.0.0.1 or
// [::1], and whoever listens on the other one at the same port would get what is
// meant for the app, authorization codes too: so it listens on both.
func (cfg settings) listen() ([]net.Listener, error) {
	if cfg.listeners != nil {
		return cfg.listeners, nil
	}
	addresses := []string{cfg.Listen}
	host, port, _ := net.SplitHostPort(cfg.Listen)
	if cfg.public.Hostname() == "localhost" && globus.IsLoopback(host) {
		addresses = []string{net.JoinHostPort("127.0.0.1", port), net.JoinHostPort("::1", port)}
	}
	listeners, err := listenAll(addresses...)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%w: stop what uses it, another copy of this app perhaps, or Jupyter, which likes 8888; or set LISTEN to another port", err)
	}
	return listeners, err
}

// listenAll listens on each of the addresses that this machine has.
func listenAll(addresses ...string) (listeners []net.Listener, err error) {
	for _, addr := range addresses {
		l, err := net.Listen("tcp", addr)
		switch {
		case err == nil:
			listeners = append(listeners, l)
		case len(addresses) > 1 && (errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)):
			// This machine has no such address, so no browser goes there.
		default:
			for _, l := range listeners {
				l.Close()
			}
			return nil, inUse(addr, err)
		}
	}
	if len(listeners) == 0 {
		return nil, fmt.Errorf("%s: this machine has no such address", addresses[0])
	}
	return listeners, nil
}

// inUse says in the error which address another program uses.
func inUse(addr string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is in use: %w", addr, syscall.EADDRINUSE)
	}
	return err
}

// newLogger writes to standard error: text on a terminal, else JSON.
func newLogger(cfg settings) *slog.Logger {
	opts := &slog.HandlerOptions{Level: cfg.LogLevel}
	info, err := os.Stderr.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	if cfg.LogFormat == "text" || cfg.LogFormat == "" && terminal {
		return slog.New(slog.NewTextHandler(os.Stderr, opts))
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, opts))
}

// announce says where the app is, and what whoever runs it needs to know.
func (cfg settings) announce(log *slog.Logger) {
	attrs := []any{"version", version(), "url", cfg.public.String(), "listen", cfg.Listen, "redirect_uri", cfg.redirectURI(), "globus", cfg.Issuer}
	if path, ok := strings.CutPrefix(cfg.Store, "sqlite:"); ok {
		if abs, err := filepath.Abs(path); err == nil {
			attrs = append(attrs, "data", abs)
		}
	} else if u, err := url.Parse(cfg.Store); err == nil {
		attrs = append(attrs, "data", u.Redacted())
	}
	log.Info("serving", append(attrs, "who_may_enter", routes.WhoMayEnter(cfg.policy))...)
	if host, _, _ := net.SplitHostPort(cfg.Listen); cfg.public.Scheme == "http" && !globus.IsLoopback(host) {
		log.Warn("LISTEN lets other machines in, but PUBLIC_URL is http: what they send is not encrypted")
	}
}

// version names the commit that the program was built from, such as
// "4041c0b9e1d2", or "4041c0b9e1d2, modified".
func version() string {
	info, _ := debug.ReadBuildInfo()
	var revision, modified string
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = ", modified"
		}
	}
	if revision == "" {
		return "development" // go run notes none
	}
	return revision + modified
}

// readSettings reads the environment, and returns all that is wrong with it.
func readSettings(demo bool) (cfg settings, wrong faults) {
	cfg.demo = demo
	if errs, ok := errors.AsType[env.AggregateError](env.ParseWithOptions(&cfg, env.Options{Environment: environment(&wrong)})); ok {
		for _, err := range errs.Errors {
			wrong.add("%v", named(err))
		}
	}
	wrong.fromFile(&cfg.ClientSecret, cfg.ClientSecretFile, "GLOBUS_CLIENT_SECRET")
	wrong.fromFile(&cfg.Store, cfg.StoreFile, "SESSION_STORE")
	cfg.Store = cmp.Or(cfg.Store, "sqlite:data/sessions.db")
	if cfg.Lifetime < 5*time.Minute && !wrong.in("SESSION_LIFETIME") {
		wrong.add("SESSION_LIFETIME must be 5m at least, such as 12h")
	}
	if err := session.CheckStore(cfg.Store); err != nil {
		wrong.add("SESSION_STORE %v", err)
	}
	if !slices.Contains([]string{"", "text", "json"}, cfg.LogFormat) {
		wrong.add("LOG_FORMAT must be text or json")
	}
	cfg.readGlobus(&wrong)
	host := cfg.readAddresses(&wrong)
	if demo {
		cfg.checkDemo(host, &wrong)
		return cfg, wrong
	}
	if cfg.ClientID == "" {
		wrong.add("GLOBUS_CLIENT_ID is not set")
	} else if !globus.IsUUID(cfg.ClientID) {
		wrong.add("GLOBUS_CLIENT_ID must be the Client UUID of the registration")
	}
	if cfg.ClientSecret == "" && cfg.ClientSecretFile == "" {
		wrong.add("GLOBUS_CLIENT_SECRET is not set")
	}
	return cfg, wrong
}

// readGlobus reads where Globus is, what it is asked for, and who may enter.
func (cfg *settings) readGlobus(wrong *faults) {
	wrong.because("GLOBUS_ISSUER", globus.CheckIssuer(cfg.Issuer))
	var err error
	cfg.scopes, err = globus.ParseScopes(cmp.Or(cfg.Scopes, strings.Join(globus.DefaultScopes(), " ")))
	if err != nil {
		wrong.add("GLOBUS_SCOPES must be scopes, separated by blanks")
	} else if !slices.Contains(cfg.scopes.Texts(), "openid") {
		wrong.add("GLOBUS_SCOPES must include openid")
	}
	cfg.policy = globus.Policy{Domains: list(cfg.AllowedDomains), Groups: list(cfg.AllowedGroups), MFA: cfg.RequireMFA}
	wrong.because("ALLOWED_DOMAINS", globus.Policy{Domains: cfg.policy.Domains}.Check())
	wrong.because("ALLOWED_GROUPS", globus.Policy{Groups: cfg.policy.Groups}.Check())
}

// readAddresses reads where the app listens, whose host it returns, and where
// browsers reach it.
func (cfg *settings) readAddresses(wrong *faults) (host string) {
	host, port, err := splitListen(cfg.Listen)
	if err != nil {
		wrong.add("LISTEN must be host:port, such as 127.0.0.1:8888")
		port = "8888"
	}
	if _, metricsPort, err := splitListen(cfg.MetricsListen); cfg.MetricsListen != "" && err != nil {
		wrong.add("METRICS_LISTEN must be host:port, such as 127.0.0.1:9090")
	} else if metricsPort == port {
		wrong.add("METRICS_LISTEN must have another port than LISTEN")
	}
	cfg.public, err = routes.ParsePublicURL(cmp.Or(cfg.PublicURL, "http://localhost:"+port))
	if err != nil {
		wrong.add("PUBLIC_URL %v", err)
		cfg.public = &url.URL{Scheme: "http", Host: "localhost:8888"}
	}
	return host
}

// checkDemo keeps -demo away from a registered app, and from other machines.
func (cfg *settings) checkDemo(host string, wrong *faults) {
	switch {
	case cfg.ClientID != "":
		wrong.add("-demo does not go with GLOBUS_CLIENT_ID: unset it, or leave out -demo to use the real Globus")
	case !globus.IsLoopback(host) || !globus.IsLoopback(cfg.public.Hostname()):
		wrong.add("-demo signs in anybody who asks, so LISTEN and PUBLIC_URL must be on localhost")
	}
}

// splitListen returns the host, which may be empty, and the port to listen on.
func splitListen(addr string) (host, port string, err error) {
	host, port, err = net.SplitHostPort(addr)
	if n, e := strconv.Atoi(port); err == nil && (e != nil || n < 1 || n > 65535) {
		err = errors.New("no such port")
	}
	return host, port, err
}

// list reads a setting of several values.
func list(value string) []string {
	return strings.FieldsFunc(value, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
}

// environment returns the settings as they are set, without blanks and line ends
// around them, which a file with Windows' line ends leaves there and no setting
// has. Quotes are a fault: a shell takes them off, systemd and podman may not.
func environment(wrong *faults) map[string]string {
	values := map[string]string{}
	known, _ := env.GetFieldParams(&settings{})
	for _, p := range known {
		value, ok := os.LookupEnv(p.Key)
		if value = strings.TrimSpace(value); !ok || value == "" {
			continue
		}
		values[p.Key] = wrong.unquoted(p.Key, value)
	}
	return values
}

// named makes of an error of the env package, such as «parse error on field
// "RequireMFA" …», one that names the setting and what it may be.
func named(err error) error {
	parse, ok := errors.AsType[env.ParseError](err)
	if !ok {
		return err
	}
	field, _ := reflect.TypeFor[settings]().FieldByName(parse.Name)
	name := field.Tag.Get("env")
	want := map[reflect.Type]string{
		reflect.TypeFor[bool]():          "true or false",
		reflect.TypeFor[time.Duration](): "a length of time, such as 12h or 30m",
		reflect.TypeFor[slog.Level]():    "debug, info, warn or error",
	}[field.Type]
	return fmt.Errorf("%s must be %s, not %q", name, want, strings.TrimSpace(os.Getenv(name)))
}

// unknownSettings names what looks like a setting, and is likely misspelt.
func unknownSettings() []string {
	var unknown []string
	known, _ := env.GetFieldParams(&settings{})
	for _, e := range os.Environ() {
		name, _, _ := strings.Cut(e, "=")
		ours := strings.HasPrefix(name, "GLOBUS_") || strings.HasPrefix(name, "SESSION_")
		if ours && !slices.ContainsFunc(known, func(p env.FieldParams) bool { return p.Key == name }) {
			unknown = append(unknown, name)
		}
	}
	return unknown
}

// faults are what is wrong with the settings. Each begins with the setting's
// name, or with that of its …_FILE form.
type faults []string

func (f *faults) add(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

// because adds what globus finds wrong with a setting, if err is not nil.
func (f *faults) because(name string, err error) {
	if err != nil {
		f.add("%s: %s", name, strings.TrimPrefix(err.Error(), "globus: "))
	}
}

// unquoted returns value without quotes around it, which are a fault.
func (f *faults) unquoted(name, value string) string {
	if len(value) < 2 || !strings.ContainsRune("\"'`", rune(value[0])) || value[len(value)-1] != value[0] {
		return value
	}
	f.add("%s is in quotes: write its value without them", name)
	return value[1 : len(value)-1]
}

// fromFile sets value from the file that the setting's other form names.
func (f *faults) fromFile(value *string, file, name string) {
	if file == "" {
		return
	}
	if *value != "" {
		f.add("%s and %s_FILE are both set; one is enough", name, name)
		return
	}
	content, err := os.ReadFile(file)
	if err != nil {
		f.add("%s_FILE: %v", name, err)
		return
	}
	if *value = f.unquoted(name+"_FILE", strings.TrimSpace(string(content))); *value == "" {
		f.add("%s_FILE: %s is empty", name, file)
	}
}

// in reports whether the setting of this name is at fault.
func (f faults) in(name string) bool {
	return slices.ContainsFunc(f, func(s string) bool { return strings.HasPrefix(s, name) })
}

// cannotStart reports all that is wrong with the settings at once.
func (cfg settings) cannotStart(wrong faults) error {
	var lines []string
	for _, name := range unknownSettings() {
		lines = append(lines, name+" is no setting; is it misspelt?")
	}
	lines = append(lines, wrong...)
	registered := cfg.ClientID != "" && (cfg.ClientSecret != "" || cfg.ClientSecretFile != "")
	if !cfg.demo && !registered {
		lines = append(lines, "", cfg.howToRegister())
	}
	return errors.New("cannot start:\n  " + strings.Join(lines, "\n  "))
}

func (cfg settings) howToRegister() string {
	return `To register the app, open https://app.globus.org/settings/developers, choose
  "Register a portal, science gateway, or other application you host", and enter
  this as its redirect URI, exactly:

    ` + cfg.redirectURI() + `

  To look around first, without registering anything: go run . -demo`
}

func (cfg settings) redirectURI() string { return cfg.public.String() + "/login" }

// globus returns the client of this app; observe may be nil, as in its Config.
func (cfg settings) globus(observe func(call, outcome string, took time.Duration)) (*globus.Client, error) {
	return globus.New(globus.Config{
		ClientID:     cfg.ClientID,
		ClientSecret: cfg.ClientSecret,
		RedirectURL:  cfg.redirectURI(),
		Scopes:       cfg.scopes.Merge(cfg.policy.Scopes()).Texts(),
		Issuer:       cfg.Issuer,
		TransferURL:  cfg.transferURL,
		GroupsURL:    cfg.groupsURL,
		Observe:      observe,
	})
}

// check is the doctor. What the settings have wrong it leaves out, and goes on
// with the rest.
func (cfg settings) check(ctx context.Context, wrong faults, out io.Writer) error {
	checkup := routes.Checkup{
		Faults:   wrong,
		Unknown:  unknownSettings(),
		ClientOK: !wrong.in("GLOBUS_CLIENT_ID") && !wrong.in("GLOBUS_CLIENT_SECRET"),
		Policy:   cfg.policy,
	}
	if !wrong.in("LISTEN") {
		checkup.Listen = cfg.Listen
	}
	if !wrong.in("PUBLIC_URL") && (cfg.PublicURL != "" || !wrong.in("LISTEN")) {
		checkup.PublicURL = cfg.public
	}
	if !wrong.in("SESSION_STORE") {
		checkup.SessionStore = cfg.Store
	}
	if !wrong.in("GLOBUS_ISSUER") && !wrong.in("GLOBUS_SCOPES") {
		cfg.ClientID, cfg.ClientSecret = cmp.Or(cfg.ClientID, "none"), cmp.Or(cfg.ClientSecret, "none")
		var err error
		if checkup.Globus, err = cfg.globus(nil); err != nil {
			return err
		}
	}
	if n := checkup.Run(ctx, out); n > 0 {
		return fmt.Errorf("%d to mend, marked ✗; begin at the top, for one may come of another", n)
	}
	return nil
}

// Where -demo puts the emulator: on another host name than the app, and so on
// another site, as the real Globus is; and on ports that are the same every time,
// so that they can be forwarded. A second demo on a machine takes the next ports,
// and files of its own.
const (
	demoHost = "127.0.0.1"
	demoPort = 8890
	demoStep = 10
)

// startDemo starts the emulator and points cfg at it. That is all that -demo does.
func startDemo(cfg *settings, out io.Writer) (stop func() error, err error) {
	for _, name := range []string{"GLOBUS_ISSUER", "GLOBUS_CLIENT_SECRET", "SESSION_STORE"} {
		if os.Getenv(name) != "" {
			slog.Warn("ignored by -demo", "name", name)
		}
	}
	if os.Getenv("LISTEN") == "" && os.Getenv("PUBLIC_URL") == "" {
		var port int
		if cfg.listeners, port, err = listenFrom(8888, demoHost, "::1"); err != nil {
			return nil, err
		}
		cfg.Listen, cfg.public.Host = cfg.listeners[0].Addr().String(), "localhost:"+strconv.Itoa(port)
	}
	listeners, port, err := listenFrom(demoPort, demoHost)
	if err != nil {
		return nil, err
	}
	files := filepath.Join("data", "demo")
	if port != demoPort {
		files += "-" + strconv.Itoa(port)
	}
	listener := listeners[0]
	cfg.Issuer = "http://" + listener.Addr().String()
	cfg.transferURL = cfg.Issuer + globustest.TransferPath
	cfg.groupsURL = cfg.Issuer + globustest.GroupsPath
	cfg.ClientID = "d3300000-0000-4000-8000-000000000000"
	cfg.ClientSecret = "the emulator is no secret"
	cfg.Store = "sqlite:" + filepath.ToSlash(files) + ".db"
	emulator, err := globustest.New(globustest.Config{
		Issuer:    cfg.Issuer,
		StateFile: files + "-globus.json",
		Clients: []globustest.Client{{
			ID: cfg.ClientID, Secret: cfg.ClientSecret, Name: "Portal (demo)", RedirectURIs: []string{cfg.redirectURI()},
		}},
	})
	if err != nil {
		listener.Close()
		return nil, err
	}
	server := &http.Server{Handler: emulator, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(listener) }()
	fmt.Fprintln(out, "Globus is emulated at "+cfg.Issuer+"/ (nobody has a password)")
	return server.Close, nil
}

// listenFrom listens on a port, or if something uses it, on one of those that
// another demo would take.
func listenFrom(first int, hosts ...string) (listeners []net.Listener, port int, err error) {
	for port = first; port < first+20*demoStep; port += demoStep {
		var addresses []string
		for _, host := range hosts {
			addresses = append(addresses, net.JoinHostPort(host, strconv.Itoa(port)))
		}
		listeners, err = listenAll(addresses...)
		if !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	return listeners, port, err
}
