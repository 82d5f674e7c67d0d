package search

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

// A recordView is what the page of a record shows.
type recordView struct {
	components.Site
	Record
	ix                   *Index
	back                 address
	previousURL, nextURL string // "": there is none, or the page was not reached from a list
	jsonURL              string
	bibtexURL, risURL    string // "": there is no citation
	files                []fileView
	linked               any // the record in schema.org's words; nil: it may not be public
}

// A fileView is a file or folder of a record.
type fileView struct {
	File
	openURL, sendURL string // "": this site has no such page
	previewURL       string // "": its kind has no preview
}

// record shows one record, with all its entries.
func (m *room) record(w http.ResponseWriter, r *http.Request, who *session.Session) error {
	a, s := m.address(r), m.searcher(who)
	subject := r.URL.Query().Get("subject")
	ctx, cancel := context.WithTimeout(r.Context(), maxTime)
	defer cancel()
	v := recordView{Site: m.site.Site, ix: &m.Index, back: a, jsonURL: a.base + "/record.json?subject=" + url.QueryEscape(subject)}
	var found *globus.SearchSubject
	var err error
	var wg sync.WaitGroup
	wg.Go(func() { found, err = s.subject(ctx, subject) })
	if at, wrong := strconv.Atoi(r.URL.Query().Get("at")); wrong == nil && at >= 0 && at < lastRecord {
		wg.Go(func() { v.previousURL, v.nextURL = s.neighbours(ctx, a, subject, at) })
	}
	wg.Wait()
	if err != nil {
		return s.subjectError(err, a)
	}
	v.Record = newRecord(*found)
	if m.Cite != nil {
		v.bibtexURL = a.base + "/cite?as=bibtex&subject=" + url.QueryEscape(subject)
		v.risURL = a.base + "/cite?as=ris&subject=" + url.QueryEscape(subject)
		if !s.token { // nobody's token found it: it is public
			v.linked = m.Cite.linkedData(v.Record, m.heading(v.Record))
		}
	}
	if m.Files != nil {
		v.files = m.fileViews(a, subject, r.URL.Query().Get("at"), m.Files(v.Record))
	}
	m.hide(w, a)
	w.Header().Set("Link", "<"+m.site.Absolute("")+strings.TrimPrefix(m.Path, "/")+"/record?subject="+url.QueryEscape(subject)+`>; rel="canonical"`)
	return web.Show(w, r, m.heading(v.Record), recordPage(v))
}

// subject asks for one record.
func (s searcher) subject(ctx context.Context, subject string) (*globus.SearchSubject, error) {
	if subject == "" {
		return nil, &globus.Error{Call: "search", Reason: globus.Refused, Status: http.StatusNotFound, Code: "NotFound.Generic"}
	}
	return s.search.Subject(ctx, s.ID, subject)
}

// subjectError returns what people read about a record that cannot be shown.
func (s searcher) subjectError(err error, a address) error {
	if globus.KindOf(err) != globus.KindNotFound || isNoIndex(err) {
		return asProblem(err, a)
	}
	p := &web.Problem{
		Status: http.StatusNotFound, Reason: "no_such_record", Heading: "There is no such record",
		Message: "It may have been deleted, or you may not see it.", Cause: err,
		Ways: []components.Way{{Label: "Back to the search", URL: a.String()}},
	}
	if !s.token {
		p.Message = "It may have been deleted, or only some people can see it."
	}
	return p
}

// neighbours returns the pages of the records before and after one in the list, each with
// the page of the list that it is on. They are "" if it is no longer in its place.
func (s searcher) neighbours(ctx context.Context, a address, subject string, at int) (previous, next string) {
	from := max(0, at-1)
	q := a.pageQuery()
	q.Offset, q.Limit = from, min(at+2, lastRecord)-from
	result, err := s.query(ctx, q)
	if err != nil || len(result.Subjects) <= at-from || result.Subjects[at-from].Subject != subject {
		return "", ""
	}
	to := func(i int) string {
		if i < 0 || i >= len(result.Subjects) || i == at-from {
			return ""
		}
		return a.at(1+(from+i)/a.size).to("/record", "subject", result.Subjects[i].Subject, "at", strconv.Itoa(from+i))
	}
	return to(at - from - 1), to(at - from + 1)
}

// recordJSON answers with a record as Search has it.
func (m *room) recordJSON(w http.ResponseWriter, r *http.Request, who *session.Session) error {
	s := m.searcher(who)
	ctx, cancel := context.WithTimeout(r.Context(), maxTime)
	defer cancel()
	found, err := s.subject(ctx, r.URL.Query().Get("subject"))
	if err != nil {
		return s.subjectError(err, m.address(r))
	}
	return web.JSON(w, r, document(*found))
}

// A recordDocument is a record as JSON.
type recordDocument struct {
	Subject string          `json:"subject"`
	Entries []entryDocument `json:"entries"`
}

type entryDocument struct {
	ID      *string         `json:"entry_id"`
	Content json.RawMessage `json:"content"`
}

func document(s globus.SearchSubject) recordDocument {
	doc := recordDocument{Subject: s.Subject, Entries: []entryDocument{}}
	for _, e := range s.Entries {
		entry := entryDocument{Content: e.Content}
		if e.ID != "" {
			entry.ID = &e.ID
		}
		doc.Entries = append(doc.Entries, entry)
	}
	return doc
}

// fileViews returns where the files of a record can be opened and sent from, if this site
// has pages for that, and where they have a preview.
func (m *room) fileViews(a address, subject, at string, files []File) (views []fileView) {
	has := func(pattern string) bool { return slices.Contains(m.site.Routes(), pattern) }
	for _, f := range files {
		if !globus.IsUUID(f.Collection) || !strings.HasPrefix(f.Path, "/") {
			continue
		}
		folder, name := path.Split(strings.TrimSuffix(f.Path, "/"))
		isFolder := strings.HasSuffix(f.Path, "/")
		v := fileView{File: f, previewURL: m.previewURL(a, subject, at, f)}
		if has("GET /files/{id}") {
			open := folder
			if isFolder {
				open = f.Path
			}
			v.openURL = m.site.Path("/files/" + url.PathEscape(f.Collection) + "?path=" + url.QueryEscape(open))
		}
		if has("GET /send") && name != "" {
			if isFolder {
				name += "/"
			}
			escape := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace // as /send reads it
			v.sendURL = m.site.Path("/send?" + url.Values{"from": {f.Collection}, "path": {escape(folder)}, "item": {escape(name)}}.Encode())
		}
		views = append(views, v)
	}
	return views
}

// A row is a value of an entry, by its path.
type row struct {
	path  string
	texts []string
}

const (
	maxRows     = 500
	maxRowTexts = 100
	maxRowText  = 5000 // characters
)

// rows are the values of an entry. What is too much for a page is cut off: the JSON has it.
func (e Entry) rows() (rows []row, cut bool) {
	at := map[string]int{}
	var walk func(path string, value any)
	walk = func(path string, value any) {
		switch v := value.(type) {
		case nil:
		case map[string]any:
			for _, name := range sortedNames(v) {
				walk(strings.TrimPrefix(path+"."+globus.EscapeField(name), "."), v[name])
			}
		case []any:
			for _, one := range v {
				walk(path, one)
			}
		default:
			i, known := at[path]
			if !known {
				if len(rows) >= maxRows {
					cut = true
					return
				}
				i = len(rows)
				at[path] = i
				rows = append(rows, row{path: path})
			}
			text := []rune(Field{}.words(v))
			if len(rows[i].texts) >= maxRowTexts {
				cut = true
				return
			}
			if len(text) > maxRowText {
				text, cut = append(text[:maxRowText], '…'), true
			}
			rows[i].texts = append(rows[i].texts, string(text))
		}
	}
	walk("", e.Content)
	return rows, cut
}
