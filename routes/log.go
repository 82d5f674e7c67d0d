package routes

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A visitLog adds to each line which request it is about, and whence that came.
type visitLog struct{ slog.Handler }

// Handle implements slog.Handler, as do the methods below.
func (l visitLog) Handle(ctx context.Context, line slog.Record) error {
	if v, ok := ctx.Value(visitKey{}).(*visit); ok {
		line = line.Clone()
		line.AddAttrs(slog.String("id", v.id), slog.String("client", v.client))
	}
	return l.Handler.Handle(ctx, line)
}

func (l visitLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return visitLog{l.Handler.WithAttrs(attrs)}
}

func (l visitLog) WithGroup(name string) slog.Handler { return visitLog{l.Handler.WithGroup(name)} }

// record logs and counts every request, once it is answered.
func (a *App) record(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := time.Now() // and not by Config.Now, which need not run on
		answer := &recorder{ResponseWriter: w}
		a.metrics.inFlight.Inc()
		returned := false
		defer func() { // of a panic too, which net/http deals with
			a.metrics.inFlight.Dec()
			if answer.status == 0 {
				answer.status = unwritten(r, returned)
			}
			a.answered(r, answer, time.Since(begun))
		}()
		next.ServeHTTP(answer, r)
		returned = true
	})
}

// hungUp is the status, nginx's, of a request whose browser did not wait.
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

func (a *App) answered(r *http.Request, answer *recorder, took time.Duration) {
	route, method := a.route(r), knownMethod(r.Method)
	a.metrics.request(route, method, answer.status, took)

	v := visitOf(r)
	attrs := []slog.Attr{
		slog.String("method", method),
		slog.String("route", route),
		slog.Int("status", answer.status),
		slog.Int64("bytes", answer.bytes),
		slog.Float64("ms", float64(took.Microseconds())/1000),
	}
	session := a.sessions.Tag(r)
	if v.session != nil {
		session = v.session.Tag()
	}
	if session != "" {
		attrs = append(attrs, slog.String("session", session))
	}
	if v.err != nil {
		attrs = append(attrs, why(v.err)...)
	}
	a.log.LogAttrs(r.Context(), a.level(r, answer.status), "request", attrs...)
}

// level keeps quiet about what is asked all the time and is no page: files,
// and whether the app is alive.
func (a *App) level(r *http.Request, status int) slog.Level {
	switch {
	case !a.isPage(r):
		return slog.LevelDebug
	case status >= http.StatusInternalServerError:
		return slog.LevelError
	case status >= http.StatusBadRequest && status != hungUp:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// isPage reports whether r was sent on to the pages.
func (a *App) isPage(r *http.Request) bool { return r.Pattern == "/" || r.Pattern == "" }

// route returns the path in the pattern that r met, or "none": the address
// itself may hold a code, and a stranger can make up any number of them.
func (a *App) route(r *http.Request) string {
	pattern := r.Pattern
	if a.isPage(r) {
		_, pattern = a.pages.Handler(r)
	}
	if _, path, ok := strings.Cut(pattern, " "); ok {
		return path
	}
	return "none"
}

// knownMethod returns method, or "other": it too is a stranger's to make up.
func knownMethod(method string) string {
	known := []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}
	if slices.Contains(known, method) {
		return method
	}
	return "other"
}

// A recorder notes what is answered, and changes nothing about it.
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
