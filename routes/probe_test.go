package routes_test

import (
	"testing"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

func start(t testing.TB, o routestest.Options) *routestest.Site {
	t.Helper()
	return routestest.StartWithProbes(t, o)
}

func reason(kind string) string { return routestest.Reason(kind) }

func place(t *testing.T, name string) globustest.Collection {
	t.Helper()
	return routestest.Place(t, name)
}

func domains(names ...string) globus.Policy { return globus.Policy{Domains: names} }
