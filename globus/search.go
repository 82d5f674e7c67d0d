package globus

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Globus Search: its name as a resource server, and the scopes of its calls (Search API,
// "API usage"). See ServiceURL for its base URL.
const (
	SearchServer = "search.api.globus.org"

	SearchQueryScope  = "urn:globus:auth:scope:search.api.globus.org:search" // find what the person may see
	SearchIngestScope = "urn:globus:auth:scope:search.api.globus.org:ingest" // add and delete entries, and read tasks
	SearchAllScope    = "urn:globus:auth:scope:search.api.globus.org:all"    // these, and manage indices
)

// MaxSearchOffset is how many subjects of a query can be reached by SearchQuery.Offset
// and Limit together (Search API, "POST query"). Scroll reaches all of them.
const MaxSearchOffset = 10_000

// A Search calls Globus Search, as one person or as nobody. Make one with Client.Search.
// If Globus is busy and asks for a retry within 3 s, the call is retried once;
// Error.RetryAfter has longer times. README.md in this folder has the names of these
// calls in Globus's SDK for Python.
type Search struct {
	base string
	http *http.Client
}

// Search returns a client of Globus Search. token returns tokens for SearchServer. If
// it is nil, calls have no token: Query, Scroll, Subject and Entry then find what is
// public, Index works as ever, and Globus rejects the others.
func (c *Client) Search(token TokenFunc) *Search {
	base := c.ServiceURL(SearchServer)
	next := c.capped(maxFound)
	if token == nil {
		return &Search{base, newHTTPClient(next)}
	}
	return &Search{base, newHTTPClient(bearerTransport{origin: originOf(base), token: token, next: next})}
}

// maxFound is how many bytes the answer to a query may have: a hundred large records.
const maxFound = 64 << 20

// A SearchEntry is one of the documents about a subject.
type SearchEntry struct {
	ID      string          `json:"entry_id"` // unique among the entries of the subject; "": null
	Content json.RawMessage `json:"content"`  // a JSON object; nil if SearchQuery.Fields leaves it out

	// MatchedPrincipalSets has those of SearchQuery.FilterPrincipalSets that the person
	// is in. Nil: none.
	MatchedPrincipalSets []string `json:"matched_principal_sets"`

	// VisibleTo and PrincipalSets are as in IngestEntry. Nil unless SearchQuery.Fields has
	// them.
	VisibleTo     []string            `json:"visible_to"`
	PrincipalSets map[string][]string `json:"principal_sets"`
}

// A SearchSubject is something that an index knows, with its entries that the person may
// see.
type SearchSubject struct {
	Subject string        `json:"subject"` // often a URL or a DOI; unique in the index
	Entries []SearchEntry `json:"entries"` // in no particular order
}

// A SearchResult is the answer to a query.
type SearchResult struct {
	Subjects []SearchSubject `json:"gmeta"`  // on this page; nil: none
	Total    int64           `json:"total"`  // matching subjects on all pages, also beyond MaxSearchOffset
	Offset   int             `json:"offset"` // subjects on earlier pages

	// HasNextPage reports whether more subjects match. It is true for a query whose Limit
	// is negative and that matches anything.
	HasNextPage bool `json:"has_next_page"`

	Facets map[string]FacetResult `json:"-"` // by Facet's name; nil: none
}

// UnmarshalJSON puts the facets into a map, because Search does not keep their order.
func (r *SearchResult) UnmarshalJSON(b []byte) error {
	type plain SearchResult
	answer := struct {
		*plain
		Facets []FacetResult `json:"facet_results"`
	}{plain: (*plain)(r)}
	if err := leaveOut(json.Unmarshal(b, &answer)); err != nil {
		return err
	}
	for _, f := range answer.Facets {
		if r.Facets == nil {
			r.Facets = map[string]FacetResult{}
		}
		r.Facets[f.Name] = f
	}
	return nil
}

// Query finds subjects in the index with a UUID. The error is an *Error or the error of
// the TokenFunc. Its KindOf is KindInvalid for an advanced query that is malformed,
// KindNotFound if there is no such index, and KindBusy if the query took more than 30 s.
func (s *Search) Query(ctx context.Context, index string, q SearchQuery) (*SearchResult, error) {
	var result SearchResult
	if err := s.send(ctx, http.MethodPost, indexPath(index, "search"), nil, q, &result); err != nil {
		return nil, err
	}
	return &result, nil
}

// Scroll finds all subjects, in no particular order. It fetches them page by page while
// the caller iterates; Limit is the size of a page, 0 means 100. Offset, Facets, Sort,
// Boosts and PostFacetFilters are ignored. What others write to the index meanwhile may
// be missing, or found twice. After an error it stops. The errors are those of Query.
func (s *Search) Scroll(ctx context.Context, index string, q SearchQuery) iter.Seq2[SearchSubject, error] {
	q.Limit = cmp.Or(max(q.Limit, 0), 100)
	return func(yield func(SearchSubject, error) bool) {
		for marker := ""; ; {
			var page struct {
				Subjects    []SearchSubject `json:"gmeta"`
				HasNextPage bool            `json:"has_next_page"`
				Marker      string          `json:"marker"`
			}
			if err := s.send(ctx, http.MethodPost, indexPath(index, "scroll"), nil, scrollQuery{q, marker}, &page); err != nil {
				yield(SearchSubject{}, err)
				return
			}
			for _, one := range page.Subjects {
				if !yield(one, nil) {
					return
				}
			}
			if !page.HasNextPage || page.Marker == "" || page.Marker == marker {
				return
			}
			marker = page.Marker
		}
	}
}

// Subject returns a subject with all its entries that the person may see. The error is an
// *Error or the error of the TokenFunc; its KindOf is KindNotFound if there is no such
// subject, or none that the person may see.
func (s *Search) Subject(ctx context.Context, index, subject string) (*SearchSubject, error) {
	return s.subject(ctx, indexPath(index, "subject"), url.Values{"subject": {subject}})
}

// Entry returns a subject with one entry; the id "" stands for null. The errors are
// those of Subject.
func (s *Search) Entry(ctx context.Context, index, subject, id string) (*SearchSubject, error) {
	return s.subject(ctx, indexPath(index, "entry"), entryParams(subject, id))
}

func (s *Search) subject(ctx context.Context, path string, params url.Values) (*SearchSubject, error) {
	var found SearchSubject
	if err := s.send(ctx, http.MethodGet, path, params, nil, &found); err != nil {
		return nil, err
	}
	if found.Subject == "" {
		return nil, &Error{Call: "search", Reason: Malformed, Status: http.StatusOK, Detail: "the answer is no subject"}
	}
	return &found, nil
}

func entryParams(subject, id string) url.Values {
	params := url.Values{"subject": {subject}}
	if id != "" {
		params.Set("entry_id", id)
	}
	return params
}

// indexPath returns the path of a call about an index; an empty call is the index itself.
func indexPath(index, call string) string {
	path := "/v1/index/" + url.PathEscape(index)
	if call == "" {
		return path
	}
	return path + "/" + call
}

// send sends a document, if doc is not nil, and decodes the JSON of the response into v.
func (s *Search) send(ctx context.Context, method, path string, params url.Values, doc, v any) error {
	var body []byte
	if doc != nil {
		var err error
		if body, err = json.Marshal(doc); err != nil {
			return &Error{Call: "search", Reason: Malformed, Detail: "the document cannot be written as JSON"}
		}
	}
	if len(params) > 0 {
		path += "?" + params.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, s.base+path, bytes.NewReader(body))
	if err != nil {
		return callError("search", err)
	}
	if doc != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return getJSON(s.http, "search", req, v)
}

// wrongMembers reads the messages in an error of Search: lists of sentences, at the paths
// of the members of the request that they are about.
func wrongMembers(messages json.RawMessage) string {
	var found []string
	var walk func(path string, value any)
	walk = func(path string, value any) {
		switch v := value.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				walk(strings.TrimPrefix(path+"."+name, "."), v[name])
			}
		case []any:
			for _, one := range v {
				walk(path, one)
			}
		case string:
			found = append(found, path+": "+v)
		}
	}
	var value any
	_ = json.Unmarshal(messages, &value)
	walk("", value)
	return strings.Join(found, "; ")
}
