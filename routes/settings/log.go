package settings

import (
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"

	"example.org/portal/globus"
	"example.org/portal/routes/session"
)

// Logger returns a logger that writes to standard error, in LOG_FORMAT and from
// LOG_LEVEL on.
func (s *Settings) Logger() *slog.Logger {
	opts := &slog.HandlerOptions{Level: s.LogLevel}
	info, err := os.Stderr.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	if s.LogFormat == "text" || s.LogFormat == "" && terminal {
		return slog.New(slog.NewTextHandler(os.Stderr, opts))
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, opts))
}

// LogWarnings logs what is likely a mistake in settings that the app can start with.
func (s *Settings) LogWarnings(log *slog.Logger) {
	for _, name := range s.Unknown {
		log.Warn("unknown setting", "name", name)
	}
	for _, name := range demoSettings {
		if s.demo && s.given[name] {
			log.Warn("setting ignored by -demo", "name", name)
		}
	}
	if isOpen(s.MetricsListen) {
		log.Warn("METRICS_LISTEN is open to other machines", "listen", s.MetricsListen,
			"remedy", "Let a firewall admit only operators: /metrics and /debug/pprof/ have no password.")
	}
	if isOpen(s.Listen) && s.PublicURL.Scheme == "http" {
		log.Warn("LISTEN is open to other machines", "listen", s.Listen,
			"remedy", "Listen on 127.0.0.1: the app speaks plain http, and PUBLIC_URL names no proxy that encrypts.")
	}
}

// isOpen reports whether other machines can reach a host:port of this one.
func isOpen(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && !globus.IsLoopback(host)
}

// LogServing logs where the app is, and what its operator has to know.
func (s *Settings) LogServing(log *slog.Logger) {
	log.Info("serving", "url", s.PublicURL.String(), "listen", s.Listen, "redirect_uri", s.RedirectURI(),
		"globus", s.Issuer, "data", s.StoreName(), "who_may_enter", s.WhoMayEnter())
}

// StoreName returns SESSION_STORE without its password; the path of a file is absolute.
func (s *Settings) StoreName() string {
	if path, ok := strings.CutPrefix(s.SessionStore, "sqlite:"); ok {
		if abs, err := filepath.Abs(path); err == nil {
			return abs
		}
		return path
	}
	return session.StoreName(s.SessionStore)
}
