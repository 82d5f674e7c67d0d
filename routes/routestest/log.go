package routestest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
)

// A Log is what the app has logged so far.
type Log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *Log) Write(p []byte) (int, error) {
	moves.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Reset forgets what was logged.
func (l *Log) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b.Reset()
}

// A LogLine is what one line of the log says.
type LogLine map[string]any

// LogLines returns the lines of the log whose message is msg.
func (s *Site) LogLines(msg string) []LogLine {
	s.T.Helper()
	var found []LogLine
	for text := range strings.Lines(s.Log.String()) {
		var line LogLine
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			s.T.Fatalf("the log has the line %q: %v", text, err)
		}
		if line["msg"] == msg {
			found = append(found, line)
		}
	}
	return found
}

var requestLine = regexp.MustCompile(`"msg":"request"|msg=request `)

// RequestCount counts the requests in the log.
func (s *Site) RequestCount() int { return len(requestLine.FindAllString(s.Log.String(), -1)) }

// MetricsPage returns what Prometheus gets.
func (s *Site) MetricsPage() string {
	s.T.Helper()
	resp, err := http.Get(s.Metrics.URL + "/metrics")
	if err != nil {
		s.T.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		s.T.Fatalf("got %s, %v", resp.Status, err)
	}
	return string(body)
}

// Forget drops what was logged so far.
func (l *Log) Forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b = bytes.Buffer{}
}
