package globustest

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// A facet is a facet of a query as an index computes it.
type facet struct {
	kind, field, fieldType, name, interval string
	size                                   int
	low, high                              float64
	inRange                                func(v any) bool
	filter                                 condition
	missing                                *float64
}

var intervals = []string{"year", "quarter", "month", "week", "day", "hour", "minute", "second"}

// facets reads the facets of a query.
func (r filterReader) facets() (list []facet) {
	names := map[string]bool{}
	for _, value := range r.doc.list("facets") {
		m := r.doc.object("facets", value)
		f := facet{kind: m.text("type", ""), field: m.text("field_name", ""), filter: everything, inRange: func(any) bool { return true }}
		f.name, f.fieldType = m.text("name", f.field), r.n.types[f.field]
		switch {
		case f.field == "":
			m.wrong("field_name", "Missing data for required field.")
		case names[f.name]:
			m.wrong("name", "Another facet has this name.")
		}
		names[f.name] = true
		r.readFacet(m, &f)
		if r.v1 && m.doc["additional_filters"] != nil {
			inner := filterReader{r.n, &members{doc: m.doc, path: m.path, known: m.known}, true}
			f.filter, _ = inner.filters("additional_filters")
			m.err = cmp.Or(m.err, inner.doc.err)
		}
		r.end(m)
		list = append(list, f)
	}
	return list
}

// readFacet reads the members of a facet that depend on its type.
func (r filterReader) readFacet(m *members, f *facet) {
	limits := &members{known: map[string]bool{}}
	if value := m.doc["histogram_range"]; value != nil && strings.HasSuffix(f.kind, "histogram") {
		m.known["histogram_range"] = true
		limits = m.object("histogram_range", value)
	}
	switch f.kind {
	case "terms":
		f.size = m.integer("size", 10, 1, 4_000_000_000)
	case "date_histogram":
		f.interval = m.text("date_interval", "")
		if !slices.Contains(intervals, f.interval) {
			m.wrong("date_interval", "Must be one of: "+strings.Join(intervals, ", ")+".")
		}
		if limits.doc != nil {
			span := &members{doc: map[string]any{"gte": limits.doc["low"], "lte": limits.doc["high"]}, path: limits.path, known: map[string]bool{}}
			f.inRange = inside(r.bounds(span, f.fieldType))
			m.err = cmp.Or(m.err, span.err)
		}
	case "numeric_histogram":
		f.size = m.integer("size", 0, 1, 10_000)
		f.low, f.high = limits.number("low", 0), limits.number("high", 0)
		if limits.doc == nil || f.high <= f.low {
			m.wrong("histogram_range", "Missing data for required field.")
		}
		m.err = cmp.Or(m.err, limits.err)
	case "sum", "avg":
		if m.doc["missing"] != nil {
			f.missing = new(m.number("missing", 0))
		}
	case "distinct_count":
		if !r.v1 {
			m.wrong("type", "Not in this version.")
		}
	default:
		m.wrong("type", "Must be one of: terms, date_histogram, numeric_histogram, sum, avg, distinct_count.")
	}
}

// result returns the result of a facet for the subjects that were found.
func (f facet) result(found []matched) map[string]any {
	doc := map[string]any{"name": f.name}
	counts, sum, values := map[any]int{}, 0.0, 0
	for _, m := range found {
		keys := map[any]bool{}
		seen, some := false, false
		for _, e := range m.entries {
			if !f.filter(e) {
				continue
			}
			some = true
			for _, v := range e.fields[f.field] {
				seen = true
				n, _ := v.(float64)
				sum, values = sum+n, values+1
				if key := f.key(v); key != nil && f.inRange(v) {
					keys[key] = true
				}
			}
		}
		if f.missing != nil && some && !seen {
			sum, values = sum+*f.missing, values+1
		}
		for key := range keys {
			counts[key]++
		}
	}
	switch f.kind {
	case "sum":
		doc["value"] = sum
	case "avg":
		doc["value"] = nil
		if values > 0 {
			doc["value"] = sum / float64(values)
		}
	case "distinct_count":
		doc["approximate_value"] = len(counts)
	default:
		doc["buckets"] = f.buckets(counts)
	}
	return doc
}

// key returns the bucket in which a value counts, or nil.
func (f facet) key(v any) any {
	switch f.kind {
	case "date_histogram":
		at, ok := readDate(plainText(v))
		if f.fieldType != dateType || !ok {
			return nil
		}
		return stepOf(at, f.interval)
	case "numeric_histogram":
		n, ok := v.(float64)
		if !ok || n < f.low || n >= f.high {
			return nil
		}
		return min(int((n-f.low)/f.width()), f.size-1)
	}
	switch v := v.(type) {
	case bool:
		return float64(boolInt(v))
	case point, shape:
		return nil
	default:
		return v
	}
}

func (f facet) width() float64 { return (f.high - f.low) / float64(f.size) }

// stepOf returns the step of a date histogram in which a time is.
func stepOf(at time.Time, interval string) string {
	switch interval {
	case "year":
		return at.Format("2006")
	case "quarter":
		return time.Date(at.Year(), (at.Month()-1)/3*3+1, 1, 0, 0, 0, 0, time.UTC).Format("2006-01")
	case "month":
		return at.Format("2006-01")
	case "week":
		return at.AddDate(0, 0, -(int(at.Weekday())+6)%7).Format(time.DateOnly)
	case "day":
		return at.Format(time.DateOnly)
	}
	unit := map[string]time.Duration{"hour": time.Hour, "minute": time.Minute, "second": time.Second}[interval]
	return at.Truncate(unit).Format(time.DateTime)
}

// buckets returns the buckets of a facet: terms by count, steps in their order.
func (f facet) buckets(counts map[any]int) []any {
	list := []any{}
	if f.kind == "numeric_histogram" {
		for i := range f.size {
			from := f.low + float64(i)*f.width()
			list = append(list, map[string]any{"value": map[string]any{"from": from, "to": from + f.width()}, "count": counts[i]})
		}
		return list
	}
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b any) int {
		if f.kind == "terms" && counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return compareValues(a, b)
	})
	if f.kind == "terms" {
		keys = keys[:min(len(keys), f.size)]
	}
	for _, key := range keys {
		list = append(list, map[string]any{"value": key, "count": counts[key]})
	}
	return list
}
