package search

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

func isNoIndex(err error) bool {
	e, ok := errors.AsType[*globus.Error](err)
	return ok && strings.HasSuffix(e.Code, "NoSuchIndex")
}

// cite answers with a citation of a record, as BibTeX or RIS.
func (m *room) cite(w http.ResponseWriter, r *http.Request, who *session.Session) error {
	a, s := m.address(r), m.searcher(who)
	ctx, cancel := context.WithTimeout(r.Context(), maxTime)
	defer cancel()
	if m.Cite == nil {
		return &web.Problem{Status: http.StatusNotFound, Reason: "no_citation", Heading: "These records have no citations"}
	}
	found, err := s.subject(ctx, r.URL.Query().Get("subject"))
	if err != nil {
		return s.subjectError(err, a)
	}
	record := newRecord(*found)
	text, name := m.Cite.bibTeX(record, m.heading(record)), "citation.bib"
	mediaType := "application/x-bibtex; charset=utf-8"
	if r.URL.Query().Get("as") == "ris" {
		text, name, mediaType = m.Cite.ris(record, m.heading(record)), "citation.ris", "application/x-research-info-systems; charset=utf-8"
	}
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	_, _ = w.Write([]byte(text)) // if the browser is gone, nobody can be told
	return nil
}

// cited has what a citation says of a record.
type cited struct {
	title, year, date, doi, publisher, url string
	creators                               []string
}

func (c *Citation) of(r Record, heading string) cited {
	one := func(path string) string {
		if path == "" {
			return ""
		}
		return strings.Join(strings.Fields(r.Value(path)), " ")
	}
	got := cited{title: one(c.Title), date: one(c.Date), doi: one(c.DOI), publisher: one(c.Publisher)}
	if got.title == "" {
		got.title = heading
	}
	if len(got.date) >= 4 {
		got.year = got.date[:4]
	}
	for _, prefix := range []string{"https://doi.org/", "http://doi.org/", "https://dx.doi.org/", "http://dx.doi.org/", "doi:"} {
		got.doi = strings.TrimPrefix(got.doi, prefix)
	}
	if got.url = webAddress(r.Subject, Link); got.doi == "" && strings.HasPrefix(got.url, "https://doi.org/") {
		got.doi = strings.TrimPrefix(got.url, "https://doi.org/")
	}
	if c.Creators != "" {
		for _, v := range r.Values(c.Creators) {
			got.creators = append(got.creators, strings.Join(strings.Fields(plain(v)), " "))
		}
	}
	return got
}

// bibTeX writes a record as BibTeX. Braces would end a value, so values have none.
func (c *Citation) bibTeX(r Record, heading string) string {
	got := c.of(r, heading)
	plainValue := strings.NewReplacer("{", "(", "}", ")", `\`, `\textbackslash `, "%", `\%`, "&", `\&`, "#", `\#`, "_", `\_`, "$", `\$`)
	key := strings.Map(func(ch rune) rune {
		if ch < 0x80 && !notInWord(ch) {
			return ch
		}
		return -1
	}, r.Subject)
	var b strings.Builder
	b.WriteString("@misc{" + key)
	for _, pair := range [][2]string{
		{"author", strings.Join(got.creators, " and ")}, {"title", got.title}, {"year", got.year}, {"publisher", got.publisher},
	} {
		if pair[1] != "" {
			b.WriteString(",\n  " + pair[0] + " = {" + plainValue.Replace(pair[1]) + "}")
		}
	}
	verbatim := strings.NewReplacer("{", "%7B", "}", "%7D", `\`, "%5C") // BibTeX reads nothing into these
	for _, pair := range [][2]string{{"doi", got.doi}, {"url", got.url}} {
		if pair[1] != "" {
			b.WriteString(",\n  " + pair[0] + " = {" + verbatim.Replace(pair[1]) + "}")
		}
	}
	return b.String() + "\n}\n"
}

// ris writes a record as RIS.
func (c *Citation) ris(r Record, heading string) string {
	got := c.of(r, heading)
	lines := []string{"TY  - DATA"}
	for _, creator := range got.creators {
		lines = append(lines, "AU  - "+creator)
	}
	for _, pair := range [][2]string{{"TI", got.title}, {"PY", got.year}, {"PB", got.publisher}, {"DO", got.doi}, {"UR", got.url}} {
		if pair[1] != "" {
			lines = append(lines, pair[0]+"  - "+pair[1])
		}
	}
	return strings.Join(append(lines, "ER  - ", ""), "\r\n")
}

// linkedData describes a record in the words of schema.org, for search engines.
func (c *Citation) linkedData(r Record, heading string) map[string]any {
	got := c.of(r, heading)
	doc := map[string]any{"@context": "https://schema.org", "@type": "Dataset", "name": got.title, "identifier": r.Subject}
	var creators []any
	for _, creator := range got.creators {
		creators = append(creators, map[string]any{"@type": "Person", "name": creator})
	}
	if creators != nil {
		doc["creator"] = creators
	}
	for name, value := range map[string]string{"datePublished": got.date, "url": got.url} {
		if value != "" {
			doc[name] = value
		}
	}
	if got.publisher != "" {
		doc["publisher"] = map[string]any{"@type": "Organization", "name": got.publisher}
	}
	return doc
}
