package components_test

import (
	"testing"

	"github.com/a-h/templ"

	"example.org/portal/components"
	"example.org/portal/globus"
)

var _ = add(placeLists)

// placeLists is lists of collections, with all, little, and hostile data.
func placeLists() map[string]templ.Component {
	off := false
	full, found, hostile := places(), places(), places()
	full.Bookmarks = []globus.Bookmark{{Name: "Photo 51", CollectionID: subject, Path: "/photo51/"}, {Name: "Nowhere", CollectionID: "x"}}
	full.Recent = []globus.Collection{{ID: subject, DisplayName: "A laptop", EntityType: "GCP_mapped_collection", Connected: &off, Owner: "ada@example.edu"}, {}}
	found.Text, found.Paging = "a b", components.Paging{Self: "/app/files?q=a+b&offset=20", Offset: 20, Size: 20, More: true}
	found.Found = []globus.Collection{{ID: subject, DisplayName: "Mapped", EntityType: "GCSv5_mapped_collection", Organization: "Example University", Description: "Home directories"}}
	bad := globus.Collection{ID: attack, DisplayName: attack, EntityType: attack, Owner: attack, Description: attack}
	hostile.Text, hostile.Found = attack, []globus.Collection{bad, {ID: subject, DisplayName: attack, Organization: attack}}
	badMarks := places()
	badMarks.Bookmarks, badMarks.Recent = []globus.Bookmark{{Name: attack, CollectionID: attack, Path: attack}, {Name: attackJ, CollectionID: subject, Path: attack}}, []globus.Collection{bad}
	none := places()
	none.Text = "none"
	return map[string]templ.Component{
		"PlaceList/full": components.PlaceList(full), "PlaceList/found": components.PlaceList(found), "PlaceList/none": components.PlaceList(none),
		"PlaceList/new": components.PlaceList(places()), "PlaceList/hostile": components.PlaceList(hostile), "PlaceList/hostile bookmarks": components.PlaceList(badMarks),
	}
}

func places() components.Places {
	return components.Places{Site: site}
}

func TestPlaceList(t *testing.T) {
	lookAt(t, []look{
		{"PlaceList/full", []string{`id="bookmarks"`, `href="/app/files/` + subject + `?path=%2Fphoto51%2F"`, "<bdi>Nowhere</bdi>", `id="recent-` + subject + `"`, `class="badge attention"`, "<bdi>ada@example.edu</bdi>"}, []string{"csrf_token", `id="found"`}},
		{"PlaceList/found", []string{`value="a b"`, "<bdi>Example University</bdi>", "<bdi>Home directories</bdi>", `href="/app/files?offset=40&amp;q=a+b"`}, []string{"badge", `id="bookmarks"`}},
		{"PlaceList/none", []string{`id="places-none"`}, []string{`id="places-next"`}},
		{"PlaceList/new", []string{`id="recent-none"`}, []string{`id="bookmarks"`}},
		{"PlaceList/hostile", []string{"<bdi>&#34;&gt;&lt;script&gt;"}, []string{"<img", "<script"}},
	})
	wantIsolated(t, "PlaceList/hostile", "PlaceList/hostile bookmarks")
}
