package components_test

import (
	"testing"
	"time"

	"github.com/a-h/templ"

	"example.org/portal/components"
	"example.org/portal/globus"
)

var _ = add(folders)

// folders is lists of folders, with all, little, and hostile data.
func folders() map[string]templ.Component {
	files := folder(
		globus.Entry{Name: "per%20cent?#&=+", Type: globus.EntryDir, Size: 4096, Modified: now.Add(-time.Hour)},
		globus.Entry{Name: " two  blanks ", Type: globus.EntryFile, Size: 1200},
	)
	files.Paging = components.Paging{Size: 100, More: true}
	badFiles := folder(globus.Entry{Name: attack, Type: globus.EntryDir, Size: -1}, globus.Entry{Name: attackJ, Type: attack, Size: -1, Modified: now.AddDate(-900, 0, 0)}, globus.Entry{Type: globus.EntryDir})
	badFiles.Collection, badFiles.Path, badFiles.Offset = attack, "/"+attack+"//../", 100
	nowhereFiles := folder(globus.Entry{Name: "sub", Type: globus.EntryDir})
	nowhereFiles.Path = ""
	ticked := folder(globus.Entry{Name: "here", Type: globus.EntryFile}, globus.Entry{Name: "other", Type: globus.EntryFile}, globus.Entry{Name: "link", Type: "invalid_symlink"})
	ticked.Chosen, ticked.Sort = components.Sending{From: subject, Items: []string{"here", "50%\n", "far/"}, To: subject, Folder: "/x/", Label: "Mine"}, components.SortNewest
	beyondFiles := folder()
	beyondFiles.Offset = 100
	return map[string]templ.Component{
		"FolderList/files":   components.FolderList(files),
		"FolderList/empty":   components.FolderList(folder()),
		"FolderList/beyond":  components.FolderList(beyondFiles),
		"FolderList/no path": components.FolderList(nowhereFiles),
		"FolderList/ticked":  components.FolderList(ticked),
		"FolderList/hostile": components.FolderList(badFiles),
	}
}

func folder(entries ...globus.Entry) components.Folder {
	return components.Folder{Site: site, Collection: subject, Path: "/home/my files/", Entries: entries, Now: now}
}

func TestFolderList(t *testing.T) {
	lookAt(t, []look{
		{"FolderList/files", []string{`id="browse"`, `href="/app/files/` + subject + `?path=%2F"`, `?path=%2Fhome%2F"`, `<span aria-current="page"><bdi>my files</bdi></span>`,
			`href="/app/files/` + subject + `?path=%2Fhome%2Fmy+files%2Fper%2520cent%3F%23%26%3D%2B%2F"`, `<bdi class="name">per%20cent?#&amp;=+</bdi>`, `datetime="2026-03-04T11:00:00Z"`, `<bdi class="name"> two  blanks </bdi>`, ">1.2 kB<",
			`id="browse-next"`, `?offset=100&amp;path=%2Fhome%2Fmy+files%2F"`, "https://app.globus.org/file-manager?origin_id=" + subject}, []string{"4.1 kB", `id="browse-first"`, "0001-"}},
		{"FolderList/ticked", []string{`value="here" aria-label="here" checked`, `value="other" aria-label="other">`, `id="browse-elsewhere"`, `value="50%25%0A" checked`, `value="far/" checked`, ">3 ticked<", "2 items ticked",
			`name="to" value="` + subject + `"`, `name="folder" value="/x/"`, `name="label" value="Mine"`, `<option value="newest" selected`, `id="browse-everything" class="tick" name="item" type="checkbox" value="/">`}, []string{`aria-label="link"`}},
		{"FolderList/empty", []string{`id="browse-empty"`}, []string{`class="rows"`, `id="browse-next"`, `id="browse-send-to"`}},
		{"FolderList/beyond", []string{`id="browse-beyond"`, `id="browse-first"`}, []string{`id="browse-empty"`}},
		{"FolderList/no path", []string{`<bdi class="name">sub</bdi>`, `<span aria-current="page"><bdi>`}, []string{"origin_path", "hx-get", "browse-send-to", `name="item"`}},
		{"FolderList/hostile", []string{"<bdi class=\"name\">&#34;&gt;&lt;script&gt;", "/app/files/%22%3E%3Cscript%3E"}, []string{"<img", "<script"}},
	})
	wantIsolated(t, "FolderList/hostile")
}
