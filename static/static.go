// Package static holds the files that pages load: stylesheet, scripts, icon.
// Each is served under a name that holds a hash of its content, so a browser
// may keep it for ever: a changed file has another name.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
)

//go:embed app.css app.js htmx.min.js icon.svg
var embedded embed.FS

// Files serves the embedded files under their hashed names. Make one with New.
type Files struct {
	hashed map[string]string // hashed name by plain name
	files  map[string]file   // by hashed name
}

type file struct {
	contentType string
	plain       []byte
	gzip        []byte // nil if it would not be smaller
}

// New hashes and compresses the embedded files, once.
func New() *Files {
	entries, err := embedded.ReadDir(".")
	if err != nil {
		panic("static: " + err.Error()) // the program was not built right
	}
	f := &Files{hashed: map[string]string{}, files: map[string]file{}}
	for _, e := range entries {
		body, err := embedded.ReadFile(e.Name())
		if err != nil {
			panic("static: " + err.Error())
		}
		sum := sha256.Sum256(body)
		ext := path.Ext(e.Name())
		name := strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext
		f.hashed[e.Name()] = name
		f.files[name] = file{contentType(ext), body, compress(body)}
	}
	return f
}

// Path returns the hashed name of a file: "app.css" gives "app.1a2b3c4d5e6f.css".
// It panics if there is no such file, which only a mistake in the program can cause.
func (f *Files) Path(name string) string {
	hashed, ok := f.hashed[name]
	if !ok {
		panic("static: no file " + strconv.Quote(name))
	}
	return hashed
}

// anyHash matches a name such as app.1a2b3c4d5e6f.css.
var anyHash = regexp.MustCompile(`^(.+)\.[0-9a-f]{12}(\.[a-z0-9]+)$`)

// ServeHTTP answers for the hashed names, at the root of the request's path:
// use http.StripPrefix. A name with the hash of another version gets this version's
// file, which nobody may keep: while several instances are updated one after
// another, a page of one may ask another for its style. Plain names are not
// found, lest somebody cache one.
func (f *Files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, cache := strings.TrimPrefix(r.URL.Path, "/"), "public, max-age=31536000, immutable"
	file, ok := f.files[name]
	if other := anyHash.FindStringSubmatch(name); !ok && other != nil {
		file, ok = f.files[f.hashed[other[1]+other[2]]]
		cache = "no-store"
	}
	if !ok {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", cache)
	h.Set("Content-Type", file.contentType)
	h.Set("Vary", "Accept-Encoding")
	body := file.plain
	if file.gzip != nil && acceptsGzip(r.Header.Values("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		body = file.gzip
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodGet {
		w.Write(body) // an error is the client's going away
	}
}

// contentType does not ask package mime, whose answer depends on the machine.
func contentType(ext string) string {
	switch ext {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml; charset=utf-8"
	case ".png":
		return "image/png"
	case ".jpg":
		return "image/jpeg"
	case ".ico":
		return "image/x-icon"
	case ".woff2":
		return "font/woff2"
	}
	panic("static: no content type for " + ext)
}

func compress(body []byte) []byte {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		panic("static: " + err.Error())
	}
	z.Write(body) // a bytes.Buffer takes everything
	z.Close()
	if b.Len() >= len(body) {
		return nil
	}
	return b.Bytes()
}

// acceptsGzip reports whether Accept-Encoding names gzip and does not give it
// the weight 0. A mere "*" gets the plain file, which is always right.
func acceptsGzip(header []string) bool {
	for part := range strings.SplitSeq(strings.Join(header, ","), ",") {
		coding, weight, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		q, ok := strings.CutPrefix(strings.ToLower(strings.ReplaceAll(weight, " ", "")), "q=")
		if !ok {
			return true
		}
		v, err := strconv.ParseFloat(q, 64)
		return err == nil && v > 0
	}
	return false
}
