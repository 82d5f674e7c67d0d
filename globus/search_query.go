package globus

import "encoding/json"

// A SearchQuery says what to find. Field names are paths: dots lead into objects, and
// through lists of them, as in "dc.creators.name". A dot that belongs to a name is
// written with EscapeField.
//
// Its version for Search is query#1.0.0: Filters apply to the subjects and to the facets.
type SearchQuery struct {
	// Q is what somebody typed. "" finds everything that the filters let pass, and is
	// sent as "*" if there is no filter, because Search requires one of them.
	Q string

	// Advanced: Q is in Lucene's syntax, as in `title:peat AND taken:[2020 TO *]`; Search
	// rejects it if it is malformed. False: Q is words, and nothing can be wrong with it.
	Advanced bool

	// AllWords: a subject must match all words of Q. False: Search decides, which words
	// count as one is not documented.
	AllWords bool

	Limit  int // subjects on a page; 0: 10, less: none, only the total and the facets
	Offset int // subjects to skip; Limit and Offset together are at most MaxSearchOffset

	Filters          []Filter      // all of them must match; nil: everything does
	PostFacetFilters []Filter      // likewise, but facets count as if they were not there
	Facets           []Facet       // nil: none
	Sort             []SearchSort  // the first counts most; nil: the best match first
	Boosts           []SearchBoost // ignored by Search if there is a Sort

	// Fields says which members of entries to return: content, visible_to and
	// principal_sets. Nil: content.
	Fields []string

	// FilterPrincipalSets finds only entries in one of whose principal sets of these names
	// the person is. Nil: all entries. Search rejects it without a token.
	FilterPrincipalSets []string

	// BypassVisibleTo also finds what the person may not see. Search rejects it for people
	// who are not an owner or admin of the index.
	BypassVisibleTo bool
}

// A SearchSort sorts by a field. Of several values in it, an ascending sort uses the
// least, and a descending one the greatest.
type SearchSort struct {
	Field      string // required
	Descending bool   // the greatest value first
}

// MarshalJSON writes the sort as Search reads it.
func (s SearchSort) MarshalJSON() ([]byte, error) {
	order := "asc"
	if s.Descending {
		order = "desc"
	}
	return json.Marshal(map[string]any{"field_name": s.Field, "order": order})
}

// A SearchBoost ranks matches in one field higher or, with a Factor below 1, lower.
type SearchBoost struct {
	Field  string  `json:"field_name"` // required
	Factor float64 `json:"factor"`     // from 0 to 10
}

// MarshalJSON writes the query as Search reads it.
func (q SearchQuery) MarshalJSON() ([]byte, error) {
	doc := q.common("query#1.0.0")
	if q.Limit != 0 {
		doc["limit"] = max(q.Limit, 0)
	}
	if q.Offset > 0 {
		doc["offset"] = q.Offset
	}
	set(doc, "post_facet_filters", q.PostFacetFilters)
	set(doc, "facets", q.Facets)
	set(doc, "sort", q.Sort)
	set(doc, "boosts", q.Boosts)
	return json.Marshal(doc)
}

// common has what queries and scroll queries share.
func (q SearchQuery) common(version string) map[string]any {
	doc := map[string]any{"@version": version}
	switch {
	case q.Q != "":
		doc["q"] = q.Q
	case len(q.Filters) == 0:
		doc["q"] = "*"
	}
	mode := "query_string"
	if q.Advanced {
		mode = "advanced_query_string"
	}
	switch {
	case q.Q == "":
	case q.AllWords:
		doc["q_settings"] = map[string]any{"mode": mode, "default_operator": "and"}
	case q.Advanced:
		doc["advanced"] = true // not together with q_settings
	}
	if q.BypassVisibleTo {
		doc["bypass_visible_to"] = true
	}
	set(doc, "filters", q.Filters)
	set(doc, "fields", q.Fields)
	set(doc, "filter_principal_sets", q.FilterPrincipalSets)
	return doc
}

// set sets a member that is left out if the list is empty.
func set[T any](doc map[string]any, name string, list []T) {
	if len(list) > 0 {
		doc[name] = list
	}
}

// A scrollQuery is a query for all subjects, from a marker on.
type scrollQuery struct {
	SearchQuery
	marker string
}

func (q scrollQuery) MarshalJSON() ([]byte, error) {
	doc := q.common("scroll#1.0.0")
	doc["limit"] = q.Limit
	if q.marker != "" {
		doc["marker"] = q.marker
	}
	return json.Marshal(doc)
}
