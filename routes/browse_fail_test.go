package routes_test

import (
	"html"
	"net/url"
	"slices"
	"strings"
	"testing"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// TestCannotOpen: a page about a folder that cannot be listed says why, calls the
// collection by its name, and leads on.
func TestCannotOpen(t *testing.T) {
	t.Parallel()
	light, laptop, observatory, reference := place(t, "Example Light"), place(t, "Rosalind's laptop"), place(t, "Example Observatory"), place(t, "Public reference")
	adas, server, offlineShare := laptop, light, laptop
	adas.ID, adas.Name, adas.Owner, adas.SharedWith = "0dc3a1f0-0000-4000-8000-000000000001", "Ada's laptop", "ada", nil
	server.ID, server.Name, server.Offline = "0dc3a1f0-0000-4000-8000-000000000002", "Server <b>7</b>", true
	offlineShare.ID, offlineShare.Name, offlineShare.Offline, offlineShare.Paused = "0dc3a1f0-0000-4000-8000-000000000003", "A paused laptop", false, "by its owner"
	gone := place(t, "Old file server")
	observatory.DataAccess, observatory.Contact = false, "dome@example.org"
	secret := globustest.Collection{ID: "0dc3a1f0-0000-4000-8000-000000000004", Name: "Not for Rosalind", Owner: "ada", SharedWith: []string{}}
	s := routestest.Start(t, routestest.Options{Collections: []globustest.Collection{light, laptop, observatory, reference, adas, server, offlineShare, secret,
		place(t, "Tape"), place(t, "Example University Research"), gone}})
	b := s.Browser()
	b.SignIn("rosalind")
	up, manager := "up", "manager" // ways, in words
	tests := []struct {
		name       string
		place      globustest.Collection
		path       string
		wantStatus int
		want       string   // its reason
		ways       []string // up, with the path of a folder, or manager, with one
	}{
		{"a laptop of one's own", laptop, "/Users/rosalind/", 503, "own_computer_offline", []string{manager + "/Users/rosalind/"}},
		{"somebody else's laptop", adas, "", 503, "computer_offline", []string{manager}},
		{"a server", server, "/x/", 503, "collection_offline", []string{manager + "/x/"}},
		{"paused", offlineShare, "", 403, "paused", []string{manager}},
		{"a file", light, "/photo51/exposure-01.tif", 404, "not_a_folder", []string{up + "/photo51/", manager + "/photo51/"}},
		{"a file at the root", light, "/README.txt", 404, "not_a_folder", []string{up + "/", manager + "/"}},
		{"no such folder", light, "/photo51/no & where/", 404, "not_found", []string{up + "/photo51/", manager + "/photo51/no & where/"}},
		{"a closed folder", reference, "/private/", 403, "not_permitted", []string{up + "/", manager + "/private/"}},
		{"another's", secret, "", 403, "not_permitted", []string{manager}},
		{"maintained", observatory, "/", 403, "paused", []string{manager + "/"}},
		{"deleted", gone, "/", 404, "collection_gone", nil},
		{"consent", place(t, "Example University Research"), "/home/", 403, "requirements", nil},
		{"another identity", place(t, "Tape"), "/", 403, "requirements", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			address := "/files/" + test.place.ID
			if test.path != "" {
				address += "?path=" + url.QueryEscape(test.path)
			}
			var want []string
			for _, way := range test.ways {
				if folder, ok := strings.CutPrefix(way, up); ok {
					want = append(want, "/files/"+test.place.ID+"?path="+url.QueryEscape(folder))
					continue
				}
				link := "https://app.globus.org/file-manager?origin_id=" + test.place.ID
				if folder := strings.TrimPrefix(way, manager); folder != "" {
					link += "&origin_path=" + url.QueryEscape(folder)
				}
				want = append(want, link)
			}
			p := b.Get(address)
			got := p.Links(".way")
			if p.Status != test.wantStatus || p.Reason() != test.want || strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("got %d %s with the ways\n%q, want %d %s with\n%q", p.Status, p.Reason(), got, test.wantStatus, test.want, want)
			}
			if named := strings.Contains(p.Body, "<bdi>"+html.EscapeString(test.place.Name)+"</bdi>"); named != !slices.Contains([]string{secret.ID, gone.ID}, test.place.ID) {
				t.Errorf("the page calls the collection by its name: %t\n%s", named, p.Body) // Transfer tells no name of those two
			}
		})
	}

	if p := b.Get("/files/" + observatory.ID); !strings.Contains(p.Body, "<bdi>dome@example.org</bdi>") {
		t.Errorf("the page does not say whom to ask:\n%s", p.Body)
	}
	if p := b.Get("/files/" + place(t, "Example University Research").ID); strings.Contains(p.Body, "<bdi>"+place(t, "Example University Research").ID) {
		t.Errorf("consent is asked for by the UUID:\n%s", p.Body)
	}
}

// TestCannotOpenLinked: a computer of another of the person's identities is their own.
func TestCannotOpenLinked(t *testing.T) {
	t.Parallel()
	laptop := place(t, "Rosalind's laptop")
	laptop.SharedWith = []string{"lab"}
	people := globustest.DemoPeople()
	rosalind := people[slices.IndexFunc(people, func(p globustest.Person) bool { return p.Key == "rosalind" })].Claims
	const sub = "1ab00000-0000-4000-8000-000000000000"
	lab := globustest.Claims{Sub: sub, Linked: []globustest.LinkedIdentity{{Sub: rosalind.Sub}}}
	s := routestest.Start(t, routestest.Options{Collections: []globustest.Collection{laptop}, People: append(people, globustest.Person{Key: "lab", Claims: lab})})
	b := s.Browser()
	b.SignIn("lab")
	if p := b.Get("/files/" + laptop.ID); p.Status != 503 || p.Reason() != "own_computer_offline" {
		t.Errorf("got %d %s:\n%s", p.Status, p.Reason(), p.Body)
	}
}

// TestCannotOpenUnnamed: why a folder cannot be listed is said, too, if Transfer does
// not tell the name of the collection; if it tells nothing, it is not asked for it.
func TestCannotOpenUnnamed(t *testing.T) {
	t.Parallel()
	light := place(t, "Example Light")
	busy := globustest.Fault{Status: 503, Body: `{"code":"ServiceUnavailable"}`}
	for name, test := range map[string]struct {
		faults map[string]globustest.Fault
		want   string
		asked  int
	}{
		"no name":   {map[string]globustest.Fault{globustest.CollectionPath: busy}, "not_a_folder", 1},
		"no answer": {map[string]globustest.Fault{globustest.ListPath: busy}, "globus_unavailable", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := routestest.Start(t, routestest.Options{Collections: []globustest.Collection{light}})
			b := s.Browser()
			b.SignIn("rosalind")
			s.Globus.Lie(globustest.Lie{Endpoints: test.faults})
			p := b.Get("/files/" + light.ID + "?path=/README.txt")
			if asked := s.Globus.Requests(globustest.CollectionPath); p.Reason() != test.want || asked != test.asked {
				t.Errorf("got %s after %d questions, want %s after %d", p.Reason(), asked, test.want, test.asked)
			}
		})
	}
}
