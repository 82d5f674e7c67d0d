package routes_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"example.org/portal/routes/routestest"
)

// TestPhoto51: the link of a page of data leads to where it is sent, and it arrives.
func TestPhoto51(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	b := s.Browser()
	page := b.Enter("/photo51", routestest.As("rosalind"))
	search := formOf(t, b.Get(page.Link("#photo51-send")), "places-search")
	search.Set("q", "workstation")
	found := b.Follow(b.Send(http.MethodPost, "/send", search))
	form := b.Follow(press(t, b, found, "places-search", "to="+place(t, "Workstation").ID))
	sent := b.Send(http.MethodPost, "/transfers", formOf(t, form, "send-form"))
	s.Globus.PassTime(24 * time.Hour)
	if p := b.Follow(sent); sent.Status != http.StatusSeeOther || !strings.Contains(p.Body, `data-status="SUCCEEDED"`) {
		t.Errorf("got %d, then %d:\n%s", sent.Status, p.Status, p.Body)
	}
}
