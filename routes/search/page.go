package search

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

// A view is what the search page shows.
type view struct {
	components.Site
	address
	ix          *Index
	problem     *problem // why there are no records; nil: there may be some
	results     []result
	total       int64
	facets      []facetView
	suggestions []suggestion
	extra       int64  // how many of the records only this person can find, with their groups; -1: unknown
	loginURL    string // where to sign in to find more; "": the person is signed in
	sendURL     string // where the files of all records are sent; "": there is no such page
	privateURL  string // where to consent to finding more; "": that is done, or they are signed out
}

// A result is a record in the list.
type result struct {
	Record
	heading, url string
	fields       []Field
	own          templ.Component // by Index.Result; nil: none
}

// A suggestion is what would be found without one of the choices.
type suggestion struct {
	label, url string
	total      int64
}

// A facetView is a facet with its values.
type facetView struct {
	Facet
	choice
	values  []valueView
	noneURL string // with "no value" chosen, or no longer chosen
	moreURL string // of all values; "": all are shown
	failed  bool   // they were not counted
}

// A valueView is a value of a facet, or a step.
type valueView struct {
	label, url string
	count      int64 // -1: unknown
	share      int   // of the largest count, in percent
	chosen     bool
}

// page shows the search page.
func (m *room) page(w http.ResponseWriter, r *http.Request, who *session.Session) error {
	a, s := m.address(r), m.searcher(who)
	f := s.find(r.Context(), a)
	if globus.KindOf(f.err) == globus.KindRequirements || errors.Is(f.err, session.ErrGone) {
		return f.err
	}
	v := m.view(a, f)
	switch {
	case who == nil:
		v.loginURL = m.site.LoginURL(m.site.LocalPath(a.to("/private")))
	case !s.token:
		v.privateURL = a.to("/private")
	}
	if web.WantsFragment(r) {
		w.Header().Set("HX-Push-Url", a.String())
	}
	m.hide(w, a)
	status := http.StatusOK
	if v.problem != nil {
		web.SetReason(r, f.err)
		status = v.problem.status
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "10")
	}
	return web.ShowStatus(w, r, status, m.Title, searchPage(v))
}

// hide keeps robots from the pages of a search: there are more of them than records.
func (m *room) hide(w http.ResponseWriter, a address) {
	if !a.plain() {
		w.Header().Set("X-Robots-Tag", "noindex, nofollow")
	}
}

// view returns what the page shows of what was found.
func (m *room) view(a address, f *found) view {
	v := view{Site: m.site.Site, address: a, ix: &m.Index, extra: -1}
	for _, facet := range m.Facets {
		v.facets = append(v.facets, m.facetView(a, facet, f))
	}
	if f.err != nil {
		v.problem = problemOf(f.err, a)
		return v
	}
	v.total = f.result.Total
	if m.sends() {
		v.sendURL = a.at(1).to("/send")
	}
	for i, s := range f.result.Subjects {
		if len(s.Entries) > 0 {
			v.results = append(v.results, m.result(a, newRecord(s), (a.page-1)*a.size+i))
		}
	}
	if f.public >= 0 && f.public <= v.total {
		v.extra = v.total - f.public
	}
	if v.total == 0 {
		v.suggestions = m.suggestions(a, f)
	}
	return v
}

func (m *room) result(a address, r Record, at int) result {
	res := result{Record: r, heading: m.heading(r), url: a.to("/record", "subject", r.Subject, "at", strconv.Itoa(at)), fields: m.shownFields(r)}
	if m.Result != nil {
		res.own = m.Result(r, res.url)
	}
	return res
}

// suggestions are what would be found without one of the choices, the most first.
func (m *room) suggestions(a address, f *found) (list []suggestion) {
	add := func(name, label string, without address) {
		if total := f.totals[name]; total > 0 {
			list = append(list, suggestion{label, without.String(), total})
		}
	}
	words := a.at(1)
	words.q, words.advanced = "", false
	add("q", "“"+a.q+"”", words)
	for _, facet := range m.Facets {
		c := a.choices[facet.Name]
		var texts []string
		for _, value := range c.values {
			texts = append(texts, facet.shown(value))
		}
		if c.from != "" || c.to != "" {
			texts = append(texts, facet.rangeWords(c))
		}
		if c.none {
			texts = append(texts, "no value")
		}
		add(facet.Name, facet.Label+": "+strings.Join(texts, ", "), a.choose(facet.Name, choice{}))
	}
	slices.SortStableFunc(list, func(x, y suggestion) int { return cmp.Compare(y.total, x.total) })
	return list
}

// facetView returns a facet with the values that were counted, and those that are chosen.
func (m *room) facetView(a address, facet Facet, f *found) facetView {
	v := facetView{Facet: facet, choice: a.choices[facet.Name], noneURL: a.toggleNone(facet.Name).String()}
	counted, ok := f.facets[facet.Name]
	_, steps := facet.facetQuery(facet.Size)
	v.failed = !ok && steps && f.err == nil
	v.values = facet.valueViews(a, counted.Buckets)
	if facet.Kind == Terms && len(counted.Buckets) >= facet.Size {
		v.moreURL = a.to("/more", "facet", facet.Name)
	}
	return v
}

// valueViews returns the values or steps in buckets, and the chosen values.
func (f Facet) valueViews(a address, buckets []globus.Bucket) (list []valueView) {
	c := a.choices[f.Name]
	seen := map[string]bool{}
	for _, b := range buckets {
		text := plain(b.Value)
		v := valueView{label: text, count: b.Count}
		switch f.Kind {
		case Dates:
			if len(text) > 10 {
				text = text[:10]
			}
			if _, _, ok := period(text); !ok {
				continue
			}
			v.label, v.chosen = text, c.from == text && c.to == text
			v.url = a.choose(f.Name, choice{from: text, to: text, none: c.none}).String()
		case Numbers:
			from, to := f.end(number(b.From)), f.end(number(b.To))
			if b.Count == 0 || from == "" && to == "" {
				continue
			}
			step := choice{from: from, to: to}
			v.label, v.chosen = f.rangeWords(step), c.from == from && c.to == to
			step.none = c.none
			v.url = a.choose(f.Name, step).String()
		default:
			if f.Kind == YesNo {
				text = map[bool]string{true: "true", false: "false"}[text == "1" || text == "true"]
			}
			if text == "" {
				continue // the address cannot say it
			}
			v.label, v.chosen, v.url = f.shown(text), slices.Contains(c.values, text), a.toggle(f.Name, text).String()
		}
		if v.chosen && (f.Kind == Dates || f.Kind == Numbers) {
			v.url = a.choose(f.Name, choice{none: c.none}).String()
		}
		seen[text] = true
		list = append(list, v)
	}
	for _, value := range c.values {
		if !seen[value] {
			list = append(list, valueView{label: f.shown(value), url: a.toggle(f.Name, value).String(), count: -1, chosen: true})
		}
	}
	largest := int64(1)
	for _, v := range list {
		largest = max(largest, v.count)
	}
	for i := range list {
		list[i].share = int(max(list[i].count, 0) * 100 / largest)
	}
	return list
}

// number writes the end of a step without more digits than it needs.
func number(end any) string {
	n, ok := end.(json.Number)
	if !ok {
		return ""
	}
	f, err := n.Float64()
	if err != nil {
		return ""
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// first and last are the numbers of the first and last record on the page.
func (v view) first() int64 { return int64(v.page-1)*int64(v.size) + 1 }
func (v view) last() int64  { return min(v.first()+int64(v.size)-1, v.total) }

// hasNext reports whether there is another page. Search has no pages beyond lastRecord.
func (v view) hasNext() bool { return v.last() < v.total && (v.page+1)*v.size <= lastRecord }

// cutOff reports whether this is the last page, but not the last record.
func (v view) cutOff() bool { return v.last() < v.total && !v.hasNext() }

// htmx are the attributes of a link or form whose answer replaces the whole search: what
// was found, the facets and the chips. The answer says which address the browser shows.
func htmx(url string) templ.Attributes {
	return templ.Attributes{"hx-get": url, "hx-target": "#search", "hx-swap": "outerHTML", "hx-sync": "#search:replace"}
}

// inDialog are the attributes of a link or form whose answer is shown in the dialog of the
// search page; app.js opens it.
func inDialog(url string) templ.Attributes {
	return templ.Attributes{"hx-get": url, "hx-target": "#search-dialog", "hx-sync": "#search-dialog:replace"}
}

// A problem is why nothing can be found. What was typed and chosen stays.
type problem struct {
	status                   int
	reason, heading, message string
	cause                    error
}

// problemOf returns what people read about an error of a query.
func problemOf(err error, a address) *problem {
	e, _ := errors.AsType[*globus.Error](err)
	kind := globus.KindOf(err)
	p := &problem{http.StatusServiceUnavailable, "search_down", "Globus Search does not answer as it should", "Please try again in a moment. What you typed and chose is kept in the address of this page.", err}
	switch {
	case kind == globus.KindInvalid && a.advanced:
		*p = problem{http.StatusBadRequest, "bad_query", "Globus Search cannot read this query", "Check the brackets, quotes and colons, or untick “Advanced query” to search for the words as they are.", err}
	case kind == globus.KindInvalid:
		*p = problem{http.StatusInternalServerError, "not_in_index", "This page asks for something that the index does not have", "This is our fault, not yours. Please tell the people who run this site.", err}
	case e != nil && (e.Reason == globus.Timeout || e.Status == http.StatusGatewayTimeout):
		p.reason, p.heading, p.message = "too_slow", "The search took too long", "Narrow it down, or try again in a moment."
	case e != nil && e.Status == http.StatusTooManyRequests:
		p.reason, p.heading, p.message = "too_many_requests", "Globus Search has too many requests", "It accepts only so many searches at a time. Please try again in a moment."
	case kind == globus.KindSignIn:
		*p = problem{http.StatusForbidden, "token_rejected", "Globus Search did not accept this site's token", "You are still signed in here. Log out and in again to get a new one.", err}
	case kind == globus.KindDenied:
		*p = problem{http.StatusForbidden, "no_access", "You may not search this index", "Its owner has not given access to the identity that you use here. Ask them, or sign in with another one.", err}
	case kind == globus.KindNotFound:
		*p = problem{http.StatusNotFound, "no_such_index", "There is no such index", "Globus Search does not have the index of this page. Please tell the people who run this site.", err}
	}
	return p
}

// asProblem is problemOf for pages other than the search page.
func asProblem(err error, a address) error {
	if kind := globus.KindOf(err); kind == globus.KindRequirements || errors.Is(err, session.ErrGone) {
		return err
	}
	p := problemOf(err, a)
	return &web.Problem{Status: p.status, Reason: p.reason, Heading: p.heading, Message: p.message, Cause: err, Ways: []components.Way{{Label: "Back to the search", URL: a.String()}}}
}
