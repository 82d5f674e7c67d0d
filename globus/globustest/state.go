package globustest

import (
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// A state is the content of the StateFile. The keys of Sessions and Tokens are hashes of
// cookies and tokens, which themselves are stored nowhere.
type state struct {
	Key      jose.JSONWebKey    `json:"key"`
	Sessions map[string]session `json:"sessions"`
	Tokens   map[string]token   `json:"tokens"`

	// Consents are by person and app.
	Consents map[string]map[string][]consent `json:"consented"`

	file string // empty: memory alone
}

// A session is a browser's single sign-on session.
type session struct {
	Person string    `json:"person"`
	Began  time.Time `json:"began"`

	// Used are the person's authentications, by app and identity. An app for which they did
	// not have to sign in has no entry.
	Used map[string]map[string]authentication `json:"used,omitempty"`
}

func (s session) live(now time.Time) bool { return now.Before(s.Began.Add(sessionLifetime)) }

// A token is an access or refresh token.
type token struct {
	Grant          grant     `json:"grant"`
	ResourceServer string    `json:"resource_server"`
	Scopes         []string  `json:"scopes"`
	Refresh        bool      `json:"refresh,omitempty"`
	Expiry         time.Time `json:"expiry"`
}

// A grant says for whom and for which app a code or a token was issued. Tokens have the
// grant of their code.
type grant struct {
	CodeHash      string    `json:"code_hash"` // to revoke the tokens if the code is used again
	ClientID      string    `json:"client_id"`
	Person        string    `json:"person"`
	Authenticated time.Time `json:"authenticated"`

	Used map[string]authentication `json:"used,omitempty"` // as in session, for this app

	// A dependent token also has the app that the person consented to, and the scopes that
	// depend on the token's.
	RootID string   `json:"root_id,omitempty"` // empty: ClientID
	Above  []string `json:"above,omitempty"`
}

// root is the app that the person has consented to.
func (g grant) root() string { return cmp.Or(g.RootID, g.ClientID) }

// A consent is a person's consent to a scope, or to a dependency of one.
type consent struct {
	Path     []string  `json:"path"` // names of scopes, the outermost first
	Optional bool      `json:"optional,omitempty"`
	Refresh  bool      `json:"refresh,omitempty"` // the app may have refresh tokens
	Created  time.Time `json:"created"`
}

// allows reports whether a person has consented to the scope at the end of path for an app.
func (s *state) allows(person, clientID string, path ...string) bool {
	return slices.ContainsFunc(s.Consents[person][clientID], func(c consent) bool { return slices.Equal(c.Path, path) })
}

// allow adds a consent if it is missing.
func (s *state) allow(person, clientID string, c consent) {
	if s.Consents[person] == nil {
		s.Consents[person] = map[string][]consent{}
	}
	all := s.Consents[person][clientID]
	i := slices.IndexFunc(all, func(old consent) bool { return slices.Equal(old.Path, c.Path) })
	if i < 0 {
		s.Consents[person][clientID] = append(all, c)
		return
	}
	all[i].Refresh = all[i].Refresh || c.Refresh
}

// openState reads a file, or creates it. The signing key is key, or else the key in the
// file, or else a new one.
func openState(file string, key *rsa.PrivateKey) (*state, error) {
	s := &state{Sessions: map[string]session{}, Tokens: map[string]token{}, Consents: map[string]map[string][]consent{}, file: file}
	if err := s.load(); err != nil {
		return nil, err
	}
	if key != nil {
		s.Key = jose.JSONWebKey{Key: key}
	}
	if s.Key.Key == nil {
		s.Key = jose.JSONWebKey{Key: newKey()}
	}
	if _, ok := s.Key.Key.(*rsa.PrivateKey); !ok {
		return nil, errors.New("its key is not an RSA private key")
	}
	return s, s.save()
}

func (s *state) load() error {
	if s.file == "" {
		return nil
	}
	data, err := os.ReadFile(s.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, s); err != nil {
		return err
	}
	if s.Consents == nil { // an older file has none
		s.Consents = map[string]map[string][]consent{}
	}
	if s.Key.Key == nil || s.Sessions == nil || s.Tokens == nil {
		return errors.New("it is incomplete")
	}
	return nil
}

// save replaces the file in one step, so that a reader finds the old or the new content, also
// after a crash.
func (s *state) save() error {
	if s.file == "" {
		return nil
	}
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	dir := filepath.Dir(s.file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(dir, filepath.Base(s.file)+".*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // fails once it is renamed
	_, err = temp.Write(data)
	err = errors.Join(err, temp.Sync(), temp.Close())
	if err != nil {
		return err
	}
	return os.Rename(temp.Name(), s.file)
}

// sweep deletes expired tokens and sessions.
func (s *state) sweep(now time.Time) {
	maps.DeleteFunc(s.Tokens, func(_ string, t token) bool { return !now.Before(t.Expiry) })
	maps.DeleteFunc(s.Sessions, func(_ string, sso session) bool { return !sso.live(now) })
}

func (s *state) signingKey() *rsa.PrivateKey { return s.Key.Key.(*rsa.PrivateKey) }

// fingerprint is the hash under which a secret is looked up.
func fingerprint(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// randomText returns n random letters and digits.
func randomText(n int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	text := make([]byte, 0, n)
	var b [1]byte
	for len(text) < n {
		rand.Read(b[:])
		if int(b[0]) < 256/len(alphabet)*len(alphabet) { // so that all characters are equally likely
			text = append(text, alphabet[int(b[0])%len(alphabet)])
		}
	}
	return string(text)
}
