package settings

import (
	"cmp"
	_ "embed"
	"log/slog"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
)

// A Build says which source the program was built from.
type Build struct {
	Commit   string // its whole hash, or the version that `go install` was asked for; empty if it is unknown
	Date     string // when the commit was made, as in RFC 3339; may be empty
	Modified bool   // whether the files differed from the commit
	Archive  bool   // whether the source came as an archive, where nobody knows what was modified
}

// archive becomes "HASH DATE" in the archives that git and forges make, for which
// .gitattributes asks.
//
//go:embed archive.txt
var archive string

// ReadBuild reads what Go recorded of the commit. If it recorded none, commit counts,
// "HASH DATE", for builds where git is not at hand:
//
//	go build -ldflags "-X 'main.commit=$(git log -1 --format='%H %cI')'"
//
// and then what an archive says of itself.
func ReadBuild(commit string) Build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return newBuild(info, commit, archive)
}

func newBuild(info *debug.BuildInfo, commit, archive string) Build {
	var b Build
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Date = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	switch {
	case b.Commit != "":
	case commit != "":
		b.Commit, b.Date, _ = strings.Cut(commit, " ")
	case info.Main.Version != "" && info.Main.Version != "(devel)":
		b.Commit = info.Main.Version
	case !strings.HasPrefix(archive, "$"):
		b.Commit, b.Date, _ = strings.Cut(strings.TrimSpace(archive), " ")
		b.Archive = true
	}
	return b
}

// String returns such as "4041c0b9e1d2 (2026-11-21)", or "4041c0b9e1d2 (2026-11-21,
// modified)"; "development" if the commit is unknown, as with go run.
func (b Build) String() string {
	if b.Commit == "" {
		return "development"
	}
	var about []string
	if day, _, _ := strings.Cut(b.Date, "T"); day != "" {
		about = append(about, day)
	}
	if b.Modified {
		about = append(about, "modified")
	}
	if b.Archive {
		about = append(about, "from an archive")
	}
	if len(about) == 0 {
		return b.short()
	}
	return b.short() + " (" + strings.Join(about, ", ") + ")"
}

// short returns the twelve digits by which people name a commit; a version is whole.
func (b Build) short() string {
	if len(b.Commit) < 40 || strings.Trim(b.Commit, "0123456789abcdef") != "" {
		return b.Commit
	}
	return b.Commit[:12]
}

// Labels returns the same for the metric portal_build_info.
func (b Build) Labels() map[string]string {
	return map[string]string{
		"revision": cmp.Or(b.short(), "unknown"), "date": b.Date, "modified": strconv.FormatBool(b.Modified), "goversion": runtime.Version(),
	}
}

// LogStarting logs the same, as the first line of the log.
func (b Build) LogStarting(log *slog.Logger) {
	log.Info("starting", "version", b.String(), "commit", b.Commit, "commit_date", b.Date, "modified", b.Modified, "go", runtime.Version())
}
