package engines_test

import (
	"context"
	"testing"

	"github.com/chromedp/chromedp"

	"example.org/portal/routes/routestest"
)

// chromium is a tab in which other tests click too: it fails them over what its
// console says, and over requests to where none belongs.
type chromium struct{ *routestest.Tab }

func startChromium(t *testing.T, s *routestest.Site) browser {
	p := s.Person(t)
	p.Full = true
	return func(kind string) driver {
		if kind == "window" {
			return chromium{p.Window()}
		}
		return chromium{p.Tab()}
	}
}

func (c chromium) open(address string) { c.Do(chromedp.Navigate(address)) }
func (c chromium) press(x, y float64)  { c.Do(chromedp.MouseClickXY(x, y)) }
func (c chromium) back()               { c.Back() }
func (c chromium) front()              { c.Front() }

func (c chromium) text(js string) (string, error) {
	ctx, cancel := context.WithTimeout(c.Context, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[string](js))
}
