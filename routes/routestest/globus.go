package routestest

import (
	"net/http"

	"example.org/portal/globus/globustest"
)

// Down makes these endpoints of the emulated Globus answer 503.
func Down(paths ...string) globustest.Lie {
	l := globustest.Lie{Endpoints: map[string]globustest.Fault{}}
	for _, path := range paths {
		l.Endpoints[path] = globustest.Fault{Status: http.StatusServiceUnavailable}
	}
	return l
}
