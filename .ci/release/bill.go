package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// tool is the CycloneDX project's own writer.
const tool = "github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0"

// bill returns what a program is made of, as CycloneDX: Go and its modules, from the
// build info in the program, and the files in static/ of others, from the table in
// static/VENDOR.md of the project in source; each with its licence.
//
// The tool would find licences itself, but takes SQLite's and those of golang.org/x for
// others, and asks Go's proxy for the project, whose path may be nobody's business.
func bill(program, source string) ([]byte, error) {
	out, err := command(source, []string{"GOFLAGS="}, "go", "run", tool, "bin", "-json", "-std", "-noserial", "-notimestamp", program)
	if err != nil {
		return nil, err
	}
	var b map[string]any
	if err := json.Unmarshal([]byte(out), &b); err != nil {
		return nil, fmt.Errorf("what cyclonedx-gomod wrote: %w", err)
	}
	folders, err := moduleFolders(source)
	if err != nil {
		return nil, err
	}
	components, _ := b["components"].([]any)
	for _, c := range components {
		c, _ := c.(map[string]any)
		name, _ := c["name"].(string)
		id, err := licenseOf(folders[name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		c["licenses"] = licenses(id)
	}
	vendored, err := vendoredFiles(source)
	if err != nil {
		return nil, err
	}
	self := lookUp(b, "metadata", "component", "bom-ref")
	dependencies, _ := b["dependencies"].([]any)
	for _, v := range vendored {
		components = append(components, v)
		for _, d := range dependencies {
			if d, ok := d.(map[string]any); ok && d["ref"] == self {
				on, _ := d["dependsOn"].([]any)
				d["dependsOn"] = append(on, v["bom-ref"])
			}
		}
		dependencies = append(dependencies, map[string]any{"ref": v["bom-ref"]})
	}
	b["components"], b["dependencies"] = components, dependencies
	text, err := json.MarshalIndent(b, "", "  ")
	return append(text, '\n'), err
}

// moduleFolders returns where the modules of the project are, and Go's own library.
func moduleFolders(source string) (map[string]string, error) {
	root, err := command(source, nil, "go", "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	list, err := command(source, nil, "go", "list", "-m", "-f", "{{.Path}}\t{{.Dir}}", "all")
	if err != nil {
		return nil, err
	}
	folders := map[string]string{"std": strings.TrimSpace(root)}
	for line := range strings.Lines(list) {
		name, folder, _ := strings.Cut(strings.TrimSpace(line), "\t")
		folders[name] = folder
	}
	return folders, nil
}

// known are the licences of what we use, by words that only they have; the first that
// fits counts.
var known = []struct{ id, words string }{
	{"Apache-2.0", "Apache License Version 2.0, January 2004"},
	{"MIT", "Permission is hereby granted, free of charge"},
	{"BSD-3-Clause", "may be used to endorse or promote products"},
	{"BSD-2-Clause", "Redistribution and use in source and binary forms"},
}

// licenseOf returns the name, in SPDX's list, of the licence in a module's folder. Parts
// of it may have others; `portal -licenses` prints all.
func licenseOf(folder string) (string, error) {
	for _, name := range []string{"LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "COPYING"} {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			continue
		}
		for _, l := range known {
			if strings.Contains(strings.Join(strings.Fields(string(text)), " "), l.words) {
				return l.id, nil
			}
		}
	}
	return "", fmt.Errorf("%q has no licence that bill.go knows: name it there", folder)
}

// vendoredRow is one of the table in static/VENDOR.md: file, npm package, version,
// SHA-256 and licence.
var vendoredRow = regexp.MustCompile("(?m)^\\| `[^`]+`[^|]*\\| `([^`]+)` \\(npm\\) \\| (\\S+) \\| `([0-9a-f]{64})` \\| ([\\w.-]+)")

// vendoredFiles returns the components that are files in static/.
func vendoredFiles(source string) ([]map[string]any, error) {
	table, err := os.ReadFile(filepath.Join(source, "static", "VENDOR.md"))
	if os.IsNotExist(err) {
		return nil, nil // a copy whose owner has thrown htmx out
	}
	if err != nil {
		return nil, err
	}
	var all []map[string]any
	for _, row := range vendoredRow.FindAllStringSubmatch(string(table), -1) {
		purl := "pkg:npm/" + row[1] + "@" + row[2]
		all = append(all, map[string]any{
			"bom-ref": purl, "purl": purl, "type": "library", "name": row[1], "version": row[2],
			"hashes":   []any{map[string]any{"alg": "SHA-256", "content": row[3]}},
			"licenses": licenses(row[4]),
		})
	}
	return all, nil
}

// licenses returns a licence as CycloneDX has it, by its name in SPDX's list.
func licenses(id string) []any {
	return []any{map[string]any{"license": map[string]any{"id": id}}}
}

// lookUp returns the value at a path of keys, or nil.
func lookUp(v any, path ...string) any {
	for _, key := range path {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}
