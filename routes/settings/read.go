package settings

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"example.org/portal/globus"
)

// Read reads the settings from an environment such as os.Environ returns. With
// demo it leaves out those that StartDemo sets.
func Read(environ []string, demo bool) *Settings {
	s := &Settings{demo: demo, given: map[string]bool{}}
	env := map[string]string{}
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		// Blanks and line ends around a value are not part of it: a file with
		// Windows' line ends leaves them there.
		env[name] = strings.TrimSpace(value)
	}
	table := s.table()
	for _, v := range table {
		s.given[v.name] = env[v.name] != "" || env[v.name+"_FILE"] != ""
		if demo && slices.Contains(demoSettings, v.name) {
			continue
		}
		if err := s.read(v, env); err != nil {
			s.fault(err.Error())
		}
	}
	s.Unknown = unknown(env, table)
	s.checkAddresses()
	if demo {
		s.checkDemo()
	}
	return s
}

func (s *Settings) fault(text string) { s.Faults = append(s.Faults, text) }

// read reads one setting: from its variable, from the file that NAME_FILE names,
// or from its default.
func (s *Settings) read(v setting, env map[string]string) error {
	name, value, file := v.name, env[v.name], env[v.name+"_FILE"]
	switch {
	case value != "" && file != "":
		return fmt.Errorf("%s and %s_FILE are both set: unset one of them", name, name)
	case file != "":
		name += "_FILE"
		content, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if value = strings.TrimSpace(string(content)); value == "" {
			return fmt.Errorf("%s: %s is empty", name, file)
		}
	}
	// A shell removes quotes; systemd and podman may not.
	if inQuotes(value) {
		s.fault(name + " is in quotes: write its value without them")
		value = value[1 : len(value)-1]
	}
	if value == "" && v.value == required {
		return fmt.Errorf("%s is not set", name)
	}
	if value = cmp.Or(value, v.value); value == "" {
		return nil
	}
	if err := v.parse(value); err != nil {
		return fmt.Errorf("%s %w", name, err)
	}
	return nil
}

func inQuotes(value string) bool {
	return len(value) > 1 && strings.ContainsRune("\"'`", rune(value[0])) && value[len(value)-1] == value[0]
}

// checkAddresses checks METRICS_LISTEN against LISTEN, and makes the PUBLIC_URL of
// an app that has no proxy from LISTEN.
func (s *Settings) checkAddresses() {
	_, port, err := net.SplitHostPort(s.Listen)
	if err != nil {
		return // LISTEN is at fault
	}
	if _, metricsPort, _ := net.SplitHostPort(s.MetricsListen); metricsPort == port {
		s.fault("METRICS_LISTEN must have another port than LISTEN")
	}
	if !s.given["PUBLIC_URL"] {
		s.PublicURL, _ = ParsePublicURL("http://localhost:" + port) // cannot fail: LISTEN has been checked
	}
}

// checkDemo keeps the demo away from a registered app, and from other machines.
func (s *Settings) checkDemo() {
	host, _, err := net.SplitHostPort(s.Listen)
	switch {
	case s.given["GLOBUS_CLIENT_ID"]:
		s.fault("GLOBUS_CLIENT_ID is set, and -demo has a client of its own: unset it, or leave out -demo to use the real Globus")
	case err == nil && !globus.IsLoopback(host), s.PublicURL != nil && !globus.IsLoopback(s.PublicURL.Hostname()):
		s.fault("LISTEN and PUBLIC_URL must be on localhost, because -demo lets anyone sign in as anyone")
	}
}

// unknown returns the variables whose names begin like those of settings, up to
// the first underscore, and that are not settings.
func unknown(env map[string]string, table []setting) (names []string) {
	prefixes, known := map[string]bool{}, map[string]bool{}
	for _, v := range table {
		known[v.name], known[v.name+"_FILE"] = true, true
		if prefix, _, ok := strings.Cut(v.name, "_"); ok {
			prefixes[prefix] = true
		}
	}
	for name := range env {
		if prefix, _, ok := strings.Cut(name, "_"); ok && prefixes[prefix] && !known[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Err returns nil if the app can start. Otherwise it names every fault and, if the
// app is not registered yet, says how to register it.
func (s *Settings) Err() error {
	if len(s.Faults) == 0 {
		return nil
	}
	var lines []string
	for _, name := range s.Unknown {
		lines = append(lines, name+" is not a setting; is it misspelt?")
	}
	lines = append(lines, s.Faults...)
	if !s.demo && !(s.given["GLOBUS_CLIENT_ID"] && s.given["GLOBUS_CLIENT_SECRET"]) {
		lines = append(lines, "", s.howToRegister())
	}
	return errors.New("cannot start:\n  " + strings.Join(lines, "\n  "))
}

func (s *Settings) howToRegister() string {
	uri := "PUBLIC_URL, followed by /login"
	if s.PublicURL != nil {
		uri = s.RedirectURI()
	}
	return `To register the app, open https://app.globus.org/settings/developers, choose
  "Register a portal, science gateway, or other application you host", and enter
  this as its redirect URI, exactly:

    ` + uri + `

  To try the app without registering it: go run . -demo`
}
