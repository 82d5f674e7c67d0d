package engines_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"example.org/portal/routes/routestest"
)

// A browser opens a "tab" or a "window" of its own, which is then in front.
type browser func(kind string) driver

// A driver is a tab, as a program can use it. Before another one is used, that one
// must be brought to the front.
type driver interface {
	open(address string)
	text(js string) (string, error) // evaluates an expression; fails while a page is on its way
	press(x, y float64)             // the mouse button
	back()                          // the Back button
	front()
}

// A page is what a tab shows. Its methods wait until it is so.
type page struct {
	t *testing.T
	driver
}

func (p *page) get(js string) string {
	p.t.Helper()
	got, err := p.text(js)
	if err != nil {
		p.t.Errorf("%s: %v", js, err)
	}
	return got
}

func (p *page) await(what, js string) {
	p.t.Helper()
	routestest.Await(p.t, what, func() bool {
		got, err := p.text("String(" + js + ")")
		return err == nil && got == "true"
	})
}

// at waits for an address that begins so.
func (p *page) at(address string) {
	p.t.Helper()
	p.await("the address is "+address, fmt.Sprintf("location.href.startsWith(%q)", address))
}

// shows waits until each of the CSS selectors matches something visible, and the page
// is complete.
func (p *page) shows(selectors ...string) {
	p.t.Helper()
	for _, selector := range selectors {
		p.await("the page shows "+selector, fmt.Sprintf("[...document.querySelectorAll(%q)].some((e) => e.checkVisibility())", selector))
	}
	p.await("the page is complete", routestest.Complete)
}

// says waits until each of the texts is on the page.
func (p *page) says(texts ...string) {
	p.t.Helper()
	for _, text := range texts {
		p.await(fmt.Sprintf("the page says %q", text), fmt.Sprintf("document.body.innerText.includes(%q)", text))
	}
}

// click clicks with the mouse on what a CSS selector matches, once it stands still.
func (p *page) click(target string) {
	p.t.Helper()
	p.await("the page is complete", routestest.Complete)
	var place []float64
	routestest.Await(p.t, "there is "+target+" to click", func() bool {
		last := place
		place = nil
		got, err := p.text("JSON.stringify(" + routestest.PlaceOf(target) + ")")
		return err == nil && json.Unmarshal([]byte(got), &place) == nil && len(place) == 2 && slices.Equal(place, last)
	})
	p.press(place[0], place[1])
}

// swaps clicks, and waits until another user card stands in the place of the one there
// is, in the same document.
func (p *page) swaps(target string) {
	p.t.Helper()
	p.get(`String(window.marked = document.getElementById("user-card").marked = true)`)
	p.click(target)
	p.await("the card is swapped", `document.getElementById("user-card")?.marked === undefined`)
	p.await("the page is complete", routestest.Complete)
	if p.get("String(window.marked)") != "true" {
		p.t.Errorf("%s loads a page, want the card swapped in place", target)
	}
}

// holdsNothing waits until the document has nothing of Rosalind, and none of the tokens.
func (p *page) holdsNothing(tokens ...string) {
	p.t.Helper()
	for _, secret := range append(tokens, rosalindsFacts...) {
		p.await(fmt.Sprintf("the document has no %q", secret), fmt.Sprintf("!document.documentElement.outerHTML.includes(%q)", secret))
	}
}
