package globustest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

const (
	largestSearchPage = 100
	usualSearchPage   = 25
	largestSearch     = 1000 // results of one search
	largestRecent     = 30   // collections in recently-used
)

// The scopes of a search that the emulator knows.
var searchScopes = []string{
	"all", "my-endpoints", "my-gcp-endpoints", "recently-used", "in-use", "shared-by-me", "shared-with-me", "administered-by-me",
}

// search finds collections by words, and by the person's relation to them.
func (e *Emulator) search(r *http.Request, g grant) (any, error) {
	q, params, err := e.readListing(r, endpointTemplate, usualSearchPage, largestSearchPage,
		"filter_fulltext", "filter_scope", "filter_entity_type", "filter_owner_id", "filter_non_functional", "filter_host_endpoint")
	if err != nil {
		return nil, err
	}
	scope := params.Get("filter_scope")
	switch {
	case scope != "" && !slices.Contains(searchScopes, scope):
		return nil, badParameter(r, "Invalid value for parameter 'filter_scope'")
	case (scope == "" || scope == "all") && params.Get("filter_fulltext") == "" && !params.Has("filter_owner_id"):
		return nil, badParameter(r, "filter_fulltext is required unless filter_scope or filter_owner_id is used")
	case params.Has("filter_entity_type") && params.Has("filter_non_functional"):
		return nil, badParameter(r, "filter_entity_type and filter_non_functional exclude one another")
	case params.Has("filter_owner_id") && slices.Contains([]string{"my-endpoints", "my-gcp-endpoints", "shared-by-me"}, scope):
		return nil, badParameter(r, "filter_owner_id does not go with that filter_scope")
	}
	person, _ := e.person(g.Person)
	all := []document{}
	for _, p := range e.inScope(scope, g.Person) {
		doc := e.endpointDocument(p, person)
		if !p.Deleted && p.mayUse(g.Person) && p.matchesFilters(doc, params) {
			delete(doc, "DATA")
			all = append(all, doc)
		}
	}
	all = q.filterAndSort(all)
	all = all[:min(len(all), largestSearch)]
	list := q.part(all)
	return document{
		"DATA_TYPE": "endpoint_list", "DATA": list, "has_next_page": q.offset+len(list) < len(all), "limit": q.limit, "offset": q.offset,
	}, nil
}

// inScope returns the collections in a search scope; recently-used is ordered.
func (e *Emulator) inScope(scope, person string) []*place {
	if scope == "recently-used" {
		return e.recentPlaces(person)
	}
	busy := func(p *place) bool {
		return slices.ContainsFunc(e.jobs(person), func(j *job) bool {
			return !ended(j.status) && (j.source.id == p.ID || j.destination.id == p.ID)
		})
	}
	return slices.DeleteFunc(slices.Clone(e.places), func(p *place) bool {
		own := p.Owner != "" && p.Owner == person
		guest := strings.HasSuffix(p.kind(), "_guest_collection")
		switch scope {
		case "my-endpoints", "administered-by-me":
			return !own
		case "my-gcp-endpoints":
			return !own || !p.personal()
		case "shared-by-me":
			return !own || !guest
		case "shared-with-me":
			return own || !slices.Contains(p.SharedWith, person)
		case "in-use":
			return !busy(p)
		}
		return false
	})
}

// matchesFilters reports whether a collection matches the filters of a search.
func (p *place) matchesFilters(doc document, params url.Values) bool {
	if kind := params.Get("filter_entity_type"); kind != "" && p.kind() != kind {
		return false
	}
	if owner := params.Get("filter_owner_id"); owner != "" && doc["owner_id"] != owner {
		return false
	}
	if host := params.Get("filter_host_endpoint"); host != "" && doc["host_endpoint_id"] != host {
		return false
	}
	if params.Get("filter_non_functional") == "1" {
		return false // the emulator has no non-functional endpoints
	}
	indexed := words(strings.Join([]string{p.Name, p.Description, p.Organization, p.Keywords, p.ID, doc["owner_string"].(string)}, " "))
	for _, wanted := range words(params.Get("filter_fulltext")) {
		if !slices.ContainsFunc(indexed, func(word string) bool { return strings.HasPrefix(word, wanted) }) {
			return false
		}
	}
	return true
}

// words splits a text into lower-case words.
func words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// markUsed puts a collection first in the person's recently-used ones. It needs e.mu.
func (e *Emulator) markUsed(person, id string) {
	all := slices.DeleteFunc(e.recent[person], func(other string) bool { return other == id })
	all = slices.Insert(all, 0, id)
	e.recent[person] = all[:min(len(all), largestRecent)]
}

// recentPlaces returns the collections that a person has used, the latest first, and then
// those of their tasks.
func (e *Emulator) recentPlaces(person string) (all []*place) {
	ids := slices.Clone(e.recent[person])
	for _, j := range e.jobs(person) {
		ids = append(ids, j.source.id, j.destination.id)
	}
	for _, id := range ids {
		if p := e.place(id); p != nil && !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	return all
}
