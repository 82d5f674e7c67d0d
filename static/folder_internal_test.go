package static

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

// TestFolder: whatever is put into the folder is served as what it is, also to a file
// that names it; a browser that has it is told so, until it changes.
func TestFolder(t *testing.T) {
	types := map[string]string{
		"chart.js": "text/javascript; charset=utf-8", "chart.js.map": "application/json", "module.mjs": "text/javascript; charset=utf-8",
		"places.json": "application/json", "places.geojson": "application/geo+json", "fonts/Lab.woff2": "font/woff2", "logo.PNG": "image/png",
		"map.webp": "image/webp", "guide.pdf": "application/pdf", "core.wasm": "application/wasm", "table.csv": "text/csv; charset=utf-8",
		"data.nxs": "application/octet-stream", "LICENSE": "application/octet-stream",
	}
	folder := fstest.MapFS{"embed.go": {Data: []byte("package x")}, "notes.md": {Data: []byte("notes")}}
	for name := range types {
		folder[name] = &fstest.MapFile{Data: []byte(strings.Repeat(name, 10))}
	}
	files := newFiles(folder)
	server := httptest.NewServer(files)
	defer server.Close()
	get := func(path, etag string) *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if etag != "" {
			req.Header.Set("If-None-Match", etag)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		return resp
	}
	for name, want := range types {
		hashed, ok := files.Path(name)
		if !ok || hashed == name {
			t.Errorf("%s: got %q", name, hashed)
		}
		for _, path := range []string{hashed, name} {
			if resp := get(path, ""); resp.StatusCode != 200 || resp.Header.Get("Content-Type") != want {
				t.Errorf("%s: got %d %s, want %s", path, resp.StatusCode, resp.Header.Get("Content-Type"), want)
			}
		}
		if old, _, _ := strings.Cut(hashed, "."); name == "chart.js" {
			if resp := get(old+".000000000000.js", ""); resp.StatusCode != 200 || resp.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("another version: got %d", resp.StatusCode)
			}
		}
		etag := get(name, "").Header.Get("ETag")
		if resp := get(name, etag); etag == "" || resp.StatusCode != 304 {
			t.Errorf("%s once more, with %s: got %d", name, etag, resp.StatusCode)
		}
		if resp := get(name, `W/"000000000000"`); resp.StatusCode != 200 {
			t.Errorf("%s, which has changed: got %d", name, resp.StatusCode)
		}
	}
	for _, name := range []string{"embed.go", "notes.md", "fonts", "fonts/"} {
		if resp := get(name, ""); resp.StatusCode != 404 {
			t.Errorf("%s: got %d", name, resp.StatusCode)
		}
	}
}
