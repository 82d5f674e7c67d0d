package search_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
	"example.org/portal/routes/auth"
	"example.org/portal/routes/routestest"
	"example.org/portal/routes/search"
	"example.org/portal/routes/web"
)

func TestMain(m *testing.M) { routestest.Main(m) }

const testIndex = "5ea2c400-0000-4000-8000-000000000007"

// start starts a site with the page /find over an index with these entries.
func start(t *testing.T, ix search.Index, entries []globustest.IndexEntry) *routestest.Site {
	t.Helper()
	g := globustest.NewServer(globustest.Config{Key: routestest.SigningKey(), Strict: true, Indexes: []globustest.Index{{ID: testIndex, Name: "Tests", Entries: entries}}})
	t.Cleanup(g.Close)
	s := routestest.Start(t, routestest.Options{Globus: g})
	ix.ID, ix.Path = testIndex, "/find"
	search.AddRoutes(s.App.Server, s.App.Auth, s.Client, ix)
	return s
}

var (
	totalOf      = regexp.MustCompile(`data-total="(\d+)"`)
	subjectsOf   = regexp.MustCompile(`<li data-subject="([^"]*)"`)
	suggestionOf = regexp.MustCompile(`</bdi></a>: (\d+) record`)
	valueOf      = regexp.MustCompile(`<li data-value="([^"]*)" data-count="(-?\d+)"`)
)

func total(p routestest.Page) int {
	if m := totalOf.FindStringSubmatch(p.Body); m != nil {
		n, _ := strconv.Atoi(m[1])
		return n
	}
	return 0
}

func subjects(p routestest.Page) (list []string) {
	for _, m := range subjectsOf.FindAllStringSubmatch(p.Body, -1) {
		list = append(list, html.UnescapeString(m[1]))
	}
	return list
}

// counts are the values of a facet with the numbers that the page shows.
func counts(p routestest.Page, facet string) map[string]int {
	_, part, _ := strings.Cut(p.Body, `id="facet-`+facet+`"`)
	part, _, _ = strings.Cut(part, `class="facet"`)
	list := map[string]int{}
	for _, m := range valueOf.FindAllStringSubmatch(part, -1) {
		list[html.UnescapeString(m[1])], _ = strconv.Atoi(m[2])
	}
	return list
}

// A plant is a record as the plain reference has it.
type plant struct {
	subject, site string
	tags          []string
	seen          string // a day; "": none
	height        float64
}

// TestSearchAgainstReference: what random searches find, and what their facets count after a
// choice in them, is what a plain loop over the records does, page by page.
func TestSearchAgainstReference(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(25, 7))
	sites, tags := []string{"Kenya", "Peru & co", "“Czechia”", "日本"}, []string{"a", "b", "c"}
	days := []string{"", "2019-12-31", "2020-01-01", "2020-02-29", "2020-03-01", "2021-02-28", "2021-12-31T23:59:59Z", "2022-01-01T00:00:00Z", "2024-02-29", "2024-12-31"}
	var plants []plant
	var entries []globustest.IndexEntry
	for i := range 120 {
		p := plant{subject: fmt.Sprint("plant/", i), site: sites[random.IntN(4)], seen: days[random.IntN(len(days))], height: float64(random.IntN(60)) + 0.5}
		for _, tag := range tags {
			if random.IntN(2) == 0 {
				p.tags = append(p.tags, tag)
			}
		}
		content := map[string]any{"name": fmt.Sprint("Plant ", i), "site": p.site, "tags": p.tags, "height": p.height}
		if p.seen != "" {
			content["seen"] = p.seen
		}
		e := globustest.IndexEntry{Subject: p.subject, Content: content}
		if i%6 == 0 { // nobody but people who have signed in may see it
			e.VisibleTo = []string{globus.PrincipalSignedIn}
		} else {
			plants = append(plants, p)
		}
		entries = append(entries, e)
	}
	s := start(t, search.Index{Facets: []search.Facet{
		{Field: "site"}, {Field: "tags", All: true}, {Field: "seen", Kind: search.Dates}, {Field: "height", Kind: search.Numbers, High: 60, Steps: 6},
	}}, entries)
	b := s.Browser()
	some := func(list []string) (chosen []string) {
		for _, one := range list {
			if random.IntN(3) == 0 {
				chosen = append(chosen, one)
			}
		}
		return chosen
	}
	type span struct{ param, from, after string }
	spans := []span{{}, {"2020", "2020-01-01", "2021-01-01"}, {"2020-02", "2020-02-01", "2020-03-01"}, {"2021-12", "2021-12-01", "2022-01-01"}, {"2024-02-29", "2024-02-29", "2024-03-01"}, {"2024", "2024-01-01", "2025-01-01"}}
	suggested := 0
	for range 60 {
		q := url.Values{"size": {"10"}}
		is := map[string]func(plant) bool{}
		if chosen := some(sites); len(chosen) > 0 {
			q["site"] = chosen
			is["site"] = func(p plant) bool { return slices.Contains(chosen, p.site) }
		}
		if chosen := some(tags[:2]); len(chosen) > 0 {
			q["tags"] = chosen
			is["tags"] = func(p plant) bool {
				return !slices.ContainsFunc(chosen, func(tag string) bool { return !slices.Contains(p.tags, tag) })
			}
		}
		within := spans[random.IntN(len(spans))]
		none := random.IntN(4) == 0
		if within.param != "" {
			q.Set("seen.from", within.param)
			q.Set("seen.to", within.param)
		}
		if none {
			q.Set("seen.none", "1")
		}
		if none || within.param != "" {
			is["seen"] = func(p plant) bool {
				return none && p.seen == "" || within.param != "" && p.seen != "" && p.seen >= within.from && p.seen < within.after
			}
		}
		if random.IntN(3) == 0 && len(is) < 2 { // with three choices counted apart, the fourth would not be
			q.Set("height.from", "10")
			q.Set("height.to", "40.5")
			is["height"] = func(p plant) bool { return p.height >= 10 && p.height < 40.5 }
		}
		matching := func(without string) (list []plant) {
			for _, p := range plants {
				ok := true
				for name, f := range is {
					ok = ok && (name == without || f(p))
				}
				if ok {
					list = append(list, p)
				}
			}
			return list
		}
		address := "/find?" + q.Encode()
		found := matching("")
		var got []string
		for page := 1; ; page++ {
			p := b.Get(address + "&page=" + strconv.Itoa(page))
			if p.Status != http.StatusOK || total(p) != len(found) {
				t.Fatalf("%s: got %d and %d records, want %d", address, p.Status, total(p), len(found))
			}
			got = append(got, subjects(p)...)
			if page == 1 {
				wantSites, wantTags, wantYears := map[string]int{}, map[string]int{}, map[string]int{}
				sitesCounted := matching("site")
				if len(is) > 2 && is["site"] == nil {
					sitesCounted = found
				}
				for _, one := range sitesCounted {
					wantSites[one.site]++
				}
				for _, one := range found {
					for _, tag := range one.tags {
						wantTags[tag]++
					}
				}
				for _, one := range matching("seen") {
					if one.seen != "" {
						wantYears[one.seen[:4]]++
					}
				}
				for facet, want := range map[string]map[string]int{"site": wantSites, "tags": wantTags, "seen": wantYears} {
					have := counts(p, facet)
					maps.DeleteFunc(have, func(_ string, n int) bool { return n <= 0 })
					if !maps.Equal(have, want) {
						t.Fatalf("%s: %s: got %v, want %v", address, facet, have, want)
					}
				}
			}
			if !p.Has("search-next") {
				break
			}
		}
		if len(found) == 0 { // it says what to leave out, the most found first
			var wanted []int
			for name := range is {
				if n := len(matching(name)); n > 0 {
					wanted = append(wanted, n)
				}
			}
			slices.SortFunc(wanted, func(x, y int) int { return y - x })
			var said []int
			for _, m := range suggestionOf.FindAllStringSubmatch(b.Get(address).Body, -1) {
				n, _ := strconv.Atoi(m[1])
				said = append(said, n)
			}
			if suggested += len(said); !slices.Equal(said, wanted) {
				t.Errorf("%s: got %d without one of the choices, want %d", address, said, wanted)
			}
		}
		var want []string
		for _, p := range found {
			want = append(want, p.subject)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("%s: got %q, want %q", address, got, want)
		}
		if random.IntN(10) == 0 {
			all, err := csv.NewReader(strings.NewReader(strings.SplitN(b.Get("/find.csv?"+q.Encode()).Body, "\n", 2)[1])).ReadAll()
			if err != nil || len(all) != len(found)+1 {
				t.Errorf("%s: %d lines of CSV (%v), want %d", address, len(all), err, len(found)+1)
			}
		}
	}
	if suggested == 0 {
		t.Error("no search found nothing, or none said what to leave out")
	}
}

// TestSearchFar: Search lists 10,000 records. The last of them have their neighbours, and
// the last page says how to go on.
func TestSearchFar(t *testing.T) {
	t.Parallel()
	b := routestest.Start(t, routestest.Options{Transport: far{}}).Browser()
	for path, want := range map[string]string{
		"/search?size=100&page=99":                                   "search-next",
		"/search?size=100&page=100":                                  "search-cut-off",
		"/search?size=100&page=999":                                  "search-cut-off",
		"/search/record?at=9998&subject=" + url.QueryEscape("s9998"): "record-previous record-next",
		"/search/record?at=9999&subject=" + url.QueryEscape("s9999"): "record-previous",
	} {
		p := b.Get(path)
		var got []string
		for _, id := range []string{"search-next", "search-cut-off", "record-previous", "record-next"} {
			if p.Has(id) {
				got = append(got, id)
			}
		}
		if p.Status != http.StatusOK || strings.Join(got, " ") != want {
			t.Errorf("%s: got %d with %q, want %q", path, p.Status, got, want)
		}
	}
}

// far is a way to an index of 20,000 records, of which the subject is the place in the list.
type far struct{}

func (far) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := func(status int, v any) (*http.Response, error) {
		text, err := json.Marshal(v)
		return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(text)), Request: r}, err
	}
	record := func(subject string) any {
		return map[string]any{"subject": subject, "entries": []any{map[string]any{"content": map[string]any{"title": subject}}}}
	}
	switch {
	case strings.HasSuffix(r.URL.Path, "/subject"):
		return answer(http.StatusOK, record(r.URL.Query().Get("subject")))
	case !strings.HasSuffix(r.URL.Path, "/search"):
		return http.DefaultTransport.RoundTrip(r)
	}
	var q struct{ Offset, Limit int }
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		return nil, err
	}
	if q.Offset+q.Limit > globus.MaxSearchOffset {
		return answer(http.StatusBadRequest, map[string]any{"code": "BadRequest.ValidationError"})
	}
	records := []any{}
	for i := range q.Limit {
		records = append(records, record(fmt.Sprint("s", q.Offset+i)))
	}
	return answer(http.StatusOK, map[string]any{"total": 20_000, "count": len(records), "offset": q.Offset, "gmeta": records})
}

// TestSearchQueries: a page asks for at most four things, and for nothing again that nobody
// asked a moment ago.
func TestSearchQueries(t *testing.T) {
	t.Parallel()
	var clock routestest.Clock
	s := routestest.Start(t, routestest.Options{Now: clock.Now})
	b := s.Browser()
	asked := func(path string) int {
		before := s.Globus.Requests(globustest.QueryPath)
		b.Get(path)
		return s.Globus.Requests(globustest.QueryPath) - before
	}
	const address = "/search?q=peat&site.region=Amazon&license=CC-BY-4.0&taken.from=2020&depth_cm.from=1"
	if n := asked(address); n != 4 {
		t.Errorf("got %d queries, want 4", n)
	}
	if n := asked(address); n != 0 {
		t.Errorf("got %d queries for the same again, want none", n)
	}
	clock.Pass(31 * time.Second)
	if n := asked(address); n != 4 {
		t.Errorf("got %d queries half a minute later, want 4", n)
	}
	b.SignIn("rosalind")
	b.Follow(b.Get("/search/private"))
	if n := asked("/search?q=peat"); n > 4 {
		t.Errorf("signed in: got %d queries", n)
	}
	if page := s.MetricsPage(); !strings.Contains(page, `portal_search_query_duration_seconds_count{outcome="ok",page="/search"}`) {
		t.Error("the queries are not in the metrics")
	}
}

// oddEntries have odd subjects, and fields of odd shapes.
func oddEntries() []globustest.IndexEntry {
	var entries []globustest.IndexEntry
	for i, subject := range []string{
		"https://example.org/a?b=c&d=%2F#e", "with blanks  and\ttabs", `"quotes" 'and' <b>markup</b>`, "日本/データ", "a|b;c%25", "../../etc", "javascript:alert(1)",
	} {
		content := map[string]any{"n": i}
		switch i {
		case 0:
			content["title"] = "<script>alert(1)</script>"
			content["link"] = "javascript:alert(1)"
		case 1:
			content["title"] = []any{"Two", "titles"}
			content["tag"] = []any{nil, "x", "", "y"}
		case 2:
			content["title"], content["tag"] = nil, "z"
		case 3:
			content["deep"] = map[string]any{"a": []any{map[string]any{"b.c": 1}, map[string]any{"b.c": 2}}}
		case 4:
			content["large"] = strings.Fields(strings.Repeat(strings.Repeat("x", 999)+" ", 1000))
		case 5:
			content["title"] = "=HYPERLINK(\"https://example.org\")"
		}
		entries = append(entries, globustest.IndexEntry{Subject: subject, Content: content})
	}
	return entries
}

// TestSearchOddRecords: three lines make a page that shows whatever is in the index.
func TestSearchOddRecords(t *testing.T) {
	t.Parallel()
	s := start(t, search.Index{Fields: nil, Cite: &search.Citation{Title: "title"}}, oddEntries())
	b := s.Browser()
	list := b.Get("/find?q=")
	if total(list) != 7 || len(subjects(list)) != 7 {
		t.Fatalf("got %d:\n%s", list.Status, list.Body)
	}
	for i, link := range list.Links(".record") {
		p := b.Get(link)
		_, shown, _ := strings.Cut(p.Body, `data-subject="`)
		shown, _, _ = strings.Cut(shown, `"`)
		if p.Status != http.StatusOK || html.UnescapeString(shown) != subjects(list)[i] {
			t.Errorf("%s: got %d %q, want the record %q", link, p.Status, shown, subjects(list)[i])
		}
		if strings.Contains(p.Body, "<script>alert") || strings.Contains(p.Body, `href="javascript:`) {
			t.Errorf("%s: the record's text is markup", link)
		}
		if len(p.Body) > 2<<20 {
			t.Errorf("%s: the page has %d bytes", link, len(p.Body))
		}
		if (p.Link("#record-next") == "") != (i == 6) || (p.Link("#record-previous") == "") != (i == 0) {
			t.Errorf("%s: got next %q, previous %q", link, p.Link("#record-next"), p.Link("#record-previous"))
		}
		var doc struct{ Subject string }
		if err := json.Unmarshal([]byte(b.Get(p.Link("#record-json")).Body), &doc); err != nil || doc.Subject != subjects(list)[i] {
			t.Errorf("%s: as JSON: got %q, %v", link, doc.Subject, err)
		}
		for as, shape := range map[string]string{"#record-bibtex": `(?s)^@misc\{.*\n  title = \{.+\}.*\n\}\n$`, "#record-ris": `(?s)^TY  - DATA\r\n.*TI  - .+\r\nER  - \r\n$`} {
			if c := b.Get(p.Link(as)); c.Status != http.StatusOK || !regexp.MustCompile(shape).MatchString(c.Body) {
				t.Errorf("%s: got %d %q", as, c.Status, c.Body)
			}
		}
	}
	walked := 1
	for p := b.Get(list.Links(".record")[0]); p.Link("#record-next") != "" && walked < 20; walked++ {
		p = b.Get(html.UnescapeString(p.Link("#record-next")))
	}
	if walked != 7 {
		t.Errorf("from record to record: got %d, want 7", walked)
	}
	var all struct{ Records []json.RawMessage }
	if err := json.Unmarshal([]byte(b.Get("/find.json").Body), &all); err != nil || len(all.Records) != 7 {
		t.Errorf("as JSON: got %d records, %v", len(all.Records), err)
	}
	if text := b.Get("/find.csv").Body; !strings.Contains(text, `"'=HYPERLINK(`) {
		t.Errorf("a spreadsheet would run what is in a record:\n%s", text)
	}
	if p := b.Get("/find/record?subject=none"); p.Status != http.StatusNotFound || p.Reason() != "no_such_record" {
		t.Errorf("an absent record: got %d %s", p.Status, p.Reason())
	}
	q := url.Values{"subject": {subjects(list)[0], subjects(list)[3]}, "only": {"1"}}
	if p := b.Get("/find/compare?" + q.Encode()); p.Status != http.StatusOK || strings.Count(p.Body, "data-differs") < 3 {
		t.Errorf("compared: got %d:\n%s", p.Status, p.Body)
	}
	for _, chosen := range [][]string{nil, {"a"}, {"a", "a", ""}, subjects(list)} {
		if p := b.Get("/find/compare?" + url.Values{"subject": chosen}.Encode()); p.Status != http.StatusUnprocessableEntity || p.Reason() != "not_comparable" {
			t.Errorf("%d compared: got %d %q", len(chosen), p.Status, p.Reason())
		}
	}
}

// TestSearchPrivate: what only some people can see is on no page of others, in no count, no
// facet and no file, also right after somebody who can see it has asked for the same.
func TestSearchPrivate(t *testing.T) {
	t.Parallel()
	const secret = "unobtainium"
	entries := oddEntries()
	entries = append(entries, globustest.IndexEntry{Subject: secret, VisibleTo: []string{globus.PrincipalGroup(globustest.DemoLab)}, Content: map[string]any{"title": "About " + secret, "tag": secret, "n": 99}},
		globustest.IndexEntry{Subject: "../../etc", ID: "note", VisibleTo: []string{globus.PrincipalGroup(globustest.DemoLab)}, Content: map[string]any{"note": secret}})
	s := start(t, search.Index{Facets: []search.Facet{{Field: "tag"}}, Cite: &search.Citation{Title: "title"}}, entries)
	member, nobody := s.Browser(), s.Browser()
	member.SignIn("rosalind")
	if p := member.Get("/find/private"); p.Status != http.StatusForbidden || p.Reason() != "" && p.Reason() != "consent" {
		t.Logf("asked for consent: %d %s", p.Status, p.Reason())
	}
	member.Enter(stepUp(t, member, "/find/private"), url.Values{"allow": {"1"}})
	for _, path := range []string{
		"/find", "/find?q=" + secret, "/find?tag=" + secret, "/find/more?facet=tag", "/find.csv", "/find.json", "/find/record?subject=" + secret,
		"/find/record?subject=../../etc", "/find/record.json?subject=../../etc", "/find/cite?subject=" + secret, "/find/compare?subject=../../etc&subject=" + url.QueryEscape("a|b;c%25"),
	} {
		mine, theirs := member.Get(path), nobody.Get(path)
		_, rest, _ := strings.Cut(path, "?") // what they typed themselves is no secret
		shown := strings.ReplaceAll(theirs.Body, html.EscapeString(rest), "")
		asked := strings.Contains(path, secret)
		if !strings.Contains(mine.Body, secret) {
			t.Errorf("%s: the member does not see it: %d", path, mine.Status)
		}
		if !asked && strings.Contains(shown, secret) || total(theirs) > 7 || asked && (total(theirs) > 0 || strings.Contains(theirs.Body, "About")) {
			t.Errorf("%s: nobody sees it:\n%s", path, theirs.Body)
		}
	}
	if got, want := total(member.Get("/find")), 8; got != want {
		t.Errorf("the member finds %d, want %d", got, want)
	}
	if p := member.Get("/find/record?subject=" + secret); strings.Contains(p.Body, "application/ld+json") {
		t.Error("a record that is not public is described for search engines")
	}
	if p := member.Get("/find"); !strings.Contains(p.Body, `data-extra="1"`) {
		t.Error("the page does not say what signing in changed")
	}
}

// stepUp returns where a page leads that asks for consent to more than what is public.
func stepUp(t testing.TB, b *routestest.Browser, page string) string {
	t.Helper()
	link := b.Get(page).Link(".step-up")
	if link == "" {
		t.Fatal("the page asks for no consent")
	}
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	return u.RequestURI()
}

// TestSearchFaults: each kind of fault says something else, and what was typed and chosen
// stays.
func TestSearchFaults(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	b := s.Browser()
	const address = "/search?q=soil&site.region=Amazon"
	for i, tt := range []struct {
		fault        globustest.Fault
		path, reason string
		status       int
	}{
		{globustest.Fault{Status: 429, Header: http.Header{"Retry-After": {"60"}}}, address, "too_many_requests", 503},
		{globustest.Fault{Status: 504, Body: "<html>"}, address, "too_slow", 503},
		{globustest.Fault{Status: 500}, address, "search_down", 503},
		{globustest.Fault{HangUp: true}, address, "search_down", 503},
		{globustest.Fault{Status: 403, Body: `{"code": "Forbidden.Generic", "message": "No"}`}, address, "no_access", 403},
		{globustest.Fault{Status: 404, Body: `{"code": "NotFound.NoSuchIndex", "message": "No"}`}, address, "no_such_index", 404},
		{globustest.Fault{}, address + "&advanced=1&q=", "", 200},
		{globustest.Fault{}, "/search?q=((&advanced=1&site.region=Amazon", "bad_query", 400},
	} {
		s.Globus.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.QueryPath: tt.fault}})
		p := b.Get(tt.path + "&size=50&n=" + strconv.Itoa(i))
		if p.Status != tt.status || p.Reason() != tt.reason || !strings.Contains(p.Body, `id="chip-site.region-Amazon"`) || !strings.Contains(p.Body, `value="`+map[bool]string{true: "((", false: "soil"}[tt.reason == "bad_query"]+`"`) {
			t.Errorf("%s: got %d %q, want %d %q", tt.path, p.Status, p.Reason(), tt.status, tt.reason)
		}
	}
	for _, path := range []string{"/search.csv", "/search.json", "/search/more?facet=site.region"} {
		s.Globus.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.QueryPath: {Status: 500}, globustest.ScrollPath: {Status: 500}}})
		if p := b.Get(path); p.Status != 503 || p.Reason() != "search_down" {
			t.Errorf("%s: got %d %q", path, p.Status, p.Reason())
		}
	}
	s.Globus.Lie(globustest.Lie{})
	b.Get("/search?q=nosuchword")
	page := s.MetricsPage()
	for _, want := range []string{`portal_search_query_duration_seconds_count{outcome="too_many_requests",page="/search"}`, `portal_search_nothing_found_total{page="/search"} 1`} {
		if !strings.Contains(page, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

// TestSearchAccess: a page can be for some people only, and robots are told which pages are
// not theirs.
func TestSearchAccess(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	ix := search.Index{ID: globustest.DemoIndex, Path: "/closed", Access: func(h auth.HandlerFunc) web.Handler { return s.App.Auth.Required(h) }}
	search.AddRoutes(s.App.Server, s.App.Auth, s.Client, ix)
	b := s.Browser()
	for _, path := range []string{"/closed", "/closed.csv", "/closed/record?subject=x", "/closed/more?facet=x", "/closed/code"} {
		if p := b.Get(path, "Sec-Fetch-Mode", "navigate"); p.Status != http.StatusSeeOther {
			t.Errorf("%s: got %d, want a sign-in", path, p.Status)
		}
	}
	for path, want := range map[string]string{"/search": "", "/search?q=x": "noindex, nofollow", "/search?site.region=x": "noindex, nofollow", "/search/record?subject=https://doi.org/10.5072/efs.0001": ""} {
		if got := b.Get(path).Header.Get("X-Robots-Tag"); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
	if p := b.Get("/search/record?subject=https://doi.org/10.5072/efs.0001"); !strings.Contains(p.Body, `application/ld+json`) {
		t.Error("a public record is not described for search engines")
	}
	if len(b.Cookies()) > 1 { // the CSRF token's
		t.Errorf("the browser keeps %v", b.Cookies())
	}
	for _, bad := range []search.Index{{}, {ID: globustest.DemoIndex, Path: "/x", Facets: []search.Facet{{Field: "q"}}}, {ID: globustest.DemoIndex, Path: "/y", Facets: []search.Facet{{Field: "t", Kind: search.Dates, Interval: "week"}}}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v is valid", bad)
				}
			}()
			search.AddRoutes(s.App.Server, s.App.Auth, s.Client, bad)
		}()
	}
}

// TestSearchNeighbours: the record before and the one after are those of the list, also
// from one of its pages to the next, and the way back leads to the page that a record is on.
func TestSearchNeighbours(t *testing.T) {
	t.Parallel()
	const n, size = 23, 10
	var entries []globustest.IndexEntry
	for i := range n {
		entries = append(entries, globustest.IndexEntry{Subject: fmt.Sprint("s", i), Content: map[string]any{"n": i}})
	}
	b := start(t, search.Index{Sorts: []search.Sort{{Label: "By number", Field: "n"}}}, entries).Browser()
	var links []string
	for page := 1; page <= 3; page++ {
		links = append(links, b.Get(fmt.Sprintf("/find?size=%d&page=%d", size, page)).Links(".record")...)
	}
	if len(links) != n {
		t.Fatalf("got %d records", len(links))
	}
	for i, link := range links {
		p := b.Get(link)
		for _, way := range []struct {
			id string
			to int
		}{{"#record-previous", i - 1}, {"#record-next", i + 1}} {
			want := ""
			if way.to >= 0 && way.to < n {
				want = links[way.to]
			}
			if got := p.Link(way.id); got != want {
				t.Errorf("record %d: %s leads to %q, want %q", i, way.id, got, want)
			}
		}
		if back := b.Get(p.Link("#record-back")); !slices.Contains(subjects(back), fmt.Sprint("s", i)) {
			t.Errorf("record %d: it is not on %s", i, back.URL)
		}
	}
}

// spoilt is a way to Globus on which requests with this text fail as if Search rejected
// them.
type spoilt string

func (text spoilt) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil && strings.HasSuffix(r.URL.Path, "/search") {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		if strings.Contains(string(body), string(text)) {
			return &http.Response{StatusCode: http.StatusBadRequest, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(`{"code": "BadRequest.Generic"}`)), Request: r}, nil
		}
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return http.DefaultTransport.RoundTrip(r)
}

// TestSearchFacetsFail: facets that are not counted take nothing with them: not the
// records, and not the other facets if they were asked for by themselves.
func TestSearchFacetsFail(t *testing.T) {
	t.Parallel()
	b := routestest.Start(t, routestest.Options{Transport: spoilt(`"keywords","name"`)}).Browser()
	for _, path := range []string{"/search", "/search?site.region=Amazon"} {
		p := b.Get(path)
		if p.Status != http.StatusOK || total(p) == 0 || len(subjects(p)) == 0 || len(counts(p, "keywords")) != 0 || strings.Count(p.Body, `class="note failed"`) == 0 {
			t.Errorf("%s: got %d with %d records of %d:\n%s", path, p.Status, len(subjects(p)), total(p), p.Body)
		}
		if regions := counts(p, "site.region"); (regions["Arctic"] > 0) != strings.Contains(path, "?") {
			t.Errorf("%s: got the regions %v", path, regions)
		}
	}
}
