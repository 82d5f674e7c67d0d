package search

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"example.org/portal/globus"
	"example.org/portal/routes/web"
)

const (
	maxSample = 100 // records that -check looks at
	maxAsked  = 20  // names that it asks for by themselves, because the sample does not have them
)

// checkIndex asks Search for the index, and whether its records have what the pages show
// and ask for. It sees what everybody sees.
func (m *room) checkIndex(ctx context.Context) (list []web.Finding) {
	add := func(remedy, format string, args ...any) {
		list = append(list, web.Finding{Text: fmt.Sprintf(format, args...), Remedy: remedy})
	}
	index, err := m.nobody.Index(ctx, m.ID)
	switch {
	case globus.KindOf(err) == globus.KindNotFound:
		add("Write the ID of your index into the search.Index of this page, or remove the page.", "Globus Search has no index %s", m.ID)
		return list
	case err != nil:
		add("If other checks reach Globus, try again in a moment.", "%s", message(err))
		return list
	}
	sample, err := m.nobody.Query(ctx, m.ID, globus.SearchQuery{Limit: maxSample, Filters: m.Filters})
	if err != nil {
		add("Ask the owner of the index, or correct the Filters of the search.Index.", "the index %q cannot be searched: %s", index.DisplayName, message(err))
		return list
	}
	if sample.Total == 0 {
		add("If all records are for some people only, this is right: this check cannot see them.", "without signing in, people find none of the %d records of %q", index.Subjects, index.DisplayName)
		return list
	}
	var records []Record
	for _, s := range sample.Subjects {
		records = append(records, newRecord(s))
	}
	// rejected asks for something that a page asks for, and reports whether Search says that
	// this is wrong. That it does not answer in time says nothing about the index.
	rejected := func(q globus.SearchQuery) error {
		q.Filters = append(q.Filters, m.Filters...)
		if _, err := m.nobody.Query(ctx, m.ID, q); globus.KindOf(err) == globus.KindInvalid {
			return err
		}
		return nil
	}
	names, asked := m.names(), 0
	for _, name := range names {
		if !inSample(records, name.path) {
			if asked++; asked > maxAsked || m.exists(ctx, name.path) {
				continue
			}
			add("Compare it with the names on the page of a record, or in its JSON.", "no public record has the field %s, which is in %s", name.path, name.use)
		}
	}
	for _, f := range m.Facets {
		if inSample(records, f.Field) && !f.fits(records) {
			add("Terms fit any field. Dates need a field of dates, Numbers one of numbers, and YesNo one of true and false.", "the Kind of the facet of %s does not fit its values", f.Field)
		} else if counts, ok := f.facetQuery(f.Size); ok {
			if err := rejected(globus.SearchQuery{Limit: -1, Facets: []globus.Facet{counts}}); err != nil {
				add("Compare its Field and Kind with the records.", "Globus Search cannot count the facet of %s: %s", f.Field, message(err))
			}
		}
	}
	for _, s := range m.Sorts {
		if err := rejected(globus.SearchQuery{Limit: 1, Sort: []globus.SearchSort{{Field: s.Field, Descending: s.Descending}}}); err != nil {
			add("Sort by a date, a number or a short text.", "the order %q does not work: %s", s.Label, message(err))
		}
	}
	if ctx.Err() != nil {
		add("Try again when Globus answers faster.", "Globus Search did not answer in time, so not everything was checked")
	} else if len(list) == 0 {
		add("", "the index %q has %d public records; they have all %d fields that its search.Index names", index.DisplayName, sample.Total, len(names))
	}
	return list
}

func message(err error) string { return strings.TrimPrefix(err.Error(), "globus: ") }

// A usedName is the path of a field, and which part of the Index has it.
type usedName struct{ path, use string }

// names are the paths of all fields that the index has in its parts.
func (ix *Index) names() (list []usedName) {
	seen := map[string]bool{"": true}
	add := func(path, use string) {
		if !seen[path] {
			list = append(list, usedName{path, use})
		}
		seen[path] = true
	}
	add(ix.Heading.Path, "Heading")
	for _, f := range ix.Fields {
		add(f.Path, "Fields")
	}
	for _, f := range ix.Facets {
		add(f.Field, "Facets")
	}
	for _, s := range ix.Sorts {
		add(s.Field, "Sorts")
	}
	for _, b := range ix.Boosts {
		add(b.Field, "Boosts")
	}
	if c := ix.Cite; c != nil {
		for _, path := range []string{c.Title, c.Creators, c.Date, c.DOI, c.Publisher} {
			add(path, "Cite")
		}
	}
	return list
}

func inSample(records []Record, path string) bool {
	for _, r := range records {
		if len(r.Values(path)) > 0 {
			return true
		}
	}
	return false
}

// fits reports whether a value in the records is of the kind of the facet.
func (f Facet) fits(records []Record) bool {
	for _, r := range records {
		for _, value := range r.Values(f.Field) {
			text, isText := value.(string)
			_, isNumber := value.(json.Number)
			_, isBool := value.(bool)
			day, _, _ := strings.Cut(strings.Replace(text, "T", " ", 1), " ")
			_, _, isDay := period(strings.ReplaceAll(day, "/", "-"))
			if f.Kind == Terms || f.Kind == Dates && isText && isDay || f.Kind == Numbers && isNumber || f.Kind == YesNo && isBool {
				return true
			}
		}
	}
	return false
}

// exists reports whether any record in the index has the field, or Search does not say.
func (m *room) exists(ctx context.Context, path string) bool {
	filters := append([]globus.Filter{globus.Exists{Field: path}}, m.Filters...)
	result, err := m.nobody.Query(ctx, m.ID, globus.SearchQuery{Limit: -1, Filters: filters})
	return err != nil || result.Total > 0
}
