package routes_test

import (
	"slices"
	"strings"
	"testing"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// start starts a site that has two pages more than the app: /probe/tasks and
// /probe/folder/{id}, which call Transfer as the person who is signed in.
func start(t testing.TB, o routestest.Options) *routestest.Site {
	t.Helper()
	s := routestest.Start(t, o)
	routestest.AddProbes(s.App, s.Client)
	return s
}

// reason matches a problem's page or card, for Tab.Shows.
func reason(kind string) string { return `[data-reason="` + kind + `"]` }

// place returns the demo collection whose name begins so.
func place(t *testing.T, name string) globustest.Collection {
	t.Helper()
	all := globustest.DemoCollections()
	i := slices.IndexFunc(all, func(c globustest.Collection) bool { return strings.HasPrefix(c.Name, name) })
	if i < 0 {
		t.Fatal("no collection " + name)
	}
	return all[i]
}
