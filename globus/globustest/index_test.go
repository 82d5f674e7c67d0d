package globustest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

const plantIndex = "5ea2c400-0000-4000-8000-000000000001"

// An indexFlow is an app that owns an index, and calls Search as itself.
type indexFlow struct {
	*flow
	token string
	as    *globus.Search // the app
	open  *globus.Search // nobody
}

func newIndexFlow(t *testing.T, entries ...globustest.IndexEntry) *indexFlow {
	t.Helper()
	f := newFlow(t, globustest.Config{Indexes: []globustest.Index{{ID: plantIndex, Name: "Plants", Owner: clientID + "@clients.auth.globus.org", Entries: entries}}})
	client, err := globus.New(globus.Config{ClientID: clientID, ClientSecret: secret, RedirectURL: redirectURI, Issuer: f.URL})
	if err != nil {
		t.Fatal(err)
	}
	source := client.ClientSource(globus.SearchServer, globus.SearchAllScope)
	token, err := source.Fresh(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return &indexFlow{f, token.AccessToken, client.Search(source.Fresh), client.Search(nil)}
}

// call sends a request by hand; "as" in front of the method sends the token.
func (f *indexFlow) call(method, path, body string) response {
	f.Helper()
	name, signed := strings.CutPrefix(method, "as ")
	req, err := http.NewRequestWithContext(f.Context(), name, f.URL+strings.Replace(path, "{i}", "/v1/index/"+plantIndex, 1), strings.NewReader(body))
	if err != nil {
		f.Fatal(err)
	}
	if signed {
		req.Header.Set("Authorization", "Bearer "+f.token)
	}
	return f.do(req)
}

// TestIndexFacts: what is known of Search, as programs meet it.
func TestIndexFacts(t *testing.T) {
	t.Parallel()
	public := func(subject, id, content string) globustest.IndexEntry {
		return globustest.IndexEntry{Subject: subject, ID: id, Content: object(content)}
	}
	hidden := public("a", "secret", `{"title": "Hidden peat"}`)
	hidden.VisibleTo = []string{globus.PrincipalSignedIn}
	alone := hidden
	alone.Subject = "alone"
	f := newIndexFlow(t, public("a", "", `{"title": "Peat core", "taken": "2021-05-04", "n": 1.0, "site": {"country": "Kenya"}, "open": true}`), hidden, alone,
		public("b", "", `{"title": "Peat, a:b (\"c\"", "taken": "2022-02-28", "n": 3.5, "site.country": "Peru", "open": false}`))
	const post, query = "POST", "{i}/search"
	v1 := func(rest string) string { return `{"@version": "query#1.0.0", ` + rest + `}` }
	tests := []struct {
		name, method, path, body string
		status                   int
		want                     string // in the answer
	}{
		{"everything, by nobody", "GET", query + "?q=*", "", 200, `"total":2`},
		{"everything, with a token", "as GET", query + "?q=*", "", 200, `"total":3`},
		{"by the address that ServiceURL returns", "GET", "/search.api.globus.org/v1/index/" + plantIndex + "/search?q=*", "", 200, `"total":2`},
		{"booleans of Python", "GET", query + "?q=peat&advanced=False", "", 200, `"total":2`},
		{"booleans of JavaScript", "GET", query + "?q=peat&advanced=true", "", 200, `"total":2`},
		{"neither q nor filters", post, query, `{"@version": "query#1.0.0"}`, 400, `"code":"BadRequest.ValidationError"`},
		{"an empty q and empty lists", post, query, v1(`"q": "", "filters": [], "facets": []`), 200, `"total":2`},
		{"no results, only facets", post, query, v1(`"q": "*", "limit": 0, "facets": [{"type": "terms", "field_name": "title"}]`), 200, `"gmeta":[],"has_next_page":true`},
		{"up to the end", post, query, v1(`"q": "*", "limit": 10, "offset": 9990`), 200, `"count":0`},
		{"beyond the end", post, query, v1(`"q": "*", "limit": 10, "offset": 10000`), 400, "ValidationError"},
		{"anything is a simple query", post, query, v1(`"q": "a:b (\"c"`), 200, `"total":1`},
		{"but not an advanced one", post, query, v1(`"q": "a:b (\"c", "advanced": true`), 400, "BadRequest"},
		{"filters of 2017 do not narrow facets", post, query, `{"q": "*", "filters": [{"type": "match_any", "field_name": "title", "values": ["Peat core"]}], "facets": [{"type": "terms", "field_name": "n"}]}`, 200, `{"count":1,"value":3.5}`},
		{"filters narrow facets", post, query, v1(`"q": "*", "filters": [{"type": "match_any", "field_name": "title", "values": ["Peat core"]}], "facets": [{"type": "terms", "field_name": "n"}]`), 200, `"buckets":[{"count":1,"value":1}]`},
		{"post_facet_filters do not", post, query, v1(`"q": "*", "post_facet_filters": [{"type": "match_any", "field_name": "title", "values": ["Peat core"]}], "facets": [{"type": "terms", "field_name": "n"}]`), 200, `{"count":1,"value":3.5}`},
		{"a size on dates", post, query, v1(`"q": "*", "facets": [{"type": "date_histogram", "field_name": "taken", "date_interval": "year", "size": 10}]`), 400, `"size":["Unknown field."]`},
		{"years", post, query, v1(`"q": "*", "facets": [{"type": "date_histogram", "field_name": "taken", "date_interval": "year"}]`), 200, `[{"count":1,"value":"2021"},{"count":1,"value":"2022"}]`},
		{"two facets without names", post, query, v1(`"q": "*", "facets": [{"type": "terms", "field_name": "n"}, {"type": "avg", "field_name": "n"}]`), 400, "Another facet"},
		{"two facets with names", post, query, v1(`"q": "*", "facets": [{"type": "terms", "field_name": "n"}, {"type": "avg", "field_name": "n", "name": "mean"}]`), 200, `{"name":"mean","value":2.25}`},
		{"numbers by steps", post, query, v1(`"q": "*", "facets": [{"type": "numeric_histogram", "field_name": "n", "size": 2, "histogram_range": {"low": 0, "high": 4}}]`), 200, `{"count":1,"value":{"from":2,"to":4}}`},
		{"distinct values", post, query, v1(`"q": "*", "facets": [{"type": "distinct_count", "field_name": "n"}]`), 200, `"approximate_value":2`},
		{"booleans", post, query, v1(`"filters": [{"type": "match_all", "field_name": "open", "values": [true]}]`), 200, `"subject":"a"`},
		{"a path into an object", post, query, v1(`"filters": [{"type": "exists", "field_name": "site.country"}]`), 200, `"total":1`},
		{"a dot in a key", post, query, v1(`"filters": [{"type": "match_any", "field_name": "site\\.country", "values": ["Peru"]}]`), 200, `"subject":"b"`},
		{"ranges of dates", post, query, v1(`"filters": [{"type": "range", "field_name": "taken", "values": [{"gte": "2022-02-01", "lt": "2022-03-01"}]}]`), 200, `"subject":"b"`},
		{"unknown members", post, query, v1(`"q": "*", "result_format_version": "2019-08-27"`), 400, "Unknown field"},
		{"a subject", "GET", "{i}/subject?subject=a", "", 200, `"entries":[{"content"`},
		{"an entry", "as GET", "{i}/entry?subject=a&entry_id=secret", "", 200, `Hidden peat`},
		{"an entry that nobody sees", "GET", "{i}/entry?subject=a&entry_id=secret", "", 404, `"code":"NotFound.Generic"`},
		{"a subject that nobody sees", "GET", "{i}/subject?subject=alone", "", 404, `"code":"NotFound.Generic"`},
		{"no such subject", "GET", "{i}/subject?subject=c", "", 404, `"code":"NotFound.Generic"`},
		{"no such index", "GET", "/v1/index/5ea2c400-0000-4000-8000-00000000000f/search?q=*", "", 404, `"code":"NotFound.NoSuchIndex"`},
		{"ingest by nobody", post, "{i}/ingest", `{}`, 401, "Unauthorized"},
		{"ingest without visible_to", "as POST", "{i}/ingest", `{"ingest_type": "GMetaEntry", "ingest_data": {"subject": "x", "content": {}}}`, 400, `"visible_to":["Missing`},
		{"the index", "GET", "{i}", "", 200, `"permissions":[]`},
		{"fields", "as GET", "/beta/index/" + plantIndex + "/mapping", "", 200, `"site.country":"text"`},
		{"deleted", "as DELETE", "{i}", "", 200, `"acknowledged":true`},
		{"deleted twice", "as DELETE", "{i}", "", 409, "IncompatibleIndexStatus"},
		{"reopened", "as POST", "{i}/reopen", "", 200, `"acknowledged":true`},
		{"gone", "GET", "/v1/nothing", "", 404, `"@datatype":"GError"`},
	}
	for _, tt := range tests {
		if r := f.call(tt.method, tt.path, tt.body); r.status != tt.status || !strings.Contains(r.body, tt.want) {
			t.Errorf("%s: got %d %s, want %d %s", tt.name, r.status, r.body, tt.status, tt.want)
		}
	}
}

func object(text string) (content map[string]any) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&content); err != nil {
		panic(err)
	}
	return content
}

// TestAdvancedQuery: the syntax that clients use.
func TestAdvancedQuery(t *testing.T) {
	t.Parallel()
	var entries []globustest.IndexEntry
	for subject, content := range map[string]string{
		"1": `{"title": "red oak leaf", "n": 1, "taken": "2020-02-29"}`,
		"2": `{"title": "green oak bark", "n": 2, "k.x": "10:30"}`,
		"3": `{"title": "leaf of birch", "n": 3}`,
	} {
		entries = append(entries, globustest.IndexEntry{Subject: subject, Content: object(content)})
	}
	f := newIndexFlow(t, entries...)
	for q, want := range map[string]string{
		`oak`: "12", `red bark`: "12", `+red +leaf`: "1", `red AND leaf`: "1", `oak AND NOT red`: "2", `red OR birch`: "13", `(red OR green) AND leaf`: "1",
		`"oak leaf"`: "1", `title:birch`: "3", `n:[2 TO 3]`: "23", `n:{1 TO 3}`: "2", `n:>=2`: "23", `taken:*`: "1", `le*`: "13", `title:(red OR bark)`: "12",
		`taken:[2020-02-01 TO *]`: "1", `k\.x:10\:30`: "2", `oak leaf AND red`: "12", `-oak`: "3",
		`(`: "bad", `"x`: "bad", `n:[1 TO`: "bad", `a:b:c`: "bad", `AND`: "bad", `oak)`: "bad", `n:`: "bad",
	} {
		got := ""
		result, err := f.open.Query(t.Context(), plantIndex, globus.SearchQuery{Q: q, Advanced: true})
		if err != nil {
			got = "bad"
			if globus.KindOf(err) != globus.KindInvalid {
				t.Errorf("%s: %v", q, err)
			}
		} else {
			got = strings.Join(subjectsOf(result.Subjects), "")
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", q, got, want)
		}
	}
}

func subjectsOf(list []globus.SearchSubject) (names []string) {
	for _, s := range list {
		names = append(names, s.Subject)
	}
	slices.Sort(names)
	return names
}

// A plant is a record as the plain reference of TestIndexAgainstReference has it.
type plant struct {
	subject  string
	site     string
	tags     []string
	height   float64
	measured bool // it has a height
	seen     time.Time
	open     bool
	private  bool
}

// TestIndexAgainstReference: random filters and facets find and count what a plain loop over
// the same records does.
func TestIndexAgainstReference(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 51))
	sites, tags := []string{"Kenya", "Peru", "Czechia, west", "日本"}, []string{"a", "b", "c d", "e.f"}
	var plants []plant
	var entries []globustest.IndexEntry
	for i := range 200 {
		p := plant{subject: fmt.Sprint("plant ", i), site: sites[random.IntN(4)], height: float64(random.IntN(100)) / 2, measured: random.IntN(4) > 0, open: random.IntN(2) == 0,
			seen: time.Date(2019+random.IntN(3), time.Month(1+random.IntN(12)), 1+random.IntN(31), 0, 0, 0, 0, time.UTC), private: random.IntN(5) == 0}
		for _, tag := range tags {
			if random.IntN(3) == 0 {
				p.tags = append(p.tags, tag)
			}
		}
		content := map[string]any{"site": map[string]any{"name": p.site}, "tags": p.tags, "height": nil, "seen": p.seen.Format(time.DateOnly), "open": p.open}
		if p.measured {
			content["height"] = p.height + 0.25
			p.height += 0.25
		}
		e := globustest.IndexEntry{Subject: p.subject, Content: content}
		if p.private {
			e.VisibleTo = []string{globus.PrincipalSignedIn}
		}
		plants, entries = append(plants, p), append(entries, e)
	}
	f := newIndexFlow(t, entries...)

	type pair struct {
		filter globus.Filter
		is     func(plant) bool
	}
	var anyFilter func(depth int) pair
	anyFilter = func(depth int) pair {
		n := random.IntN(8)
		if depth == 0 {
			n = random.IntN(5)
		}
		switch n {
		case 0:
			x, y := sites[random.IntN(4)], sites[random.IntN(4)]
			return pair{globus.MatchAny{Field: "site.name", Values: []any{x, y}}, func(p plant) bool { return p.site == x || p.site == y }}
		case 1:
			x, y := tags[random.IntN(4)], tags[random.IntN(4)]
			return pair{globus.MatchAll{Field: "tags", Values: []any{x, y}}, func(p plant) bool { return slices.Contains(p.tags, x) && slices.Contains(p.tags, y) }}
		case 2:
			low := random.Float64() * 50
			return pair{globus.Range{Field: "height", Spans: []globus.Span{{GTE: low, LT: low + 10}}}, func(p plant) bool { return p.measured && p.height >= low && p.height < low+10 }}
		case 3:
			from := time.Date(2019+random.IntN(3), time.Month(1+random.IntN(12)), 1, 0, 0, 0, 0, time.UTC)
			to := from.AddDate(0, 1, 0)
			return pair{globus.Range{Field: "seen", Spans: []globus.Span{{GTE: from.Format(time.DateOnly), LT: to.Format(time.DateOnly)}}},
				func(p plant) bool { return !p.seen.Before(from) && p.seen.Before(to) }}
		case 4:
			return pair{globus.Exists{Field: "height"}, func(p plant) bool { return p.measured }}
		case 5:
			inner := anyFilter(depth - 1)
			return pair{globus.Not{Filter: inner.filter}, func(p plant) bool { return !inner.is(p) }}
		case 6:
			a, b := anyFilter(depth-1), anyFilter(depth-1)
			return pair{globus.And{a.filter, b.filter}, func(p plant) bool { return a.is(p) && b.is(p) }}
		}
		a, b := anyFilter(depth-1), anyFilter(depth-1)
		return pair{globus.Or{a.filter, b.filter}, func(p plant) bool { return a.is(p) || b.is(p) }}
	}

	for range 40 {
		before, after := anyFilter(2), anyFilter(1)
		signed := random.IntN(2) == 0
		search := f.open
		if signed {
			search = f.as
		}
		var want []string
		wantTags, wantYears, wantSum := map[string]int64{}, map[string]int64{}, 0.0
		for _, p := range plants {
			if p.private && !signed || !before.is(p) {
				continue
			}
			for _, tag := range p.tags {
				wantTags[tag]++
			}
			wantYears[p.seen.Format("2006")]++
			if p.measured {
				wantSum += p.height
			}
			if after.is(p) {
				want = append(want, p.subject)
			}
		}
		q := globus.SearchQuery{
			Filters: []globus.Filter{before.filter}, PostFacetFilters: []globus.Filter{after.filter}, Limit: 5 + random.IntN(40), Sort: []globus.SearchSort{{Field: "seen"}},
			Facets: []globus.Facet{
				{Type: globus.FacetTerms, Field: "tags"}, {Type: globus.FacetDateHistogram, Field: "seen", Interval: "year"}, {Type: globus.FacetSum, Field: "height"},
			},
		}
		var got []string
		last := ""
		for {
			result, err := search.Query(t.Context(), plantIndex, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range result.Subjects {
				var content struct{ Seen string }
				if err := json.Unmarshal(s.Entries[0].Content, &content); err != nil || content.Seen < last {
					t.Fatalf("got %q after %q (%v)", content.Seen, last, err)
				}
				last = content.Seen
				got = append(got, s.Subject)
			}
			q.Offset += len(result.Subjects)
			if counts(result.Facets["tags"].Buckets, wantTags) || counts(result.Facets["seen"].Buckets, wantYears) || *result.Facets["height"].Value != wantSum {
				text, _ := json.Marshal(q)
				t.Fatalf("%s: got %v, want %v %v %v", text, result.Facets, wantTags, wantYears, wantSum)
			}
			if !result.HasNextPage {
				break
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			text, _ := json.Marshal(q)
			t.Fatalf("%s: got %q, want %q", text, got, want)
		}
	}
}

// counts reports whether buckets differ from what is wanted.
func counts(buckets []globus.Bucket, want map[string]int64) bool {
	got := map[string]int64{}
	for _, b := range buckets {
		got[b.Value.(string)] = b.Count
	}
	return !maps.Equal(got, want)
}

// TestIngest: types are fixed by what comes first, tasks take a moment, and a scroll query
// loses nothing.
func TestIngest(t *testing.T) {
	t.Parallel()
	const many = 10_050
	var all []globustest.IndexEntry
	for i := range many {
		all = append(all, globustest.IndexEntry{Subject: fmt.Sprintf("many/%d?#%%2F \"日本\"", i), Content: map[string]any{"many": i}})
	}
	f := newIndexFlow(t, all...)
	ctx := t.Context()
	ingest := func(want string, entries ...globus.IngestEntry) {
		t.Helper()
		id, err := f.as.Ingest(ctx, plantIndex, entries, map[string]string{"at": "geo_point"})
		if err != nil {
			t.Fatal(err)
		}
		if task, err := f.as.Task(ctx, id); err != nil || task.State != globus.SearchTaskPending || task.Created.IsZero() {
			t.Fatalf("got %+v, %v", task, err)
		}
		f.PassTime(time.Second)
		if task, err := f.as.Task(ctx, id); err != nil || task.State != want || !task.Ended() || (task.Message == "") != (want == globus.SearchTaskSuccess) {
			t.Fatalf("got %+v, %v, want %s", task, err, want)
		}
	}
	entry := func(subject string, content any) globus.IngestEntry {
		return globus.IngestEntry{Subject: subject, VisibleTo: []string{globus.PrincipalPublic}, Content: content}
	}
	type doc = map[string]any
	ingest("SUCCESS", entry("1", doc{"n": 1, "x": 1.5, "text": "a", "when": "2020-02-29", "at": doc{"lat": 1, "lon": 2}, "list": []any{}, "none": nil}))
	ingest("FAILED", entry("2", doc{"n": "x"}))
	ingest("FAILED", entry("2", doc{"n": 1.5}))
	ingest("FAILED", entry("2", doc{"when": "tomorrow"}))
	ingest("FAILED", entry("2", doc{"text": strings.Repeat("x", 33<<10)}))
	ingest("SUCCESS", entry("2", doc{"x": 2, "text": 7, "list": []string{"a"}, "none": "b", "big": strings.Fields(strings.Repeat(strings.Repeat("x", 999)+" ", 1000))}))
	ingest("FAILED", entry("3", doc{"n": 3}), entry("4", doc{"n": []string{"x"}}), entry("5", doc{}))
	for subject, want := range map[string]globus.Kind{"1": "", "2": "", "3": "", "4": globus.KindNotFound, "5": globus.KindNotFound} {
		if _, err := f.open.Subject(ctx, plantIndex, subject); globus.KindOf(err) != want {
			t.Errorf("subject %s: got %v", subject, err)
		}
	}
	box := globus.GeoBoundingBox{Field: "at", TopLeft: globus.GeoPoint{Lat: 2, Lon: 1}, BottomRight: globus.GeoPoint{Lat: 0, Lon: 3}}
	if got, err := f.open.Query(ctx, plantIndex, globus.SearchQuery{Filters: []globus.Filter{box}}); err != nil || got.Total != 1 {
		t.Errorf("in the box: got %+v, %v", got, err)
	}

	seen := map[string]bool{}
	for s, err := range f.open.Scroll(ctx, plantIndex, globus.SearchQuery{Limit: 1000, Filters: []globus.Filter{globus.Exists{Field: "many"}}}) {
		if err != nil || seen[s.Subject] {
			t.Fatalf("got %v twice, or %v", s.Subject, err)
		}
		seen[s.Subject] = true
	}
	if len(seen) != many {
		t.Errorf("got %d subjects, want %d", len(seen), many)
	}
	if _, err := f.as.DeleteByQuery(ctx, plantIndex, globus.SearchQuery{Filters: []globus.Filter{globus.Exists{Field: "many"}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.as.DeleteSubjects(ctx, plantIndex, "1", "3"); err != nil {
		t.Fatal(err)
	}
	f.PassTime(time.Second)
	if got, err := f.open.Query(ctx, plantIndex, globus.SearchQuery{}); err != nil || got.Total != 1 || got.Subjects[0].Subject != "2" {
		t.Errorf("after deletion: got %+v, %v", got, err)
	}
	if tasks, err := f.as.Tasks(ctx, plantIndex); err != nil || len(tasks) != 9 || tasks[0].Type != "delete-by-subject" {
		t.Errorf("got %+v, %v", tasks, err)
	}
}

// TestSearchBusy: Search is asked again when it says when, and an answer of a gateway is an
// error like any other.
func TestSearchBusy(t *testing.T) {
	t.Parallel()
	f := newIndexFlow(t)
	for _, tt := range []struct {
		fault globustest.Fault
		want  globus.Kind
	}{
		{globustest.Fault{Status: 429, Header: http.Header{"Retry-After": {"0"}}, Times: 1}, ""},
		{globustest.Fault{Status: 429}, globus.KindBusy},
		{globustest.Fault{Status: 504, Body: "<html>Gateway Timeout</html>"}, globus.KindBusy},
	} {
		f.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.QueryPath: tt.fault}})
		if _, err := f.open.Query(t.Context(), plantIndex, globus.SearchQuery{}); globus.KindOf(err) != tt.want {
			t.Errorf("%+v: got %v", tt.fault, err)
		}
	}
	_, err := f.open.Query(t.Context(), "5ea2c400-0000-4000-8000-00000000000f", globus.SearchQuery{Q: "x"})
	if globus.KindOf(err) != globus.KindBusy {
		t.Errorf("got %v", err)
	}
}
