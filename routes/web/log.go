package web

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A requestLog adds the id of the request and the client's address to each line.
type requestLog struct{ slog.Handler }

// Handle implements slog.Handler, as do the methods below.
func (l requestLog) Handle(ctx context.Context, line slog.Record) error {
	if state, ok := ctx.Value(requestKey{}).(*request); ok {
		line = line.Clone()
		line.AddAttrs(slog.String("id", state.id), slog.String("client", state.client))
	}
	return l.Handler.Handle(ctx, line)
}

func (l requestLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return requestLog{l.Handler.WithAttrs(attrs)}
}

func (l requestLog) WithGroup(name string) slog.Handler { return requestLog{l.Handler.WithGroup(name)} }

// logRequests logs and counts every request when it has been answered.
func (s *Server) logRequests(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := time.Now() // and not by Config.Now, which may stand still
		answer := &recorder{ResponseWriter: w}
		stateOf(r).answer = answer
		s.Metrics.inFlight.Inc()
		returned := false
		defer func() { // of a panic too, which net/http deals with
			s.Metrics.inFlight.Dec()
			if answer.status == 0 {
				answer.status = unwritten(r, returned)
			}
			s.logRequest(r, answer, time.Since(begun))
		}()
		next.ServeHTTP(answer, r)
		returned = true
	})
}

// hungUp is the status that nginx logs for a request whose browser did not wait.
const hungUp = 499

// unwritten returns the status of a request whose handler wrote none.
func unwritten(r *http.Request, returned bool) int {
	switch {
	case r.Context().Err() != nil:
		return hungUp
	case !returned:
		return http.StatusInternalServerError
	}
	return http.StatusOK
}

func (s *Server) logRequest(r *http.Request, answer *recorder, took time.Duration) {
	state, method, route := stateOf(r), knownMethod(r.Method), s.route(r)
	s.Metrics.request(route, method, answer.status, took)
	log, level := s.Log.Handler(), level(r, answer.status)
	if !log.Enabled(r.Context(), level) {
		return
	}
	// Not by LogAttrs, which looks for the place in the code each time.
	line := slog.NewRecord(time.Now(), level, "request", 0)
	line.AddAttrs(
		slog.String("method", method),
		slog.String("route", route),
		slog.Int("status", answer.status),
		slog.Int64("bytes", answer.bytes),
		slog.Float64("ms", float64(took.Microseconds())/1000),
	)
	if state.session != "" {
		line.AddAttrs(slog.String("session", state.session))
	}
	if state.err != nil {
		line.AddAttrs(Why(state.err)...)
	}
	_ = log.Handle(r.Context(), line) // if nobody can write the log, nobody can be told
}

// route returns the path of the pattern that matches r, or "none". The address
// itself may hold a code, and a stranger can make up any number of addresses.
func (s *Server) route(r *http.Request) string {
	pattern := r.Pattern
	if isPage(r) {
		if pattern = stateOf(r).pattern; pattern == "" { // refused before its route was looked for
			_, pattern = s.routes.Handler(r)
		}
	}
	_, path, _ := strings.Cut(pattern, " ")
	return cmp.Or(path, "none")
}

// level returns the level of the log line: debug for static files and health checks,
// which are requested all the time.
func level(r *http.Request, status int) slog.Level {
	switch {
	case !isPage(r):
		return slog.LevelDebug
	case status >= http.StatusInternalServerError:
		return slog.LevelError
	case status >= http.StatusBadRequest && status != hungUp:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// isPage reports whether Server.pages answers r.
func isPage(r *http.Request) bool { return r.Pattern == "/" || r.Pattern == "" }

// knownMethod returns method, or "other": a stranger can make up any number of methods.
func knownMethod(method string) string {
	known := []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}
	if slices.Contains(known, method) {
		return method
	}
	return "other"
}

// A recorder notes the status and size of an answer, and changes neither.
type recorder struct {
	http.ResponseWriter
	status int // 0 until it is written
	bytes  int64
}

// Unwrap is for http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK { // and not Early Hints
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}
