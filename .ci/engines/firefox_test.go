package engines_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"testing"
	"time"

	"golang.org/x/net/websocket"

	"example.org/portal/routes/routestest"
)

// firefox is a Firefox, by WebDriver BiDi: https://www.w3.org/TR/webdriver-bidi/.
type firefox struct {
	t       *testing.T
	conn    *websocket.Conn
	answers *json.Decoder // a message may come in several frames
	sent    int           // commands
}

var listening = regexp.MustCompile(`(?m)^WebDriver BiDi listening on (ws://\S+)$`)

func startFirefox(t *testing.T, _ *routestest.Site) browser {
	path := routestest.Program(t, "firefox-esr", "firefox")
	const origin = "http://localhost" // which x/net/websocket always sends
	home := t.TempDir()
	log := startProgram(t, home, path, "--headless", "--profile", home, "--remote-debugging-port=0", "--remote-allow-origins="+origin)
	var address string
	routestest.Await(t, "Firefox listens", func() bool {
		if m := listening.FindStringSubmatch(log.String()); m != nil {
			address = m[1]
		}
		return address != ""
	})
	conn, err := websocket.Dial(address+"/session", "", origin)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	f := &firefox{t: t, conn: conn, answers: json.NewDecoder(conn)}
	f.do("session.new", object{"capabilities": object{}})
	return func(kind string) driver {
		var created struct{ Context string }
		if err := f.call("browsingContext.create", object{"type": kind}, &created); err != nil {
			t.Fatal(err)
		}
		return &firefoxTab{f, created.Context}
	}
}

// call sends a command, and decodes what it returns.
func (f *firefox) call(method string, params object, result any) error {
	f.sent++
	if err := f.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if err := json.NewEncoder(f.conn).Encode(object{"id": f.sent, "method": method, "params": params}); err != nil {
		f.t.Fatal(err)
	}
	for {
		var answer struct {
			ID             int
			Error, Message string
			Result         json.RawMessage
		}
		if err := f.answers.Decode(&answer); err != nil {
			f.t.Fatal(err)
		}
		switch {
		case answer.ID != f.sent: // an event
		case answer.Error != "":
			return fmt.Errorf("%s: %s: %s", method, answer.Error, answer.Message)
		default:
			return json.Unmarshal(answer.Result, result)
		}
	}
}

func (f *firefox) do(method string, params object) {
	f.t.Helper()
	if err := f.call(method, params, &object{}); err != nil {
		f.t.Fatal(err)
	}
}

type firefoxTab struct {
	*firefox
	context string
}

func (f *firefoxTab) open(address string) {
	f.do("browsingContext.navigate", object{"context": f.context, "url": address, "wait": "complete"})
}

func (f *firefoxTab) text(js string) (string, error) {
	var got struct{ Result struct{ Type, Value string } }
	err := f.call("script.evaluate", object{"expression": js, "target": object{"context": f.context}, "awaitPromise": false}, &got)
	if err == nil && got.Result.Type != "string" {
		err = fmt.Errorf("%s: got %q, want a string", js, got.Result.Type) // "" if it throws
	}
	return got.Result.Value, err
}

func (f *firefoxTab) press(x, y float64) {
	f.do("input.performActions", object{"context": f.context, "actions": mouse(x, y)})
}

func (f *firefoxTab) back() {
	f.do("browsingContext.traverseHistory", object{"context": f.context, "delta": -1})
}

func (f *firefoxTab) front() { f.do("browsingContext.activate", object{"context": f.context}) }
