package search

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"go/format"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/a-h/templ"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

// maxMore is how many values of a facet its own page has. Search has no way to ask for the
// rest.
const maxMore = 2000

// A moreView is what the page of all values of a facet shows.
type moreView struct {
	address
	Facet
	values  []valueView
	find    string // only values with this in them are shown; "": all
	byCount bool   // in the order of counts; false: of the alphabet
	cut     bool   // there are more values than these
	dialog  bool   // in a dialog on the search page
}

// orderURL is the page with the values in the other order.
func (v moreView) orderURL() string {
	if v.byCount {
		return v.to("/more", "facet", v.Name, "find", v.find, "order", "name")
	}
	return v.to("/more", "facet", v.Name, "find", v.find)
}

// here are the attributes of a link or form that shows other values, or the same in another
// order: in the dialog, if they are in one.
func (v moreView) here(url string) templ.Attributes {
	if !v.dialog {
		return nil
	}
	return inDialog(url)
}

// away are the attributes of a link to the search.
func (v moreView) away(url string) templ.Attributes {
	if !v.dialog {
		return nil
	}
	return htmx(url)
}

// more shows all values of a facet.
func (m *room) more(w http.ResponseWriter, r *http.Request, who *session.Session) error {
	a, s := m.address(r), m.searcher(who)
	facet := m.facet(r.URL.Query().Get("facet"))
	if facet == nil || facet.Kind != Terms {
		return &web.Problem{
			Status: http.StatusNotFound, Reason: "no_such_facet", Heading: "There is no such list of values", Message: "Go back to the search.",
			Ways: []components.Way{{Label: "Back to the search", URL: a.String()}},
		}
	}
	without := facet.Name
	if facet.All {
		without = ""
	}
	q := a.searchQuery(without)
	counts, _ := facet.facetQuery(maxMore)
	q.Limit, q.Facets = -1, []globus.Facet{counts}
	ctx, cancel := context.WithTimeout(r.Context(), maxTime)
	defer cancel()
	result, err := s.query(ctx, q)
	if err != nil {
		return asProblem(err, a)
	}
	buckets := result.Facets[facet.Name].Buckets
	v := moreView{address: a, Facet: *facet, find: strings.TrimSpace(r.URL.Query().Get("find")), byCount: r.URL.Query().Get("order") != "name", cut: len(buckets) >= maxMore, dialog: web.WantsFragment(r)}
	for _, value := range facet.valueViews(a, buckets) {
		if strings.Contains(strings.ToLower(value.label), strings.ToLower(v.find)) {
			v.values = append(v.values, value)
		}
	}
	if !v.byCount {
		slices.SortStableFunc(v.values, func(x, y valueView) int {
			return cmp.Or(cmp.Compare(strings.ToLower(x.label), strings.ToLower(y.label)), cmp.Compare(x.label, y.label))
		})
	}
	w.Header().Set("X-Robots-Tag", "noindex, nofollow")
	return web.Show(w, r, facet.Label, morePage(v))
}

const (
	fewestCompared = 2
	mostCompared   = 6
)

// A comparison shows records side by side.
type comparison struct {
	back             address
	headings, urls   []string
	rows             []comparedRow
	only             bool   // rows whose values differ
	allURL, otherURL string // with all rows, and with those that differ
}

type comparedRow struct {
	label  string
	texts  []string
	differ bool
}

// compare shows two to six records side by side.
func (m *room) compare(w http.ResponseWriter, r *http.Request, who *session.Session) error {
	a, s := m.address(r), m.searcher(who)
	var subjects []string
	for _, subject := range r.URL.Query()["subject"] {
		if subject != "" && !slices.Contains(subjects, subject) {
			subjects = append(subjects, subject)
		}
	}
	if len(subjects) < fewestCompared || len(subjects) > mostCompared {
		return &web.Problem{
			Status: http.StatusUnprocessableEntity, Reason: "not_comparable", Heading: "Choose two to six records to compare",
			Message: "Tick them in the list, and press “Compare”.", Ways: []components.Way{{Label: "Back to the search", URL: a.String()}},
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), maxTime)
	defer cancel()
	records, errs := make([]Record, len(subjects)), make([]error, len(subjects))
	slots := make(chan struct{}, maxQueries)
	var wg sync.WaitGroup
	for i, subject := range subjects {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			found, err := s.subject(ctx, subject)
			if errs[i] = err; err == nil {
				records[i] = newRecord(*found)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return s.subjectError(err, a)
		}
	}
	v := comparison{back: a, only: r.URL.Query().Get("only") == "1"}
	var pairs []string
	for _, record := range records {
		pairs = append(pairs, "subject", record.Subject)
		v.headings = append(v.headings, m.heading(record))
		v.urls = append(v.urls, a.to("/record", "subject", record.Subject))
	}
	v.allURL, v.otherURL = a.to("/compare", pairs...), a.to("/compare", append(slices.Clone(pairs), "only", "1")...)
	for _, row := range m.comparedRows(records) {
		if row.differ || !v.only {
			v.rows = append(v.rows, row)
		}
	}
	w.Header().Set("X-Robots-Tag", "noindex, nofollow")
	return web.Show(w, r, "Compare", comparePage(v))
}

// comparedRows are the fields of the index, and then all other values.
func (m *room) comparedRows(records []Record) (rows []comparedRow) {
	add := func(label string, text func(i int) string) {
		row := comparedRow{label: label}
		for i := range records {
			row.texts = append(row.texts, text(i))
			row.differ = row.differ || row.texts[i] != row.texts[0]
		}
		rows = append(rows, row)
	}
	shown := map[string]bool{}
	for _, f := range m.columns() {
		shown[f.Path] = true
		add(f.Label, func(i int) string { return f.text(records[i]) })
	}
	byPath := make([]map[string]string, len(records))
	var paths []string
	for i, record := range records {
		byPath[i] = map[string]string{}
		for _, e := range record.Entries {
			rows, _ := e.rows()
			for _, row := range rows {
				if byPath[i][row.path] == "" {
					byPath[i][row.path] = strings.Join(row.texts, "; ")
				}
				if !shown[row.path] {
					shown[row.path] = true
					paths = append(paths, row.path)
				}
			}
		}
	}
	slices.Sort(paths)
	for _, path := range paths {
		add(label(path), func(i int) string { return byPath[i][path] })
	}
	return rows
}

// A codeView is a search in the words of programs.
type codeView struct {
	back  address
	parts []codePart
}

type codePart struct{ id, heading, note, text string }

// code shows a search as a query document, and the programs that send it.
func (m *room) code(w http.ResponseWriter, r *http.Request, _ *session.Session) error {
	a := m.address(r)
	q := a.pageQuery()
	text, err := json.Marshal(q)
	if err != nil {
		return err
	}
	var document bytes.Buffer
	if err := json.Indent(&document, text, "", "  "); err != nil {
		return err
	}
	literal, err := format.Source(fmt.Appendf(nil, "package p\n\nvar q = %#v\n", q))
	if err != nil {
		return err
	}
	_, goQuery, _ := strings.Cut(string(literal), "var q = ")
	base := m.globus.ServiceURL(globus.SearchServer)
	v := codeView{a, []codePart{
		{"query", "The query", "Save it as query.json. The programs below send it.", document.String()},
		{"cli", "Globus CLI", "", "globus search query " + m.ID + " --query-document query.json"},
		{"python", "Python", "pip install globus-sdk", "import json\nimport globus_sdk\n\nwith open(\"query.json\", encoding=\"utf-8\") as f:\n    query = json.load(f)\nresult = globus_sdk.SearchClient().post_search(\"" + m.ID + "\", query)\nfor record in result[\"gmeta\"]:\n    print(record[\"subject\"])"},
		{"curl", "curl", "", "curl -s -H 'Content-Type: application/json' -d @query.json \\\n  " + base + "/v1/index/" + m.ID + "/search"},
		{"go", "Go", "Use the package globus from the source code of this site.", "found, err := client.Search(nil).Query(ctx, \"" + m.ID + "\", " + strings.TrimSpace(goQuery) + ")"},
	}}
	w.Header().Set("X-Robots-Tag", "noindex, nofollow")
	return web.Show(w, r, "This search as code", codePage(v))
}
