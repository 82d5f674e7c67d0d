// Package static holds the files that pages load: stylesheet, scripts, icon, and
// whatever else is put into its folder, but for Go and Markdown.
//
// Each is served under a name that holds a hash of its content, so a browser may
// keep it for ever: a changed file has another name. By its own name, as one file
// refers to another, it is served too, and a browser asks each time whether it has
// changed.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

//go:embed *
var embedded embed.FS

// Files serves the embedded files under their hashed names. Make one with New.
type Files struct {
	hashed map[string]string // hashed name by plain name
	files  map[string]file   // by hashed name
}

type file struct {
	contentType string
	etag        string
	plain       []byte
	gzip        []byte // nil if it would not be smaller
}

// New hashes and compresses the embedded files. The second call returns what the first did.
func New() *Files { return embeddedFiles() }

var embeddedFiles = sync.OnceValue(func() *Files { return newFiles(embedded) })

func newFiles(folder fs.FS) *Files {
	f := &Files{hashed: map[string]string{}, files: map[string]file{}}
	err := fs.WalkDir(folder, ".", func(name string, e fs.DirEntry, err error) error {
		ext := path.Ext(name)
		if err != nil || e.IsDir() || ext == ".go" || ext == ".md" {
			return err
		}
		body, err := fs.ReadFile(folder, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		hash := hex.EncodeToString(sum[:6])
		hashed := strings.TrimSuffix(name, ext) + "." + hash + ext
		f.hashed[name] = hashed
		f.files[hashed] = file{contentType(ext), `W/"` + hash + `"`, body, compress(body)}
		return nil
	})
	if err != nil {
		panic("static: " + err.Error()) // the program was not built right
	}
	return f
}

// Path returns the hashed name of a file: "app.css" gives "app.1a2b3c4d5e6f.css".
// It reports whether there is such a file.
func (f *Files) Path(name string) (string, bool) {
	hashed, ok := f.hashed[name]
	return hashed, ok
}

// anyHash matches a name such as app.1a2b3c4d5e6f.css.
var anyHash = regexp.MustCompile(`^(.+)\.[0-9a-f]{12}(\.[A-Za-z0-9]+)?$`)

// ServeHTTP answers for the files, at the root of the request's path: use
// http.StripPrefix. A name with the hash of another version gets this version's
// file, which nobody may keep: while several instances are updated one after
// another, a page of one may ask another for its style.
func (f *Files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, cache := strings.TrimPrefix(r.URL.Path, "/"), "public, max-age=31536000, immutable"
	file, ok := f.files[name]
	if plain, known := f.hashed[name]; !ok && known {
		file, ok, cache = f.files[plain], true, "no-cache"
		w.Header().Set("ETag", file.etag)
	}
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
	if h.Get("ETag") != "" && r.Header.Get("If-None-Match") == file.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
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

// contentTypes are the media types by the end of a name. Package mime's depend on
// the machine.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
	".json": "application/json", ".geojson": "application/geo+json", ".map": "application/json", ".webmanifest": "application/manifest+json", ".wasm": "application/wasm",
	".html": "text/html; charset=utf-8", ".txt": "text/plain; charset=utf-8", ".csv": "text/csv; charset=utf-8", ".xml": "application/xml", ".pdf": "application/pdf",
	".svg": "image/svg+xml; charset=utf-8", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp", ".avif": "image/avif", ".ico": "image/x-icon",
	".woff2": "font/woff2", ".woff": "font/woff", ".ttf": "font/ttf", ".otf": "font/otf",
	".mp4": "video/mp4", ".webm": "video/webm", ".mp3": "audio/mpeg",
}

func contentType(ext string) string {
	if t, ok := contentTypes[strings.ToLower(ext)]; ok {
		return t
	}
	return "application/octet-stream"
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
