package settings

import "runtime/debug"

// Version names the commit that the program was built from, such as
// "4041c0b9e1d2", or "4041c0b9e1d2, modified" if the files differed from it. It is
// "development" if the build did not record a commit, as with go run.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "development"
	}
	var revision, modified string
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = ", modified"
		}
	}
	if revision == "" {
		return "development"
	}
	return revision + modified
}
