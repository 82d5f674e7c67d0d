// Package globustest emulates Globus Auth, the calls of Globus Transfer and Globus Search
// that people's apps make, one call of Globus Groups, and the files of collections over
// HTTPS, for reading. It serves real HTTP, for tests and for trying an app without an
// account.
//
// A program that works with Globus works with the emulator unchanged. The emulator
// accepts what Globus accepts. Where that is not known, it accepts what the RFCs allow,
// and records what it ignored ([Emulator.Ignored]); with [Config.Strict] it rejects it
// instead. Its responses have the shapes that Globus sends, with null and missing
// members. Where Globus sends two shapes, the emulator sends the one that is harder to
// read. testdata/facts lists what is known about Globus, with sources, and a test
// compares the emulator with it.
//
// A test starts it as it would an httptest.Server:
//
//	auth := globustest.NewServer(globustest.Config{})
//	defer auth.Close()
//	auth.Register(globustest.Client{ID: "app", Secret: "s3cret", RedirectURIs: []string{app.URL + "/login"}})
//
// Its collections have files. Tasks copy and delete them in the course of time, and meet
// faults. [Emulator.PassTime] advances the clock of the tasks, and [Emulator.Change]
// changes a collection while they run: it takes a laptop offline, for example. Files and
// tasks are kept in memory: a new process starts with the configured ones.
//
// A test calls [Emulator.Lie] to make a response wrong:
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

// The paths of the endpoints of Globus Auth.
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
	AuthCodePath   = "/v2/web/auth-code" // the redirect URI of programs without one of their own: the page shows the code

	// The API for identities. A request for one identity, or for its consents, counts as
	// GetIdentitiesPath in Lie and Requests.
	GetIdentitiesPath     = "/v2/api/identities"
	IdentityProvidersPath = "/v2/api/identity_providers"
)

// The paths of the endpoints of Globus Transfer. They are on the same host as the others.
// Lie, Requests and Ignored use them as written here, for all tasks or all collections.
const (
	TransferPath = "/v0.10" // prefix of the others: the base URL is the issuer and this
	TaskListPath = TransferPath + "/task_list"
	TaskPath     = TransferPath + "/task/"               // in a request, the id of a task follows
	ListPath     = TransferPath + "/operation/endpoint/" // in a request, the id of a collection and /ls follow

	// In a request, the id of a task replaces the *.
	CancelPath              = TransferPath + "/task/*/cancel"
	EventListPath           = TransferPath + "/task/*/event_list"
	SuccessfulTransfersPath = TransferPath + "/task/*/successful_transfers"
	SkippedErrorsPath       = TransferPath + "/task/*/skipped_errors"
	PauseInfoPath           = TransferPath + "/task/*/pause_info"

	SubmissionIDPath   = TransferPath + "/submission_id"
	SubmitTransferPath = TransferPath + "/transfer"
	SubmitDeletePath   = TransferPath + "/delete"

	// In a request, the id of a collection replaces the *.
	MkdirPath  = TransferPath + "/operation/endpoint/*/mkdir"
	RenamePath = TransferPath + "/operation/endpoint/*/rename"
	StatPath   = TransferPath + "/operation/endpoint/*/stat"

	CollectionPath   = TransferPath + "/endpoint/" // in a request, the id of a collection follows
	SearchPath       = TransferPath + "/endpoint_search"
	BookmarkListPath = TransferPath + "/bookmark_list"
	BookmarkPath     = TransferPath + "/bookmark" // creates a bookmark; BookmarkPath + "/*" is one that exists
)

// HTTPSPath is the files of all collections in Lie and Requests. In a request, the path of
// the collection's https_server and that of the file replace it, see Emulator.HTTPSServer.
const HTTPSPath = "/*.data.example.org/*"

// The paths of the endpoints of Globus Groups.
const (
	GroupsPath   = "/v2" // prefix of the other
	MyGroupsPath = GroupsPath + "/groups/my_groups"
)

// A Config says with what an Emulator starts.
type Config struct {
	// Issuer is the base URL at which browsers and apps reach the emulator, such as
	// http://127.0.0.1:8890, without a path or a slash at its end. New requires it;
	// NewServer fills it in if it is empty.
	Issuer string

	// Clients are the registered apps. None: nobody can sign in before Register is
	// called.
	Clients []Client

	// Scopes are known in addition to the scopes of Globus's services, and to
	// data_access and https of Collections. Nil: no others.
	Scopes []Scope

	// Strict rejects what Globus ignores or may ignore: unknown parameters,
	// authorization requests without state or PKCE, and spellings that only some
	// clients use. False: the emulator accepts them, and records what it ignored.
	Strict bool

	// People can sign in. Nil: DemoPeople().
	People []Person

	// Collections have the files that Transfer lists and copies. Nil:
	// DemoCollections().
	Collections []Collection

	// Indexes are what Search searches. Nil: DemoIndexes().
	Indexes []Index

	// StateFile names a JSON file with the signing key, tokens, consents and single
	// sign-on sessions. The emulator rewrites it at every change, so they survive a
	// killed process. It does not hold authorization codes, apps added by Register, or
	// changes to files, tasks, bookmarks and indexes. It holds the private key, but only hashes
	// of tokens and cookies. Only one process may use it at a time. Empty: everything
	// is kept in memory.
	StateFile string

	// Key signs the ID tokens. Nil: the key in StateFile, or else a new one. A new key
	// takes time to generate: tests that start many emulators can share one.
	Key *rsa.PrivateKey

	// TokenLifetime is the lifetime of an access token. 0: 48 hours.
	TokenLifetime time.Duration

	// CodeLifetime is the lifetime of an authorization code. 0: 60 seconds.
	CodeLifetime time.Duration

	// Log gets a line for each request: its method and path, the app's ID if it is
	// known, the status of the response, the names of ignored parameters, and why the
	// request was rejected. It contains no secret. Nil: nothing is logged.
	Log *slog.Logger

	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

// A Client is an app as it is registered at Globus.
type Client struct {
	ID     string // required
	Secret string // empty: a public client, such as a command-line program or a page without a server; it must use PKCE
	Name   string // shown to the person; empty: ID

	// RedirectURIs are https, or http on loopback, without a fragment. A request must
	// have one of them exactly. A public client may also use http on loopback, on any
	// port, and AuthCodePath. Globus's helper pages (logout, identities, consents) link
	// only to the origins of RedirectURIs.
	RedirectURIs []string

	// ResourceServer is the app's name as a resource server, as in Scope. Empty: its
	// ID.
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

// checkRedirectURI returns an error if Globus would not register uri.
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

// server is the app's name as a resource server.
func (c Client) server() string { return cmp.Or(c.ResourceServer, c.ID) }

// title is the app's name on pages.
func (c Client) title() string { return cmp.Or(c.Name, c.ID) }

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
