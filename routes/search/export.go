package search

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

const (
	maxExports  = 4                // at a time, for each index
	exportChunk = 100              // records that Search sends at a time
	chunkTime   = 30 * time.Second // for which a browser may keep a chunk waiting
)

// export calls write for everything that a search finds, and begin before the first
// record. What has been written is sent from time to time; if something fails then, the
// connection is cut off, so that nobody takes a part for the whole.
func (m *room) export(w http.ResponseWriter, r *http.Request, who *session.Session, begin func(address) error, write func(globus.SearchSubject) error, finish func() error) error {
	a, s := m.address(r), m.searcher(who)
	end, err := m.begin()
	if err != nil {
		return err
	}
	defer end()
	q := a.searchQuery("")
	q.Limit = exportChunk
	w.Header().Set("X-Robots-Tag", "noindex, nofollow")
	control := http.NewResponseController(w)
	begun, n := false, 0
	for found, err := range s.scroll(r.Context(), q) {
		if err == nil && !begun {
			begun = true
			err = begin(a)
		}
		if err != nil && !begun {
			return asProblem(err, a)
		}
		if err == nil && len(found.Entries) > 0 {
			err = write(found)
		}
		if err != nil {
			return err
		}
		if n++; n%exportChunk == 0 {
			_ = control.SetWriteDeadline(time.Now().Add(chunkTime)) // a writer without deadlines has no timeout either
			_ = control.Flush()
		}
	}
	if !begun {
		if err := begin(a); err != nil {
			return err
		}
	}
	return finish()
}

// begin waits for nothing: it returns an error if as many exports run as may. The caller
// calls end when it is done.
func (m *room) begin() (end func(), err error) {
	select {
	case m.exports <- struct{}{}:
		return func() { <-m.exports }, nil
	default:
		return nil, &web.Problem{
			Status: http.StatusServiceUnavailable, Reason: "too_many_exports", Heading: "Many people are downloading records just now",
			Message: "Please try again in a minute.",
		}
	}
}

// scroll asks for everything, and measures the first answer.
func (s searcher) scroll(ctx context.Context, q globus.SearchQuery) func(yield func(globus.SearchSubject, error) bool) {
	return func(yield func(globus.SearchSubject, error) bool) {
		begun, first := time.Now(), true
		for found, err := range s.search.Scroll(ctx, s.ID, q) {
			if first {
				s.metrics.query(s.Path, err, time.Since(begun))
				first = false
			}
			if !yield(found, err) {
				return
			}
		}
	}
}

// attachment begins an answer that a browser saves as a file.
func attachment(w http.ResponseWriter, mediaType, name string) {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
}

// csv answers with everything that a search finds, as CSV. The first line says when and
// where; it begins with # as comments do.
func (m *room) csv(w http.ResponseWriter, r *http.Request, who *session.Session) error {
	out := csv.NewWriter(w)
	fields := m.columns()
	begin := func(a address) error {
		attachment(w, "text/csv; charset=utf-8", "records.csv")
		head := []string{"subject", "title"}
		for _, f := range fields {
			head = append(head, f.Label)
		}
		if m.Fields == nil {
			head = append(head, "content")
		}
		if _, err := w.Write([]byte("# " + m.site.Now().UTC().Format(time.RFC3339) + " " + m.site.Absolute(a.at(1).String()) + "\n")); err != nil {
			return err
		}
		return out.Write(head)
	}
	write := func(found globus.SearchSubject) error {
		record := newRecord(found)
		line := []string{cell(record.Subject), cell(m.heading(record))}
		for _, f := range fields {
			line = append(line, cell(f.raw(record)))
		}
		if m.Fields == nil {
			text, err := json.Marshal(document(found).Entries)
			if err != nil {
				return err
			}
			line = append(line, string(text))
		}
		if err := out.Write(line); err != nil {
			return err
		}
		out.Flush()
		return out.Error()
	}
	return m.export(w, r, who, begin, write, func() error { out.Flush(); return out.Error() })
}

// columns are the fields of the index that a CSV has.
func (m *room) columns() (fields []Field) {
	for _, f := range m.Fields {
		if f.Path != "" || f.Text != nil {
			fields = append(fields, f)
		}
	}
	return fields
}

// raw returns the values of a field for programs: numbers and dates as the index has them.
func (f Field) raw(r Record) string {
	if f.Text != nil {
		return f.Text(r)
	}
	var texts []string
	for _, v := range r.Values(f.Path) {
		texts = append(texts, plain(v))
	}
	return strings.Join(texts, "; ")
}

// cell keeps a spreadsheet from running text that somebody put into a record: what begins
// like a formula gets an apostrophe (OWASP, "CSV Injection"). Numbers stay as they are.
func cell(text string) string {
	if text == "" || !strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return text
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return text
	}
	return "'" + text
}

// json answers with everything that a search finds, as JSON.
func (m *room) json(w http.ResponseWriter, r *http.Request, who *session.Session) error {
	separator := ""
	begin := func(a address) error {
		attachment(w, "application/json", "records.json")
		head := struct {
			Date    string             `json:"date"`
			Address string             `json:"address"`
			Index   string             `json:"index"`
			Query   globus.SearchQuery `json:"query"`
		}{m.site.Now().UTC().Format(time.RFC3339), m.site.Absolute(a.at(1).String()), m.ID, a.searchQuery("")}
		text, err := json.Marshal(head)
		if err != nil {
			return err
		}
		_, err = w.Write(append(text[:len(text)-1], `,"records":[`...))
		return err
	}
	write := func(found globus.SearchSubject) error {
		text, err := json.Marshal(document(found))
		if err != nil {
			return err
		}
		_, err = w.Write(append([]byte(separator+"\n"), text...))
		separator = ","
		return err
	}
	return m.export(w, r, who, begin, write, func() error { _, err := w.Write([]byte("\n]}\n")); return err })
}
