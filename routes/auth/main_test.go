package auth_test

import (
	"testing"

	"example.org/portal/routes/routestest"
)

func TestMain(m *testing.M) { routestest.Main(m) }
