package web_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"example.org/portal/routes/routestest"
)

// TestBackground: work beside the requests goes on until the app stops, is waited for
// then, and what it fails or panics with is in the log, and ends nothing else.
func TestBackground(t *testing.T) {
	t.Parallel()
	log := ""
	t.Run("a site", func(t *testing.T) {
		s := routestest.Start(t, routestest.Options{})
		s.App.Go("fails", func(context.Context) error { return errors.New("canary-error") })
		s.App.Go("panics", func(context.Context) error { panic("canary-value") })
		began, ended := make(chan struct{}), make(chan struct{})
		s.App.Go("goes-on", func(ctx context.Context) error {
			close(began)
			<-ctx.Done()
			close(ended)
			return ctx.Err()
		})
		<-began
		routestest.Await(t, "the log says what failed", func() bool {
			text := s.Log.String()
			return strings.Contains(text, `"name":"fails"`) && strings.Contains(text, "canary-error") &&
				strings.Contains(text, `"name":"panics"`) && strings.Contains(text, "background_test.go")
		})
		select {
		case <-ended:
			t.Error("it ended before the app did")
		default:
		}
		if p := s.Browser().Get("/"); p.Status != http.StatusOK {
			t.Errorf("got %d", p.Status)
		}
		s.App.Stop() // as Close does
		select {
		case <-ended:
		default:
			t.Error("the app did not wait for it")
		}
		log = s.Log.String()
	})
	if strings.Contains(log, "canary-value") || strings.Contains(log, `"name":"goes-on"`) {
		t.Errorf("want no value of a panic, and nothing of what ended as it should:\n%s", log)
	}
}
