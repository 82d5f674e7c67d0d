package search

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/a-h/templ"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	encodingunicode "golang.org/x/text/encoding/unicode"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

const (
	maxPreview  = 64 << 10 // bytes of a text or table that are read
	maxImage    = 4 << 20  // bytes of an image that is shown
	maxPreviews = 8        // files that are read at a time, for each index

	maxTableRows    = 50 // beside the first
	maxTableColumns = 30
	maxTableCell    = 200 // characters
)

// A preview shows the beginning of a file.
type preview struct {
	path, backURL string // backURL is of the record; "": the preview is in its page
	text          string
	rows          [][]string // of a table; the first has the names of the columns
	imageURL      string
	cut           bool // there is more in the file
	guessed       bool // which letters the text has
}

// previewKinds are the files that have a preview, by the end of the name. What is in the
// file decides what is shown. There is no SVG: it can have scripts.
var previewKinds = map[string]string{
	".csv": "table", ".tsv": "table", ".tab": "table",
	".png": "image", ".jpg": "image", ".jpeg": "image", ".gif": "image", ".webp": "image",
	"": "text", ".txt": "text", ".md": "text", ".rst": "text", ".log": "text", ".dat": "text", ".json": "text", ".jsonl": "text", ".geojson": "text", ".xml": "text",
	".yaml": "text", ".yml": "text", ".toml": "text", ".ini": "text", ".cfg": "text", ".tex": "text", ".bib": "text", ".ris": "text", ".cff": "text",
	".py": "text", ".r": "text", ".jl": "text", ".m": "text", ".sh": "text", ".c": "text", ".go": "text", ".f90": "text", ".sql": "text", ".html": "text",
}

// previewKind is how a file would be shown; "": it has no preview.
func previewKind(p string) string {
	if p == "" || strings.HasSuffix(p, "/") {
		return ""
	}
	return previewKinds[strings.ToLower(path.Ext(p))]
}

// previewURL is the page of the preview of a file of a record; "": it has none. at is the
// place of the record in the list, or "".
func (m *room) previewURL(a address, subject, at string, f File) string {
	if previewKind(f.Path) == "" || f.wrong() != "" {
		return ""
	}
	return a.to("/preview", append(recordOf(subject, at), "collection", f.Collection, "path", f.Path)...)
}

// recordOf are the parameters that name a record, and its place in the list, if it has one.
func recordOf(subject, at string) []string {
	if at == "" {
		return []string{"subject", subject}
	}
	return []string{"subject", subject, "at", at}
}

// preview shows the beginning of a file, which a record that the person can see must name:
// this server reads nothing else for anybody. It reads from where the Index or Globus says
// that the files of the collection are, and not from where a record says.
func (m *room) preview(w http.ResponseWriter, r *http.Request, who *session.Session) error {
	a, s, q := m.address(r), m.searcher(who), r.URL.Query()
	ctx, cancel := context.WithTimeout(r.Context(), maxTime)
	defer cancel()
	w.Header().Set("X-Robots-Tag", "noindex, nofollow")
	found, err := s.subject(ctx, q.Get("subject"))
	if err != nil {
		return s.subjectError(err, a)
	}
	f := File{Collection: q.Get("collection"), Path: q.Get("path")}
	back := a.to("/record", recordOf(q.Get("subject"), q.Get("at"))...)
	if m.Files == nil || m.previewURL(a, found.Subject, "", f) == "" || !slices.Contains(m.Files(newRecord(*found)), f) {
		return previewProblem(errNoFile, back, "")
	}
	select {
	case m.previews <- struct{}{}:
		defer func() { <-m.previews }()
	case <-ctx.Done():
		return previewProblem(ctx.Err(), back, "")
	}
	kind, asImage := previewKind(f.Path), q.Get("as") == "image"
	most := map[string]int64{"table": maxPreview, "text": maxPreview, "image": maxSignature}[kind]
	if asImage {
		most = maxImage
	}
	part, err := m.readFile(ctx, who, f, most)
	if err == nil && kind == "image" && part.Size > maxImage {
		err = errTooLarge
	}
	v := preview{path: f.Path}
	switch {
	case err != nil:
	case kind == "image" && asImage:
		if mediaType := imageType(part.Content); mediaType != "" && !part.Cut() {
			return sendImage(w, mediaType, part.Content)
		}
		err = errNotShown
	case kind == "image" && imageType(part.Content) != "":
		v.imageURL = m.previewURL(a, found.Subject, q.Get("at"), f) + "&as=image"
	case kind == "image":
		err = errNotShown
	default:
		err = v.read(kind, part)
	}
	if err != nil {
		return previewProblem(err, back, m.site.LoginURL(m.site.LocalPath(back)))
	}
	if !web.WantsFragment(r) {
		v.backURL = back
	}
	return web.Show(w, r, path.Base(f.Path), previewPage(v))
}

// Why there is no preview.
var (
	errNoFile   = errors.New("no record names this file, or it has no preview")
	errSignIn   = errors.New("the Index does not say where this collection's files are, and Globus says it only to people")
	errNoServer = errors.New("the collection has no HTTPS server")
	errNotShown = errors.New("the file has something else in it than its name says")
	errTooLarge = errors.New("the image is too large")
)

// readFile reads the beginning of a file, with the person's token for the collection, if
// they have one: what else they could allow is not asked for.
func (m *room) readFile(ctx context.Context, who *session.Session, f File, most int64) (*globus.FilePart, error) {
	id := strings.ToLower(f.Collection)
	query := globus.FileQuery{Path: f.Path, Max: most}
	var token globus.TokenFunc
	if who != nil && slices.Contains(who.Tokens[id].Scopes, globus.HTTPSScope(id)) {
		token = m.auth.Token(who, id)
	}
	if host, declared := m.HTTPSServers[id]; declared {
		query.Server, query.AllowPrivate = m.globus.ServiceURL(host), true
		return m.globus.ReadFile(ctx, query, token)
	}
	if who == nil || who.Tokens[globus.TransferServer].AccessToken == "" {
		return nil, errSignIn
	}
	c, err := m.globus.Transfer(m.auth.Token(who, globus.TransferServer)).Collection(ctx, id)
	if err != nil {
		return nil, err
	}
	if query.Server = c.HTTPSServer; query.Server == "" {
		return nil, errNoServer
	}
	return m.globus.ReadFile(ctx, query, token)
}

// previewProblem returns what people read instead of a preview.
func previewProblem(err error, back, loginURL string) error {
	e, _ := errors.AsType[*globus.Error](err)
	kind := globus.KindOf(err)
	p := &web.Problem{
		Status: http.StatusServiceUnavailable, Reason: "preview_failed", Heading: "The collection does not answer as it should",
		Message: "Please try again in a moment.", Cause: err, Ways: []components.Way{{Label: "Back to the record", URL: back}},
	}
	say := func(status int, reason, heading, message string) {
		p.Status, p.Reason, p.Heading, p.Message = status, reason, heading, message
	}
	switch {
	case errors.Is(err, session.ErrGone) || kind == globus.KindSignIn && (e == nil || e.Call == "transfer"):
		return err
	case errors.Is(err, errSignIn):
		say(http.StatusForbidden, "preview_sign_in", "Log in to see this file", "Globus tells only people who are signed in where the files of this collection are.")
		p.LoginURL = loginURL
	case errors.Is(err, errNoFile), kind == globus.KindNotFound:
		say(http.StatusNotFound, "no_such_file", "There is no such file", "It may have been moved or deleted, or this site shows no files of its kind.")
	case errors.Is(err, errNoServer), kind == globus.KindNoCollection:
		say(http.StatusNotFound, "no_https", "This collection shows no files on web pages", "Open its folder, or send the file to a collection where you can read it.")
	case errors.Is(err, errTooLarge):
		say(http.StatusUnprocessableEntity, "too_large", "The image is too large to be shown here", "Send it to a collection where you can open it.")
	case errors.Is(err, errNotShown):
		say(http.StatusUnprocessableEntity, "not_shown", "This file cannot be shown here", "Its content is not of the type that its name says. Send it to a collection where you can open it.")
	case kind == globus.KindRequirements || kind == globus.KindSignIn || kind == globus.KindDenied || e != nil && e.Reason == globus.Redirected:
		say(http.StatusForbidden, "not_public", "This file is not public", "This site can show only files that everybody may read. If you have permission, open its folder or send it to a collection of yours.")
	}
	return p
}

// maxSignature is how many bytes say what kind of image a file is.
const maxSignature = 64

// imageType returns the media type of an image that browsers show and that cannot have a
// script in it, by its first bytes (WHATWG, "MIME Sniffing", section 6.1); "": it is none.
func imageType(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")):
		return "image/png"
	case bytes.HasPrefix(b, []byte("\xff\xd8\xff")):
		return "image/jpeg"
	case bytes.HasPrefix(b, []byte("GIF87a")), bytes.HasPrefix(b, []byte("GIF89a")):
		return "image/gif"
	case len(b) > 14 && bytes.HasPrefix(b, []byte("RIFF")) && bytes.HasPrefix(b[8:], []byte("WEBPVP")):
		return "image/webp"
	}
	return ""
}

// sendImage answers with somebody else's bytes. They come from this site's own address, so
// no browser may take them for a page of it.
func sendImage(w http.ResponseWriter, mediaType string, content []byte) error {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	_, _ = w.Write(content) // if the browser is gone, nobody can be told
	return nil
}

// read makes a preview of the beginning of a text or table.
func (v *preview) read(kind string, part *globus.FilePart) (err error) {
	v.cut = part.Cut()
	if v.text, v.guessed, err = decode(part.Content, v.cut); err != nil || kind != "table" {
		return err
	}
	comma := '\t'
	if strings.EqualFold(path.Ext(v.path), ".csv") {
		comma = separator(v.text)
	}
	var more bool
	v.rows, more = table(v.text, comma, v.cut)
	v.cut = v.cut || more
	if len(v.rows) > 0 {
		v.text = ""
	}
	return nil
}

// decode returns the text of a file. Without a byte order mark it is UTF-8, or else, and
// then guessed is true, in the letters of Western Europe, in which every file is a text; so
// one with many control characters is refused.
func decode(b []byte, cut bool) (text string, guessed bool, err error) {
	var from encoding.Encoding
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xfe")), bytes.HasPrefix(b, []byte("\xfe\xff")):
		from = encodingunicode.UTF16(encodingunicode.LittleEndian, encodingunicode.ExpectBOM)
		b = b[:len(b)&^1]
	default:
		b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
		for n := 0; cut && n < utf8.UTFMax && n < len(b); n++ { // the last letter may be cut in two
			if utf8.Valid(b[:len(b)-n]) {
				b = b[:len(b)-n]
				break
			}
		}
		if guessed = !utf8.Valid(b); guessed {
			from = charmap.Windows1252
		}
	}
	if from != nil {
		if b, err = from.NewDecoder().Bytes(b); err != nil {
			return "", false, errNotShown
		}
	}
	control := 0
	text = strings.Map(func(r rune) rune {
		if r != '\t' && r != '\n' && r != '\r' && r != '\f' && unicode.IsControl(r) {
			control++
			return utf8.RuneError
		}
		return r
	}, string(b))
	if bytes.IndexByte(b, 0) >= 0 || control > len(b)/10 {
		return "", false, errNotShown
	}
	return text, guessed, nil
}

// separator is what most often separates the columns in the first line: people write CSV
// with semicolons and tabs, too.
func separator(text string) rune {
	line, _, _ := strings.Cut(text, "\n")
	comma, most := ',', 0
	for _, r := range ",;\t" {
		if n := strings.Count(line, string(r)); n > most {
			comma, most = r, n
		}
	}
	return comma
}

// table reads the first rows of a table, and reports whether there are more rows, columns or
// characters. Of a text that is cut off it leaves out the last line.
func table(text string, comma rune, cut bool) (rows [][]string, more bool) {
	if end := strings.LastIndexByte(text, '\n'); cut && end >= 0 {
		text = text[:end+1]
	}
	reader := csv.NewReader(strings.NewReader(text))
	reader.Comma, reader.LazyQuotes, reader.FieldsPerRecord = comma, true, -1
	for {
		row, err := reader.Read()
		switch {
		case err != nil:
			return rows, more
		case len(rows) > maxTableRows:
			return rows, true
		case len(row) > maxTableColumns:
			row, more = row[:maxTableColumns], true
		}
		for i, value := range row {
			if runes := []rune(value); len(runes) > maxTableCell {
				row[i], more = string(runes[:maxTableCell])+"…", true
			}
		}
		rows = append(rows, row)
	}
}

// inPlace are the attributes of a link whose answer is shown below it.
func inPlace(url string) templ.Attributes {
	return templ.Attributes{"hx-get": url, "hx-target": "next .preview"}
}

// hostOf returns the name of an HTTPS server as Index.HTTPSServers has it, with or without
// https://, or "" if it is none.
func hostOf(server string) string {
	host := strings.TrimSuffix(strings.TrimPrefix(server, "https://"), "/")
	if u, err := url.Parse("https://" + host); err != nil || u.Host != host || u.Hostname() == "" {
		return ""
	}
	return host
}
