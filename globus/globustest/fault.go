package globustest

import (
	"bytes"
	"cmp"
	"io"
	"maps"
	"net/http"
)

// serve answers in place of endpoint, or lets it answer.
func (f Fault) serve(w http.ResponseWriter, r *http.Request, endpoint http.Handler) {
	f.hold(r)
	if !f.HangUp && !f.Endless && f.Status == 0 && f.Header == nil && f.Body == "" {
		endpoint.ServeHTTP(w, r)
		return
	}
	if f.After {
		endpoint.ServeHTTP(lost{http.Header{}}, r)
	}
	if f.HangUp {
		panic(http.ErrAbortHandler) // net/http closes the connection and says nothing
	}
	w.Header().Set("Content-Type", "application/json")
	maps.Copy(w.Header(), f.Header)
	w.WriteHeader(cmp.Or(f.Status, http.StatusOK))
	if f.Endless {
		f.pour(w, r)
		return
	}
	io.WriteString(w, f.Body)
}

// hold waits as long as f says, and breaks the connection off if nobody wants
// an answer any more.
func (f Fault) hold(r *http.Request) {
	if f.Arrived == nil && f.Wait == nil {
		return
	}
	// Only once the body is read does net/http notice that a client is gone.
	body, _ := io.ReadAll(io.LimitReader(r.Body, maxForm+1))
	r.Body = io.NopCloser(bytes.NewReader(body))
	gone := r.Context().Done()
	if f.Arrived != nil {
		select {
		case f.Arrived <- struct{}{}:
		case <-gone:
			panic(http.ErrAbortHandler)
		}
	}
	if f.Wait == nil {
		return
	}
	select {
	case <-f.Wait:
	case <-gone:
		panic(http.ErrAbortHandler)
	}
}

// pour writes until the client hangs up, or the Server is closed.
func (f Fault) pour(w io.Writer, r *http.Request) {
	drop := []byte(cmp.Or(f.Body, " "))
	block := bytes.Repeat(drop, 1+(32<<10)/len(drop))
	for r.Context().Err() == nil {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

// lost is an answer that nobody gets.
type lost struct{ header http.Header }

func (l lost) Header() http.Header         { return l.header }
func (l lost) Write(p []byte) (int, error) { return len(p), nil }
func (l lost) WriteHeader(int)             {}
