package globustest

import (
	"fmt"
	"strings"

	"example.org/portal/globus"
)

// DemoIndex is the ID of the index of DemoIndexes.
const DemoIndex = "5ea2c400-1a2b-4c3d-8e4f-60726f757001"

// DemoIndexes returns one index, of 60 datasets of a field station. Everybody can find 48 of
// them, people who have signed in 4 more, members of DemoLab another 6, and Rosalind two of
// her own. They differ in which fields they have, and in whether a field has one value or a
// list. Rosalind owns the index, and Ada may write to it.
func DemoIndexes() []Index {
	ix := Index{ID: DemoIndex, Name: "Example Field Station", Description: "What the stations of Example University have measured", Owner: "rosalind", Writers: []string{"ada"}}
	for i := range 60 {
		ix.Entries = append(ix.Entries, demoDataset(i))
	}
	// A subject with two entries: the second is a note that only members of the lab see.
	ix.Entries = append(ix.Entries, IndexEntry{
		Subject: ix.Entries[3].Subject, ID: "note", VisibleTo: []string{globus.PrincipalGroup(DemoLab)},
		Content: map[string]any{"note": "The logger was replaced in the second week."},
	})
	return []Index{ix}
}

// A demoKind is what is measured in some of the datasets.
type demoKind struct {
	title, instrument, about, unit string
	keywords                       []string
}

var demoKinds = []demoKind{
	{"Soil moisture", "TDR probe", "Volumetric water content of the upper soil, every ten minutes.", "%", []string{"soil", "water", "drought"}},
	{"Peat core", "Corer", "Ash, carbon and pollen of a core, by depth.", "cm", []string{"peat", "carbon", "paleoclimate"}},
	{"Canopy temperature", "Thermal camera", "Temperature of the upper canopy, by day and by night.", "°C", []string{"forest", "temperature"}},
	{"Stream discharge", "Acoustic profiler", "Discharge of the stream at the weir, with gauge heights.", "m³/s", []string{"water", "flood"}},
	{"Bird song", "Microphone array", "Recordings from dawn to noon, with the species that were heard.", "kHz", []string{"birds", "sound", "biodiversity"}},
	{"Leaf spectra", "Spectrometer", "Reflectance of leaves from 350 to 2500 nm.", "nm", []string{"forest", "spectroscopy"}},
	{"Methane flux", "Eddy covariance tower", "Half-hourly exchange of methane and carbon dioxide.", "nmol/m²s", []string{"carbon", "peat", "atmosphere"}},
}

type demoSite struct {
	name, country, region string
	lat, lon              float64
}

var demoSites = []demoSite{
	{"Kakamega", "Kenya", "East Africa", 0.29, 34.86},
	{"Manú", "Peru", "Amazon", -12.26, -71.49},
	{"Šumava", "Czechia", "Central Europe", 49.05, 13.48},
	{"Hokkaidō (北海道)", "Japan", "East Asia", 43.22, 142.86},
	{"Abisko", "Sweden", "Arctic", 68.35, 18.82},
}

var demoPeopleNames = []string{"Cobb, Jane", "Otieno, Grace", "Quispe, Luz", "Nováková, Eva", "佐藤 健", "Lindqvist, Per"}

// demoDays have the ends of months, years and leap years.
var demoDays = []string{
	"2019-12-31", "2020-02-29", "2020-01-01", "2021-02-28", "2021-12-31T23:59:59Z", "2022-01-01T00:00:00Z", "2023-04-30", "2024-02-29", "2024-12-31", "2022-07-14",
	"2023-10-05", "2020-06-30",
}

func demoDataset(i int) IndexEntry {
	kind, site := demoKinds[i%len(demoKinds)], demoSites[i%len(demoSites)]
	taken := demoDays[i%len(demoDays)]
	place := func(collection, path string) any {
		return map[string]any{"collection": nameUUID(collection), "path": path}
	}
	files := []any{place(reference, fmt.Sprintf("/frames/frame-%04d.tif", i))}
	for _, name := range []string{"README.txt", "readings.csv", "readings.png"} {
		files = append(files, place(reference, "/datasets/"+kind.folder()+"/"+name))
	}
	if i%6 == 0 { // everybody can see the record, but not read the files
		files = []any{place(beamline, "/photo51/"), place(beamline, "/README.txt")}
	}
	content := map[string]any{
		"title":      fmt.Sprintf("%s at %s, %s", kind.title, site.name, taken[:4]),
		"abstract":   kind.about,
		"creators":   []any{map[string]any{"name": demoPeopleNames[i%len(demoPeopleNames)]}, map[string]any{"name": demoPeopleNames[(i+2)%len(demoPeopleNames)]}},
		"instrument": kind.instrument,
		"keywords":   toList(kind.keywords),
		"site":       map[string]any{"name": site.name, "country": site.country, "region": site.region, "point": fmt.Sprintf("%g, %g", site.lat, site.lon)},
		"taken":      taken,
		"depth_cm":   float64(i*i%300) + 0.5,
		"bytes":      int64(i+1) * int64(i+1) * 7_654_321,
		"open":       i%4 != 3,
		"license":    "CC-BY-4.0",
		"landing":    fmt.Sprintf("https://data.example.org/datasets/%d", i),
		"files":      files,
	}
	subject := fmt.Sprintf("https://doi.org/10.5072/efs.%04d", i)
	switch {
	case i%10 == 4:
		content["keywords"] = kind.keywords[0] // one value, and no list
		delete(content, "license")
	case i%10 == 7:
		subject = fmt.Sprintf("efs/%d?part=a&b=%%2F#core “%s”", i, strings.ToLower(kind.title))
		content["depth_cm"], content["license"] = nil, "CC0-1.0"
	case i == 59:
		delete(content, "title") // there are such records
	}
	e := IndexEntry{Subject: subject, Content: content}
	switch {
	case i >= 58:
		e.VisibleTo = []string{globus.PrincipalIdentity("7a1c2e40-3b5d-4f6e-8a90-1920072501aa")} // Rosalind
	case i >= 52:
		e.VisibleTo = []string{globus.PrincipalGroup(DemoLab)}
	case i >= 48:
		e.VisibleTo = []string{globus.PrincipalSignedIn}
	}
	return e
}

func toList(texts []string) (list []any) {
	for _, text := range texts {
		list = append(list, text)
	}
	return list
}
