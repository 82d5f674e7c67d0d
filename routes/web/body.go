package web

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path"
	"slices"

	"github.com/justinas/nosurf"

	"example.org/portal/components"
)

const (
	// DefaultMaxBody is how many bytes the body of a request may have where a route
	// does not say otherwise.
	DefaultMaxBody = 64 << 10

	maxToken = 8 << 10 // bytes of a multipart body in which the CSRF token must come
)

const (
	formType      = "application/x-www-form-urlencoded"
	multipartType = "multipart/form-data"
)

var formTypes = []string{formType, multipartType}

// readBody checks the size and media type of a body. It parses a form, and leaves
// any other body, and a multipart form, to the handler: r.MultipartReader,
// r.FormFile or r.Body. Their errors, returned as they are, become the right page.
func (rt *route) readBody(w http.ResponseWriter, r *http.Request) error {
	media := mediaType(r)
	if r.ContentLength != 0 && !slices.ContainsFunc(rt.accept, func(pattern string) bool {
		ok, _ := path.Match(pattern, media)
		return ok
	}) {
		return &Problem{
			Status: http.StatusUnsupportedMediaType, Reason: "media_type", Heading: "This page does not accept this kind of data",
			Message: "The request has a Content-Type that this address does not accept.",
		}
	}
	if r.ContentLength > rt.maxBody {
		return tooLong()
	}
	extendDeadlines(w, rt.maxBody)
	r.Body = newBody(w, r, rt.maxBody)
	if media != formType {
		return nil
	}
	if err := r.ParseForm(); err != nil {
		if p, ok := errors.AsType[*Problem](err); ok {
			return p
		}
		return unreadable(errors.New("malformed form"))
	}
	return nil
}

func unreadable(cause error) *Problem {
	return &Problem{
		Status: http.StatusBadRequest, Reason: "form_unreadable", Heading: "That form could not be read",
		Message: "Go back, reload the page and try again.", Cause: cause,
	}
}

// A body is the body of a request. If it is too long or too slow, Read returns a *Problem.
type body struct {
	io.ReadCloser
	state *request
}

func newBody(w http.ResponseWriter, r *http.Request, maxBody int64) body {
	return body{http.MaxBytesReader(w, r.Body, maxBody), stateOf(r)}
}

func (b body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return n, tooLong()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		b.state.tooSlow = true
		return n, &Problem{
			Status: http.StatusRequestTimeout, Reason: "too_slow", Heading: "That took too long to arrive",
			Message: "Nothing was done. Your connection may be slow; please try again.", Cause: errors.New("body not read in time"),
		}
	}
	return n, err
}

func tooLong() *Problem {
	return &Problem{
		Status: http.StatusRequestEntityTooLarge, Reason: "too_long", Heading: "That is too large",
		Message: "You sent more than this address accepts. Make it smaller and try again.",
	}
}

// ReadJSON reads the body of r into value, as json.Unmarshal does. Its error is a
// *Problem: return it. The route says that it takes JSON: Accept("application/json").
func ReadJSON(r *http.Request, value any) error {
	err := json.NewDecoder(r.Body).Decode(value)
	if _, ok := errors.AsType[*Problem](err); ok || err == nil {
		return err
	}
	return &Problem{
		Status: http.StatusBadRequest, Reason: "json_unreadable", Heading: "That JSON could not be read",
		Message: "Nothing was done: " + err.Error() + ".", Cause: errors.New("malformed JSON"),
	}
}

func mediaType(r *http.Request) string {
	t, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return t
}

// sentToken returns the CSRF token that r brings: in a header, as a field of its
// form, or as the first field of a multipart form, whose body stays whole. The
// error is a *Problem: the body could not be read.
func sentToken(r *http.Request) (string, error) {
	if token := r.Header.Get(nosurf.HeaderName); token != "" {
		return token, nil
	}
	if mediaType(r) != multipartType {
		return r.PostForm.Get(nosurf.FormFieldName), nil
	}
	_, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	buffered := bufio.NewReaderSize(r.Body, maxToken)
	start, err := buffered.Peek(maxToken)
	if p, ok := errors.AsType[*Problem](err); ok {
		return "", p
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{buffered, r.Body}
	part, err := multipart.NewReader(bytes.NewReader(start), params["boundary"]).NextPart()
	if err != nil || part.FormName() != nosurf.FormFieldName {
		return "", nil
	}
	token, err := io.ReadAll(part)
	if err != nil {
		return "", nil
	}
	return string(token), nil
}

// FormAgain returns the form that r sent, to be sent once more with a fresh token;
// nil if r is not a form, or too large to be kept. A request without a form, such as
// one of hx-delete, can only be repeated from its own page.
func FormAgain(w http.ResponseWriter, r *http.Request) *components.Form {
	if r.Method != http.MethodPost || mediaType(r) != formType {
		return nil
	}
	if r.PostForm == nil { // refused before its body was read
		r.Body = newBody(w, r, cmp.Or(stateOf(r).maxBody, DefaultMaxBody))
		if err := r.ParseForm(); err != nil {
			return nil
		}
	}
	return &components.Form{Action: r.URL.RequestURI(), Fields: fields(r.PostForm), Label: "Send it again"}
}

// fields lists what a form held, without its token.
func fields(form url.Values) []components.Field {
	var list []components.Field
	for _, name := range slices.Sorted(maps.Keys(form)) {
		if name == nosurf.FormFieldName {
			continue
		}
		for _, v := range form[name] {
			list = append(list, components.Field{Name: name, Value: v})
		}
	}
	return list
}
