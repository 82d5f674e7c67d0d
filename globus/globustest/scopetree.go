package globustest

import (
	"slices"
	"strings"
)

// splitScopes splits what an app asks for at the blanks that are outside of
// brackets.
func splitScopes(asked string) []string {
	var parts []string
	depth, from := 0, 0
	for i, c := range asked + " " {
		switch {
		case c == '[':
			depth++
		case c == ']':
			depth--
		case c == ' ' && depth <= 0:
			if i > from {
				parts = append(parts, asked[from:i])
			}
			from = i + 1
		}
	}
	if from < len(asked) { // brackets that do not close
		parts = append(parts, asked[from:])
	}
	return parts
}

// dependents splits a scope such as transfer[*a *b] into its name and what it
// depends on. Transfer depends on the data_access of collections that want it,
// each of them optional, and on nothing else; nothing else depends on anything.
func (e *Emulator) dependents(text string) (name string, deps []scope, ok bool) {
	name, list, some := strings.Cut(text, "[")
	if !some {
		return name, nil, !strings.Contains(name, "]")
	}
	list, closed := strings.CutSuffix(list, "]")
	if !closed || list == "" || name != transferScope {
		return name, nil, false
	}
	for one := range strings.SplitSeq(list, " ") {
		i := slices.IndexFunc(e.collections, func(c Collection) bool { return c.DataAccess && one == "*"+c.dataAccess() })
		if i < 0 {
			return name, nil, false
		}
		deps = append(deps, scope{
			Name:  transferScope + "[*" + e.collections[i].dataAccess() + "]",
			Words: "Read and write your files in " + e.collections[i].Name,
		})
	}
	return name, deps, true
}

// dataAccess is the scope that lets Transfer at the files of c.
func (c Collection) dataAccess() string {
	return "https://auth.globus.org/scopes/" + c.ID + "/data_access"
}
