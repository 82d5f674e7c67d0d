package globustest

// The identity providers of the demo people. That of Globus ID is the real one.
const (
	campusProvider   = "0dc3a1f0-6f5b-4a43-9d0e-5b1f2f6a7c01"
	orcidProvider    = "0dc3a1f0-6f5b-4a43-9d0e-5b1f2f6a7c02"
	googleProvider   = "0dc3a1f0-6f5b-4a43-9d0e-5b1f2f6a7c03"
	labProvider      = "0dc3a1f0-6f5b-4a43-9d0e-5b1f2f6a7c04"
	globusIDProvider = "41143743-f3c8-4d60-bbdb-eeecaba85bd9"
)

// DemoPeople returns four people, each of whom has broken some app before: one
// plain ("rosalind"), one with five linked identities ("ada"), one of whom
// nothing is known ("sub-only"), one whose name is markup and runs both ways
// ("markup"). Their subs never change. Rosalind has 25 tasks at Globus Transfer,
// one of which succeeds 40 seconds after she is first shown it; Ada has five,
// "markup" three, "sub-only" none. Rosalind is in the group DemoLab, Ada too, by
// one of her linked identities; "markup" has asked to join it, and "sub-only" has
// nothing to do with groups.
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
			Tasks:  rosalindsTasks(),
			Groups: rosalindsGroups(),
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
			Key:   "sub-only",
			Label: "Someone with only an id",
			About: "No name, no e-mail address, no user name: null, or not sent at all",
			Claims: Claims{
				Sub:    "7a1c2e40-3b5d-4f6e-8a90-0000000001aa",
				Absent: []string{"organization", "preferred_username", "identity_set", "last_authentication"},
			},
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
