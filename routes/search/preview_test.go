package search_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
	"example.org/portal/routes/search"
)

const (
	openFiles = "c0111111-0000-4000-8000-00000000000a" // everybody may read them
	labFiles  = "c0111111-0000-4000-8000-00000000000b" // only members of the lab
	laptop    = "c0111111-0000-4000-8000-00000000000c" // has no HTTPS server
)

const (
	pngStart = "\x89PNG\r\n\x1a\n"
	svg      = `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`
)

// startPreviews starts a site with the page /find over records with files.
func startPreviews(t *testing.T, servers map[string]string, transport http.RoundTripper, scopes ...string) *routestest.Site {
	t.Helper()
	file := func(path, content string) globustest.File { return globustest.File{Path: path, Content: content} }
	lines := strings.Repeat("1,2\n", 40_000)
	collections := []globustest.Collection{
		{ID: openFiles, Name: "Open", AnonymousRead: true, Closed: []string{"/closed/"}, Files: []globustest.File{
			file("/a.txt", "<script>alert(1)</script> ü 日本\x1b"), file("/latin.txt", "Stra\xdfe 5 \x80"), file("/utf16.txt", "\xff\xfea\x00\xfc\x00"), file("/binary.txt", "ELF\x00\x01\x02"),
			file("/long.txt", "x"+strings.Repeat("ü", 60_000)), file("/empty.txt", ""), {Path: "/nothing.txt"}, file("/README", "read me"), file("/odd ?#%2F&.txt", "odd"),
			file("/t.csv", "\xef\xbb\xbfa;b;c\n1;\"x;\"\"y\"\"\";=1+1\n2;<b>;\n"), file("/t.tsv", "a\tb,c\n1\t2\n"), file("/long.csv", "a,b\n"+lines), file("/wide.csv", strings.Repeat("c,", 99)+"\n"), file("/broken.csv", "a,\"b\n1,2"),
			file("/i.png", pngStart+"…"), file("/i.GIF", "GIF89a…"), file("/i.jpg", "\xff\xd8\xff…"), file("/i.webp", "RIFF....WEBPVP8 …"), file("/svg.png", svg), file("/i.svg", svg), file("/html.png", "<html>"), {Path: "/large.png", Size: 5 << 20}, {Path: "/data.h5", Size: 9},
			file("/closed/a.txt", "closed"), file("/folder/b.txt", "b"), file("/private.txt", "for members"),
		}},
		{ID: labFiles, Name: "Lab", SharedWith: []string{"rosalind"}, Files: []globustest.File{file("/a.txt", "for the lab")}},
		{ID: laptop, Name: "Laptop", Type: globustest.PersonalSharedCollection, Files: []globustest.File{file("/a.txt", "x")}},
	}
	var places []any
	for _, c := range collections {
		for _, f := range c.Files {
			if f.Path != "/private.txt" {
				places = append(places, c.ID+":"+f.Path)
			}
		}
	}
	places = append(places, openFiles+":/none.txt", openFiles+":/../a.txt", openFiles+":/folder/", openFiles+":a.txt", "nowhere:/a.txt", "https://127.0.0.1/:/a.txt")
	g := globustest.NewServer(globustest.Config{Key: routestest.SigningKey(), Strict: true, Collections: collections, Indexes: []globustest.Index{{ID: testIndex, Entries: []globustest.IndexEntry{
		{Subject: "files", Content: map[string]any{"title": "Files", "files": places}},
		{Subject: "secret", VisibleTo: []string{globus.PrincipalGroup(globustest.DemoLab)}, Content: map[string]any{"files": openFiles + ":/private.txt"}},
	}}}})
	t.Cleanup(g.Close)
	s := routestest.Start(t, routestest.Options{Globus: g, Transport: transport, Scopes: append(globus.DefaultScopes(), scopes...)})
	search.AddRoutes(s.App.Server, s.App.Auth, s.Client, search.Index{ID: testIndex, Path: "/find", Files: filesOf, HTTPSServers: servers})
	return s
}

// servers are the HTTPS servers of collections as an author writes them.
func servers(s *globustest.Server, ids ...string) map[string]string {
	hosts := map[string]string{}
	for _, id := range ids {
		hosts[strings.ToUpper(id)] = "https://" + strings.TrimPrefix(s.HTTPSServer(id), s.URL+"/") + "/"
	}
	return hosts
}

// openHosts are the HTTPS servers of openFiles and labFiles.
func openHosts(t *testing.T) map[string]string {
	t.Helper()
	g := globustest.NewServer(globustest.Config{Key: routestest.SigningKey(), Collections: []globustest.Collection{{ID: openFiles}, {ID: labFiles}}})
	defer g.Close()
	return servers(g, openFiles, labFiles)
}

func previewOf(subject, collection, path string) string {
	return "/find/preview?" + url.Values{"subject": {subject}, "collection": {collection}, "path": {path}}.Encode()
}

// TestSearchPreview: what everybody may read is shown, whatever is in it, and never as a part
// of the page or as another thing than its bytes are.
func TestSearchPreview(t *testing.T) {
	t.Parallel()
	s := startPreviews(t, openHosts(t), nil)
	b := s.Browser()
	record := b.Get("/find/record?subject=files&q=x")
	links := record.Links(".preview-link")
	if len(links) != 26 { // all but the folders, what is nowhere, and what has no preview
		t.Errorf("got %d links: %q", len(links), links)
	}
	for _, tt := range []struct {
		path, has string // what the page has, separated by |
		cut       bool
	}{
		{"/a.txt", `>&lt;script&gt;alert(1)&lt;/script&gt; ü 日本` + "\ufffd<", false},
		{"/latin.txt", ">Straße 5 €<", false},
		{"/utf16.txt", ">aü<", false},
		{"/long.txt", ">xüü", true},
		{"/nothing.txt", `class="preview-empty"`, false},
		{"/README", ">read me<", false},
		{"/odd ?#%2F&.txt", ">odd<", false},
		{"/t.csv", `data-rows="2"|<bdi>x;"y"</bdi>|<bdi>&lt;b&gt;</bdi>|<th scope="col"><bdi>a</bdi>`, false},
		{"/t.tsv", `data-rows="1"|<bdi>b,c</bdi>`, false},
		{"/long.csv", `data-rows="50"`, true},
		{"/wide.csv", `data-rows="0"`, true},
		{"/broken.csv", "<bdi>a</bdi>", false},
		{"/i.png", `class="preview-image"`, false},
	} {
		p := b.Get(previewOf("files", openFiles, tt.path))
		body := strings.ReplaceAll(p.Body, "&#34;", `"`)
		marked := func(class string) bool { return strings.Contains(body, "note "+class) }
		lacks := slices.DeleteFunc(strings.Split(tt.has, "|"), func(part string) bool { return strings.Contains(body, part) })
		if p.Status != http.StatusOK || len(lacks) > 0 || marked("preview-cut") != tt.cut || marked("preview-guessed") != (tt.path == "/latin.txt") {
			t.Errorf("%s: got %d, cut %t, without %q:\n%s", tt.path, p.Status, marked("preview-cut"), lacks, p.Body)
		}
		if p.Header.Get("X-Robots-Tag") == "" || strings.Contains(body, "<script>alert") || p.Link(".preview-back") == "" {
			t.Errorf("%s: got %v:\n%s", tt.path, p.Header, p.Body)
		}
	}
	if p := b.Get(links[0], "HX-Request", "true", "HX-Request-Type", "partial"); strings.Contains(p.Body, "<html") || p.Link(".preview-back") != "" || !strings.Contains(p.Body, "preview-text") {
		t.Errorf("in place: got %d:\n%s", p.Status, p.Body)
	}
	back := b.Get(b.Get(links[0]).Link(".preview-back"))
	if back.Status != http.StatusOK || !strings.Contains(back.Link("#record-back"), "q=x") {
		t.Errorf("back: got %d %q", back.Status, back.Link("#record-back"))
	}

	// Images have an address of their own, and are nothing else there.
	for name, mediaType := range map[string]string{"/i.png": "image/png", "/i.GIF": "image/gif", "/i.jpg": "image/jpeg", "/i.webp": "image/webp"} {
		p := b.Get(previewOf("files", openFiles, name))
		_, src, _ := strings.Cut(p.Body, `class="preview-image" src="`)
		src, _, _ = strings.Cut(src, `"`)
		image := b.Get(html.UnescapeString(src))
		h := image.Header
		if image.Status != http.StatusOK || h.Get("Content-Type") != mediaType || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Security-Policy") != "default-src 'none'; sandbox" || h.Get("Cache-Control") != "no-store" || !strings.HasSuffix(image.Body, "…") {
			t.Errorf("%s: got %d %v", name, image.Status, h)
		}
	}

	// What is no file of the record, or cannot be shown, is not.
	for _, tt := range []struct {
		subject, collection, path string
		status                    int
		reason                    string
	}{
		{"none", openFiles, "/a.txt", 404, "no_such_record"},
		{"secret", openFiles, "/private.txt", 404, "no_such_record"},
		{"files", openFiles, "/private.txt", 404, "no_such_file"},
		{"files", openFiles, "/folder/b.txt ", 404, "no_such_file"},
		{"files", openFiles, "/none.txt", 404, "no_such_file"},
		{"files", openFiles, "/../a.txt", 404, "no_such_file"},
		{"files", openFiles, "a.txt", 404, "no_such_file"},
		{"files", openFiles, "/folder/", 404, "no_such_file"},
		{"files", openFiles, "/data.h5", 404, "no_such_file"},
		{"files", openFiles, "/i.svg", 404, "no_such_file"},
		{"files", "nowhere", "/a.txt", 404, "no_such_file"},
		{"files", "https://127.0.0.1/", "/a.txt", 404, "no_such_file"},
		{"files", openFiles, "/binary.txt", 422, "not_shown"},
		{"files", openFiles, "/svg.png", 422, "not_shown"},
		{"files", openFiles, "/html.png", 422, "not_shown"},
		{"files", openFiles, "/large.png", 422, "too_large"},
		{"files", openFiles, "/closed/a.txt", 403, "not_public"},
		{"files", labFiles, "/a.txt", 403, "not_public"},
		{"files", laptop, "/a.txt", 403, "preview_sign_in"},
	} {
		for _, as := range []string{"", "&as=image"} {
			if p := b.Get(previewOf(tt.subject, tt.collection, tt.path) + as); p.Status != tt.status || p.Reason() != tt.reason {
				t.Errorf("%s of %s%s: got %d %q, want %d %q", tt.path, tt.subject, as, p.Status, p.Reason(), tt.status, tt.reason)
			}
		}
	}
}

// TestSearchPreviewSignedIn: for people who are signed in, Globus says where the files are. A
// record that only some can see, and a file that only some may read, stay theirs.
func TestSearchPreviewSignedIn(t *testing.T) {
	t.Parallel()
	s := startPreviews(t, nil, nil, globus.SearchQueryScope, globus.HTTPSScope(labFiles))
	member, other, nobody := s.Browser(), s.Browser(), s.Browser()
	member.SignIn("rosalind")
	other.SignIn("markup")
	for _, tt := range []struct {
		b                         *routestest.Browser
		subject, collection, path string
		want                      string // a reason, or a part of the file
	}{
		{member, "files", openFiles, "/a.txt", "日本"},
		{other, "files", openFiles, "/a.txt", "日本"},
		{nobody, "files", openFiles, "/a.txt", "preview_sign_in"},
		{member, "secret", openFiles, "/private.txt", "for members"},
		{other, "secret", openFiles, "/private.txt", "no_such_record"},
		{nobody, "secret", openFiles, "/private.txt", "no_such_record"},
		{member, "files", labFiles, "/a.txt", "for the lab"},
		{other, "files", labFiles, "/a.txt", "not_public"},
		{nobody, "files", labFiles, "/a.txt", "preview_sign_in"},
		{member, "files", laptop, "/a.txt", "no_https"},
	} {
		p := tt.b.Get(previewOf(tt.subject, tt.collection, tt.path))
		if p.Reason() != tt.want && !(p.Status == http.StatusOK && strings.Contains(p.Body, tt.want)) || p.Status != http.StatusOK && strings.Contains(p.Body, "for members") {
			t.Errorf("%s of %s: got %d %q, want %q", tt.path, tt.subject, p.Status, p.Reason(), tt.want)
		}
	}
	if p := nobody.Get(previewOf("files", openFiles, "/a.txt")); !strings.Contains(p.Body, "/login?next=") {
		t.Error("nobody is told where to log in")
	}
	s.Globus.Change(openFiles, func(c *globustest.Collection) { c.Deleted = true })
	if p := member.Get(previewOf("files", openFiles, "/a.txt")); p.Reason() != "no_https" {
		t.Errorf("a collection that was deleted: got %d %q", p.Status, p.Reason())
	}
}

// TestSearchPreviewFaults: a server that answers wrongly, elsewhere or never takes nothing
// with it.
func TestSearchPreviewFaults(t *testing.T) {
	t.Parallel()
	s := startPreviews(t, openHosts(t), nil)
	b := s.Browser()
	for name, tt := range map[string]struct {
		fault  globustest.Fault
		status int
		reason string
	}{
		"down":       {globustest.Fault{Status: 500}, 503, "preview_failed"},
		"hangs up":   {globustest.Fault{HangUp: true}, 503, "preview_failed"},
		"compressed": {globustest.Fault{Header: http.Header{"Content-Encoding": {"gzip"}}, Body: "\x1f\x8b"}, 503, "preview_failed"},
		"elsewhere":  {globustest.Fault{Status: 302, Header: http.Header{"Location": {s.Globus.URL + globustest.DiscoveryPath}}}, 403, "not_public"},
		"no token":   {globustest.Fault{Status: 401}, 403, "not_public"},
		"no right":   {globustest.Fault{Status: 403, Body: "<html>"}, 403, "not_public"},
		"gone":       {globustest.Fault{Status: 404, Body: "<html>"}, 404, "no_such_file"},
		"endless":    {globustest.Fault{Endless: true, Body: "text "}, 200, ""},
	} {
		s.Globus.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.HTTPSPath: tt.fault}})
		if p := b.Get(previewOf("files", openFiles, "/a.txt")); p.Status != tt.status || p.Reason() != tt.reason || len(p.Body) > 200<<10 {
			t.Errorf("%s: got %d %q with %d bytes, want %d %q", name, p.Status, p.Reason(), len(p.Body), tt.status, tt.reason)
		}
	}
	if n := s.Globus.Requests(globustest.DiscoveryPath); n > 0 {
		t.Errorf("a redirect was followed %d times", n)
	}
	s.Globus.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.HTTPSPath: {Body: pngStart, Header: http.Header{"Content-Type": {"text/html"}}}}})
	if p := b.Get(previewOf("files", openFiles, "/i.png") + "&as=image"); p.Header.Get("Content-Type") != "image/png" {
		t.Errorf("the server's word counts: got %q", p.Header.Get("Content-Type"))
	}
	for _, hosts := range []map[string]string{{"x": "g.data.globus.org"}, {openFiles: "http://g.data.globus.org"}, {openFiles: "g.data.globus.org/path"}, {openFiles: ""}, {openFiles: "u@g.data.globus.org"}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%v is valid", hosts)
				}
			}()
			search.AddRoutes(s.App.Server, s.App.Auth, s.Client, search.Index{ID: testIndex, Path: fmt.Sprint("/x", len(hosts)), HTTPSServers: hosts})
		}()
	}
}
