package globustest

import (
	"strings"
	"time"

	"example.org/portal/globus"
)

// The identity providers of the demo people. That of Globus ID is the real one.
const (
	campusProvider   = "0dc3a1f0-6f5b-4a43-9d0e-5b1f2f6a7c01"
	orcidProvider    = "0dc3a1f0-6f5b-4a43-9d0e-5b1f2f6a7c02"
	googleProvider   = "0dc3a1f0-6f5b-4a43-9d0e-5b1f2f6a7c03"
	labProvider      = "0dc3a1f0-6f5b-4a43-9d0e-5b1f2f6a7c04"
	globusIDProvider = "41143743-f3c8-4d60-bbdb-eeecaba85bd9"
	clientsProvider  = "0dc3a1f0-6f5b-4a43-9d0e-5b1f2f6a7c05"
)

// DemoPeople returns three people: one with a single identity ("rosalind"), one with five
// linked identities ("ada"), and one whose name has markup and right-to-left text
// ("markup"). Their subs never change. Rosalind has 25 tasks at Globus Transfer, one of which
// succeeds 40 seconds after her first request; Ada has five, "markup" three. Rosalind is a
// member of the group DemoLab, and so is Ada by a linked identity; "markup" has asked to
// join it.
func DemoPeople() []Person {
	return []Person{
		{
			Key:   "rosalind",
			About: "Plain: one identity, everything filled in",
			Claims: Claims{
				Sub:                         "7a1c2e40-3b5d-4f6e-8a90-1920072501aa",
				Name:                        new("Rosalind Franklin"),
				Email:                       new("rosalind@example.edu"),
				Organization:                new("Example University"),
				PreferredUsername:           new("rosalind@example.edu"),
				IdentityProvider:            new(campusProvider),
				IdentityProviderDisplayName: new("Example University"),
			},
			Tasks:     rosalindsTasks(),
			Bookmarks: rosalindsBookmarks(),
			Groups:    rosalindsGroups(),
		},
		{
			Key:   "ada",
			About: "Five linked identities, most of them with gaps",
			Claims: Claims{
				Sub:                         "7a1c2e40-3b5d-4f6e-8a90-1815121001aa",
				Name:                        new("Ada Lovelace"),
				Email:                       new("ada@example.edu"),
				Organization:                new("Example University"),
				PreferredUsername:           new("ada@example.edu"),
				IdentityProvider:            new(campusProvider),
				IdentityProviderDisplayName: new("Example University"),
				Linked:                      adasOtherIdentities(),
			},
			Tasks:  adasTasks(),
			Groups: adasGroups(),
		},
		{
			Key:   "markup",
			About: "HTML, quotes and right-to-left text in the name",
			Claims: Claims{
				Sub:                         "7a1c2e40-3b5d-4f6e-8a90-2718281801aa",
				Name:                        new("<script>alert(1)</script> & \"سلمى\" \u202eevil"),
				Email:                       new("salma+\"quoted\"@example.org"),
				Organization:                new("O'Reilly & <b>Daughters</b>"),
				PreferredUsername:           new("salma@example.org"),
				IdentityProvider:            new(labProvider),
				IdentityProviderDisplayName: new("<i>Example Laboratory</i>"),
			},
			Tasks:  markupTasks(),
			Groups: markupGroups(),
		},
	}
}

// SubOnly returns a person ("sub-only") about whom an app learns only the sub, even with the
// scope profile: the other claims are null or missing. Globus is not known to do that,
// because it has a user name for everybody, so DemoPeople lacks this person. Use it to test
// an app with as few claims as OpenID Connect allows.
func SubOnly() Person {
	return Person{
		Key:   "sub-only",
		Label: "Someone with only an id",
		About: "No name, no e-mail address, no user name: null, or not sent at all",
		Claims: Claims{
			Sub:    "7a1c2e40-3b5d-4f6e-8a90-0000000001aa",
			Absent: []string{"organization", "preferred_username", "identity_set", "last_authentication"},
		},
	}
}

func adasOtherIdentities() []LinkedIdentity {
	return []LinkedIdentity{
		{
			Sub:                         "7a1c2e40-3b5d-4f6e-8a90-1815121002aa",
			Username:                    "0000-0001-2345-6789@orcid.org",
			IdentityProvider:            orcidProvider,
			IdentityProviderDisplayName: "ORCID",
		},
		{
			Sub:                         "7a1c2e40-3b5d-4f6e-8a90-1815121003aa",
			Username:                    "ada@globus.org@accounts.google.com",
			Email:                       new("ada@globus.org"),
			IdentityProvider:            googleProvider,
			IdentityProviderDisplayName: "Google",
		},
		{
			Sub:                         "7a1c2e40-3b5d-4f6e-8a90-1815121004aa",
			Username:                    "ada@globusid.org",
			Email:                       new("ada@example.edu"),
			IdentityProvider:            globusIDProvider,
			IdentityProviderDisplayName: "Globus ID",
		},
		{
			Sub:                         "7a1c2e40-3b5d-4f6e-8a90-1815121005aa",
			Username:                    "lovelace@lab.example.org",
			Email:                       new("lovelace@lab.example.org"),
			IdentityProvider:            labProvider,
			IdentityProviderDisplayName: "Example Laboratory",
		},
	}
}

const (
	day = 24 * time.Hour
	kB  = int64(1000)
	mB  = 1000 * kB
	gB  = 1000 * mB
	tB  = 1000 * gB
)

// rosalindsTasks has what a page of tasks must be able to show. Two are ACTIVE: the first,
// which makes progress, and the last, which stays paused.
func rosalindsTasks() []Task {
	tasks := []Task{
		{
			Status: globus.TaskActive, Label: "Photo 51, all exposures", Source: beamline, Destination: storage,
			Ago: 20 * time.Second, Takes: time.Minute,
			Files: 1234, Directories: 24, Bytes: 48 * gB, Nice: "OK", NiceWords: "OK",
		},
		{
			Status: globus.TaskInactive, Label: "Needs a new login at the cluster", Source: cluster, Destination: storage,
			Ago: 3 * time.Hour, Files: 800, Directories: 2, Bytes: 90 * gB, Done: 0.25,
			Nice: "AUTH", NiceWords: "credentials expired", Edit: set("nice_status_expires_in", 0),
		},
		{
			Status: globus.TaskFailed, Label: "To the full disk", Source: storage, Destination: laptop,
			Ago: 5 * time.Hour, Takes: 30 * time.Minute, Files: 60, Directories: 1, Bytes: 2 * tB, Faults: 12, Done: 0.6,
			FatalError: &globus.FatalError{Code: "QUOTA_EXCEEDED", Description: "The destination has no space left"},
		},
		{
			Label: "With faults on the way", Source: cluster, Destination: storage,
			Ago: 7 * time.Hour, Takes: 3 * time.Hour, Files: 151_957, Directories: 31_722, Skipped: 55_510, Bytes: 27 * tB, Faults: 2083,
		},
		{Type: deleteType, Label: "Tidy up scratch", Source: cluster, Ago: 9 * time.Hour, Takes: 40 * time.Second, Files: 4096, Directories: 64},
		{Source: laptop, Destination: storage, Ago: 11 * time.Hour, Takes: 2 * time.Second, Files: 1, Bytes: 137 * kB}, // no label
		{
			Label:  strings.TrimSpace(strings.Repeat("a label as long as Globus allows ", 4))[:128],
			Source: storage, Destination: cluster, Ago: 26 * time.Hour, Takes: 8 * time.Minute, Files: 20, Bytes: 700 * mB,
		},
		{
			Label:  "<script>alert('label')</script> & \"quotes\"",
			Source: `<img src=x onerror="alert(1)">`, Destination: storage,
			Ago: 27 * time.Hour, Takes: time.Minute, Files: 2, Bytes: 5 * mB,
		},
		{
			Label:  "نقل صور الأشعة \u202egpj.exe",
			Source: "مختبر المثال", Destination: storage,
			Ago: 28 * time.Hour, Takes: time.Minute, Files: 51, Bytes: 510 * mB,
		},
		{
			Label: "More bytes than a float64 can count", Source: storage, Destination: archive,
			Ago: 60 * day, Takes: 45 * day, Files: 41_000_000, Directories: 900_000, Bytes: 1<<53 + 1,
		},
		{Label: "Empty files", Source: laptop, Destination: storage, Ago: 2 * day, Takes: time.Second, Files: 3},
		{Source: laptop, Destination: storage, Ago: 3 * day, Takes: time.Second, Files: 1, Bytes: 1, Edit: set("label", "")},
		{
			Status: globus.TaskFailed, Label: "Called off by the source", Source: cluster, Destination: laptop,
			Ago: 4 * day, Takes: time.Hour, Files: 10, Bytes: 10 * gB,
			FatalError: &globus.FatalError{Code: "CANCELED", Description: "The task was canceled"},
			Edit:       Edit{Set: map[string]any{"canceled_by_admin": "SOURCE", "canceled_by_admin_message": "Maintenance <tonight>"}},
		},
	}
	for night := range 11 {
		tasks = append(tasks, Task{
			Label: "Nightly copy", Source: laptop, Destination: storage,
			Ago: time.Duration(night+1)*day + 30*time.Minute, Takes: 4 * time.Minute,
			Files: int64(300 - night), Directories: 12, Skipped: int64(280 - night), Bytes: int64(20-night) * mB,
			Edit: set("sync_level", 3),
		})
	}
	return append(tasks, Task{
		Status: globus.TaskActive, Label: "Paused for maintenance", Source: storage, Destination: archive, Ago: 20 * day,
		Files: 5000, Directories: 40, Bytes: 6 * tB, Done: 0.4, Paused: true, Nice: "PAUSED_BY_ADMIN", NiceWords: "paused by administrator",
		Edit: set("nice_status_expires_in", "2030-01-01T00:00:00+00:00"),
	})
}

func adasTasks() []Task {
	return []Task{
		{Label: "Note G", Source: "Analytical engine", Destination: storage, Ago: 10 * time.Minute, Takes: 3 * time.Second, Files: 25, Bytes: 88 * kB},
		{Label: "Bernoulli numbers", Source: storage, Destination: cluster, Ago: day, Takes: time.Hour, Files: 1843, Bytes: 3 * gB},
		{Type: deleteType, Source: cluster, Ago: 2 * day, Takes: time.Second, Files: 7},
		{
			Status: globus.TaskFailed, Label: "Punched cards", Source: archive, Destination: storage,
			Ago: 3 * day, Takes: time.Minute, Files: 100, Bytes: 8 * kB, Faults: 1,
			FatalError: &globus.FatalError{Code: "ENDPOINT_ERROR", Description: "The endpoint could not be reached"},
		},
		{Source: archive, Destination: storage, Ago: 40 * day, Takes: day, Files: 1, Bytes: 9 * tB},
	}
}

func markupTasks() []Task {
	return []Task{
		{
			Label: "</td></tr></table><h1>gone</h1>", Source: "<b>bold</b> & co", Destination: "'; DROP TABLE tasks; --",
			Ago: time.Hour, Takes: time.Minute, Files: 1, Bytes: kB,
		},
		{
			Status: globus.TaskFailed, Label: "{{.Secret}} ${7*7} %s", Source: storage, Destination: archive,
			Ago: 2 * time.Hour, Takes: time.Minute, Files: 1, Bytes: kB,
			FatalError: &globus.FatalError{Code: "<b>", Description: "<script>alert('fatal')</script>"},
		},
		{
			Status: globus.TaskInactive, Label: "\u202eسلمى\u202c \u2066left\u2069 \u200f", Source: storage, Destination: archive,
			Ago: 3 * time.Hour, Files: 9, Bytes: kB, Done: 0.5, Nice: "<i>NICE</i>", NiceWords: "<script>alert('nice')</script>",
		},
	}
}

func set(name string, value any) Edit { return Edit{Set: map[string]any{name: value}} }
