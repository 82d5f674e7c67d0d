package static_test

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"example.org/portal/static"
)

// The vendored htmx is the published one, whose hash VENDOR.md names.
func TestVendored(t *testing.T) {
	note, err := os.ReadFile("VENDOR.md")
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile("htmx.min.js")
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(b); !strings.Contains(string(note), hex.EncodeToString(sum[:])) {
		t.Errorf("htmx.min.js has sha256 %x, which VENDOR.md does not name", sum)
	}
}

func TestPath(t *testing.T) {
	b, err := os.ReadFile("app.css")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	got, ok := static.New().Path("app.css")
	if want := "app." + hex.EncodeToString(sum[:6]) + ".css"; got != want || !ok {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, name := range []string{"static.go", "static_test.go", "VENDOR.md", "nothing.css", ""} {
		if got, ok := static.New().Path(name); ok {
			t.Errorf("%q is served as %q", name, got)
		}
	}
}

func TestServe(t *testing.T) {
	files := static.New()
	srv := httptest.NewServer(http.StripPrefix("/static", files))
	defer srv.Close()
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	path := func(name string) string {
		hashed, _ := files.Path(name)
		return hashed
	}
	css, js, icon := path("app.css"), path("app.js"), path("icon.svg")

	tests := []struct {
		name, method, path, accept  string
		wantStatus                  int
		wantType, wantEncoding, own string // own: the file whose content is wanted
	}{
		{"stylesheet", "GET", css, "gzip, deflate, br, zstd", 200, "text/css; charset=utf-8", "gzip", "app.css"},
		{"script", "GET", js, "br;q=1, GZIP ; q=0.5", 200, "text/javascript; charset=utf-8", "gzip", "app.js"},
		{"icon", "GET", icon, "", 200, "image/svg+xml; charset=utf-8", "", "icon.svg"},
		{"htmx", "GET", path("htmx.min.js"), "gzip", 200, "text/javascript; charset=utf-8", "gzip", "htmx.min.js"},
		{"gzip refused", "GET", css, "gzip;q=0, *", 200, "text/css; charset=utf-8", "", "app.css"},
		{"gzip refused at length", "GET", css, "gzip; q=0.000", 200, "text/css; charset=utf-8", "", "app.css"},
		{"something like gzip", "GET", css, "xgzip", 200, "text/css; charset=utf-8", "", "app.css"},
		{"head", "HEAD", css, "gzip", 200, "text/css; charset=utf-8", "gzip", ""},
		{"plain name", "GET", "app.css", "gzip", 200, "text/css; charset=utf-8", "gzip", "app.css"},
		{"the hash of another version", "GET", "app.000000000000.css", "gzip", 200, "text/css; charset=utf-8", "gzip", "app.css"},
		{"a hash of an unknown name", "GET", "no.000000000000.css", "gzip", 404, "", "", ""},
		{"no hash", "GET", "app.00000000000g.css", "gzip", 404, "", "", ""},
		{"not ours to give", "GET", "static.go", "gzip", 404, "", "", ""},
		{"root", "GET", "", "gzip", 404, "", "", ""},
		{"out of the folder", "GET", "%2e%2e/go.mod", "gzip", 404, "", "", ""},
		{"post", "POST", css, "gzip", 405, "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), tt.method, srv.URL+"/static/"+tt.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Accept-Encoding", tt.accept)
			res, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if res.StatusCode != tt.wantStatus {
				t.Fatalf("got status %d, want %d", res.StatusCode, tt.wantStatus)
			}
			want := map[string]string{"Set-Cookie": ""}
			if tt.wantStatus == 200 {
				want["Cache-Control"] = "public, max-age=31536000, immutable"
				want["Content-Type"] = tt.wantType
				want["Content-Encoding"] = tt.wantEncoding
				want["Vary"] = "Accept-Encoding"
				switch tt.name {
				case "the hash of another version":
					want["Cache-Control"] = "no-store" // an instance that is updated later may have that one
				case "plain name":
					want["Cache-Control"] = "no-cache"
				}
			} else {
				want["Cache-Control"] = ""
			}
			for k, v := range want {
				if got := res.Header.Get(k); got != v {
					t.Errorf("%s: got %q, want %q", k, got, v)
				}
			}
			if tt.own != "" {
				checkBody(t, res, tt.own)
			}
		})
	}
}

func checkBody(t *testing.T, res *http.Response, file string) {
	t.Helper()
	body := io.Reader(res.Body)
	if res.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(body)
		if err != nil {
			t.Fatal(err)
		}
		body = z
	}
	got, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("got %d bytes, want the %d of %s", len(got), len(want), file)
	}
}

// Our own files load nothing from elsewhere and need no eval.
func TestSelfContained(t *testing.T) {
	forbidden := regexp.MustCompile(`@import|url\(|//[a-z]|\beval\b|\bFunction\(|innerHTML|localStorage|sessionStorage`)
	namespace := `xmlns="http://www.w3.org/2000/svg"`
	for _, name := range []string{"app.css", "app.js", "icon.svg"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := forbidden.FindString(strings.ReplaceAll(string(b), namespace, "")); got != "" {
			t.Errorf("%s has %q", name, got)
		}
	}
}
