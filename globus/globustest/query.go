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

// A query is how an app wants a list of documents: filtered, sorted, cut into
// pages, and with some of their members alone. The documentation of Globus
// Transfer has it for tasks and files alike; globus/globus-cli,
// commands/task/list.py and commands/ls.py, has the forms of filters.
type query struct {
	filters       [][]clause // a document must satisfy all clauses of one of these; none: every document does
	order         []ordering
	fields        []string // nil: all
	limit, offset int
}

// A clause is one condition of a filter, such as status:ACTIVE,INACTIVE, which
// wants one of several values; label:~Photo*,!~*tmp, where ~ is a pattern and !
// a negation; or request_time:2026-01-01,2026-02-01, a range open where it is
// empty.
type clause struct {
	member string
	values []string
}

type ordering struct {
	member     string
	descending bool
}

// readQuery reads the parameters of a list whose documents have the members of
// template, and those with one of names.
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

// number reads a parameter that is fallback if it was not sent.
func number(params url.Values, name string, fallback, least, most int) (n int, ok bool) {
	if !params.Has(name) {
		return fallback, true
	}
	n, err := strconv.Atoi(params.Get(name))
	return n, err == nil && n >= least && n <= most
}

// readOrdering reads a member's name, and perhaps ASC or DESC after a blank.
func readOrdering(text string, strict bool) (o ordering, ok bool) {
	var direction string
	o.member, direction, _ = strings.Cut(text, " ")
	if !strict {
		direction = strings.ToUpper(strings.TrimSpace(direction))
	}
	o.descending = direction == "DESC"
	return o, slices.Contains([]string{"", "ASC", "DESC"}, direction)
}

// readFilter reads clauses with slashes between them. A member that documents do
// not have is refused: a filter that did nothing would go unnoticed.
func (e *Emulator) readFilter(text string, template document) (clauses []clause, ok bool) {
	for part := range strings.SplitSeq(text, "/") {
		if part == "" && !e.strict {
			continue
		}
		member, list, found := strings.Cut(part, ":")
		c := clause{member, strings.Split(list, ",")}
		twice := slices.ContainsFunc(clauses, func(other clause) bool { return other.member == member })
		if _, known := template[member]; !found || !known || list == "" || e.strict && (twice || !c.sound()) {
			return nil, false
		}
		clauses = append(clauses, c)
	}
	return clauses, true
}

// sound reports whether the values of a clause are among those that there are.
func (c clause) sound() bool {
	known := map[string][]string{"status": taskStatuses(), "type": append(taskTypes(), "dir", "file")}[c.member]
	return known == nil || !slices.ContainsFunc(c.values, func(v string) bool { return !slices.Contains(known, v) })
}

// arrange returns the documents that q lets through, in its order, whole.
func (q query) arrange(all []document) []document {
	all = slices.DeleteFunc(slices.Clone(all), func(d document) bool {
		fits := func(clauses []clause) bool {
			return !slices.ContainsFunc(clauses, func(c clause) bool { return !c.lets(d) })
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

// lets reports whether a document satisfies the clause.
func (c clause) lets(d document) bool {
	text := ""
	switch value := d[c.member].(type) {
	case nil:
	case bool:
		text = strconv.Itoa(boolInt(value)) // is_error:1
	default:
		text = fmt.Sprint(value)
	}
	if at, err := readTime(text); err == nil || strings.HasSuffix(c.member, "_time") || c.member == "last_modified" {
		return err == nil && c.spans(at)
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

// match compares a value with a pattern: exactly, or after ~ without regard to
// case and with * for anything.
func match(pattern, text string) bool {
	if glob, ok := strings.CutPrefix(pattern, "~"); ok {
		form := strings.ReplaceAll(regexp.QuoteMeta(glob), `\*`, ".*")
		return regexp.MustCompile("(?is)^" + form + "$").MatchString(text)
	}
	return strings.TrimPrefix(pattern, "=") == text
}

// spans reports whether a time is within the clause's range. A range of one value
// has no end.
func (c clause) spans(at time.Time) bool {
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

// compare orders numbers by size and all else as text; null comes first.
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
