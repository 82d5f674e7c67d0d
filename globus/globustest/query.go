package globustest

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A document is a JSON object of Globus Transfer: a task, or a file.
type document = map[string]any

// A query has the parameters of a list of documents: filters, order, page and fields. They
// are documented by Globus Transfer for tasks and files. The forms of filters are in
// globus/globus-cli, commands/task/list.py and commands/ls.py.
type query struct {
	filters       [][]clause // a document must satisfy all clauses of one of them; none: all documents match
	order         []ordering
	fields        []string // nil: all
	limit, offset int
}

// A clause is one condition of a filter. Examples are status:ACTIVE,INACTIVE, one of
// several values; label:~Photo*,!~*tmp, where ~ is a pattern and ! a negation; and
// request_time:2026-01-01,2026-02-01, a range, whose end may be empty.
type clause struct {
	member string
	values []string
}

type ordering struct {
	member     string
	descending bool
}

// readListing reads the parameters of a list whose documents have the members of template,
// and other parameters with one of names. A request without limit gets the usual one.
func (e *Emulator) readListing(r *http.Request, template document, usual, largest int, names ...string) (query, url.Values, error) {
	params, err := e.readQuery(r, append(names, "limit", "offset", "orderby", "filter", "fields")...)
	if err != nil {
		return query{}, nil, err
	}
	bad := func(name string) (query, url.Values, error) {
		return query{}, nil, badParameter(r, "Invalid value for parameter '"+name+"'")
	}
	q := query{fields: commaList(params, "fields")}
	ok := true
	if q.limit, ok = number(params, "limit", usual, 1, largest); !ok {
		return bad("limit")
	}
	if q.offset, ok = number(params, "offset", 0, 0, math.MaxInt32); !ok {
		return bad("offset")
	}
	for _, text := range commaList(params, "orderby") {
		o, ok := readOrdering(text, e.strict)
		if _, known := template[o.member]; !ok || !known {
			return bad("orderby")
		}
		q.order = append(q.order, o)
	}
	for _, text := range params["filter"] {
		clauses, ok := e.readFilter(text, template)
		if !ok {
			return bad("filter")
		}
		q.filters = append(q.filters, clauses)
	}
	return q, params, nil
}

// number reads a parameter between least and most; without it, it returns fallback.
func number(params url.Values, name string, fallback, least, most int) (n int, ok bool) {
	if !params.Has(name) {
		return fallback, true
	}
	n, err := strconv.Atoi(params.Get(name))
	return n, err == nil && n >= least && n <= most
}

// readOrdering reads the name of a member, with an optional ASC or DESC.
func readOrdering(text string, strict bool) (o ordering, ok bool) {
	var direction string
	o.member, direction, _ = strings.Cut(text, " ")
	if !strict {
		direction = strings.ToUpper(strings.TrimSpace(direction))
	}
	o.descending = direction == "DESC"
	return o, slices.Contains([]string{"", "ASC", "DESC"}, direction)
}

// readFilter reads clauses separated by slashes. It rejects members that the documents do
// not have, because a filter without effect would go unnoticed.
func (e *Emulator) readFilter(text string, template document) (clauses []clause, ok bool) {
	for part := range strings.SplitSeq(text, "/") {
		if part == "" && !e.strict {
			continue
		}
		member, list, found := strings.Cut(part, ":")
		c := clause{member, strings.Split(list, ",")}
		duplicate := slices.ContainsFunc(clauses, func(other clause) bool { return other.member == member })
		if _, known := template[member]; !found || !known || list == "" || e.strict && (duplicate || !c.valid()) {
			return nil, false
		}
		clauses = append(clauses, c)
	}
	return clauses, true
}

// valid reports whether all values of a clause exist, for members with a fixed set of
// values.
func (c clause) valid() bool {
	known := map[string][]string{"status": taskStatuses(), "type": append(taskTypes(), "dir", "file")}[c.member]
	return known == nil || !slices.ContainsFunc(c.values, func(v string) bool { return !slices.Contains(known, v) })
}

// filterAndSort returns the documents that match q, in its order.
func (q query) filterAndSort(all []document) []document {
	all = slices.DeleteFunc(slices.Clone(all), func(d document) bool {
		fits := func(clauses []clause) bool {
			return !slices.ContainsFunc(clauses, func(c clause) bool { return !c.accepts(d) })
		}
		return len(q.filters) > 0 && !slices.ContainsFunc(q.filters, fits)
	})
	slices.SortStableFunc(all, func(a, b document) int {
		for _, o := range q.order {
			if n := compare(a[o.member], b[o.member]); n != 0 && o.descending {
				return -n
			} else if n != 0 {
				return n
			}
		}
		return 0
	})
	return all
}

// page returns the documents on the requested page, whole.
func (q query) page(all []document) []document {
	from := min(q.offset, len(all))
	return all[from:min(from+q.limit, len(all))]
}

// part returns the requested page, with the requested members.
func (q query) part(all []document) []document {
	list := []document{}
	for _, doc := range q.page(all) {
		list = append(list, q.only(doc))
	}
	return list
}

// only returns the requested members of a document.
func (q query) only(d document) document {
	if q.fields == nil {
		return d
	}
	some := document{}
	for _, name := range q.fields {
		if value, ok := d[name]; ok {
			some[name] = value
		}
	}
	return some
}

// accepts reports whether a document satisfies the clause.
func (c clause) accepts(d document) bool {
	text := ""
	switch value := d[c.member].(type) {
	case nil:
	case bool:
		text = strconv.Itoa(boolInt(value)) // is_error:1
	default:
		text = fmt.Sprint(value)
	}
	if at, err := readTime(text); err == nil || strings.HasSuffix(c.member, "_time") || c.member == "last_modified" {
		return err == nil && c.containsTime(at)
	}
	wanted, any := false, false
	for _, value := range c.values {
		value, not := strings.CutPrefix(value, "!")
		matches := match(value, text)
		if not && matches {
			return false
		}
		any = any || !not
		wanted = wanted || !not && matches
	}
	return wanted || !any
}

// match compares a text with a pattern: exactly, or after a ~ in any case, where * matches
// anything.
func match(pattern, text string) bool {
	if glob, ok := strings.CutPrefix(pattern, "~"); ok {
		form := strings.ReplaceAll(regexp.QuoteMeta(glob), `\*`, ".*")
		return regexp.MustCompile("(?is)^" + form + "$").MatchString(text)
	}
	return strings.TrimPrefix(pattern, "=") == text
}

// containsTime reports whether a time is in the clause's range. A range of one value has no
// end.
func (c clause) containsTime(at time.Time) bool {
	since, err := readTime(c.values[0])
	if err == nil && at.Before(since) || err != nil && c.values[0] != "" {
		return false
	}
	if len(c.values) < 2 || c.values[1] == "" {
		return true
	}
	until, err := readTime(c.values[1])
	return err == nil && at.Before(until)
}

// readTime reads a time as Transfer and its clients write them.
func readTime(text string) (at time.Time, err error) {
	for _, layout := range []string{"2006-01-02T15:04:05Z07:00", "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05", time.DateTime, time.DateOnly} {
		if at, err = time.Parse(layout, text); err == nil {
			break
		}
	}
	return at, err
}

// compare orders null before all else, numbers by size, and other values as text.
func compare(a, b any) int {
	x, xOK := toFloat(a)
	y, yOK := toFloat(b)
	switch {
	case a == nil || b == nil:
		return cmp.Compare(boolInt(a != nil), boolInt(b != nil))
	case xOK && yOK:
		return cmp.Compare(x, y)
	}
	return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b))
}

func toFloat(v any) (float64, bool) {
	switch n := v.(type) {
	case int64:
		return float64(n), true
	case int:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
