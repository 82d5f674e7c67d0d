package routestest

import (
	"testing"

	"example.org/portal/routes/routestest/programs"
)

// Program returns the path of a program that a test needs. It skips the test if
// there is none.
func Program(t testing.TB, names ...string) string {
	t.Helper()
	return programs.Path(t, names...)
}

// Skip skips the test, or fails it where REQUIRE_ALL=1.
func Skip(t testing.TB, why string) {
	t.Helper()
	programs.Skip(t, why)
}

// IsFile reports whether path is a regular file.
func IsFile(path string) bool { return programs.IsFile(path) }

// FreePort returns a port on loopback that nobody listens on.
func FreePort(t testing.TB) string {
	t.Helper()
	return programs.FreePort(t)
}

// Postgres starts a PostgreSQL that is empty, and returns its URL, for
// Options.Database. It stops with the test, and skips it where there is none.
func Postgres(t testing.TB) string {
	t.Helper()
	p := programs.StartPostgres(t)
	t.Cleanup(p.Remove)
	return p.URL()
}
