package globustest

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// The collections of the demo people.
const (
	beamline    = "Example Light Source, beamline 7"
	storage     = "Example University Research Storage"
	cluster     = "Example Supercomputer scratch"
	laptop      = "Rosalind's laptop"
	archive     = "Tape archive"
	workstation = "Workstation in room 51"
	shared      = "Diffraction, shared by Ada"
	reference   = "Public reference data"
	stick       = "Small project space"
	maintained  = "Example Observatory"
	gone        = "Old file server"
)

// DemoCollections returns the collections of the demo people's tasks, with the same ids, and
// others. Everybody can find
//
//   - "Example Light Source, beamline 7", a guest collection;
//   - "Example University Research Storage", a mapped collection that needs data_access;
//   - "Example Supercomputer scratch", which requires an identity of example.edu and a
//     second factor, and "Tape archive", which requires one of lab.example.org;
//   - "Public reference data", which is read-only, with a folder of 1,500 files, one that
//     nobody can open, and the files of DemoIndexes, which everybody can read over HTTPS;
//   - "Small project space", which has a quota of 100 MB;
//   - "Example Observatory", which is paused.
//
// Rosalind owns "Rosalind's laptop", which is offline, and "Workstation in room 51", which
// is online. Ada shares "Diffraction, shared by Ada" with her. "Old file server" was deleted,
// but Rosalind still has a bookmark of it.
func DemoCollections() []Collection {
	return []Collection{
		{
			ID: nameUUID(beamline), Name: beamline, Organization: "Example Light Source", Contact: "beamline7@example.org",
			Description: "Detector images of the last runs", Keywords: "x-ray,diffraction", Files: beamlineFiles(),
		},
		{
			ID: nameUUID(storage), Name: storage, DataAccess: true, Organization: "Example University", Contact: "storage@example.edu",
			Description: "Home directories and project folders", Files: []File{
				file("/home/notes.txt", 2*kB, day), file("/home/drafts/", 0, 30*day), file("/shared/photo51.tif", 48*mB, 90*day),
			},
		},
		{ID: nameUUID(cluster), Name: cluster, Domains: []string{"example.edu"}, MFA: true, Organization: "Example University", Files: []File{
			file("/scratch/run-1.out", 7*gB, time.Hour), file("/scratch/run-2.out", 9*gB, time.Minute),
		}},
		{ID: nameUUID(archive), Name: archive, Domains: []string{"lab.example.org"}, Organization: "Example Laboratory", Files: []File{
			file("/1952/tape-1.tar", 2*tB, 400*day),
		}},
		{ID: nameUUID(laptop), Name: laptop, Type: PersonalCollection, Owner: "rosalind", SharedWith: []string{}, Offline: true, Home: "/Users/rosalind/", Files: []File{
			file("/Users/rosalind/thesis.tex", 300*kB, day),
		}},
		{ID: nameUUID(workstation), Name: workstation, Type: PersonalCollection, Owner: "rosalind", SharedWith: []string{}, Home: "/home/rosalind/", Files: []File{
			file("/home/rosalind/README.txt", kB, 3*day), file("/home/rosalind/data/", 0, day),
		}},
		{
			ID: nameUUID(shared), Name: shared, Owner: "ada", SharedWith: []string{"rosalind"}, Organization: "Example University",
			Description: "What we talked about on Monday", Files: []File{
				file("/frames/good.tif", 20*mB, 2*day), {Path: "/frames/damaged.tif", Size: 20 * mB, Ago: 2 * day, Garbled: 2},
			},
		},
		{
			ID: nameUUID(reference), Name: reference, ReadOnly: true, AnonymousRead: true, Closed: []string{"/private/"}, Organization: "Example Data Centre",
			Description: "Open to everybody, for reading", Keywords: "reference,open data", Files: slices.Clone(referenceFiles()),
		},
		{ID: nameUUID(stick), Name: stick, Quota: 100 * mB, Description: "100 MB, and no more", Files: []File{file("/in/", 0, day)}},
		{ID: nameUUID(maintained), Name: maintained, Type: MappedCollection, DataAccess: true, Paused: "New disks until Friday", Contact: "help@observatory.example", Files: []File{
			file("/nights/2026-01-01.fits", gB, day),
		}},
		{ID: nameUUID(gone), Name: gone, Deleted: true},
	}
}

func file(path string, size int64, ago time.Duration) File {
	return File{Path: path, Size: size, Ago: ago}
}

// beamlineFiles have names that a page of a directory must be able to show.
func beamlineFiles() []File {
	return []File{
		file("/README.txt", 1*kB, 40*day),
		file("/photo51/exposure-01.tif", 48*mB, 10*day),
		file("/photo51/exposure-02.tif", 49*mB, 10*day),
		file("/photo51/raw/frame 1 & 2.h5", 3*gB, 11*day),
		file("/empty/", 0, day),
		file("/odd names/<script>alert(1)<", 1, day),
		file("/odd names/per%20cent?#&=+", 2, day),
		file("/odd names/\u202eevil.txt", 3, day),
		file("/odd names/.hidden", 4, day),
		file("/odd names/ü.dat", 0, day),
	}
}

// referenceFiles are made once: the caller must not change them.
var referenceFiles = sync.OnceValue(func() []File {
	files := []File{file("/LICENSE.txt", 7*kB, 300*day), file("/private/keys.txt", kB, day)}
	for i := range 1500 {
		files = append(files, file(fmt.Sprintf("/frames/frame-%04d.tif", i), int64(i)*kB, time.Duration(i)*time.Hour))
	}
	return append(files, datasetFiles()...)
})

func rosalindsBookmarks() []Bookmark {
	return []Bookmark{
		{Name: "Photo 51", Collection: nameUUID(beamline), Path: "/photo51/", Pinned: true},
		{Name: "My project folder", Collection: nameUUID(storage), Path: "/home/"},
		{Name: "<b>Old</b> & \"gone\"", Collection: nameUUID(gone), Path: "/"},
	}
}
