package settings

import (
	"runtime/debug"
	"testing"
)

// TestBuild: the version names the commit, however the program was built.
func TestBuild(t *testing.T) {
	t.Parallel()
	const hash, date = "4041c0b9e1d2a5a4a3a2a1a09f9e9d9c9b9a9908", "2026-11-21T21:38:00Z"
	stamped := []debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: hash}, {Key: "vcs.time", Value: date}, {Key: "vcs.modified", Value: "false"}}
	modified := append(stamped[:3:3], debug.BuildSetting{Key: "vcs.modified", Value: "true"})
	const plain = "$Format:%H %cI$\n" // archive.txt in a checkout
	tests := []struct {
		name            string
		stamps          []debug.BuildSetting
		version         string
		commit, archive string
		want            string
	}{
		{"go build in a checkout", stamped, "v0.0.0-20261121213800-4041c0b9e1d2", "", plain, "4041c0b9e1d2 (2026-11-21)"},
		{"of files that were changed", modified, "v0.0.0-20261121213800-4041c0b9e1d2+dirty", "", plain, "4041c0b9e1d2 (2026-11-21, modified)"},
		{"of files that were changed, and told", modified, "(devel)", hash + " " + date, plain, "4041c0b9e1d2 (2026-11-21, modified)"},
		{"without git, and told", nil, "(devel)", hash + " 2026-11-21T22:38:00+01:00", plain, "4041c0b9e1d2 (2026-11-21)"},
		{"told the hash alone", nil, "(devel)", hash, plain, "4041c0b9e1d2"},
		{"go install of a version", nil, "v1.2.3", "", plain, "v1.2.3"},
		{"in an archive", nil, "(devel)", "", hash + " " + date + "\n", "4041c0b9e1d2 (2026-11-21, from an archive)"},
		{"in a checkout made of an archive", stamped, "(devel)", "", "0000000000000000000000000000000000000000 " + date + "\n", "4041c0b9e1d2 (2026-11-21)"},
		{"go run", nil, "(devel)", "", plain, "development"},
		{"nothing is known", nil, "", "", plain, "development"},
	}
	for _, test := range tests {
		info := &debug.BuildInfo{Main: debug.Module{Version: test.version}, Settings: test.stamps}
		if got := newBuild(info, test.commit, test.archive).String(); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}
