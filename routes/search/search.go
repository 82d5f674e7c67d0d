// Package search shows pages over an index of Globus Search: a search page with facets,
// a page for each record, and everything found as CSV or JSON.
//
// One line of the table of routes and the import make the pages; without them, and
// without this folder, the app has no search:
//
//	search.AddRoutes(a.Server, a.Auth, a.globus, search.Index{
//		ID: "5ea2c400-1a2b-4c3d-8e4f-60726f757001",
//	})
//
// That shows each record by its title or name, with its short values. Fields, Facets and
// Sorts say more. The whole search is in the address (address.go): the pages store
// nothing. ask.go sends the queries, page.go and page.templ answer with what was found,
// record.go with one record, preview.go with a file, export.go with all of them, send.go with their files.
package search

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"example.org/portal/globus"
	"example.org/portal/routes/auth"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

// An Index is an index of Globus Search, and how its pages show it.
type Index struct {
	ID    string // UUID of the index; required
	Path  string // route of the page; "": /search. The other pages are below it
	Title string // of the page; "": Search

	// Heading is what a record is called. Zero: its title, name or dc.titles.title, or
	// else its subject.
	Heading Field

	// Fields are shown for each record that was found, and become the columns of the CSV.
	// Nil: what is short.
	Fields []Field

	Facets []Facet // by which people narrow the search; nil: none
	Sorts  []Sort  // that people can choose; the first is used if nothing was typed. Nil: the best match first

	Filters []globus.Filter      // always apply, to everybody; nil: none. They hide records from these pages, not from Search
	Boosts  []globus.SearchBoost // rank matches in some fields higher; nil: none

	// Access says who may use the pages, such as a.Auth.Required. Nil: everybody, and what
	// they find depends on who they are.
	Access func(auth.HandlerFunc) web.Handler

	// Cite says how to cite a record, and has it described for search engines. Nil: no
	// citation is offered.
	Cite *Citation

	// Files returns where the files of a record are; its page leads to them, and the files
	// of all records found can be sent together. Nil: records have none.
	Files func(Record) []File

	// HTTPSServers are where the files of collections can be read over HTTPS, by the UUIDs of
	// the collections: https_server in globus endpoint show, such as g-1a2b.data.globus.org.
	// Everybody then sees previews of images, texts and tables that everybody may read. Of
	// other collections only people who are signed in do, because Globus Transfer says to
	// them where the files are. A record cannot say it. Nil: none.
	HTTPSServers map[string]string

	// Result shows a record in the list. url is the address of its page. Nil: the heading
	// and Fields.
	Result func(r Record, url string) templ.Component
}

// A Kind is how a value is shown. Values of another type than expected are shown as text.
type Kind string

// The kinds.
const (
	Auto   Kind = ""       // by what the value looks like
	Text   Kind = "text"   // as it is
	Date   Kind = "date"   // a day
	Number Kind = "number" // with Field.Unit
	Bytes  Kind = "bytes"  // a size, such as 1.2 GB
	Link   Kind = "link"   // a web address
	Image  Kind = "image"  // a web address of an image, at this site unless web.AllowSource allows others
)

// A Field is a value of a record.
type Field struct {
	// Path leads to the values: site.name is name in site, and creators.name the names in
	// a list of creators, of which creators.0.name is the first. A dot in a name is
	// written \. as in globus.EscapeField. Required without Text or Component.
	Path  string
	Label string // "": made of Path
	Kind  Kind   // how values are shown
	Unit  string // follows a Number

	Text      func(Record) string          // returns the value instead of Path; nil: Path
	Component func(Record) templ.Component // shows the value instead of Kind; nil: Kind
}

// A FacetKind says what people choose of a facet.
type FacetKind string

// The kinds of facets.
const (
	Terms   FacetKind = ""        // values
	Dates   FacetKind = "dates"   // from one day, month or year to another
	Numbers FacetKind = "numbers" // from one number to another
	YesNo   FacetKind = "yesno"   // true or false
)

// A Facet narrows a search by the values of a field.
type Facet struct {
	Field string // path of the field, as Search has it; required
	Name  string // in the address; "": Field
	Label string // "": made of Field
	Kind  FacetKind

	All  bool // Terms: records must have all chosen values; false: one of them
	Size int  // Terms: how many values are shown, the most frequent; 0: 10

	Interval string // Dates: the steps, year, month or day; "": year

	// Low and High, with a number of Steps between them, are the steps of Numbers. 0: no
	// steps, people type numbers.
	Low, High float64
	Steps     int
	Unit      string // of Numbers
}

// A Sort is an order of records that people can choose.
type Sort struct {
	Label      string // such as Newest first; required
	Field      string // required
	Descending bool
}

// A Citation says where a record has what a citation needs. Each is a path, as in Field.
type Citation struct {
	Title, Creators, Date, DOI, Publisher string
}

// A File is where files of a record are: a folder of a collection, or a file in it.
type File struct {
	Collection string // UUID
	Path       string // from the root; of a folder with a slash at its end
}

// A room has the pages of one Index.
type room struct {
	Index
	site    *web.Server
	auth    *auth.Auth
	globus  *globus.Client
	nobody  *globus.Search // without a token
	cache   cache
	metrics metrics

	exports  chan struct{} // holds one value for each export that runs
	previews chan struct{} // likewise, for each file that is read
}

// AddRoutes adds the pages of an index to the site. It panics if ix is not valid: a program
// with such a page does not start.
func AddRoutes(site *web.Server, a *auth.Auth, client *globus.Client, ix Index) {
	ix.Path, ix.Title = cmp.Or(ix.Path, "/search"), cmp.Or(ix.Title, "Search")
	ix.Facets, ix.Fields = slices.Clone(ix.Facets), slices.Clone(ix.Fields)
	for i, f := range ix.Facets {
		ix.Facets[i].Name, ix.Facets[i].Label = cmp.Or(f.Name, f.Field), cmp.Or(f.Label, label(f.Field))
		ix.Facets[i].Interval, ix.Facets[i].Size = cmp.Or(f.Interval, "year"), cmp.Or(f.Size, 10)
	}
	for i, f := range ix.Fields {
		ix.Fields[i].Label = cmp.Or(f.Label, label(f.Path))
	}
	servers := map[string]string{}
	for id, server := range ix.HTTPSServers {
		servers[strings.ToLower(id)] = hostOf(server)
	}
	ix.HTTPSServers = servers
	if err := ix.check(); err != nil {
		panic(fmt.Errorf("search: the index at %s: %w", ix.Path, err))
	}
	m := &room{Index: ix, site: site, auth: a, globus: client, nobody: client.Search(nil), metrics: newMetrics(site.Metrics), exports: make(chan struct{}, maxExports), previews: make(chan struct{}, maxPreviews)}
	site.AddCheck(ix.Path, m.checkIndex)
	for path, h := range map[string]auth.HandlerFunc{
		"": m.page, "/more": m.more, "/record": m.record, "/record.json": m.recordJSON, "/preview": m.preview, "/cite": m.cite, "/compare": m.compare, "/code": m.code,
		"/private": m.signedIn(m.private), "/send": m.signedIn(m.sendAll), ".csv": m.csv, ".json": m.json,
	} {
		if ix.Access != nil {
			site.Handle("GET "+ix.Path+path, ix.Access(h))
			continue
		}
		site.HandleFunc("GET "+ix.Path+path, func(w http.ResponseWriter, r *http.Request) error {
			s, err := a.Session(r)
			if err != nil {
				return err
			}
			return h(w, r, s)
		})
	}
}

// signedIn returns a handler that calls h for people who are signed in.
func (m *room) signedIn(h auth.HandlerFunc) auth.HandlerFunc {
	required := m.auth.Required(h)
	return func(w http.ResponseWriter, r *http.Request, _ *session.Session) error {
		if ok, err := required.Allow(w, r); !ok || err != nil {
			return err
		}
		return required.Serve(w, r)
	}
}

// check returns what is wrong with an Index, as far as that shows without asking Search.
func (ix Index) check() error {
	var wrong []error
	if !globus.IsUUID(ix.ID) {
		wrong = append(wrong, fmt.Errorf("its ID %q is not a UUID", ix.ID))
	}
	if !strings.HasPrefix(ix.Path, "/") || strings.HasSuffix(ix.Path, "/") {
		wrong = append(wrong, fmt.Errorf("its Path %q does not begin, or ends, with a slash", ix.Path))
	}
	names := map[string]bool{}
	for _, f := range ix.Facets {
		switch {
		case f.Field == "":
			wrong = append(wrong, errors.New("a facet has no Field"))
		case names[f.Name] || slices.Contains(ownParameters, f.Name):
			wrong = append(wrong, fmt.Errorf("the facet of %s needs another Name", f.Field))
		case !slices.Contains([]FacetKind{Terms, Dates, Numbers, YesNo}, f.Kind):
			wrong = append(wrong, fmt.Errorf("the facet of %s has an unknown Kind", f.Field))
		case f.Kind == Dates && !slices.Contains([]string{"year", "month", "day"}, f.Interval):
			wrong = append(wrong, fmt.Errorf("the facet of %s has the Interval %s instead of year, month or day", f.Field, f.Interval))
		case f.Kind == Numbers && f.Steps > 0 && f.High <= f.Low:
			wrong = append(wrong, fmt.Errorf("the facet of %s has Steps, but no Low below its High", f.Field))
		}
		names[f.Name] = true
	}
	for _, f := range ix.Fields {
		if f.Path == "" && f.Text == nil && f.Component == nil {
			wrong = append(wrong, errors.New("a field has no Path, Text or Component"))
		}
	}
	for id, host := range ix.HTTPSServers {
		if !globus.IsUUID(id) || host == "" {
			wrong = append(wrong, fmt.Errorf("HTTPSServers: %q is not a UUID, or has no host name", id))
		}
	}
	for _, s := range ix.Sorts {
		if s.Field == "" || s.Label == "" {
			wrong = append(wrong, errors.New("a sort has no Field, or no Label"))
		}
	}
	return errors.Join(wrong...)
}

// facet returns the facet with a name; nil: there is none.
func (ix *Index) facet(name string) *Facet {
	i := slices.IndexFunc(ix.Facets, func(f Facet) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return &ix.Facets[i]
}

// private asks for the consent with which a person finds more than what is public, and goes
// back to their search.
func (m *room) private(w http.ResponseWriter, r *http.Request, s *session.Session) error {
	if _, held := s.Tokens[globus.SearchServer]; !held {
		return &globus.Error{
			Call: "search", Reason: globus.Refused, Code: "ConsentRequired",
			Requirements: &globus.Requirements{Code: "ConsentRequired", Scopes: globus.Scopes{{Name: globus.SearchQueryScope}}},
		}
	}
	return web.Redirect(w, r, m.address(r).route())
}
