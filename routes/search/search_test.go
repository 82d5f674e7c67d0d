package search_test

import (
	"testing"

	"example.org/portal/routes/routestest"
)

func TestMain(m *testing.M) { routestest.Main(m) }

func TestSearchPage(t *testing.T) {
	b := routestest.Start(t, routestest.Options{}).Browser()
	p := b.Get("/search?q=peat&site.region=Amazon&site.region=Arctic&taken.from=2020&taken.to=2022-07")
	t.Log(p.Status, p.Body)
	for _, path := range []string{"/search/record?subject=https://doi.org/10.5072/efs.0003&at=0", "/search/more?facet=site.region", "/search/code?q=peat&depth_cm.from=3", "/search.csv?q=peat", "/search.json?q=bird", "/search/cite?subject=https://doi.org/10.5072/efs.0003", "/search/compare?subject=https://doi.org/10.5072/efs.0003&subject=https://doi.org/10.5072/efs.0001", "/search?q=peat&license=x", "/search?advanced=1&q=((", "/search/record?subject=x"} {
		p := b.Get(path)
		t.Log(path, p.Status, p.Body)
	}
}
