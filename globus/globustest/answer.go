package globustest

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// A refusal is an error response.
type refusal struct {
	status int
	body   map[string]any
	basic  bool // send WWW-Authenticate, because the app used HTTP Basic (RFC 6749, section 5.2)
}

func (r *refusal) Error() string { return fmt.Sprintf("globustest: %d %v", r.status, r.body) }

// apiRefusal has the shape of most of Globus's services: a list of errors, whose status
// is a string, and the members of an OAuth error. The code is the title in capitals.
func apiRefusal(status int, title, detail string) *refusal {
	code := strings.ReplaceAll(title, " ", "_")
	return &refusal{status: status, body: map[string]any{
		"errors": []map[string]any{{
			"status": strconv.Itoa(status),
			"id":     newUUID(),
			"code":   strings.ToUpper(code),
			"title":  title,
			"detail": detail,
		}},
		"error":             strings.ToLower(code),
		"error_description": title,
	}}
}

// oauthRefusal has the shape of RFC 6749, section 5.2. Globus often sends no
// description, so an empty one is left out.
func oauthRefusal(status int, code, description string) *refusal {
	body := map[string]any{"error": code}
	if description != "" {
		body["error_description"] = description
	}
	return &refusal{status: status, body: body}
}

// pathRefusal has the shape of the service that the request is for.
func pathRefusal(r *http.Request, status int, title, detail string) *refusal {
	if strings.HasPrefix(r.URL.Path, TransferPath+"/") {
		return transferRefusal(r, status, "ClientError."+strings.ReplaceAll(title, " ", ""), detail)
	}
	if strings.HasPrefix(r.URL.Path, GroupsPath+"/groups/") {
		return groupsRefusal(status, strings.ToUpper(strings.ReplaceAll(title, " ", "_")), detail)
	}
	if strings.HasPrefix(r.URL.Path, "/v1/") || strings.HasPrefix(r.URL.Path, "/beta/index/") {
		return searchRefusal(status, strings.ReplaceAll(title, " ", "")+".Generic", detail)
	}
	return apiRefusal(status, title, detail)
}

// transferRefusal has the shape of Globus Transfer.
func transferRefusal(r *http.Request, status int, code, message string) *refusal {
	return &refusal{status: status, body: map[string]any{
		"code":       code,
		"message":    message,
		"request_id": randomText(9),
		"resource":   strings.TrimPrefix(r.URL.Path, TransferPath),
	}}
}

// answer adapts an endpoint that apps call: it sends the result as JSON.
func answer(h func(*http.Request) (any, error), methods ...string) http.Handler {
	if slices.Contains(methods, http.MethodGet) {
		methods = append(methods, http.MethodHead)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !allowed(w, r, methods) {
			return
		}
		body, err := h(r)
		if err != nil {
			refuse(w, r, err)
			return
		}
		status := http.StatusOK
		if other, ok := body.(withStatus); ok {
			status, body = other.status, other.body
		}
		writeJSON(w, status, body)
	})
}

// browserHeaders are the request headers of @globus/sdk (src/services/shared.ts).
const browserHeaders = "Authorization, Content-Type, Accept, X-Globus-Client-Info"

// allowOrigins lets the pages of any origin call an endpoint (the CORS protocol of the
// Fetch standard). It responds to a preflight request, and reports whether this was one.
// Which other request headers Globus allows is not known; with Config.Strict none are.
func (e *Emulator) allowOrigins(w http.ResponseWriter, r *http.Request) (preflight bool) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE")
	h.Set("Access-Control-Allow-Headers", browserHeaders)
	if wanted := r.Header.Get("Access-Control-Request-Headers"); wanted != "" && !e.strict {
		h.Set("Access-Control-Allow-Headers", browserHeaders+", "+wanted)
	}
	w.WriteHeader(http.StatusNoContent)
	return true
}

// allowed sends 405 unless the request's method is one of methods.
func allowed(w http.ResponseWriter, r *http.Request, methods []string) bool {
	if slices.Contains(methods, r.Method) {
		return true
	}
	w.Header().Set("Allow", strings.Join(methods, ", "))
	refuse(w, r, pathRefusal(r, http.StatusMethodNotAllowed, "Method Not Allowed", "Use "+strings.Join(methods, " or ")))
	return false
}

// refuse responds with err. An error that is no refusal is a failure of the emulator,
// such as a full disk: it becomes 500 with the error's text.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	recordOf(r).refuse(err)
	refused, ok := errors.AsType[*refusal](err)
	if !ok {
		refused = apiRefusal(http.StatusInternalServerError, "Internal Server Error", err.Error())
	}
	if refused.basic {
		w.Header().Set("WWW-Authenticate", `Basic realm="globustest"`)
	}
	writeJSON(w, refused.status, refused.body)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	data, err := json.Marshal(body)
	if err != nil { // a Lie that is no JSON
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	w.Write(data)
}

// newUUID returns a random UUID.
func newUUID() string {
	var b [16]byte
	rand.Read(b[:])
	return uuid(b)
}

// nameUUID returns a UUID derived from name, always the same.
func nameUUID(name string) string {
	sum := sha256.Sum256([]byte(name))
	return uuid([16]byte(sum[:16]))
}

func uuid(b [16]byte) string {
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// A record is what the log says about a request. The endpoint fills it in. It holds no
// values of parameters, because some are secrets.
type record struct {
	client  string   // ID of the app that sent the request; "": unknown
	ignored []string // names of ignored parameters
	refused string   // why the request was rejected; "": it was not

	keep func(name string) // for Emulator.Ignored
}

// ignore records an ignored parameter, or an ignored value of one.
func (rec *record) ignore(name string) {
	if rec.keep != nil && !slices.Contains(rec.ignored, name) {
		rec.ignored = append(rec.ignored, name)
		rec.keep(name)
	}
}

type recordKey struct{}

// recordOf returns the record of a request.
func recordOf(r *http.Request) *record {
	rec, ok := r.Context().Value(recordKey{}).(*record)
	if !ok {
		return &record{} // nobody reads it
	}
	return rec
}

// recorded returns the request with a record. path is its endpoint.
func (e *Emulator) recorded(r *http.Request, path string) *http.Request {
	keep := func(name string) {
		e.ignoredMu.Lock()
		defer e.ignoredMu.Unlock()
		if e.ignored[path] == nil {
			e.ignored[path] = map[string]bool{}
		}
		e.ignored[path][name] = true
	}
	return r.WithContext(context.WithValue(r.Context(), recordKey{}, &record{keep: keep}))
}

// refuse records why the request is rejected.
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

// why returns the code and the description in the response.
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

// A statusWriter records the status of a response; 0: there was none.
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

// logRequest logs a request.
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
