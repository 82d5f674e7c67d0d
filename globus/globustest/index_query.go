package globustest

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const (
	largestPage   = 10_000 // of a query, and its offset and limit together
	usualPage     = 10
	version2017   = "2017-09-01"
	queryVersion  = "query#1.0.0"
	scrollVersion = "scroll#1.0.0"
)

// A searchQuery is a query as an index runs it.
type searchQuery struct {
	words      []string  // for the score
	q          condition // what is typed
	filters    condition // narrow the results and the facets
	later      condition // narrow the results only
	facets     []facet
	sort       []sorting
	boosts     map[string]float64
	sets       []string // filter_principal_sets
	bypass     bool
	fields     []string
	limit      int
	offset     int
	hasFilters bool
}

// A sorting is an entry of sort.
type sorting struct {
	field      string
	descending bool
}

// A matched is a subject that a query finds.
type matched struct {
	subject string
	entries []*indexed // that match; what the caller may see of the subject may be more
	score   float64
}

// readQuery reads the document of a query, a scroll query or a delete by query, of the
// version of 2017 or of the named one.
func (n *index) readQuery(doc *members, s searcher, version string) (*searchQuery, error) {
	said := doc.text("@version", version2017)
	v1 := said == version
	if !v1 && said != version2017 {
		doc.wrong("@version", "Must be one of: 2017-09-01, "+version+".")
	}
	q := &searchQuery{
		limit: doc.integer("limit", usualPage, 0, largestPage), offset: doc.integer("offset", 0, 0, largestPage),
		sets: doc.texts("filter_principal_sets"), bypass: doc.flag("bypass_visible_to") && s.known, boosts: map[string]float64{}, fields: []string{"content"},
	}
	text := doc.text("q", "")
	_, typed := doc.doc["q"].(string)
	r := filterReader{n, doc, v1}
	q.filters, q.later = r.filters("filters")
	q.hasFilters = len(doc.list("filters")) > 0
	if v1 {
		after, _ := r.filters("post_facet_filters")
		q.later = all(q.later, after)
		if doc.doc["fields"] != nil {
			q.fields = doc.texts("fields")
		}
	}
	n.readQ(q, doc, text, v1)
	q.facets = r.facets()
	for _, value := range doc.list("sort") {
		m := doc.object("sort", value)
		o := sorting{m.text("field_name", ""), m.text("order", "desc") == "desc"}
		if order := m.text("order", "desc"); order != "desc" && order != "asc" {
			m.wrong("order", "Must be one of: asc, desc.")
		}
		r.end(m)
		q.sort = append(q.sort, o)
	}
	for _, value := range doc.list("boosts") {
		m := doc.object("boosts", value)
		factor := m.number("factor", 1)
		if factor < 0 || factor > 10 {
			m.wrong("factor", "Must be greater than or equal to 0 and less than or equal to 10.")
		}
		q.boosts[m.text("field_name", "")] = factor
		r.end(m)
	}
	doc.known["marker"] = strings.HasPrefix(version, "scroll")
	switch doc.rest(); {
	case doc.err != nil:
	case !typed && !q.hasFilters:
		doc.wrong("q", "A query requires q or filters.")
	case q.offset+q.limit > largestPage:
		doc.wrong("offset", "offset and limit together must not exceed 10000.")
	case len(q.sets) > 0 && !s.known:
		return nil, searchRefusal(http.StatusUnauthorized, "Unauthorized.Generic", "filter_principal_sets requires an access token")
	case q.bypass && !n.isOwner(s):
		return nil, noRole("admin")
	}
	if doc.err != nil {
		return nil, doc.err
	}
	return q, nil
}

// readQ reads what is typed, and how it is meant.
func (n *index) readQ(q *searchQuery, doc *members, text string, v1 bool) {
	advanced, operator := doc.flag("advanced"), "or"
	if settings := doc.doc["q_settings"]; v1 && settings != nil {
		m := doc.object("q_settings", settings)
		doc.known["q_settings"] = true
		mode := m.text("mode", "query_string")
		if mode == "text_match" {
			m.integer("fuzziness", 1, 0, 5) // the emulator finds words as they are written
			operator = "and"
		}
		operator = m.text("default_operator", operator)
		switch {
		case !slices.Contains([]string{"query_string", "advanced_query_string", "text_match"}, mode):
			m.wrong("mode", "Must be one of: query_string, advanced_query_string, text_match.")
		case operator != "and" && operator != "or":
			m.wrong("default_operator", "Must be one of: and, or.")
		case doc.doc["advanced"] != nil:
			doc.wrong("advanced", "Not together with q_settings.")
		}
		m.rest()
		doc.err = cmp.Or(doc.err, m.err)
		advanced = mode == "advanced_query_string"
	}
	q.words = words(text)
	switch {
	case text == "" || text == "*":
		q.q, q.words = everything, nil
	case !advanced:
		q.q = findWords(q.words, operator == "and")
	default:
		cond, err := n.parseAdvanced(text, operator == "and")
		if err != nil && doc.err == nil {
			refused := searchRefusal(http.StatusBadRequest, "BadRequest.Generic", "The query string is malformed: "+err.Error())
			doc.err = refused
		}
		q.q = cond
	}
}

// matches returns the subjects that a query finds, in the order in which they were
// ingested. facets says that post filters do not count.
func (n *index) matches(q *searchQuery, s searcher) []matched {
	return n.find(q, s, all(q.filters, q.later))
}

func (n *index) find(q *searchQuery, s searcher, filters condition) (found []matched) {
	at := map[string]int{}
	for _, e := range n.entries {
		if !q.bypass && !s.sees(e) || len(q.sets) > 0 && len(matchedSets(e, q.sets, s)) == 0 || !q.q(e) || !filters(e) {
			continue
		}
		i, ok := at[e.Subject]
		if !ok {
			i = len(found)
			at[e.Subject] = i
			found = append(found, matched{subject: e.Subject})
		}
		found[i].entries = append(found[i].entries, e)
		found[i].score = max(found[i].score, q.score(e))
	}
	return found
}

// score is the number of words that were found, and more for those in boosted fields.
func (q *searchQuery) score(e *indexed) (score float64) {
	for _, word := range q.words {
		if e.words[word] {
			score++
		}
		for field, factor := range q.boosts {
			for _, v := range e.fields[field] {
				if slices.Contains(words(plainText(v)), word) {
					score += factor - 1
				}
			}
		}
	}
	return score
}

// matchedSets returns those of the named principal sets of an entry in which the caller is.
func matchedSets(e *indexed, names []string, s searcher) []string {
	matched := []string{}
	for _, name := range names {
		if s.isOneOf(e.PrincipalSets[name]) {
			matched = append(matched, name)
		}
	}
	return matched
}

// order sorts matches as a query says, or the best first.
func (q *searchQuery) order(found []matched) {
	type keyed struct {
		matched
		keys []any
	}
	list := make([]keyed, len(found))
	for i, m := range found {
		list[i].matched = m
		for _, o := range q.sort {
			list[i].keys = append(list[i].keys, m.key(o))
		}
	}
	slices.SortStableFunc(list, func(a, b keyed) int {
		for i, o := range q.sort {
			x, y := a.keys[i], b.keys[i]
			n := 0
			switch {
			case x == nil || y == nil:
				n = cmp.Compare(boolInt(x == nil), boolInt(y == nil)) // without a value: the last
			case o.descending:
				n = compareValues(y, x)
			default:
				n = compareValues(x, y)
			}
			if n != 0 {
				return n
			}
		}
		if len(q.sort) > 0 {
			return 0
		}
		return cmp.Compare(b.score, a.score)
	})
	for i := range list {
		found[i] = list[i].matched
	}
}

// key is the value by which a subject is sorted; nil if it has none.
func (m matched) key(o sorting) (key any) {
	for _, e := range m.entries {
		for _, v := range e.fields[o.field] {
			if key == nil || (compareValues(v, key) > 0) == o.descending {
				key = v
			}
		}
	}
	return key
}

// compareValues compares values of one field. Dates compare as times.
func compareValues(a, b any) int {
	switch x := a.(type) {
	case float64:
		y, _ := b.(float64)
		return cmp.Compare(x, y)
	case bool:
		y, _ := b.(bool)
		return cmp.Compare(boolInt(x), boolInt(y))
	case string:
		y, _ := b.(string)
		s, ok := readDate(x)
		t, ok2 := readDate(y)
		if ok && ok2 {
			return s.Compare(t)
		}
		return cmp.Compare(x, y)
	}
	return 0
}

// query answers a query.
func (e *Emulator) query(r *http.Request, s searcher) (any, error) {
	n, err := e.openIndex(r)
	if err != nil {
		return nil, err
	}
	doc, err := e.queryDocument(r)
	if err != nil {
		return nil, err
	}
	q, err := n.readQuery(doc, s, queryVersion)
	if err != nil {
		return nil, err
	}
	found := n.matches(q, s)
	q.order(found)
	from := min(q.offset, len(found))
	page := found[from:min(from+q.limit, len(found))]
	answer := map[string]any{
		"@datatype": "GSearchResult", "@version": version2017, "total": len(found), "count": len(page), "offset": q.offset,
		"has_next_page": from+len(page) < len(found), "gmeta": n.results(page, q, s),
	}
	if len(q.facets) > 0 {
		counted := n.find(q, s, q.filters)
		results := []any{}
		for _, f := range slices.Backward(q.facets) { // not in the order of the request
			results = append(results, f.result(counted))
		}
		answer["facet_results"] = results
	}
	return answer, nil
}

// queryDocument returns the document of a query: the body, or what the parameters say.
func (e *Emulator) queryDocument(r *http.Request) (*members, error) {
	if r.Method == http.MethodPost {
		return e.readDocument(r)
	}
	params, unknown := e.known(r, r.URL.Query(), []string{"limit", "offset", "advanced", "filter_principal_sets", "bypass_visible_to", "fields"})
	if unknown != "" && unknown != "q" {
		return nil, invalid("query", unknown, "Unknown field.")
	}
	if !r.URL.Query().Has("q") {
		return nil, invalid("query", "q", "Missing data for required field.")
	}
	doc := &members{doc: map[string]any{"q": r.URL.Query().Get("q")}, known: map[string]bool{}}
	for name := range params {
		value := params.Get(name)
		switch name {
		case "limit", "offset":
			doc.doc[name] = json.Number(value)
		case "advanced", "bypass_visible_to":
			flag, err := strconv.ParseBool(strings.ToLower(value))
			if err != nil {
				return nil, invalid("query", name, "Not a valid boolean.")
			}
			doc.doc[name] = flag
		default:
			list := []any{}
			for _, one := range commaList(params, name) {
				list = append(list, one)
			}
			doc.doc[name] = list
		}
	}
	if params.Has("fields") {
		doc.doc["@version"] = queryVersion
	}
	return doc, nil
}

// scroll answers a scroll query. The last page may be empty.
func (e *Emulator) scroll(r *http.Request, s searcher) (any, error) {
	n, err := e.openIndex(r)
	if err != nil {
		return nil, err
	}
	doc, err := e.readDocument(r)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"offset", "facets", "boosts", "sort", "post_facet_filters"} {
		if _, there := doc.doc[name]; there {
			return nil, invalid("json", name, "Unknown field.")
		}
	}
	from := 0
	if marker := doc.text("marker", ""); marker != "" {
		text, _ := base64.RawURLEncoding.DecodeString(marker)
		if from, err = strconv.Atoi(strings.TrimPrefix(string(text), "after ")); err != nil {
			return nil, invalid("json", "marker", "Not a valid marker.")
		}
	}
	q, err := n.readQuery(doc, s, scrollVersion)
	if err != nil {
		return nil, err
	}
	found := n.matches(q, s)
	from = min(from, len(found))
	page := found[from:min(from+q.limit, len(found))]
	answer := map[string]any{"gmeta": n.results(page, q, s), "count": len(page), "total": len(found), "has_next_page": false, "marker": nil}
	if len(page) == q.limit && q.limit > 0 {
		answer["has_next_page"] = true
		answer["marker"] = base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "after %d", from+len(page)))
	}
	return answer, nil
}

// results returns subjects with all their entries that the caller may see.
func (n *index) results(found []matched, q *searchQuery, s searcher) []any {
	list := []any{}
	for _, m := range found {
		list = append(list, n.result(m.subject, q, s, func(*indexed) bool { return true }))
	}
	return list
}

func (n *index) result(subject string, q *searchQuery, s searcher, wanted func(*indexed) bool) map[string]any {
	entries := []any{}
	for _, e := range n.bySub[subject] {
		if !q.bypass && !s.sees(e) || !wanted(e) {
			continue
		}
		doc := map[string]any{"entry_id": e.ID, "matched_principal_sets": matchedSets(e, q.sets, s)}
		for _, name := range q.fields {
			switch name {
			case "content":
				doc[name] = e.content
			case "visible_to":
				doc[name] = e.VisibleTo
			case "principal_sets":
				doc[name] = e.PrincipalSets
			}
		}
		entries = append(entries, doc)
	}
	return map[string]any{"@datatype": "GMetaResult", "@version": "2019-08-27", "subject": subject, "entries": entries}
}

// subject answers with one subject, and entry with one of its entries.
func (e *Emulator) subject(r *http.Request, s searcher) (any, error) {
	return e.oneSubject(r, s, func(*indexed, string) bool { return true }, "subject")
}

func (e *Emulator) entry(r *http.Request, s searcher) (any, error) {
	return e.oneSubject(r, s, func(one *indexed, id string) bool { return one.id() == id }, "subject", "entry_id")
}

func (e *Emulator) oneSubject(r *http.Request, s searcher, wanted func(one *indexed, id string) bool, names ...string) (any, error) {
	n, err := e.openIndex(r)
	if err != nil {
		return nil, err
	}
	params, err := e.searchParams(r, names...)
	if err != nil {
		return nil, err
	}
	bypass, _ := strconv.ParseBool(strings.ToLower(params.Get("bypass_visible_to")))
	if bypass = bypass && s.known; bypass && !n.isOwner(s) {
		return nil, noRole("admin")
	}
	q := &searchQuery{fields: []string{"content"}, bypass: bypass}
	found := n.result(params.Get("subject"), q, s, func(one *indexed) bool { return wanted(one, params.Get("entry_id")) })
	if len(found["entries"].([]any)) == 0 {
		return nil, searchRefusal(http.StatusNotFound, "NotFound.Generic", "There is no such subject or entry")
	}
	return found, nil
}
