package search

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.org/portal/globus"
)

// The parameters of a search in the address, beside those of facets. A facet has its name,
// once for each chosen value, and name.none, name.from and name.to.
var ownParameters = []string{"q", "advanced", "sort", "size", "page", "subject", "at", "facet", "find", "order", "as", "only", "collection", "path"}

const (
	maxTyped   = 1000 // characters of q
	maxValues  = 50   // chosen of one facet
	usualSize  = 25
	lastRecord = globus.MaxSearchOffset
)

var pageSizes = []int{10, 25, 50, 100}

// An address is a search as it is in the address of a page.
type address struct {
	ix       *Index
	base     string // path of the page, as a browser sees it
	q        string
	advanced bool
	choices  map[string]choice // by name of the facet; none of them is empty
	sort     int               // index of the chosen Sort and 1; 0: none was chosen
	size     int
	page     int // from 1 on
}

// A choice is what was chosen of a facet.
type choice struct {
	values   []string // of Terms and YesNo
	none     bool     // records without a value
	from, to string   // of Dates and Numbers
}

func (c choice) empty() bool { return len(c.values) == 0 && !c.none && c.from == "" && c.to == "" }

// address reads the search that r asks for. What it cannot read counts as absent.
func (m *room) address(r *http.Request) address {
	q := r.URL.Query()
	number := func(name string) int { n, _ := strconv.Atoi(q.Get(name)); return n }
	a := address{ix: &m.Index, base: m.site.Path(m.Path), advanced: q.Get("advanced") == "1", choices: map[string]choice{}, size: number("size"), page: max(1, number("page"))}
	typed := []rune(strings.TrimSpace(strings.ToValidUTF8(q.Get("q"), "")))
	a.q = string(typed[:min(len(typed), maxTyped)])
	if !slices.Contains(pageSizes, a.size) {
		a.size = usualSize
	}
	a.page = min(a.page, lastRecord/a.size)
	if n := number("sort"); n > 0 && n <= len(m.Sorts) {
		a.sort = n
	}
	for _, f := range m.Facets {
		c := choice{none: q.Get(f.Name+".none") == "1"}
		switch f.Kind {
		case Dates, Numbers:
			c.from, c.to = f.end(q.Get(f.Name+".from")), f.end(q.Get(f.Name+".to"))
		default:
			for _, value := range q[f.Name] {
				if value != "" && !slices.Contains(c.values, value) && len(c.values) < maxValues {
					c.values = append(c.values, value)
				}
			}
		}
		if !c.empty() {
			a.choices[f.Name] = c
		}
	}
	return a
}

// end returns an end of a range if it can be read, else "".
func (f Facet) end(text string) string {
	text = strings.TrimSpace(text)
	if f.Kind == Dates {
		if _, _, ok := period(text); ok {
			return text
		}
		return ""
	}
	if _, err := strconv.ParseFloat(text, 64); err != nil || strings.ContainsAny(text, "xXnNpP_") {
		return ""
	}
	return text
}

// period returns the first day of a year, month or day, and the first day after it.
func period(text string) (from, after time.Time, ok bool) {
	for layout, next := range map[string][3]int{"2006": {1, 0, 0}, "2006-01": {0, 1, 0}, time.DateOnly: {0, 0, 1}} {
		if from, err := time.Parse(layout, text); err == nil {
			return from, from.AddDate(next[0], next[1], next[2]), true
		}
	}
	return from, after, false
}

// query returns the parameters of the address.
func (a address) query() url.Values {
	q := url.Values{}
	set := func(name, value string, is bool) {
		if is {
			q.Set(name, value)
		}
	}
	set("q", a.q, a.q != "")
	set("advanced", "1", a.advanced)
	for name, c := range a.choices {
		for _, value := range c.values {
			q.Add(name, value)
		}
		set(name+".none", "1", c.none)
		set(name+".from", c.from, c.from != "")
		set(name+".to", c.to, c.to != "")
	}
	set("sort", strconv.Itoa(a.sort), a.sort > 0)
	set("size", strconv.Itoa(a.size), a.size != usualSize)
	set("page", strconv.Itoa(a.page), a.page > 1)
	return q
}

// to returns the path of one of the pages of the room for this search, such as /record,
// with more parameters in pairs of name and value.
func (a address) to(page string, more ...string) string {
	q := a.query()
	for i := 0; i < len(more); i += 2 {
		q.Add(more[i], more[i+1])
	}
	if len(q) == 0 {
		return a.base + page
	}
	return a.base + page + "?" + q.Encode()
}

func (a address) String() string { return a.to("") }

// route is the address without the path of the site.
func (a address) route() string {
	return a.ix.Path + strings.TrimPrefix(a.to(""), a.base)
}

// fields returns the address as the hidden fields of a form, without those that the form
// has itself, and without the page.
func (a address) fields(without ...string) (fields [][2]string) {
	q := a.at(1).query()
	for name, values := range q {
		if !slices.Contains(without, name) {
			for _, value := range values {
				fields = append(fields, [2]string{name, value})
			}
		}
	}
	slices.SortFunc(fields, func(x, y [2]string) int { return strings.Compare(x[0]+"\x00"+x[1], y[0]+"\x00"+y[1]) })
	return fields
}

// at returns the address of another page of the list.
func (a address) at(page int) address { a.page = page; return a }

// choose returns the first page with another choice of a facet.
func (a address) choose(name string, c choice) address {
	choices := map[string]choice{}
	for other, c := range a.choices {
		choices[other] = c
	}
	choices[name] = c
	if c.empty() {
		delete(choices, name)
	}
	a.choices = choices
	return a.at(1)
}

// toggle returns the address with a value of a facet chosen, or no longer chosen.
func (a address) toggle(name, value string) address {
	c := a.choices[name]
	if i := slices.Index(c.values, value); i >= 0 {
		c.values = slices.Delete(slices.Clone(c.values), i, i+1)
	} else {
		c.values = append(slices.Clone(c.values), value)
	}
	return a.choose(name, c)
}

func (a address) toggleNone(name string) address {
	c := a.choices[name]
	c.none = !c.none
	return a.choose(name, c)
}

// plain reports whether nothing was typed or chosen.
func (a address) plain() bool { return len(a.query()) == 0 }

// A chip is one thing that narrows the search, and the address without it.
type chip struct {
	id, label, value string
	without          address
}

// chips returns what narrows the search.
func (a address) chips() (list []chip) {
	if a.q != "" {
		without := a.at(1)
		without.q, without.advanced = "", false
		list = append(list, chip{"q", "Words", a.q, without})
	}
	for _, f := range a.ix.Facets {
		c, ok := a.choices[f.Name]
		if !ok {
			continue
		}
		for _, value := range c.values {
			list = append(list, chip{f.Name + "-" + value, f.Label, f.shown(value), a.toggle(f.Name, value)})
		}
		if c.from != "" || c.to != "" {
			without := c
			without.from, without.to = "", ""
			list = append(list, chip{f.Name + "-range", f.Label, f.rangeWords(c), a.choose(f.Name, without)})
		}
		if c.none {
			list = append(list, chip{f.Name + "-none", f.Label, "no value", a.toggleNone(f.Name)})
		}
	}
	return list
}

// shown is a value of a facet as people read it.
func (f Facet) shown(value string) string {
	switch {
	case f.Kind == YesNo && value == "true":
		return "Yes"
	case f.Kind == YesNo:
		return "No"
	}
	return value
}

// rangeWords is a range as people read it.
func (f Facet) rangeWords(c choice) string {
	unit := ""
	if f.Unit != "" {
		unit = " " + f.Unit
	}
	switch {
	case c.from == c.to:
		return c.from + unit
	case c.to == "":
		return "from " + c.from + unit
	case c.from == "" && f.Kind == Dates:
		return "to " + c.to
	case c.from == "":
		return "below " + c.to + unit
	case f.Kind == Dates:
		return c.from + " to " + c.to
	}
	return c.from + " to less than " + c.to + unit
}

// filter returns the filter for what was chosen; nil: nothing narrows the search.
func (f Facet) filter(c choice) globus.Filter {
	var wanted globus.Filter
	switch {
	case f.Kind == Dates && (c.from != "" || c.to != ""):
		wanted = globus.Range{Field: f.Field, Spans: []globus.Span{dateSpan(c)}}
	case f.Kind == Numbers && (c.from != "" || c.to != ""):
		wanted = globus.Range{Field: f.Field, Spans: []globus.Span{numberSpan(c)}}
	case len(c.values) == 0:
	case f.All:
		wanted = globus.MatchAll{Field: f.Field, Values: f.typed(c.values)}
	default:
		wanted = globus.MatchAny{Field: f.Field, Values: f.typed(c.values)}
	}
	missing := globus.Not{Filter: globus.Exists{Field: f.Field}}
	switch {
	case !c.none:
		return wanted
	case wanted == nil:
		return missing
	case f.All:
		return globus.And{wanted, missing}
	}
	return globus.Or{wanted, missing}
}

// typed returns values as Search has them.
func (f Facet) typed(values []string) (list []any) {
	for _, value := range values {
		if f.Kind == YesNo {
			list = append(list, value == "true")
		} else {
			list = append(list, value)
		}
	}
	return list
}

// dateSpan is from the first day of one period up to the last moment of another: the first
// day after it is not included.
func dateSpan(c choice) (span globus.Span) {
	if from, _, ok := period(c.from); ok {
		span.GTE = from.Format(time.DateOnly)
	}
	if _, after, ok := period(c.to); ok {
		span.LT = after.Format(time.DateOnly)
	}
	return span
}

func numberSpan(c choice) (span globus.Span) {
	if n, err := strconv.ParseFloat(c.from, 64); err == nil {
		span.GTE = n
	}
	if n, err := strconv.ParseFloat(c.to, 64); err == nil {
		span.LT = n
	}
	return span
}

// filters returns the filters of the search, without that of the named facet.
func (a address) filters(without string) []globus.Filter {
	filters := slices.Clone(a.ix.Filters)
	for _, f := range a.ix.Facets {
		if c, ok := a.choices[f.Name]; ok && f.Name != without {
			if filter := f.filter(c); filter != nil {
				filters = append(filters, filter)
			}
		}
	}
	return filters
}

// searchQuery returns the query for this search, without that of the named facet.
func (a address) searchQuery(without string) globus.SearchQuery {
	return globus.SearchQuery{Q: a.q, Advanced: a.advanced, AllWords: true, Filters: a.filters(without), Boosts: a.ix.Boosts}
}

// pageQuery returns the query for the records of this page.
func (a address) pageQuery() globus.SearchQuery {
	q := a.searchQuery("")
	q.Limit, q.Offset = a.size, (a.page-1)*a.size
	by := a.sort
	if by == 0 && a.q == "" && len(a.ix.Sorts) > 0 {
		by = 1
	}
	if by > 0 {
		s := a.ix.Sorts[by-1]
		q.Sort = []globus.SearchSort{{Field: s.Field, Descending: s.Descending}}
	}
	return q
}

// facetQuery returns the query that counts the values of a facet.
func (f Facet) facetQuery(size int) (globus.Facet, bool) {
	q := globus.Facet{Type: globus.FacetTerms, Field: f.Field, Name: f.Name, Size: size}
	switch f.Kind {
	case Dates:
		q.Type, q.Size, q.Interval = globus.FacetDateHistogram, 0, f.Interval
	case Numbers:
		q.Type, q.Size, q.Low, q.High = globus.FacetNumericHistogram, f.Steps, f.Low, f.High
		return q, f.Steps > 0
	}
	return q, true
}
