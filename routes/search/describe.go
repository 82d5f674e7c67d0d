package search

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"go/format"
	"maps"
	"math"
	"slices"
	"strings"

	"example.org/portal/globus"
)

const (
	manyValues   = 50 // of a field: more are no facet
	mostLines    = 12 // of fields, and of facets
	mostReadable = 60 // characters of a value in a list, at most
)

// Describe returns the source of a file with an Index that suits a sample of records, for
// an author to begin with: see the program in the folder describe. The error is that there
// are no records.
func Describe(id string, sample []globus.SearchSubject) ([]byte, error) {
	var records []Record
	for _, s := range sample {
		if len(s.Entries) > 0 {
			records = append(records, newRecord(s))
		}
	}
	if len(records) == 0 {
		return nil, errors.New("there is no record in the sample; those that only some people see come with -")
	}
	fields := describeFields(records)
	part := func(name, kind string, lines []string) string {
		if len(lines) == 0 {
			return ""
		}
		return name + ": " + kind + "{\n" + strings.Join(lines, "\n") + "\n},\n"
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "package routes\n\nimport \"example.org/portal/routes/search\"\n\n// data is the index of the page Find data, made from %d of its records.\nvar data = search.Index{\nID: %q,\nTitle: \"Find data\",\n", len(records), id)
	b.WriteString(part("Fields", "[]search.Field", fieldLines(fields)))
	b.WriteString(part("Facets", "[]search.Facet", facetLines(fields)))
	b.WriteString(part("Sorts", "[]search.Sort", sortLines(fields)))
	b.WriteString("}\n")
	return format.Source(b.Bytes())
}

// A described is a field of a sample, with what its values have in common.
type described struct {
	path                          string
	records                       int // that have it
	texts                         map[string]int
	longest                       int // characters
	dates, links, numbers, yesNos int // how many values are such
	ids                           int // UUIDs, and paths of files
	values                        int
	low, high                     float64 // of numbers
	heading                       bool    // records are called by it
}

// describeFields returns the fields that at least half of the records have: dates first,
// numbers and links last. What only programs read is left out.
func describeFields(records []Record) (fields []*described) {
	byPath := map[string]*described{}

	for _, r := range records {
		inRecord := map[string]bool{}
		for _, e := range r.Entries {
			each(e.Content, "", func(path string, value any) {
				d := byPath[path]
				if d == nil {
					d = &described{path: path, texts: map[string]int{}, low: math.Inf(1), high: math.Inf(-1)}
					byPath[path] = d
				}
				if !inRecord[path] {
					d.records++
				}
				inRecord[path] = true
				d.add(value)
			})
		}
	}
	for _, d := range byPath {
		if 2*d.records >= len(records) && d.ids < d.values {
			fields = append(fields, d)
		}
	}
	slices.SortFunc(fields, func(x, y *described) int {
		return cmp.Or(cmp.Compare(x.rank(), y.rank()), strings.Compare(x.path, y.path))
	})
	for _, path := range headings {
		if i := slices.IndexFunc(fields, func(d *described) bool { return d.path == path }); i >= 0 {
			fields[i].heading = true
			break
		}
	}
	return fields
}

// each calls f for every value in a record that is no object or list, with its path.
func each(value any, path string, f func(path string, value any)) {
	switch v := value.(type) {
	case nil:
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			each(v[name], strings.TrimPrefix(path+"."+globus.EscapeField(name), "."), f)
		}
	case []any:
		for _, one := range v {
			each(one, path, f)
		}
	default:
		if v != "" {
			f(path, v)
		}
	}
}

func (d *described) add(value any) {
	text := plain(value)
	d.values++
	d.texts[text]++
	d.longest = max(d.longest, len([]rune(text)))
	switch v := value.(type) {
	case bool:
		d.yesNos++
	case json.Number:
		if n, err := v.Float64(); err == nil {
			d.numbers++
			d.low, d.high = min(d.low, n), max(d.high, n)
		}
	case string:
		if len(v) >= 10 {
			if _, _, ok := period(v[:10]); ok {
				d.dates++
			}
		}
		if webAddress(v, Link) != "" {
			d.links++
		}
		if globus.IsUUID(v) || strings.HasPrefix(v, "/") {
			d.ids++
		}
	}
}

func (d *described) rank() int {
	switch d.values {
	case d.dates:
		return 0
	case d.numbers:
		return 2
	case d.links:
		return 3
	}
	return 1
}

// isBytes reports whether the numbers of d seem to be sizes of files.
func (d *described) isBytes() bool {
	name := strings.ToLower(d.path[strings.LastIndexByte(d.path, '.')+1:])
	return d.numbers == d.values && d.low >= 0 && (strings.Contains(name, "bytes") || strings.HasSuffix(name, "size") || name == "length")
}

// literal writes pairs of names and values as an element of a list in Go.
func literal(pairs ...string) string {
	var parts []string
	for i := 0; i < len(pairs); i += 2 {
		parts = append(parts, pairs[i]+": "+pairs[i+1])
	}
	return "{" + strings.Join(parts, ", ") + "},"
}

func fieldLines(fields []*described) (lines []string) {
	for _, d := range fields {
		if d.heading || d.longest > mostReadable && d.links < d.values || d.yesNos > 0 || len(lines) >= mostLines {
			continue
		}
		pairs := []string{"Path", fmt.Sprintf("%q", d.path), "Label", fmt.Sprintf("%q", label(d.path))}
		switch d.values {
		case d.dates:
			pairs = append(pairs, "Kind", "search.Date")
		case d.links:
			pairs = append(pairs, "Kind", "search.Link")
		case d.numbers:
			kind := "search.Number"
			if d.isBytes() {
				kind = "search.Bytes"
			}
			pairs = append(pairs, "Kind", kind)
		}
		lines = append(lines, literal(pairs...))
	}
	return lines
}

func facetLines(fields []*described) (lines []string) {
	for _, d := range fields {
		pairs := []string{"Field", fmt.Sprintf("%q", d.path), "Label", fmt.Sprintf("%q", label(d.path))}
		switch {
		case d.heading || len(lines) >= mostLines || len(d.texts) < 2:
			continue
		case d.yesNos == d.values:
			pairs = append(pairs, "Kind", "search.YesNo")
		case d.dates == d.values:
			pairs = append(pairs, "Kind", "search.Dates")
		case d.numbers == d.values:
			low, high := steps(d.low, d.high)
			pairs = append(pairs, "Kind", "search.Numbers", "Low", fmt.Sprint(low), "High", fmt.Sprint(high), "Steps", "5")
		case d.links > 0 || d.longest > mostReadable || len(d.texts) > manyValues || 2*len(d.texts) > d.values:
			continue // hardly any two records have the same
		}
		lines = append(lines, literal(pairs...))
	}
	return lines
}

// steps returns round numbers around low and high.
func steps(low, high float64) (from, to float64) {
	unit := math.Pow(10, math.Floor(math.Log10(max(high-low, 1e-9))))
	return math.Floor(low/unit) * unit, (math.Floor(high/unit) + 1) * unit
}

func sortLines(fields []*described) (lines []string) {
	add := func(words, path string, descending bool) {
		pairs := []string{"Label", fmt.Sprintf("%q", words), "Field", fmt.Sprintf("%q", path)}
		if descending {
			pairs = append(pairs, "Descending", "true")
		}
		lines = append(lines, literal(pairs...))
	}
	if i := slices.IndexFunc(fields, func(d *described) bool { return d.dates == d.values }); i >= 0 {
		add("Newest first", fields[i].path, true)
		add("Oldest first", fields[i].path, false)
	}
	if i := slices.IndexFunc(fields, (*described).isBytes); i >= 0 {
		add("Largest first", fields[i].path, true)
	}
	return lines
}
