package web

import (
	"io"
	"net/http"
	"time"
)

// lingerTime is how long a client may go on sending a body that nobody wants.
const lingerTime = 5 * time.Second

// linger reads what is left of a body when the request has been answered. A proxy
// such as nginx first sends a body and then reads the answer. If the connection
// were closed meanwhile, it would meet a reset, lose the answer, and show an error
// of its own (RFC 9112, section 9.6). net/http does this only for connections that
// stay open.
func linger(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength == 0 {
			next.ServeHTTP(w, r)
			return
		}
		body := &counted{ReadCloser: r.Body}
		inner := *r // net/http looks at the Body of its own request
		inner.Body = body
		next.ServeHTTP(w, &inner)
		waits := body.n == 0 && r.Header.Get("Expect") != "" // the client sends nothing unasked
		if body.ended || body.n == r.ContentLength || waits {
			return
		}
		c := http.NewResponseController(w)
		if c.Flush() == nil && c.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
			_, _ = io.Copy(io.Discard, body)
		}
	})
}

// A counted body knows how much of it was read, and whether that was all.
type counted struct {
	io.ReadCloser
	n     int64
	ended bool
}

func (b *counted) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.n += int64(n)
	b.ended = b.ended || err != nil
	return n, err
}
