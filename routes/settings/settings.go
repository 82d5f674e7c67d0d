// Package settings reads the app's settings from the environment, once, and
// reports everything that is wrong with them at once.
//
// To add a setting of your own, add a field to Settings and a line to its table.
// `portal -h` and the error messages follow; the README's list is yours to write.
package settings

import (
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	"example.org/portal/globus"
)

// Settings are what the environment says. A setting that is at fault leaves the
// zero value in its field, and a line in Faults.
type Settings struct {
	ClientID     string // Client UUID of the app's registration at Globus
	ClientSecret string
	Issuer       string // base URL of Globus Auth
	Scopes       globus.Scopes

	Listen    string   // host:port
	PublicURL *url.URL // as ParsePublicURL returns it

	SessionStore    string // as session.CheckStore accepts it
	SessionLifetime time.Duration

	Database string // as database.Check accepts it

	Policy globus.Policy // who may enter; empty: anyone

	MetricsListen string // host:port; "" serves no metrics
	LogFormat     string // "text", "json", or "" for text on a terminal and JSON elsewhere
	LogLevel      slog.Level

	Faults  []string // what is wrong; each line begins with the name of the setting
	Unknown []string // variables that may be misspelt settings

	demo        bool
	given       map[string]bool // names of the settings that the environment has
	transferURL string          // of the emulated Transfer; "" is the real one
	groupsURL   string          // of the emulated Groups; "" is the real one
	listeners   []net.Listener  // that StartDemo opened; nil: Listeners opens them
}

// A setting is a variable of the environment.
type setting struct {
	name  string
	value string             // default; "" if there is none, or required
	parse func(string) error // writes the field; its error follows the name: "must be …"
	help  string
}

// required stands in place of a default.
const required = "required"

// table lists the settings in the order of the help. Of each, NAME_FILE may name
// a file to read the value from.
func (s *Settings) table() []setting {
	return []setting{
		{"GLOBUS_CLIENT_ID", required, uuid(&s.ClientID),
			"Client UUID of the app's registration at Globus"},
		{"GLOBUS_CLIENT_SECRET", required, text(&s.ClientSecret),
			"client secret of that registration"},
		{"GLOBUS_ISSUER", globus.Issuer, issuer(&s.Issuer),
			"base URL of Globus Auth"},
		{"GLOBUS_SCOPES", strings.Join(globus.DefaultScopes(), " "), scopes(&s.Scopes),
			"scopes that people are asked to consent to,\nseparated by blanks"},
		{"LISTEN", "127.0.0.1:8888", address(&s.Listen),
			"host:port to listen on"},
		{"PUBLIC_URL", "", publicURL(&s.PublicURL),
			"where browsers reach the app, path included; with\n/login added, this is the redirect URI\n(http://localhost: and the port of LISTEN)"},
		{"SESSION_STORE", "sqlite:data/sessions.db", store(&s.SessionStore),
			"where sessions are stored: sqlite: and a path; for several\ninstances postgres://user:password@host:5432/name, or redis://\nor rediss:// and user:password@host:6379/0; or memory:, which\nloses them when the app stops"},
		{"SESSION_LIFETIME", "168h", duration(&s.SessionLifetime, 5*time.Minute),
			"longest time that a session lasts, such as 12h"},
		{"DATABASE", "sqlite:data/app.db", databaseName(&s.Database),
			"where the app's own data is, if it has any: sqlite: and a\npath, or postgres://user:password@host:5432/name"},
		{"ALLOWED_DOMAINS", "", domains(&s.Policy.Domains),
			"who may enter: people who sign in with an identity of one\nof these domains, separated by commas (anyone)"},
		{"ALLOWED_GROUPS", "", groups(&s.Policy.Groups),
			"who may enter: active members of one of these Globus\ngroups, by UUID, separated by commas (anyone)"},
		{"REQUIRE_MFA", "false", boolean(&s.Policy.MFA),
			"true: only people whose identity provider confirms a\nsecond factor may enter"},
		{"METRICS_LISTEN", "", address(&s.MetricsListen),
			"host:port of /metrics for Prometheus, and of\n/debug/pprof/; for operators only (off)"},
		{"LOG_FORMAT", "", oneOf(&s.LogFormat, "text", "json"),
			"text or json (text on a terminal, else json)"},
		{"LOG_LEVEL", "info", level(&s.LogLevel),
			"debug, info, warn or error"},
	}
}

// Help returns the list of settings, with their defaults, for `portal -h`.
func Help() string {
	const column = 23
	var b strings.Builder
	for _, v := range new(Settings).table() {
		help := v.help
		switch {
		case len(v.value) > 30:
			help += "\n(" + v.value + ")"
		case v.value != "":
			help += " (" + v.value + ")"
		}
		fmt.Fprintf(&b, "  %-*s%s\n", column, v.name, strings.ReplaceAll(help, "\n", "\n"+strings.Repeat(" ", column+2)))
	}
	return b.String() + `
A name with _FILE behind it, such as GLOBUS_CLIENT_SECRET_FILE, names a file to
read the value from instead. HTTPS_PROXY and SSL_CERT_FILE apply to calls to
Globus, and SSL_CERT_FILE to the session store too.
`
}
