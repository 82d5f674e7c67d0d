package routes_test

import (
	"testing"

	"example.org/portal/routes/routestest"
)

// start starts a site that has two pages more than the app: /probe/tasks and
// /probe/folder/{id}, which call Transfer as the person who is signed in.
func start(t testing.TB, o routestest.Options) *routestest.Site {
	t.Helper()
	s := routestest.Start(t, o)
	s.App.AddProbes()
	return s
}

// reason matches a problem's page or card, for Tab.Shows.
func reason(kind string) string { return `[data-reason="` + kind + `"]` }
