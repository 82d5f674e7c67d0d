// Package globustest emulates Globus Auth, Globus Transfer as far as people use it,
// and a little of Groups: over real HTTP, for tests and for trying a portal out without an account.
//
// A program that works with Globus works with it unchanged: what Globus takes, it
// takes, and where that is not known, it takes what the RFCs allow, and notes what
// it ignored ([Emulator.Ignored]). [Config.Strict] refuses all that instead. Its
// answers have the shapes that Globus really sends, nulls and missing members
// included; where Globus has been seen to answer in two ways, the emulator answers
// in the awkward one. What is known of Globus, and from where, stands in
// testdata/facts, and a test holds the emulator to it.
//
// A test starts it as it would an httptest.Server:
//
//	auth := globustest.NewServer(globustest.Config{})
//	defer auth.Close()
//	auth.Register(globustest.Client{ID: "app", Secret: "s3cret", RedirectURIs: []string{app.URL + "/login"}})
//
// Its collections have files that change: transfers move them, as the clock goes, and
// meet faults. [Emulator.PassTime] lets tasks run on without waiting, and
// [Emulator.Change] switches a laptop off in the middle. Files and tasks are kept in
// memory, and begin anew with the process.
//
// A test says with [Emulator.Lie] what is to go wrong:
//
//	auth.Lie(globustest.Lie{Claims: globustest.Edit{Drop: []string{"nonce"}}})
package globustest

import (
	"cmp"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"example.org/portal/globus"
)

// The paths of the emulator's endpoints, the same as those of Globus Auth.
const (
	DiscoveryPath = "/.well-known/openid-configuration"
	KeysPath      = "/jwk.json"
	AuthorizePath = "/v2/oauth2/authorize"
	TokenPath     = "/v2/oauth2/token"
	UserInfoPath  = "/v2/oauth2/userinfo"
	RevokePath    = "/v2/oauth2/token/revoke"
	LogoutPath    = "/v2/web/logout"

	IntrospectPath = "/v2/oauth2/token/introspect"

	IdentitiesPath = "/v2/web/identities"
	ConsentsPath   = "/v2/web/consents"
	AuthCodePath   = "/v2/web/auth-code" // the redirect URI of programs that have none of their own

	// The API for identities, which names it like the pages above.
	GetIdentitiesPath     = "/v2/api/identities" // an id may follow, and /consents after it; they count as this one for Lie and Requests
	IdentityProvidersPath = "/v2/api/identity_providers"
)

// The paths of the endpoints of Globus Transfer, the same as there, but on the
// emulator's one host.
const (
	TransferPath = "/v0.10" // what the others begin with: a base URL is the issuer and this
	TaskListPath = TransferPath + "/task_list"
	TaskPath     = TransferPath + "/task/"               // a task's id follows; as it stands, for Lie and Requests, it means all tasks
	ListPath     = TransferPath + "/operation/endpoint/" // a collection's id and /ls follow; as it stands, all collections

	// In these, * stands for the id of a task; as they stand, they mean all tasks.
	CancelPath              = TransferPath + "/task/*/cancel"
	EventListPath           = TransferPath + "/task/*/event_list"
	SuccessfulTransfersPath = TransferPath + "/task/*/successful_transfers"
	SkippedErrorsPath       = TransferPath + "/task/*/skipped_errors"
	PauseInfoPath           = TransferPath + "/task/*/pause_info"

	SubmissionIDPath   = TransferPath + "/submission_id"
	SubmitTransferPath = TransferPath + "/transfer"
	SubmitDeletePath   = TransferPath + "/delete"

	// In these, * stands for the id of a collection.
	MkdirPath  = TransferPath + "/operation/endpoint/*/mkdir"
	RenamePath = TransferPath + "/operation/endpoint/*/rename"
	StatPath   = TransferPath + "/operation/endpoint/*/stat"

	CollectionPath   = TransferPath + "/endpoint/" // a collection's id follows; as it stands, all collections
	SearchPath       = TransferPath + "/endpoint_search"
	BookmarkListPath = TransferPath + "/bookmark_list"
	BookmarkPath     = TransferPath + "/bookmark" // to make one; with /* after it, those that there are
)

// The paths of the endpoints of Globus Groups, likewise.
const (
	GroupsPath   = "/v2" // what the other begins with
	MyGroupsPath = GroupsPath + "/groups/my_groups"
)

// A Config says what an Emulator knows at its start.
type Config struct {
	// Issuer is the base URL as browsers and apps reach the emulator, such as
	// http://127.0.0.1:8890, without a path or a slash at its end. New requires
	// it; NewServer fills it in if it is empty.
	Issuer string

	// Clients are the registered apps. None: nobody may sign in until Register
	// is called.
	Clients []Client

	// Scopes are those that apps may ask for beside the well-known ones of Globus's
	// services, and data_access and https of Collections. Nil: no others.
	Scopes []Scope

	// Strict refuses what Globus ignores, or may ignore, and so hides from those who
	// test: unknown parameters, authorization requests without state or PKCE, and
	// spellings that some clients have and others do not. False: they are accepted,
	// and noted where they mean nothing.
	Strict bool

	// People are those to choose from. Nil: DemoPeople().
	People []Person

	// Collections are where Transfer finds files, and moves them. Nil:
	// DemoCollections().
	Collections []Collection

	// StateFile names the JSON file that outlives the process: signing key,
	// tokens, consents and single sign-on sessions. It is written whole at every
	// change, so a process that is killed goes on where it was; codes, and apps
	// that Register added, are lost, and so is what was done with files, tasks and
	// bookmarks. It holds the private key, and only hashes of
	// what a browser or an app holds. One process at a time may use it. Empty:
	// everything is kept in memory.
	StateFile string

	// Key signs the ID tokens. Nil: the one in StateFile, else a new one, which
	// takes a moment to make; tests that start many emulators may share one.
	Key *rsa.PrivateKey

	// TokenLifetime is how long an access token is good. 0: 48 hours.
	TokenLifetime time.Duration

	// CodeLifetime is how long a code is good. 0: 60 seconds.
	CodeLifetime time.Duration

	// Log gets a line about each request: its method and path, the app's ID where
	// it is known, the status of the answer, the names of parameters that were
	// ignored, and why it was refused. No secret is in it. Nil: nothing is logged.
	Log *slog.Logger

	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

// A Client is an app as it is registered at Globus.
type Client struct {
	ID     string // required
	Secret string // empty: a public client, such as a command or a page without a server; it must use PKCE
	Name   string // shown to the person; empty: ID

	// RedirectURIs are compared character for character. They are https, or
	// http on loopback, and have no fragment. Globus's helper pages (logout,
	// identities, consents) link back to their origins alone. A public client may
	// also use http on loopback, on any port, and AuthCodePath. None: every other
	// request is refused.
	RedirectURIs []string

	// ResourceServer is what the tokens for its scopes name it, if it is a resource
	// server itself and that is not its ID: a Scope's ResourceServer.
	ResourceServer string
}

func (c Client) check() error {
	if c.ID == "" {
		return errors.New("globustest: a client needs an ID")
	}
	for _, uri := range c.RedirectURIs {
		if err := checkRedirectURI(uri); err != nil {
			return fmt.Errorf("globustest: redirect URI %q of client %s: %w", uri, c.ID, err)
		}
	}
	return nil
}

// checkRedirectURI holds to what Globus lets people register.
func checkRedirectURI(uri string) error {
	u, err := url.Parse(uri)
	switch {
	case err != nil:
		return err
	case u.Host == "" || strings.Contains(uri, "#"):
		return errors.New("not an absolute URL without a fragment")
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && globus.IsLoopback(u.Hostname()):
		return nil
	}
	return errors.New("neither https nor http on loopback")
}

// server is the resource server that the app is.
func (c Client) server() string { return cmp.Or(c.ResourceServer, c.ID) }

// title is what pages call the app.
func (c Client) title() string {
	if c.Name == "" {
		return c.ID
	}
	return c.Name
}

func checkIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	if err != nil {
		return fmt.Errorf("globustest: issuer: %w", err)
	}
	if !slices.Contains([]string{"http", "https"}, u.Scheme) || issuer != u.Scheme+"://"+u.Host || u.Host == "" {
		return fmt.Errorf("globustest: issuer %q is not like http://127.0.0.1:8890", issuer)
	}
	return nil
}
