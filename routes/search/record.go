package search

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"example.org/portal/components"
	"example.org/portal/globus"
)

// A Record is a subject of the index, with its entries that the person may see.
type Record struct {
	Subject string
	Entries []Entry
}

// An Entry is one of the documents about a subject.
type Entry struct {
	ID      string         // "": null
	Content map[string]any // numbers are json.Number
}

func newRecord(s globus.SearchSubject) Record {
	r := Record{Subject: s.Subject}
	for _, e := range s.Entries {
		entry := Entry{ID: e.ID}
		d := json.NewDecoder(bytes.NewReader(e.Content))
		d.UseNumber()
		_ = d.Decode(&entry.Content) // an entry without content has none to show
		r.Entries = append(r.Entries, entry)
	}
	return r
}

// Values returns the values at a path, as in Field.Path, of the first entry that has any,
// without null and empty texts. Lists are taken apart.
func (r Record) Values(path string) []any {
	for _, e := range r.Entries {
		if values := valuesAt(e.Content, splitPath(path)); len(values) > 0 {
			return values
		}
	}
	return nil
}

// Value returns the first of Values as text, or "".
func (r Record) Value(path string) string {
	if values := r.Values(path); len(values) > 0 {
		return plain(values[0])
	}
	return ""
}

// splitPath splits a path at its dots, but not at those that are escaped.
func splitPath(path string) []string {
	names := strings.Split(strings.ReplaceAll(path, `\.`, "\x00"), ".")
	for i, name := range names {
		names[i] = strings.ReplaceAll(name, "\x00", ".")
	}
	return names
}

func valuesAt(value any, path []string) []any {
	switch v := value.(type) {
	case nil:
		return nil
	case []any:
		if len(path) > 0 {
			if i, err := strconv.Atoi(path[0]); err == nil {
				if i < 0 || i >= len(v) {
					return nil
				}
				return valuesAt(v[i], path[1:])
			}
		}
		var all []any
		for _, one := range v {
			all = append(all, valuesAt(one, path)...)
		}
		return all
	case map[string]any:
		if len(path) > 0 {
			return valuesAt(v[path[0]], path[1:])
		}
	}
	if len(path) > 0 || value == "" {
		return nil
	}
	return []any{value}
}

// plain writes a value as text.
func plain(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool, json.Number:
		return fmt.Sprint(v)
	}
	text, _ := json.Marshal(value)
	return string(text)
}

// headings are where a record usually has its name.
var headings = []string{"title", "name", "dc.titles.title", "dc.title", "titles.title", "label"}

// heading is what a record is called.
func (ix *Index) heading(r Record) string {
	if ix.Heading.Text != nil {
		if text := ix.Heading.Text(r); text != "" {
			return text
		}
	}
	for _, path := range slices.Concat([]string{ix.Heading.Path}, headings) {
		if text := r.Value(path); text != "" {
			return text
		}
	}
	return r.Subject
}

const (
	maxShort   = 100 // characters of a value that a list shows by itself
	maxColumns = 6   // that it shows
)

// shownFields are the fields of a record in a list: those of the index, or its short values.
func (ix *Index) shownFields(r Record) []Field {
	if ix.Fields != nil {
		return ix.Fields
	}
	var fields []Field
	heading := ix.heading(r)
	for _, e := range r.Entries {
		for _, name := range sortedNames(e.Content) {
			path := globus.EscapeField(name)
			_, isObject := e.Content[name].(map[string]any)
			text := joined(r.Values(path))
			if isObject || text == "" || text == heading || len([]rune(text)) > maxShort || strings.Contains(text, "{") || len(fields) >= maxColumns {
				continue
			}
			fields = append(fields, Field{Path: path, Label: label(path)})
		}
	}
	return fields
}

func joined(values []any) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = plain(v)
	}
	return strings.Join(texts, ", ")
}

// sortedNames are the names in an object, in the order of the alphabet.
func sortedNames(object map[string]any) []string {
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// text returns the values of a field as one text, for a CSV and to compare.
func (f Field) text(r Record) string {
	if f.Text != nil {
		return f.Text(r)
	}
	return strings.Join(f.texts(r), "; ")
}

// texts returns the values of a field as people read them.
func (f Field) texts(r Record) []string {
	if f.Text != nil {
		if text := f.Text(r); text != "" {
			return []string{text}
		}
		return nil
	}
	var texts []string
	for _, v := range r.Values(f.Path) {
		texts = append(texts, f.words(v))
	}
	return texts
}

// words is a value as people read it.
func (f Field) words(value any) string {
	text := plain(value)
	number, isNumber := value.(json.Number)
	switch {
	case f.Kind == Bytes && isNumber:
		if n, err := number.Float64(); err == nil && n >= 0 && n < 1e18 {
			return components.BytesWords(int64(n))
		}
	case f.Kind == Date || f.Kind == Auto && len(text) >= len(time.DateOnly) && len(text) <= 40:
		for _, layout := range []string{time.RFC3339, time.DateTime, time.DateOnly, "2006-01-02T15:04:05", "2006-01-02T15:04:05Z0700"} {
			if at, err := time.Parse(layout, text); err == nil {
				return at.Format("2 January 2006")
			}
		}
	}
	if text == "true" && f.Kind == Auto {
		return "yes"
	}
	if text == "false" && f.Kind == Auto {
		return "no"
	}
	if f.Unit != "" && isNumber {
		return text + " " + f.Unit
	}
	return text
}

// webAddress returns text if it is the address of a page or an image on the web, else "".
// Of an image, a path of this site is one, too.
func webAddress(text string, kind Kind) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || strings.ContainsAny(text, " \t\r\n"):
	case (u.Scheme == "https" || u.Scheme == "http") && u.Host != "":
		return text
	case kind == Image && u.Scheme == "" && u.Host == "" && strings.HasPrefix(u.Path, "/") && !strings.HasPrefix(text, "//"):
		return text
	}
	return ""
}

// label makes a label of a path: site.country_code becomes Site country code.
func label(path string) string {
	text := strings.TrimSpace(strings.Join(strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '_' || r == '-' || r == '\\' }), " "))
	runes := []rune(cmp.Or(text, "Value"))
	runes[0] = unicode.ToUpper(runes[0])
	return string(runes)
}

// A piece is a part of a text, and whether it is one of the words that were searched for.
type piece struct {
	text   string
	marked bool
}

// mark splits a text at the words that were searched for. It marks whole words, whatever
// their case: how Search finds others is not documented.
func mark(text, q string) (pieces []piece) {
	wanted := map[string]bool{}
	for _, word := range strings.FieldsFunc(strings.ToLower(q), notInWord) {
		wanted[word] = true
	}
	if len(wanted) == 0 {
		return []piece{{text, false}}
	}
	rest := []rune(text)
	for len(rest) > 0 {
		n := 1
		inWord := !notInWord(rest[0])
		for n < len(rest) && !notInWord(rest[n]) == inWord {
			n++
		}
		part := string(rest[:n])
		marked := inWord && wanted[strings.ToLower(part)]
		if last := len(pieces) - 1; !marked && last >= 0 && !pieces[last].marked {
			pieces[last].text += part
		} else {
			pieces = append(pieces, piece{part, marked})
		}
		rest = rest[n:]
	}
	return pieces
}

func notInWord(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) }
