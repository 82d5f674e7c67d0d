package globustest

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
)

// A record is what becomes of a request, for the log. Whoever answers the request
// fills it in. It holds no value of a parameter: some are secrets.
type record struct {
	client  string   // ID of the app that the request is of; "": unknown
	ignored []string // names of parameters that were ignored
	refused string   // why the request was refused; "": it was not
}

type recordKey struct{}

// recordOf returns the record of a request that ServeHTTP got.
func recordOf(r *http.Request) *record {
	rec, ok := r.Context().Value(recordKey{}).(*record)
	if !ok {
		return &record{} // nobody reads it
	}
	return rec
}

// recorded returns r with a record.
func recorded(r *http.Request) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), recordKey{}, &record{}))
}

// refuse keeps why a request is refused.
func (rec *record) refuse(err error) {
	switch err := err.(type) {
	case *refusal:
		rec.refused = err.why()
	case *errorPage:
		rec.refused = err.Code + ": " + err.Message
		if err.RedirectURI != "" {
			rec.refused += " It was " + err.RedirectURI
		}
	default:
		rec.refused = err.Error()
	}
}

// why returns the words of the answer, whichever service's shape it has.
func (r *refusal) why() string {
	text := func(name string) string { s, _ := r.body[name].(string); return s }
	code := cmp.Or(text("error"), text("code"))
	detail := cmp.Or(text("error_description"), text("message"), text("detail"))
	if all, ok := r.body["errors"].([]map[string]any); ok && len(all) > 0 {
		detail, _ = all[0]["detail"].(string)
	}
	if detail == "" {
		return code
	}
	return code + ": " + detail
}

// A statusWriter remembers the status of an answer; 0: there was none.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) Write(p []byte) (int, error) {
	w.status = cmp.Or(w.status, http.StatusOK)
	return w.ResponseWriter.Write(p)
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = cmp.Or(w.status, status)
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// logRequest writes the line of a request.
func (e *Emulator) logRequest(r *http.Request, status int) {
	rec, level := recordOf(r), slog.LevelInfo
	attrs := []slog.Attr{slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", status)}
	if rec.client != "" {
		attrs = append(attrs, slog.String("client", rec.client))
	}
	if len(rec.ignored) > 0 {
		attrs = append(attrs, slog.String("ignored", fmt.Sprint(rec.ignored)))
	}
	if rec.refused != "" {
		level = slog.LevelWarn
		attrs = append(attrs, slog.String("refused", rec.refused))
	}
	e.log.LogAttrs(r.Context(), level, "request", attrs...)
}
