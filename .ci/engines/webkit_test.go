package engines_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"testing"

	"example.org/portal/routes/routestest"
)

// webkit is WebKitGTK's MiniBrowser, by WebDriver: https://www.w3.org/TR/webdriver2/.
type webkit struct {
	t       *testing.T
	session string // its URL
}

var display = regexp.MustCompile(`(?m)^\d+$`)

func startWebKit(t *testing.T, _ *routestest.Site) browser {
	path := routestest.Program(t, "WebKitWebDriver")
	home := t.TempDir()
	// GTK wants a display. Xvfb takes one that is free, and says which.
	screen := startProgram(t, home, routestest.Program(t, "Xvfb"), "-displayfd", "1", "-nolisten", "tcp", "-screen", "0", "1280x1024x24")
	routestest.Await(t, "Xvfb has a display", func() bool { return display.MatchString(screen.String()) })
	port := routestest.FreePort(t)
	startProgram(t, home, "/usr/bin/env", "DISPLAY=:"+display.FindString(screen.String()), path, "--port="+port)

	w := &webkit{t: t, session: "http://127.0.0.1:" + port + "/session"}
	var created struct{ SessionID string }
	routestest.Await(t, "WebKit listens", func() bool {
		return w.call(http.MethodPost, "", object{"capabilities": object{}}, &created) == nil
	})
	w.session += "/" + created.SessionID
	t.Cleanup(func() {
		var nothing any
		_ = w.call(http.MethodDelete, "", nil, &nothing) // without its display it ends too
	})
	return func(kind string) driver {
		// A tab would never be in sight, and take no click: MiniBrowser does not bring it
		// to the front, and WebDriver cannot. So a tab is a window too.
		var created struct{ Handle string }
		if err := w.call(http.MethodPost, "/window/new", object{"type": "window"}, &created); err != nil {
			t.Fatal(err)
		}
		window := &webkitWindow{w, created.Handle, kind}
		w.do(http.MethodPost, "/window", object{"handle": window.handle})
		return window
	}
}

// call sends a command, and decodes what it returns.
func (w *webkit) call(method, path string, params object, result any) error {
	body, err := json.Marshal(params)
	if err != nil {
		return err
	}
	req, err := http.NewRequest(method, w.session+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	client := http.Client{Timeout: patience}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var answer struct{ Value json.RawMessage }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, path, answer.Value)
	}
	return json.Unmarshal(answer.Value, result)
}

func (w *webkit) do(method, path string, params object) {
	w.t.Helper()
	var nothing any
	if err := w.call(method, path, params, &nothing); err != nil {
		w.t.Fatal(err)
	}
}

type webkitWindow struct {
	*webkit
	handle, kind string
}

func (w *webkitWindow) open(address string) { w.do(http.MethodPost, "/url", object{"url": address}) }

func (w *webkitWindow) text(js string) (got string, err error) {
	err = w.call(http.MethodPost, "/execute/sync", object{"script": "return " + js, "args": []any{}}, &got)
	return got, err
}

func (w *webkitWindow) press(x, y float64) {
	w.do(http.MethodPost, "/actions", object{"actions": mouse(x, y)})
}

func (w *webkitWindow) back() { w.do(http.MethodPost, "/back", object{}) }

// front tells the page of a tab that it comes into sight. It was never out of sight,
// because without a window manager all windows are in sight.
func (w *webkitWindow) front() {
	w.do(http.MethodPost, "/window", object{"handle": w.handle})
	if w.kind == "tab" {
		w.do(http.MethodPost, "/execute/sync", object{"script": `document.dispatchEvent(new Event("visibilitychange"))`, "args": []any{}})
	}
}
