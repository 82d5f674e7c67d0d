package globustest

import (
	"errors"
	"strings"
	"time"
)

// A Collection is a place with files, of which Globus Transfer lists what is in a
// directory.
type Collection struct {
	ID    string // a UUID, each their own; required
	Name  string // for people
	Files []File // and directories; nil: it is empty

	// DataAccess: Transfer lists nothing until the person has allowed the app the
	// scope data_access of this collection.
	DataAccess bool

	// Transfer lists nothing, and says so with 502, until the session of the person
	// with the app has an identity of one of Domains and, with MFA, a second
	// factor. Neither: any session will do.
	Domains []string
	MFA     bool
}

// A File is a file, or an empty directory, in a Collection.
type File struct {
	Path string        // such as /photo51/one.tif; with a slash at its end, a directory. Directories above a file are there of themselves
	Size int64         // in bytes
	Ago  time.Duration // since it was changed; 0: just now
}

func checkCollections(all []Collection) error {
	seen := map[string]bool{}
	for _, c := range all {
		if !uuidForm.MatchString(c.ID) || seen[c.ID] {
			return errors.New("globustest: every collection needs a UUID of its own")
		}
		seen[c.ID] = true
		for _, f := range c.Files {
			if !strings.HasPrefix(f.Path, "/") || strings.Contains(f.Path, "//") {
				return errors.New("globustest: the path of a file is like /a/b")
			}
		}
	}
	return nil
}

// DemoCollections returns four of the collections that the demo people's tasks
// are about, under the ids that they have there: "Example Light Source, beamline 7",
// open to all; "Example University Research Storage", which wants data_access;
// "Example Supercomputer scratch", which wants an identity of example.edu and a
// second factor; and "Tape archive", which wants an identity of lab.example.org.
func DemoCollections() []Collection {
	return []Collection{
		{ID: nameUUID(beamline), Name: beamline, Files: beamlineFiles()},
		{ID: nameUUID(storage), Name: storage, DataAccess: true, Files: []File{
			{"/home/notes.txt", 2 * kB, day}, {"/home/drafts/", 0, 30 * day}, {"/shared/photo51.tif", 48 * mB, 90 * day},
		}},
		{ID: nameUUID(cluster), Name: cluster, Domains: []string{"example.edu"}, MFA: true, Files: []File{
			{"/scratch/run-1.out", 7 * gB, time.Hour}, {"/scratch/run-2.out", 9 * gB, time.Minute},
		}},
		{ID: nameUUID(archive), Name: archive, Domains: []string{"lab.example.org"}, Files: []File{
			{"/1952/tape-1.tar", 2 * tB, 400 * day},
		}},
	}
}

// beamlineFiles have what a page of a directory may meet.
func beamlineFiles() []File {
	return []File{
		{"/README.txt", 1 * kB, 40 * day},
		{"/photo51/exposure-01.tif", 48 * mB, 10 * day},
		{"/photo51/exposure-02.tif", 49 * mB, 10 * day},
		{"/photo51/raw/frame 1 & 2.h5", 3 * gB, 11 * day},
		{"/empty/", 0, day},
		{"/odd names/<script>alert(1)<", 1, day},
		{"/odd names/per%20cent?#&=+", 2, day},
		{"/odd names/\u202eevil.txt", 3, day},
		{"/odd names/.hidden", 4, day},
		{"/odd names/ü.dat", 0, day},
	}
}
