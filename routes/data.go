package routes

import (
	"example.org/portal/globus"
	"example.org/portal/routes/search"
)

// data is the index of the page Find data: that of the demo. Put in the ID of your own, and
// what your records have; without Fields, Facets and Sorts it works, too.
var data = search.Index{
	ID:    "5ea2c400-1a2b-4c3d-8e4f-60726f757001",
	Title: "Find data",
	Fields: []search.Field{
		{Path: "creators.name", Label: "By"},
		{Path: "taken", Kind: search.Date},
		{Path: "site.name", Label: "Site"},
		{Path: "bytes", Label: "Size", Kind: search.Bytes},
		{Path: "depth_cm", Label: "Depth", Kind: search.Number, Unit: "cm"},
		{Path: "landing", Label: "More at", Kind: search.Link},
	},
	Facets: []search.Facet{
		{Field: "site.region", Label: "Region"},
		{Field: "keywords", Label: "Keyword", All: true},
		{Field: "taken", Label: "Taken", Kind: search.Dates},
		{Field: "depth_cm", Label: "Depth", Kind: search.Numbers, Low: 0, High: 300, Steps: 6, Unit: "cm"},
		{Field: "license", Label: "License"},
		{Field: "open", Label: "Open access", Kind: search.YesNo},
	},
	Sorts: []search.Sort{
		{Label: "Newest first", Field: "taken", Descending: true},
		{Label: "Oldest first", Field: "taken"},
		{Label: "Largest first", Field: "bytes", Descending: true},
	},
	Boosts: []globus.SearchBoost{{Field: "title", Factor: 3}},
	Cite:   &search.Citation{Title: "title", Creators: "creators.name", Date: "taken"},
	HTTPSServers: map[string]string{
		"c3132a69-7f75-4e73-ab76-fb0625fa217c": "g-3ea4da4c.data.example.org",
	},
	Files: func(r search.Record) (files []search.File) {
		paths := r.Values("files.path")
		for i, collection := range r.Values("files.collection") {
			id, _ := collection.(string)
			if path, ok := paths[min(i, len(paths)-1)].(string); ok {
				files = append(files, search.File{Collection: id, Path: path})
			}
		}
		return files
	},
}
