package search

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

const (
	maxTime    = 5 * time.Second // for all queries of a page
	maxQueries = 4               // side by side; as many again if nothing was found
)

// A searcher asks Search for one person, or for nobody.
type searcher struct {
	*room
	search *globus.Search
	token  bool // for a person
}

// searcher returns who asks for a session, which may be nil. A person without a token for
// Search finds what nobody finds.
func (m *room) searcher(s *session.Session) searcher {
	if s == nil {
		return searcher{m, m.nobody, false}
	}
	if _, held := s.Tokens[globus.SearchServer]; !held {
		return searcher{m, m.nobody, false}
	}
	return searcher{m, m.globus.Search(m.auth.Token(s, globus.SearchServer)), true}
}

// query asks Search, or answers from the cache what nobody asked a moment ago. What a
// person asks is neither put into the cache nor answered from it.
func (s searcher) query(ctx context.Context, q globus.SearchQuery) (*globus.SearchResult, error) {
	if s.token {
		return s.measured(ctx, q)
	}
	text, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	if result := s.cache.get(string(text), s.site.Now()); result != nil {
		return result, nil
	}
	result, err := s.measured(ctx, q)
	if err == nil {
		s.cache.put(string(text), result, s.site.Now())
	}
	return result, err
}

func (s searcher) measured(ctx context.Context, q globus.SearchQuery) (*globus.SearchResult, error) {
	begun := time.Now()
	result, err := s.search.Query(ctx, s.ID, q)
	s.metrics.query(s.Path, err, time.Since(begun))
	return result, err
}

// A found is what the queries of a page have found.
type found struct {
	result *globus.SearchResult
	err    error                         // of the query for the records
	facets map[string]globus.FacetResult // by name; a facet that failed is missing
	totals map[string]int64              // without the choice of a facet, by its name, or without the words, as "q"
	public int64                         // how many of the records everybody can find; -1: unknown
}

// find asks for everything that a page shows. The values of a facet in which something was
// chosen are counted by a query of their own, without that choice, as long as there may be
// more queries.
func (s searcher) find(ctx context.Context, a address) *found {
	ctx, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	f := &found{facets: map[string]globus.FacetResult{}, totals: map[string]int64{}, public: -1}
	var mu sync.Mutex // guards f
	var asked []func() error

	asked = append(asked, func() error {
		result, err := s.query(ctx, a.pageQuery())
		mu.Lock()
		defer mu.Unlock()
		f.result, f.err = result, err
		return nil
	})
	together := a.searchQuery("")
	together.Limit = -1
	var alone []Facet
	for _, facet := range s.Facets {
		q, ok := facet.facetQuery(facet.Size)
		if !ok {
			continue
		}
		if c, chosen := a.choices[facet.Name]; chosen && !(facet.All && !c.none) && len(alone) < maxQueries-2 {
			alone = append(alone, facet)
			continue
		}
		together.Facets = append(together.Facets, q)
	}
	if len(together.Facets) > 0 {
		asked = append(asked, func() error {
			result, err := s.query(ctx, together)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			for name, counted := range result.Facets {
				if _, there := f.facets[name]; !there {
					f.facets[name] = counted
				}
			}
			return nil
		})
	}
	for _, facet := range alone {
		asked = append(asked, func() error {
			q := a.searchQuery(facet.Name)
			q.Limit = -1
			counts, _ := facet.facetQuery(facet.Size)
			q.Facets = []globus.Facet{counts}
			result, err := s.query(ctx, q)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			f.facets[facet.Name], f.totals[facet.Name] = result.Facets[facet.Name], result.Total
			return nil
		})
	}
	if s.token && len(asked) < maxQueries {
		asked = append(asked, func() error {
			q := a.searchQuery("")
			q.Limit = -1
			result, err := searcher{s.room, s.nobody, false}.query(ctx, q)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			f.public = result.Total
			return nil
		})
	}
	s.ask(ctx, asked)
	if f.err == nil && f.result.Total == 0 {
		s.metrics.nothing(s.Path)
		s.ask(ctx, s.suggest(ctx, a, f, &mu))
	}
	return f
}

// suggest returns the queries that count what would be found without one of the choices.
func (s searcher) suggest(ctx context.Context, a address, f *found, mu *sync.Mutex) (asked []func() error) {
	var names []string
	if a.q != "" {
		names = append(names, "q")
	}
	for _, facet := range s.Facets {
		if _, known := f.totals[facet.Name]; !known && !a.choices[facet.Name].empty() {
			names = append(names, facet.Name)
		}
	}
	for _, name := range names[:min(len(names), maxQueries)] {
		asked = append(asked, func() error {
			q := a.searchQuery(name)
			if q.Limit = -1; name == "q" {
				q.Q, q.Advanced = "", false
			}
			result, err := s.query(ctx, q)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			f.totals[name] = result.Total
			return nil
		})
	}
	return asked
}

// ask runs queries side by side. One that fails is logged, and takes nothing else with it.
func (s searcher) ask(ctx context.Context, asked []func() error) {
	var wg sync.WaitGroup
	for _, f := range asked {
		wg.Go(func() {
			if err := s.site.Guard(ctx, f); err != nil && ctx.Err() == nil {
				s.site.Log.WarnContext(ctx, "search facets not counted", web.Why(err)[0])
			}
		})
	}
	wg.Wait()
}

// cacheTime is how long an answer to nobody is used again, and maxCached how many there
// are, with at most maxCachedSize bytes of records each.
const (
	cacheTime     = 30 * time.Second
	maxCached     = 200
	maxCachedSize = 128 << 10
)

// A cache has answers to queries without a token. It never has what only somebody may see.
type cache struct {
	mu      sync.Mutex
	answers map[string]cached // by query
}

type cached struct {
	result *globus.SearchResult
	until  time.Time
}

func (c *cache) get(key string, now time.Time) *globus.SearchResult {
	c.mu.Lock()
	defer c.mu.Unlock()
	if answer, ok := c.answers[key]; ok && now.Before(answer.until) {
		return answer.result
	}
	return nil
}

func (c *cache) put(key string, result *globus.SearchResult, now time.Time) {
	size := 0
	for _, s := range result.Subjects {
		for _, e := range s.Entries {
			size += len(e.Content)
		}
	}
	if size > maxCachedSize {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answers == nil || len(c.answers) >= maxCached {
		c.answers = map[string]cached{}
	}
	c.answers[key] = cached{result, now.Add(cacheTime)}
}

// metrics count what the pages ask Search for, by the path of the page.
type metrics struct {
	queries *prometheus.HistogramVec
	found   *prometheus.CounterVec
}

func newMetrics(m *web.Metrics) metrics {
	return metrics{
		web.Register(m, prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "portal_search_query_duration_seconds", Help: "How long queries to Globus Search took, by page and outcome.", Buckets: prometheus.DefBuckets,
		}, []string{"page", "outcome"})),
		web.Register(m, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "portal_search_nothing_found_total", Help: "Searches that found nothing, by page.",
		}, []string{"page"})),
	}
}

func (m metrics) query(page string, err error, took time.Duration) {
	outcome := "ok"
	if e, ok := errors.AsType[*globus.Error](err); ok && e.Status == http.StatusTooManyRequests {
		outcome = "too_many_requests"
	} else if err != nil {
		outcome = "failed"
	}
	m.queries.WithLabelValues(page, outcome).Observe(took.Seconds())
}

func (m metrics) nothing(page string) { m.found.WithLabelValues(page).Inc() }
